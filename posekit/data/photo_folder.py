"""A folder of photographs, each with a file name that says who it is and with a pose: files in the field's layouts.

A folder is a sequence of `Person`, with ``names`` (file names) and ``identities`` (labels) known without reading a
picture.  The names follow the field's conventions (`posekit.data.names`).
"""

import dataclasses
import hashlib
import logging
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch

from posekit.data.annotations import Annotations, read_annotations, read_joint_rows
from posekit.data.load import Atlas, load_person, shows_somebody
from posekit.data.margins import fit_person
from posekit.data.names import identity_of, is_generated, is_person_name, name_finder, short_key, spelling_of
from posekit.data.photo import PICTURES, open_picture, read_photo
from posekit.person import Person
from posekit.util.errors import InputError

TORSO = (2, 5, 8, 11)  # shoulders and hips: a photograph without one of them has no usable pose
MAP_ENDINGS = (".npy", "_iuv.png", ".png")  # the first that is there is taken; capitals do not matter
SQUARE, NARROW = (256, 256), (256, 176)  # DeepFashion with and without its flat borders
LARGE = 512  # rows from which on a list of 256 rows is recognised
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
    - size: (height, width) that every photograph is brought to, without stretching anybody (`fit_person`).  Without it,
      or with joints, they must have one size.
    - joints_size: (height, width) of the photographs that the joints belong to, if not these.  Lists of DeepFashion's
      photographs of 256 rows, square or narrow, are recognised beside those of 256 x 176 and of 1101 x 750.
    - named: whether other names than the field's are refused; else the folder they lie in says who is on them.
    - only: the names, in any spelling, of the photographs that are wanted.

    Lists and maps may spell the names in any way (`posekit.data.names`).
    """

    def __init__(
        self,
        root: str | os.PathLike,
        keypoints: str | os.PathLike | None = None,
        maps: str | os.PathLike | None = None,
        *,
        atlas: Atlas = "smpl",
        size: tuple[int, int] | None = None,
        joints_size: tuple[int, int] | None = None,
        named: bool = True,
        only: Collection[str] | None = None,
    ) -> None:
        self.root, self.atlas = Path(root), atlas
        if keypoints is None and maps is None:
            raise InputError(
                f"The photographs of {root} have no pose; give the csv of their joints, or a folder of surface maps."
            )
        names = _photographs(self.root, None if maps is None else Path(maps), named)
        if only is not None:
            wanted = {short_key(name) for name in only}  # of several with one name all: who asks says which
            names = [name for name in names if short_key(name) in wanted]
            if not names:
                raise InputError(f"{root} holds none of the {len(only)} listed photographs; check the spelling.")
        with open_picture(self.root / names[0]) as first:
            stored = first.height, first.width
        self.size, self._stored = size or stored, None if size and keypoints is None else stored
        self._annotations = None if keypoints is None else _joints(keypoints, stored, joints_size)
        self._row = {} if keypoints is None else _rows(names, self._annotations.names, keypoints)
        self._maps = None if maps is None else _maps_of(Path(maps), self.root, names)
        posed = [n for n in names if self._has_pose(n)]
        if not posed:
            raise InputError(f"None of the {len(names)} photographs of {root} has a pose; check the names in its list.")
        self.names, self.identities = tuple(posed), tuple(_identity(n) for n in posed)

    def __getitem__(self, index: int) -> Person:
        """Photograph ``index``, read from its file."""
        name = self.names[index]
        path, surface = self.root / name, (self._maps or {}).get(name)
        person = Person(read_photo(path)) if surface is None else load_person(path, surface, atlas=self.atlas)
        if self._stored is not None and person.size != self._stored:
            raise InputError(
                f"{path} is {person.size[0]} x {person.size[1]} pixels, the first photograph of its folder "
                f"{self._stored[0]} x {self._stored[1]}; bring all to one size."
            )
        joints, row = self._annotations, self._row.get(name)
        given = {} if joints is None else {"keypoints": joints.points[row], "visibility": joints.visibility[row]}
        person = dataclasses.replace(person, **given, identity=self.identities[index], name=name)
        return fit_person(person, self.size)

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
        row = self._row.get(name)
        return row is not None and bool((self._annotations.visibility[row, list(TORSO)] > 0).all())


def _rows(names: Sequence[str], listed: Sequence[str], keypoints: str | os.PathLike) -> dict[str, int]:
    """The row of each photograph that a list of joints has."""
    find = name_finder(listed)
    rows = {name: row for name in names if (row := find(name)) is not None}
    first: dict[int, str] = {}
    for name, row in rows.items():
        if first.setdefault(row, name) != name and spelling_of(name) is None:
            raise InputError(
                f"{keypoints} has one row, {listed[row]!r}, for {first[row]} and {name}; write their folders into it."
            )
    return rows


def _identity(name: str) -> str:
    """As `identity_of`; of another name, the folder that it lies in."""
    folder = Path(name).parent.as_posix()
    return identity_of(name) if folder == "." or spelling_of(name) is not None else folder


def _joints(keypoints: str | os.PathLike, stored: tuple[int, int], size: tuple[int, int] | None) -> Annotations:
    """The joints of photographs of ``stored`` pixels from a list that was made in photographs of ``size``.

    The two show the same, one of them with a margin left and right, or above and below: its middle is the other.
    """
    size = size or _size_of_list(keypoints, stored)
    joints = read_annotations(keypoints, size)
    wider = (size[1] / size[0]) / (stored[1] / stored[0])  # of the list's photographs, as a share of these
    scale = torch.tensor([max(1.0, wider), max(1.0, 1 / wider)])
    return joints if size == stored else dataclasses.replace(joints, points=joints.points * scale)


def _size_of_list(keypoints: str | os.PathLike, stored: tuple[int, int]) -> tuple[int, int]:
    """Of the photographs that a list belongs to: these, or DeepFashion's of 256 rows beside narrow or large ones."""
    if stored != NARROW and stored[0] < LARGE:
        return stored
    _, pixels = read_joint_rows(keypoints)
    there = (pixels != -1).all(-1)
    x, y = pixels[there].amax(0).tolist() if there.any() else (0.0, 0.0)
    if stored == NARROW:
        size = SQUARE if x >= NARROW[1] and max(x, y) < SQUARE[0] else stored
    else:
        size = stored if max(x, y) >= SQUARE[0] else SQUARE if x >= NARROW[1] else NARROW
    if size != stored:
        log.info("%s: the joints belong to photographs of %d x %d pixels (height x width).", keypoints, *size)
    return size


