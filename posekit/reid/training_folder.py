"""Photographs to train on, each with a file name that says who it is and with a pose: files, or a rendered folder.

Both classes are sequences of `Person`, with ``names`` (file names) and ``identities`` (labels) known without reading
a picture.  The names follow the field's conventions (`posekit.data.names`).
"""

import dataclasses
import hashlib
import logging
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from posekit.data.annotations import read_annotations
from posekit.data.load import Atlas, load_person, shows_somebody
from posekit.data.names import MarketName, is_generated, parse_deepfashion, parse_market, photograph_key
from posekit.data.photo import PICTURES, open_picture, read_photo
from posekit.person import Person
from posekit.studio.folder_files import is_complete, people_in, read_folder_card, read_shots
from posekit.studio.generate import split_of, to_person
from posekit.util.errors import InputError

TORSO = (2, 5, 8, 11)  # shoulders and hips: a photograph without one of them has no usable pose
CAMERAS = 6  # of Market-1501
MAP_ENDINGS = (".npy", "_iuv.png", ".png")  # the first that is there is taken; capitals do not matter
NO_PHOTOGRAPH = ("_iuv", "_inds")  # how the names of pictures end that are maps

log = logging.getLogger(__name__)


class TrainingFolder(Sequence):
    """What both kinds of folder have in common: ``root``, ``names``, ``identities``, the ``atlas`` of their maps."""

    root: Path
    atlas: str
    names: tuple[str, ...]
    identities: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def describe(self) -> dict[str, Any]:
        """What a card says about the photographs; equal descriptions mean equal names in equal order."""
        names = hashlib.sha256("\n".join(self.names).encode()).hexdigest()[:16]
        return {"dataset": type(self).__name__, "photographs": len(self), "names": names}


class PhotoFolder(TrainingFolder):
    """The photographs of a folder and of those inside it, named as in Market-1501 or DeepFashion.

    - root: the folder (``bounding_box_train``, or ``img`` with ``WOMEN/Dresses/...`` in it).  Bad detections and
      distractors (identities -1 and 0), and pictures that were generated from others, are left out.
    - keypoints: csv of `posekit.data.annotations`; photographs without both shoulders and both hips are left out.
    - maps: folder with a surface map for each photograph, ``NAME.npy``, ``NAME_IUV.png`` or ``NAME.png``, as
      `posekit.data.load.load_person` reads them; photographs without one, or with one that shows nobody, are left out.
      It may be ``root`` itself.  ``atlas`` as there.

    Lists and maps may spell the names in any way (`posekit.data.names`).
    """

    def __init__(
        self,
        root: str | os.PathLike,
        keypoints: str | os.PathLike | None = None,
        maps: str | os.PathLike | None = None,
        *,
        atlas: Atlas = "smpl",
    ) -> None:
        self.root, self.atlas = Path(root), atlas
        if keypoints is None and maps is None:
            raise InputError(
                f"The photographs of {root} have no pose; give the csv of their joints, or a folder of surface maps."
            )
        names = _photographs(self.root, None if maps is None else Path(maps))
        with open_picture(self.root / names[0]) as first:
            self.size = first.height, first.width
        self._annotations = None if keypoints is None else read_annotations(keypoints, self.size)
        self._maps = None if maps is None else _maps_of(Path(maps), self.root, names)
        posed = [n for n in names if self._has_pose(n)]
        if not posed:
            raise InputError(f"None of the {len(names)} photographs of {root} has a pose; check the names in its list.")
        self.names, self.identities = tuple(posed), tuple(_identity_of(n) for n in posed)

    def __getitem__(self, index: int) -> Person:
        """Photograph ``index``, read from its file."""
        name = self.names[index]
        path, surface = self.root / name, (self._maps or {}).get(name)
        person = Person(read_photo(path)) if surface is None else load_person(path, surface, atlas=self.atlas)
        if person.size != self.size:
            raise InputError(
                f"{path} is {person.size[0]} x {person.size[1]} pixels, the first photograph of its folder "
                f"{self.size[0]} x {self.size[1]}; bring all to one size."
            )
        points, visibility = (None, None) if self._annotations is None else self._annotations[name]
        return dataclasses.replace(
            person, keypoints=points, visibility=visibility, identity=self.identities[index], name=name
        )

    def describe(self) -> dict[str, Any]:
        """As of every folder, with what is known of the poses: a hash of the joints, the atlas of the maps."""
        joints = None if self._annotations is None else self._annotations.points.numpy().tobytes()
        return super().describe() | {
            "joints": None if joints is None else hashlib.sha256(joints).hexdigest()[:16],
            "atlas": None if self._maps is None else self.atlas,
        }

    def _has_pose(self, name: str) -> bool:
        if self._maps is not None and name not in self._maps:
            return False
        if self._annotations is None:
            return True
        return name in self._annotations and bool((self._annotations[name][1][list(TORSO)] > 0).all())


