"""Market-1501: look whether it is whole, lay it out without junk and distractors, make its lists of pairs.

python data_scripts/market1501.py verify Market-1501-v15.09.15
python data_scripts/market1501.py convert Market-1501-v15.09.15 -o market
python data_scripts/keypoints.py market/train -o market/market-annotation-train.csv    # or the published lists
python data_scripts/market1501.py pairs market/market-annotation-train.csv -o market/market-pairs-train.csv
posekit train deformable_gan --data market -o runs/market
"""

from __future__ import annotations

import argparse
from pathlib import Path

import field_data

from posekit.data.names import MarketName, parse_market, spelling_of
from posekit.util.errors import InputError

FOLDERS = {"bounding_box_train": 12_936, "bounding_box_test": 19_732, "query": 3_368}  # photographs
IDENTITIES = {"bounding_box_train": 751, "bounding_box_test": 750, "query": 750}
SPLITS = {"bounding_box_train": "train", "bounding_box_test": "test"}


def names_in(folder: Path) -> dict[Path, MarketName]:
    """What the names of a folder's photographs say; others are left out."""
    pictures = field_data.pictures_in(folder)
    return {path: parse_market(path) for path in pictures if spelling_of(path.name) == "Market-1501"}


def verify(root: Path) -> bool:
    """Print what is there; whether it is all."""
    counts = []
    for folder, expected in FOLDERS.items():
        names = names_in(root / folder)
        people = {name.identity for name in names.values() if name.is_person}
        counts.append(field_data.Count(f"photographs in {folder}", len(names), expected))
        counts.append(field_data.Count(f"people in {folder}", len(people), IDENTITIES[folder]))
        for what, identity in (("junk (-1)", -1), ("distractors (0000)", 0)):
            number = sum(name.identity == identity for name in names.values())
            counts.append(field_data.Count(f"{what} in {folder}", number))
    return field_data.say(counts)


def convert(root: Path, out: Path) -> int:
    """Put the photographs of people into OUT/train and OUT/test; how many."""
    placed = 0
    for folder, split in SPLITS.items():
        for path, name in names_in(root / folder).items():
            if name.is_person:
                field_data.place(path, out / split / path.name)
                placed += 1
    if not placed:
        raise InputError(f"{root} holds no photograph of Market-1501; expected {', '.join(FOLDERS)} in it.")
    return placed


def main(arguments: list[str] | None = None) -> None:
    """Run one of the three commands; exit code 1 where something is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    look, lay, pairs = (commands.add_parser(name) for name in ("verify", "convert", "pairs"))
    for one in (look, lay):
        one.add_argument("root", type=Path)
    pairs.add_argument("joints", type=Path)
    for one in (lay, pairs):
        one.add_argument("-o", "--out", type=Path, required=True)
    pairs.add_argument("--test", action="store_true", help="drawn as the published test pairs")
    args = parser.parse_args(arguments)
    if args.command == "pairs":
        field_data.make_pairs(args.joints, args.out, test=args.test, published="market")
    elif args.command == "convert":
        print(f"{convert(args.root, args.out):,} photographs in {args.out}")
    else:
        raise SystemExit(0 if verify(args.root) else 1)


if __name__ == "__main__":
    main()
