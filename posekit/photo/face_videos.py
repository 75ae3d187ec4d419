"""Pairs of faces out of a folder of videos laid out as 300-VW.

    ROOT/001/annot/000001.pts     68 points of every frame
    ROOT/001/frames/000001.png    the frames, which the videos have to be cut into first:
                                  ffmpeg -i ROOT/001/vid.avi ROOT/001/frames/%06d.png

"We took each sixth frame of a video"; "split into train and validation in proportion of 91 and 23 subjects".  Which
subjects is not said: here the last of the folders by name are for validation.

Source: Coordinate-based Texture Inpainting, section 4.2; the pairs that are measured are those of
`posekit.data.face_protocol`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from posekit.data.face_protocol import LEVELS, face_pairs
from posekit.data.photo import read_photo
from posekit.data.points_file import read_points_file
from posekit.person import Pair
from posekit.photo.find_face import NoFaceError, find_face
from posekit.photo.photographed_face import PhotographedFace, frame_face
from posekit.util.errors import InputError

log = logging.getLogger(__name__)

EVERY_FRAME = 6
SOURCE_EVERY = 120  # frames of the video, of which every sixth is kept
VALIDATION = 23 / 114  # share of the subjects
MARGIN = 10.0  # pixels of the video
_KINDS = (".png", ".jpg", ".jpeg")
_KEPT = 1024  # faces in memory, half a megabyte each


class FaceVideos(Sequence[Pair]):
    """Pairs of frames of one video, with surface maps in the atlas "head".

    root: the folder.  split: "train", all ordered pairs of different frames of a video; "val", the pairs of the
    published protocol.  size: pixels.  every: of so many frames one is kept; a source is every `SOURCE_EVERY`-th frame.

    Every kept frame is looked at once when the data set is made: frames without a face are left out, which is logged.
    Raises InputError for a folder of another layout, and for the split "val" where a video has too few faces.
    """

    def __init__(self, root: str | Path, split: str = "train", size: int = 128, *, every: int = EVERY_FRAME):
        if split not in ("train", "val") or every < 1:
            raise InputError(f"split is train or val, and every a number from 1 up; got {split!r} and {every}.")
        self.split, self.size = split, size
        self.face = lru_cache(_KEPT)(self._face)
        self.frames: dict[str, list[Path]] = {}
        looks: dict[str, np.ndarray] = {}
        for folder in videos_of(root, split):
            directions = {}
            for frame in frames_of(folder)[::every]:
                try:
                    directions[frame] = self.face(frame).looks
                except NoFaceError as error:
                    log.warning("%s is left out: %s", frame, error)
            self.frames[folder.name], looks[folder.name] = list(directions), np.array(list(directions.values()))
        counts = [len(frames) for frames in self.frames.values()]
        self._before = np.cumsum([0, *(n * (n - 1) for n in counts)])  # pairs of the videos before each
        self._chosen = None if split == "train" else list(face_pairs(looks, max(1, SOURCE_EVERY // every), LEVELS))
        if not len(self):
            raise InputError(f"{root} holds no two faces of one video for the split {split}; give more frames.")

    def __len__(self) -> int:
        return int(self._before[-1]) if self._chosen is None else len(self._chosen)

    def __getitem__(self, index: int) -> Pair:
        name, source, target = self.where(index)
        return Pair(*(self.face(self.frames[name][frame]).person for frame in (source, target)))

    def where(self, index: int) -> tuple[str, int, int]:
        """(video, source, target): numbers among the kept frames."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"There are {len(self)} pairs; got index {index}.")
        index %= len(self)
        if self._chosen is not None:
            return self._chosen[index]
        video = int(np.searchsorted(self._before, index, side="right")) - 1
        name = list(self.frames)[video]
        source, other = divmod(index - int(self._before[video]), len(self.frames[name]) - 1)
        return name, source, other + (other >= source)

    def describe(self) -> dict[str, Any]:
        """What the card of a training run says about the data."""
        kept = {name: len(frames) for name, frames in self.frames.items()}
        return {"dataset": "FaceVideos", "split": self.split, "size": self.size, "frames": kept, "pairs": len(self)}

    def _face(self, frame: Path) -> PhotographedFace:
        video = frame.parents[1].name
        points = read_points_file(frame.parents[1] / "annot" / f"{frame.stem}.pts")
        low, high = points.min(0), points.max(0)
        image = read_photo(frame)
        face = find_face(image, tuple((low + high) / 2), float((high - low).max()))
        person, looks = frame_face(image, face, self.size, margin=MARGIN, name=f"{video}-{frame.stem}")
        return PhotographedFace(replace(person, identity=video), looks)


def videos_of(root: str | Path, split: str) -> list[Path]:
    """The folders of the videos of a split, by name: the last `VALIDATION` of them are for "val".  InputError."""
    root = Path(root)
    folders = sorted(path for path in root.glob("*") if (path / "annot").is_dir())
    if len(folders) < 2:
        raise InputError(f"{root} should hold two folders or more such as 001/ with annot/ and frames/ in each.")
    held_out = min(len(folders) - 1, max(1, round(VALIDATION * len(folders))))
    return folders[:-held_out] if split == "train" else folders[-held_out:]


def frames_of(folder: Path) -> list[Path]:
    """The pictures of a video that have points, by name.  Raises InputError where there are none."""
    frames = sorted(path for path in (folder / "frames").glob("*") if path.suffix.lower() in _KINDS)
    kept = [frame for frame in frames if (folder / "annot" / f"{frame.stem}.pts").is_file()]
    if not kept:
        raise InputError(
            f"{folder} has no frames with points; cut its video first: "
            f"ffmpeg -i {folder}/vid.avi {folder}/frames/%06d.png"
        )
    return kept
