"""The people that commands train on and measure on: rendered, of a folder of photographs, or a function's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from posekit.util.address import is_address, object_at
from posekit.util.errors import InputError

if TYPE_CHECKING:
    from posekit.person import Pair
    from posekit.systems.base import System

FOLDER = (
    "Folder made by `posekit render` or `posekit pack`, of photographs, or of videos of faces (300-VW); or "
    "my_module:pairs; else rendered now."
)


class Files(NamedTuple):
    """What belongs to a folder of photographs: csv of pairs, csv of joints, folder of maps, and the maps' atlas."""

    pairs: Path | None = None
    keypoints: Path | None = None
    maps: Path | None = None
    atlas: str = "auto"


def open_people(
    data: str | None,
    split: str,
    size: tuple[int, int],
    *,
    people: int,
    views: int,
    seed: int,
    kind: str = "body",
    files: Files | None = None,
    **more: Any,
) -> Sequence[Pair]:
    """The pairs of one split: of the folder ``data``, or of people rendered into the user's cache now.

    A folder is one of rendered people, of videos of faces (`posekit.photo.face_videos`; "test" are its subjects for
    validation), or of photographs (`posekit.data.folder_pairs.load_people`), for which ``files`` are.
    kind: of people to render.  "my_module:pairs" calls that function with (split, size): "train" or "test",
    (height, width).  more: further arguments of `StudioPeople`, of which a folder of photographs takes ``pairs`` and
    ``neighbours``.
    """
    from posekit.data.folder_pairs import load_people
    from posekit.data.studio import StudioPeople

    files = files or Files()
    folder = data is not None and Path(data).is_dir()
    videos = folder and any(Path(data).glob("*/annot"))
    photographs = folder and not videos and not (Path(data) / "card.json").is_file()
    if any(files[:3]) and not photographs:
        raise InputError("Lists of pairs or joints, and maps, are for a folder of photographs, given by --data.")
    if (photographs or videos) and "poses" in more:
        raise InputError("Poses are chosen among rendered people; leave --poses out with photographs.")
    if videos:
        from posekit.photo.face_videos import FaceVideos

        return FaceVideos(data, "train" if split == "train" else "val", size[0])
    if photographs:
        how = {"same_too": more.get("pairs") == "same too", "neighbours": more.get("neighbours", 0)}
        return load_people(data, *files[:3], split=split, size=size, atlas=files.atlas, **how)
    if data is None:
        return StudioPeople(people=people, views=views, size=size, seed=seed, split=split, kind=kind, **more)
    if not is_address(data) or folder:
        return StudioPeople.of_folder(data, split, size, **more)
    if "poses" in more:
        raise InputError("Poses are chosen among rendered people; leave --poses out with pairs of your own.")
    pairs = object_at(data)(split, size)
    if not (hasattr(pairs, "__len__") and hasattr(pairs, "__getitem__")):
        raise InputError(f"{data} should give a sequence of posekit.Pair, got {type(pairs).__name__}.")
    return pairs


def atlas_of_data(data: Sequence[Pair]) -> str:
    """The atlas that the maps of photographs are positions in; "" where there are none, or people are rendered."""
    from posekit.data.folder_pairs import FolderPairs

    return data[0].source.atlas if isinstance(data, FolderPairs) and data[0].source.uv is not None else ""


def check_data(system: System, data: Sequence[Pair], *, training: bool = True) -> None:
    """InputError, before any work, unless the first pair has what a system is trained with, or makes pictures from."""
    if len(data):
        of_target = None if training else system.needs_of_target
        data[0].batched().require(*system.needs, by=system.name, atlas=system.atlas, of_target=of_target)