def _photographs(root: Path, maps: Path | None, named: bool) -> list[str]:
    """Names, from ``root`` on, of the original photographs of real identities, sorted; folders of maps are no part."""
    files = _files(root)
    if maps is not None and maps.resolve() != root.resolve():
        files = [p for p in files if not p.resolve().is_relative_to(maps.resolve())]
    pictures = [p.relative_to(root).as_posix() for p in files if p.suffix.lower() in PICTURES]
    names = [n for n in pictures if not is_generated(n) and not Path(n).stem.lower().endswith(NO_PHOTOGRAPH)]
    strange = next((name for name in names if spelling_of(name) is None), None)
    if named and strange is not None:
        raise InputError(
            f"{root / strange} is named neither as in Market-1501 (0002_c1s1_000451_03.jpg) nor as in DeepFashion "
            "(fasionWOMENDressesid0000271801_1front.jpg); rename it, or move it elsewhere."
        )
    names = [n for n in names if is_person_name(n)]
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
        best[name] = min(best.get(name, (rank, path)), (rank, path))
    kept = list(best)
    find = name_finder(kept)
    of = {name: best[kept[number]][1] for name in names if (number := find(name)) is not None}
    shown = {n: path for n, path in of.items() if shows_somebody(path)}
    if len(shown) < len(of):
        log.warning("%d maps in %s show nobody; their photographs are left out.", len(of) - len(shown), maps)
    return shown
