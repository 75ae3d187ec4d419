"""Pairs of photographs of a folder in the field's layout: what every system trains and is measured on."""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from posekit.data.annotations import read_pairs
from posekit.data.load import Atlas
from posekit.data.names import name_finder
from posekit.data.pack import STATE
from posekit.data.packed import CARD, PackedPeople
from posekit.data.packed_on_device import PackedOnDevice, fits_packed
from posekit.data.photo_folder import PhotoFolder
from posekit.person import Pair, Person
from posekit.util.errors import InputError

SPLITS = {
    "train": ("train", "bounding_box_train"),
    "test": ("test", "bounding_box_test"),
}  # folders, as they are called

log = logging.getLogger(__name__)


class FolderPairs(Sequence):
    """Ordered pairs of photographs of one person.

    | argument   | meaning |
    |------------|---------|
    | people     | the photographs: a `posekit.data.photo_folder.PhotoFolder` or what has its names and identities |
    | listed     | (source name, target name) in any spelling; None: all ordered pairs of one person |
    | pairs      | "all", or "same too": each photograph also with itself |
    | neighbours | so many more photographs of the person come with each pair, see `Pair` |
    | within     | without a list: pairs of the photographs whose names begin so, such as "train/" |

    Listed pairs of which a photograph is not there, or has no pose, are left out, which is logged as a warning.  Raises
    `InputError` where none is left.
    """

    def __init__(
        self,
        people: Sequence[Person],
        listed: Sequence[tuple[str, str]] | None = None,
        *,
        pairs: Literal["all", "same too"] = "all",
        neighbours: int = 0,
        within: str = "",
    ) -> None:
        if pairs not in ("all", "same too"):
            raise InputError(f"pairs must be all or same too; got {pairs!r}")
        self.people, self.neighbours = people, neighbours
        self._views: dict[str, list[int]] = defaultdict(list)
        for index, identity in enumerate(people.identities):
            self._views[identity].append(index)
        if listed is None:
            wanted = [[v for v in views if people.names[v].startswith(within)] for views in self._views.values()]
            self._pairs = [pair for views in wanted for pair in itertools.permutations(views, 2)]
        else:
            self._pairs = self._of_list(listed)
        if pairs == "same too":
            alone, there = dict.fromkeys(itertools.chain.from_iterable(self._pairs)), set(self._pairs)
            self._pairs += [(index, index) for index in alone if (index, index) not in there]
        if not self._pairs:
            raise InputError(
                f"The {len(people)} photographs make no pair; each person needs two, and a list names these files."
            )

    def _of_list(self, listed: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
        find = name_finder(self.people.names)
        places = [(find(source), find(target)) for source, target in listed]
        there = [pair for pair in places if None not in pair]
        if len(there) < len(places):
            log.warning(
                "%d of %d listed pairs are left out: a photograph is missing, or has no pose.",
                len(places) - len(there),
                len(places),
            )
        return there

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> Pair:
        """Pair ``index``, read from its files."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"There are {len(self)} pairs; got index {index}.")
        source, target, *others = (self.people[i] for i in self.where(index))
        return Pair(source, target, tuple(others))

    def where(self, index: int) -> tuple[int, ...]:
        """The numbers of the photographs of a pair: source, target and neighbours, which follow the target around."""
        source, target = self._pairs[index]
        views = self._views[self.people.identities[target]]
        at = views.index(target)
        others = [view for view in (*views[at + 1 :], *views[:at]) if view != source] or [target]
        return (source, target, *itertools.islice(itertools.cycle(others), self.neighbours))

    def on_device(self, device: torch.device) -> Sequence[Pair]:
        """The same pairs kept on ``device``, where batches are made; itself where they cannot be kept there."""
        return PackedOnDevice(self, device) if fits_packed(self, device) else self

    def describe(self) -> dict[str, Any]:
        """What the card of a training run says about the data; equal descriptions mean equal pairs in equal order."""
        pairs = hashlib.sha256(repr(self._pairs).encode()).hexdigest()[:16]
        more = {"neighbours": self.neighbours} if self.neighbours else {}
        size = {"size": list(self.people.size)}
        return {**self.people.describe(), "dataset": "FolderPairs", **size, "pairs": len(self), "listed": pairs, **more}


def load_people(
    root: str | os.PathLike,
    pairs: str | os.PathLike | None = None,
    keypoints: str | os.PathLike | None = None,
    maps: str | os.PathLike | None = None,
    *,
    split: Literal["train", "test"] | None = None,
    size: tuple[int, int] | None = None,
    atlas: Literal["auto", "smpl", "tiles"] = "auto",
    joints_size: tuple[int, int] | None = None,
    same_too: bool = False,
    neighbours: int = 0,
) -> FolderPairs:
    """The pairs of a folder of photographs with joints, surface maps, or both.

        load_people("fashion", "fasion-pairs-train.csv", "fasion-annotation-train.csv", size=(256, 256))
        load_people("market", split="test", size=(128, 128))         lists and folders as the field calls them

    Args:
        root: the photographs, in any folders inside it, in any spelling of their names (`posekit.data.names`).
        pairs: csv with ``from,to``.  Without it ``*pairs*SPLIT*.csv`` of the folder, or else all ordered pairs of each
            person of its folder ``SPLIT`` or ``bounding_box_SPLIT``, or of all of it.
        keypoints: csv of joints.  Without it ``*annotation*SPLIT*.csv`` of the folder, if it is there.
        maps: folder of surface maps; the folder itself, where it holds any.
        size: (height, width) that photographs, maps and joints are brought to, with a margin and without stretching.
        atlas: "smpl" or "tiles" (DensePose pictures alone); "auto": "smpl" where a map is a ``.npy`` file.
        joints_size: see `posekit.data.photo_folder.PhotoFolder`.
        same_too, neighbours: pairs of a photograph with itself, and more photographs of the person with each pair.

    A system that needs what the folder does not have says so.  Raises InputError, one sentence, for folders and lists
    that cannot be used.
    """
    root = Path(root)
    kind = {"pairs": "same too" if same_too else "all", "neighbours": neighbours}
    if (root / CARD).is_file() or (root / STATE).is_file():
        if keypoints is not None or maps is not None:
            raise InputError(f"{root} is packed, with all joints and maps that it has; leave out other ones.")
        return _packed_pairs(root, pairs, split, size, kind)
    if pairs is None and split is not None:
        pairs = _list_of(root, "pairs", split)
    if keypoints is None and split is not None:
        keypoints = _list_of(root, "annotation", split)
    inside = root
    if pairs is None and split is not None:
        inside = next((root / name for name in SPLITS[split] if (root / name).is_dir()), root)
    listed = None if pairs is None else read_pairs(pairs)
    only = None if listed is None else {name for pair in listed for name in pair}
    lists = [] if keypoints is None else [keypoints]
    (people,) = open_folders(inside, lists, maps, size=size, atlas=atlas, joints_size=joints_size, only=only)
    return FolderPairs(people, listed, **kind)


def open_folders(
    root: str | os.PathLike,
    keypoints: Sequence[str | os.PathLike] | None = None,
    maps: str | os.PathLike | None = None,
    *,
    size: tuple[int, int] | None = None,
    atlas: Literal["auto", "smpl", "tiles"] = "auto",
    joints_size: tuple[int, int] | None = None,
    only: Collection[str] | None = None,
) -> list[PhotoFolder]:
    """The photographs of a folder, once for each list of joints, or once where there is none; as of `load_people`.

    keypoints: without it ``*annotation*.csv`` of the folder.
    """
    root = Path(root)
    lists = sorted(root.glob("*annotation*.csv")) if keypoints is None else list(keypoints)
    kinds = _kinds_of_maps(Path(maps) if maps is not None else root)
    maps = root if maps is None and kinds else maps
    if atlas == "auto":
        atlas = "smpl" if ".npy" in kinds else "tiles"
    if not lists and maps is None:
        raise InputError(
            f"The photographs of {root} have no pose: give the csv of their joints (--keypoints; "
            "data_scripts/keypoints.py makes one), or a folder of surface maps (--maps)."
        )
    given: dict[str, Any] = {"atlas": atlas, "size": size, "joints_size": joints_size, "named": False, "only": only}
    return [PhotoFolder(root, joints, maps, **given) for joints in lists or [None]]


def _packed_pairs(
    root: Path,
    pairs: str | os.PathLike | None,
    split: Literal["train", "test"] | None,
    size: tuple[int, int] | None,
    kind: dict[str, Any],
) -> FolderPairs:
    people = PackedPeople(root)
    if size is not None and people.size != tuple(size):
        (h, w), (ph, pw) = size, people.size
        raise InputError(f"{root} is packed at {ph} x {pw} pixels, {h} x {w} are wanted; pack it again with --size.")
    if pairs is None and split is not None:
        pairs = _list_of(root, "pairs", split)
    if pairs is not None:
        return FolderPairs(people, read_pairs(pairs), **kind)
    folders = [f"{name}/" for name in SPLITS[split]] if split is not None else []
    within = next((f for f in folders if any(name.startswith(f) for name in people.names)), "")
    return FolderPairs(people, within=within, **kind)


def _list_of(root: Path, word: str, split: str) -> Path | None:
    """The one csv in a folder whose name has both words; None where there is none."""
    lists = sorted(path for path in root.glob("*.csv") if word in path.name and split in path.name)
    if len(lists) > 1:
        names = " and ".join(path.name for path in lists)
        raise InputError(f"{root} has {names}; say which, by --pairs or --keypoints.")
    return lists[0] if lists else None


def _kinds_of_maps(folder: Path) -> set[Atlas | str]:
    """Which kinds of surface map a folder holds: ".npy", "_iuv.png"."""
    kinds = set()
    for path in folder.rglob("*"):
        kinds |= {ending for ending in (".npy", "_iuv.png") if path.name.lower().endswith(ending)}
    return kinds
