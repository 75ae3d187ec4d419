"""What the scripts of the field's data sets share: counts that are compared, files that are laid out, pairs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from posekit.data.annotations import COLUMNS, read_annotations, read_joint_rows, read_pairs
from posekit.data.names import short_key
from posekit.data.pair_rule import PUBLISHED, all_pairs, draw_pairs, valid_names, write_pairs
from posekit.data.photo import PICTURES
from posekit.data.photo_folder import NO_PHOTOGRAPH
from posekit.util.errors import InputError
from posekit.util.files import whole_file

ANY_SIZE = (10**6, 10**6)  # of joints whose places do not matter


class Count(NamedTuple):
    """Something that was counted, and how many the data set's authors say there are; None where they do not."""

    what: str
    seen: int
    expected: int | None = None

    def __str__(self) -> str:
        if self.expected is None or self.seen == self.expected:
            return f"OK     {self.what}: {self.seen:,}"
        return f"DIFFER {self.what}: {self.seen:,}, the authors say {self.expected:,}"


def say(counts: Iterable[Count]) -> bool:
    """Print them; whether all are as they should be."""
    counts = list(counts)
    print("\n".join(map(str, counts)))
    return all(count.expected in (None, count.seen) for count in counts)


def pictures_in(folder: Path) -> list[Path]:
    """Every picture in a folder and in those inside it that is no map, sorted."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; the page data_scripts/README.md says what is expected.")
    pictures = (p for p in folder.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())
    return sorted(p for p in pictures if not p.stem.lower().endswith(NO_PHOTOGRAPH))


def listed_names(path: Path) -> list[str]:
    """The photographs that a list names, each once, in its order: of joints, of pairs, or one a line."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        first = file.readline()
    if sorted(cell.strip() for cell in first.split(":")) == sorted(COLUMNS):
        names = read_joint_rows(path)[0]
    elif "from" in first.split(","):
        names = [name for pair in read_pairs(path) for name in pair]
    else:
        names = [line.split()[0] for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    return list(dict.fromkeys(names))


def split_of_list(path: Path) -> str:
    """Which split a list is of, by its name: "train" or "test"."""
    splits = [split for split in ("train", "test") if split in path.name]
    if len(splits) != 1:
        raise InputError(f"The name {path.name!r} should say one of train and test; rename the list.")
    return splits[0]


def lay_out(photographs: Iterable[Path], lists: Sequence[Path], out: Path) -> dict[str, tuple[int, int]]:
    """Put the listed photographs into OUT/SPLIT under the list's names, and the lists beside: (there, missing) a list.

    Files are linked where the file system can, else copied; what is there already stays.  Nothing leads outside OUT.
    """
    at = {short_key(path.as_posix()): path for path in photographs}
    counts = {}
    for path in lists:
        split, there = split_of_list(path), 0
        names = listed_names(path)
        for name in names:
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise InputError(
                    f"{path} names {name!r}, which lies outside of the folder; it is no list of the field."
                )
            source = at.get(short_key(name))
            if source is not None:
                place(source, out / split / name)
                there += 1
        counts[path.name] = (there, len(names) - there)
        if path.suffix == ".csv":
            with whole_file(out / path.name, make_folder=True) as temporary:
                shutil.copyfile(path, temporary)
    return counts


def place(source: Path, target: Path) -> None:
    """A link to the same file, or a copy of it."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        with whole_file(target) as temporary:
            shutil.copyfile(source, temporary)


def make_pairs(joints: Path, out: Path, *, test: bool, published: str) -> int:
    """Write the list of pairs that the rule makes of a list of joints (`posekit.data.pair_rule`), and say its count."""
    pairs = all_pairs(valid_names(read_annotations(joints, ANY_SIZE)))
    pairs = draw_pairs(pairs) if test else pairs
    write_pairs(out, pairs)
    counts = PUBLISHED[published]
    print(f"{len(pairs):,} pairs in {out}; published: {counts.test if test else counts.train:,} ({counts.source})")
    return len(pairs)
