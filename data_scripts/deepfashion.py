"""DeepFashion, In-shop Clothes Retrieval Benchmark: look whether it is whole, lay it out, make its lists of pairs.

    python data_scripts/deepfashion.py verify In-shop
    python data_scripts/deepfashion.py convert In-shop -o fashion fasion-annotation-train.csv fasion-annotation-test.csv
    python data_scripts/deepfashion.py pairs fasion-annotation-test.csv -o fashion/fasion-pairs-test.csv --test
    posekit train --data fashion -o runs/fashion

``convert`` puts the photographs that the lists name into OUT/train and OUT/test under the lists' names, whichever
spelling either has, and copies the lists beside them; both sizes work, 256 x 256 and 750 x 1101 (width x height).
``--narrow`` writes columns 40 to 215 of the 256-wide ones instead, as PNG, for lists that carry x - 40.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import field_data

from posekit.data.names import parse_deepfashion, spelling_of
from posekit.data.photo import open_picture
from posekit.util.errors import InputError
from posekit.util.files import whole_file

PHOTOGRAPHS, ITEMS = 52_712, 7_982  # as its page says
PARTITION = "list_eval_partition.txt"
LOOKED_AT = 200  # photographs whose size is read


def photographs_of(root: Path) -> list[Path]:
    """The photographs, wherever in the folder WOMEN and MEN lie."""
    pictures = field_data.pictures_in(root)
    return [p for p in pictures if spelling_of(p.relative_to(root)) not in (None, "Market-1501")]


def verify(root: Path) -> bool:
    """Print what is there; whether it is all."""
    photographs = photographs_of(root)
    names = [parse_deepfashion(path) for path in photographs]
    items = {(name.gender, name.item) for name in names}
    strange = len(field_data.pictures_in(root)) - len(photographs)
    counts = [
        field_data.Count("photographs", len(photographs), PHOTOGRAPHS),
        field_data.Count("items", len(items), ITEMS),
    ]
    if strange:
        counts.append(field_data.Count("pictures with other names", strange, 0))
    sizes = Counter()
    for path in photographs[:: max(1, len(photographs) // LOOKED_AT)]:
        with open_picture(path) as picture:
            sizes[picture.size] += 1
    for lists in root.rglob(PARTITION):
        listed = [line.split()[0] for line in lists.read_text().splitlines()[2:] if line.strip()]
        there = {parse_deepfashion(path) for path in photographs}
        missing = sum(parse_deepfashion(name) not in there for name in listed)
        counts.append(field_data.Count(f"of {len(listed):,} photographs in {PARTITION} missing", missing, 0))
    print(f"sizes (width x height): {', '.join(f'{w} x {h} ({n})' for (w, h), n in sizes.most_common(4))}")
    return field_data.say(counts)


def convert(root: Path, lists: list[Path], out: Path, *, narrow: bool = False) -> bool:
    """Lay the photographs out; whether all that the lists name are there."""
    photographs = photographs_of(root)
    if narrow:
        counts = {path.name: _narrow(photographs, path, out) for path in lists}
    else:
        counts = field_data.lay_out(photographs, lists, out)
    return field_data.say(field_data.Count(f"{name}: {there:,} there, missing", gone, 0)
                          for name, (there, gone) in counts.items())  # fmt: skip


def _narrow(photographs: list[Path], listed: Path, out: Path) -> tuple[int, int]:
    at = {parse_deepfashion(path): path for path in photographs}
    names, there = field_data.listed_names(listed), 0
    for name in names:
        source = at.get(parse_deepfashion(name))
        if source is None:
            continue
        picture = open_picture(source).convert("RGB")
        if picture.size != (256, 256):
            raise InputError(f"{source} has {picture.size[0]} x {picture.size[1]} pixels; only 256 x 256 are narrowed.")
        place = (
            out / field_data.split_of_list(listed) / f"{Path(parse_deepfashion(name).spell('fashion', '')).name}.png"
        )
        with whole_file(place, make_folder=True) as temporary:
            picture.crop((40, 0, 216, 256)).save(temporary, format="PNG")
        there += 1
    field_data.lay_out([], [listed], out)  # the list itself
    return there, len(names) - there


def main(arguments: list[str] | None = None) -> None:
    """Run one of the three commands; exit code 1 where something is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    look, lay, pairs = (commands.add_parser(name) for name in ("verify", "convert", "pairs"))
    for one in (look, lay):
        one.add_argument("root", type=Path)
    lay.add_argument("lists", type=Path, nargs="+", help="train.lst, test.lst, lists of joints or pairs")
    lay.add_argument("-o", "--out", type=Path, required=True)
    lay.add_argument("--narrow", action="store_true", help="256 x 176, as PNG")
    pairs.add_argument("joints", type=Path)
    pairs.add_argument("-o", "--out", type=Path, required=True)
    pairs.add_argument("--test", action="store_true", help="drawn as the published test pairs")
    pairs.add_argument("--new-split", action="store_true", help="compare with the counts of the split of 2019")
    args = parser.parse_args(arguments)
    if args.command == "pairs":
        published = "fashion-resize" if args.new_split else "fashion"
        field_data.make_pairs(args.joints, args.out, test=args.test, published=published)
        return
    whole = (
        verify(args.root) if args.command == "verify" else convert(args.root, args.lists, args.out, narrow=args.narrow)
    )
    raise SystemExit(0 if whole else 1)


if __name__ == "__main__":
    main()
