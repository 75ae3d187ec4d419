"""MVC (Multi-View Clothing): look whether it is whole, and bring it to squares in a folder for each item.

    python data_scripts/mvc.py verify MVC
    python data_scripts/mvc.py convert MVC -o mvc --size 256
    python data_scripts/keypoints.py mvc/train -o mvc/annotation-train.csv
    posekit train deformable_gan --data mvc -o runs/mvc

``convert`` writes OUT/train/ITEM/NAME.png and OUT/test/ITEM/NAME.png with a margin, stretching nobody; 1,000 items are
for testing, drawn with --seed: which ones the authors of Dense Pose Transfer took is not published.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import field_data
import numpy as np
from tqdm.auto import tqdm

from posekit.data.margins import fit_person
from posekit.data.mvc import read_mvc
from posekit.data.photo import open_picture, read_photo, write_photo
from posekit.person import Person
from posekit.util.errors import InputError

PHOTOGRAPHS = 161_260  # as Dense Pose Transfer counts them, appendix C
TEST_ITEMS = 1_000


def verify(root: Path) -> bool:
    """Print what is there; whether it is all."""
    photographs = read_mvc(root)
    there = [photograph for photograph in photographs if photograph.path.is_file()]
    views = Counter(Counter(photograph.item for photograph in photographs).values())
    counts = [
        field_data.Count("photographs in the lists", len(photographs), PHOTOGRAPHS),
        field_data.Count("of them missing", len(photographs) - len(there), 0),
        field_data.Count("items", len({photograph.item for photograph in photographs})),
    ]
    print(f"views of an item: {', '.join(f'{n} ({items} items)' for n, items in sorted(views.items()))}")
    if there:
        with open_picture(there[0].path) as picture:
            print(f"the first is {picture.width} x {picture.height} pixels (width x height); 1920 x 2240 are expected")
    return field_data.say(counts)


def convert(root: Path, out: Path, size: int, seed: int, test_items: int = TEST_ITEMS) -> tuple[int, int]:
    """(photographs written now, missing); what is there already stays."""
    photographs = read_mvc(root)
    items = sorted({photograph.item for photograph in photographs})
    if len(items) <= test_items:
        raise InputError(
            f"{root} has {len(items)} items, of which {test_items} are for testing; nothing is left to train."
        )
    testing = set(np.random.default_rng(seed).permutation(items)[:test_items].tolist())
    written = missing = 0
    for photograph in tqdm(photographs, desc="MVC", disable=None):
        place = (
            out / ("test" if photograph.item in testing else "train") / photograph.item / f"{photograph.path.stem}.png"
        )
        if not photograph.path.is_file():
            missing += 1
        elif not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            write_photo(place, fit_person(Person(read_photo(photograph.path)), (size, size)).image)
            written += 1
    return written, missing


def main(arguments: list[str] | None = None) -> None:
    """Run one of the two commands; exit code 1 where something is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    look, lay = (commands.add_parser(name) for name in ("verify", "convert"))
    for one in (look, lay):
        one.add_argument("root", type=Path)
    lay.add_argument("-o", "--out", type=Path, required=True)
    lay.add_argument("--size", type=int, default=256)
    lay.add_argument("--seed", type=int, default=0, help="of the items for testing")
    args = parser.parse_args(arguments)
    if args.command == "verify":
        raise SystemExit(0 if verify(args.root) else 1)
    written, missing = convert(args.root, args.out, args.size, args.seed)
    print(f"{written:,} photographs written into {args.out}, {missing:,} missing")


if __name__ == "__main__":
    main()