class RenderedFolder(TrainingFolder):
    """Photographs of a folder made by `posekit render`, under Market-1501 names.

    Person n is identity n + 1, because 0 stands for distractors; photograph v is taken by camera v mod 6 + 1 as
    frame v: ``0013_c2s1_000001_00.png`` is photograph 1 of person 12.

    shots: (person, view) of the wanted photographs; all of the training split when None.
    """

    atlas = "studio"

    def __init__(self, root: str | os.PathLike, shots: Iterable[tuple[int, int]] | None = None) -> None:
        self.root = Path(root)
        card = read_folder_card(root)
        if card is None:
            raise InputError(
                f"{root} is not a folder of rendered people (it has no card.json); make one: posekit render."
            )
        self.card = card
        if shots is None:
            shots = [(n, v) for n in people_in(root) if split_of(n) == "train" for v in range(card.views)]
        self.shots = tuple(shots)
        lacking = next((n for n, _ in self.shots if not is_complete(root, n, card)), None)
        if lacking is not None or not self.shots:
            what = "no person for training" if lacking is None else f"no person {lacking}"
            raise InputError(f"{root} holds {what}; render more people into it: posekit render.")
        self.names = tuple(market_name(*shot).spell(".png") for shot in self.shots)
        self.identities = tuple(_identity_of(n) for n in self.names)
        self._read = lru_cache(maxsize=64)(lambda number: read_shots(self.root, number, card))

    def __getitem__(self, index: int) -> Person:
        """Photograph ``index`` with all its maps."""
        number, view = self.shots[index]
        person = to_person(self._read(number)[view], self.card.seed, number, view, self.card.set)
        return dataclasses.replace(person, identity=self.identities[index], name=self.names[index])

    def describe(self) -> dict[str, Any]:
        """As of every folder, with the card of the rendering."""
        return super().describe() | dataclasses.asdict(self.card)


def open_training_folder(
    root: str | os.PathLike,
    keypoints: str | os.PathLike | None = None,
    maps: str | os.PathLike | None = None,
    *,
    atlas: Atlas = "smpl",
) -> TrainingFolder:
    """A `RenderedFolder` where there is the card of one, else a `PhotoFolder` with maps in ``atlas``."""
    if (Path(root) / "card.json").is_file():
        if keypoints is not None or maps is not None:
            raise InputError(f"{root} is a rendered folder, which has joints and maps; leave out other ones.")
        return RenderedFolder(root)
    return PhotoFolder(root, keypoints, maps, atlas=atlas)


def market_name(person: int, view: int) -> MarketName:
    """The Market-1501 name of a rendered photograph, see `RenderedFolder`."""
    if person + 1 > 9999:
        raise InputError(f"Market-1501 names end at identity 9999; person {person} is beyond, render fewer people.")
    return MarketName(person + 1, view % CAMERAS + 1, 1, view, 0)


def _identity_of(name: str) -> str:
    """Who is on a photograph, by its name: "0002" (Market-1501), or gender, category, item and variant."""
    try:
        return f"{parse_market(name).identity:04d}"
    except InputError:
        return parse_deepfashion(name).identity


def _photographs(root: Path, maps: Path | None) -> list[str]:
    """Names, from ``root`` on, of the original photographs of real identities, sorted; folders of maps are no part."""
    files = _files(root)
    if maps is not None and maps.resolve() != root.resolve():
        files = [p for p in files if not p.resolve().is_relative_to(maps.resolve())]
    pictures = [p.relative_to(root).as_posix() for p in files if p.suffix.lower() in PICTURES]
    names = [n for n in pictures if not is_generated(n) and not Path(n).stem.lower().endswith(NO_PHOTOGRAPH)]
    for name in names:
        try:
            _identity_of(name)
        except InputError:
            raise InputError(
                f"{root / name} is named neither as in Market-1501 (0002_c1s1_000451_03.jpg) nor as in DeepFashion "
                "(fasionWOMENDressesid0000271801_1front.jpg); rename it, or move it elsewhere."
            ) from None
    names = [n for n in names if _identity_of(n) not in ("-001", "0000")]
    if not names:
        raise InputError(f"{root} holds no photograph of an identity; check the path.")
    return names


def _files(root: Path) -> list[Path]:
    """Everything in a folder and in those inside it but hidden files, sorted."""
    try:
        next(root.iterdir(), None)
    except OSError as error:
        raise InputError(f"{root} cannot be read as a folder ({error.strerror}); check the path.") from error
    return sorted(p for p in root.rglob("*") if not any(part.startswith(".") for part in p.relative_to(root).parts))


def _maps_of(maps: Path, root: Path, names: list[str]) -> dict[str, Path]:
    """The map of each photograph that has one that shows somebody."""
    photographs = {(root / name).resolve() for name in names}
    best: dict[str, tuple[int, Path]] = {}
    for path in _files(maps):
        rank = next((k for k, ending in enumerate(MAP_ENDINGS) if path.name.lower().endswith(ending)), None)
        if rank is None or path.stem.lower().endswith("_inds") or path.resolve() in photographs or is_generated(path):
            continue
        name = path.relative_to(maps).as_posix()[: -len(MAP_ENDINGS[rank])]
        key = photograph_key(name)
        best[key] = min(best.get(key, (rank, path)), (rank, path))
    of = {n: best[key][1] for n in names if (key := photograph_key(n.removesuffix(Path(n).suffix))) in best}
    shown = {n: path for n, path in of.items() if shows_somebody(path)}
    if len(shown) < len(of):
        log.warning("%d maps in %s show nobody; their photographs are left out.", len(of) - len(shown), maps)
    return shown
