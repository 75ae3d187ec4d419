"""Write the joints of every photograph of a folder as the csv that the field's systems read.

    python data_scripts/keypoints.py photographs -o photographs/annotation-train.csv

The pose model of the package (MediaPipe's, `posekit.photo`; needs ``pip install 'posekit[photo]'``) finds the largest
person of each photograph: ``name:keypoints_y:keypoints_x``, 18 joints of OpenPose's order in pixel indices, y first, -1
where a joint is missing; all -1 where nobody is found.  Interrupted, the same command goes on after the last whole row.
Its joints are not OpenPose's: a published system that was trained on those is measured on those.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import torch
from tqdm.auto import tqdm

from posekit.data.annotations import COLUMNS
from posekit.data.photo import PICTURES, read_photo
from posekit.data.photo_folder import NO_PHOTOGRAPH
from posekit.ops.grids import norm_to_points
from posekit.photo.find_person import FoundPerson, find_person
from posekit.util.errors import InputError
from posekit.util.files import check_place

HEADER = ":".join(COLUMNS)
NOBODY = ("Nobody was found", "Somebody may be in")  # how `find_person` begins


def row_of(name: str, path: Path, finder: Callable[[torch.Tensor], FoundPerson] = find_person) -> str:
    """One line of the csv."""
    image = read_photo(path)
    try:
        person = finder(image)
    except InputError as error:
        if not str(error).startswith(NOBODY):
            raise
        x = y = [-1] * 18
    else:
        size = (image.shape[-2], image.shape[-1])
        pixels = norm_to_points(person.keypoints, size).round().long()
        pixels = torch.minimum(pixels.clamp(min=0), torch.tensor([size[1] - 1, size[0] - 1]))
        there = person.visibility > 0
        x, y = (torch.where(there, pixels[:, axis], -1).tolist() for axis in (0, 1))
    return f"{name}: {y}: {x}"


def write_keypoints(
    photographs: Path, out: Path, finder: Callable[[torch.Tensor], FoundPerson] = find_person, *, progress: bool = False
) -> tuple[int, int]:
    """(photographs in the csv, of them new now).  Rows that ``out`` has already are kept."""
    files = sorted(p for p in photographs.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())
    names = [p.relative_to(photographs).as_posix() for p in files if not p.stem.lower().endswith(NO_PHOTOGRAPH)]
    if not names:
        raise InputError(f"{photographs} holds no photograph; check the path.")
    check_place(out)
    done = _kept(out)
    missing = [name for name in names if name not in done]
    with open(out, "a", encoding="utf-8") as file:
        if not file.tell():
            file.write(f"{HEADER}\n")
        for name in tqdm(missing, desc="joints", disable=not progress):
            if ":" in name or "\n" in name:
                raise InputError(f"The name {name!r} holds a colon, which separates the columns; rename the file.")
            file.write(f"{row_of(name, photographs / name, finder)}\n")
            file.flush()
    return len(names), len(missing)


def _kept(out: Path) -> set[str]:
    """The names of the whole rows of a file; what a killed run left of its last row is cut off."""
    if not out.is_file():
        return set()
    text = out.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    lines = whole.decode("utf-8").splitlines()
    if lines and lines[0] != HEADER:
        raise InputError(f"{out} is another file than a list of joints of this script; name a new one.")
    if len(whole) < len(text):
        os.truncate(out, len(whole))
    return {line.split(":")[0] for line in lines[1:]}


def main(arguments: list[str] | None = None) -> None:
    """Write the csv, and say how many rows it has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True, help="csv to write")
    args = parser.parse_args(arguments)
    names, new = write_keypoints(args.photographs, args.out, progress=True)
    print(f"{names} photographs in {args.out}, {new} of them new; look at it: posekit inspect {args.out}")


if __name__ == "__main__":
    main()
