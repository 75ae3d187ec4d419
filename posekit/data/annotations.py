"""Joint annotations and lists of pairs: the two csv files that come with the field's data sets.

Annotations: separator ``:`` (a space may follow), header ``name:keypoints_y:keypoints_x``, each column a JSON list of
18 pixel indices, **y first**, -1 for a joint that was not detected.  Columns are found by name, because older files
swap them.  Pairs: separator ``,``, header ``from,to``.
"""

import csv
import json
import math
import os
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.data.names import photograph_key
from posekit.ops.grids import points_to_norm
from posekit.util.errors import InputError
from posekit.util.reading import read_text

JOINT_COUNT = 18
VISIBLE = 2  # `Person.visibility` of a detected joint; these files do not tell occluded from visible
COLUMNS = ("name", "keypoints_y", "keypoints_x")
BEYOND = 0.01  # share of the joints that may lie outside the photographs they belong to


@dataclass(frozen=True)
class Annotations:
    """The joints of many photographs, in the order of the file.

    | field      | shape  | values |
    |------------|--------|--------|
    | names      | n      | file names as written (some begin with ``-1_``: bad detections of Market-1501) |
    | points     | n 18 2 | (x, y) in [-1, 1] of the image; 0 where missing |
    | visibility | n 18   | 0 missing, 2 detected; all 0 for a photograph without a detected person |

    A photograph is found under any spelling of its name (`posekit.data.names.photograph_key`).
    """

    names: tuple[str, ...]
    points: Float[Tensor, "n 18 2"]
    visibility: Integer[Tensor, "n 18"]

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return self._row(name) is not None

    def __getitem__(self, name: str) -> tuple[Float[Tensor, "joints 2"], Integer[Tensor, " joints"]]:
        """(points, visibility) of one photograph by its name."""
        i = self._row(name)
        if i is None:
            raise InputError(f"There is no joint annotation for {name!r}; check its spelling (see posekit.data.names).")
        return self.points[i], self.visibility[i]

    @cached_property
    def _rows(self) -> dict[str, int]:
        rows = {photograph_key(name): i for i, name in reversed(list(enumerate(self.names)))}
        return rows | {name: i for i, name in enumerate(self.names)}

    def _row(self, name: object) -> int | None:
        """The row of a name as it is written, or else of another spelling of it."""
        if not isinstance(name, str):
            return None
        return self._rows.get(name, self._rows.get(photograph_key(name)))


def read_annotations(path: str | os.PathLike, size: tuple[int, int], left: int = 0) -> Annotations:
    """Read joint annotations of photographs of one size, (height, width) in pixels.

    ``left``: columns that the photographs lost on the left after they were annotated.  DeepFashion at 256 x 176 is
    columns 40..216 of 256 x 256: with the annotations of the wide files say ``size=(256, 176), left=40``; the
    annotations of the narrow files carry x - 40 already.  Raises `InputError` that names file and line.
    """
    names, pixels = read_joint_rows(path)
    annotated = (pixels != -1).all(-1)
    beyond = annotated & (pixels >= torch.tensor([size[1], size[0]])).any(-1)
    if left == 0 and int(beyond.sum()) > BEYOND * int(annotated.sum()):
        x, y = pixels[annotated].amax(0).tolist()
        raise InputError(
            f"{path}: joints reach ({x:g}, {y:g}) in photographs of {size[1]} x {size[0]} pixels (width x height); the "
            "list belongs to larger ones. Take theirs, or the list of these (of 176-wide photographs, x is 40 less)."
        )
    points = points_to_norm(pixels - torch.tensor([left, 0]), size)
    points = torch.where(annotated[..., None], points, torch.zeros(()))
    return Annotations(names, points, annotated.long() * VISIBLE)


def read_joint_rows(
    path: str | os.PathLike, joints: int = JOINT_COUNT
) -> tuple[tuple[str, ...], Float[Tensor, "n joints 2"]]:
    """(names, pixels) of a file of joint annotations as written: (x, y) in pixel indices, -1 where missing.

    joints: how many each row must have; the older kind of file has 16.  Raises `InputError` that names file and line.
    """
    lines = _lines(path)
    header = [cell.strip() for cell in lines[0].split(":")]
    if sorted(header) != sorted(COLUMNS):
        raise InputError(f"{path}: the header is {lines[0]!r}; expected {':'.join(COLUMNS)}, in any order.")
    at = {column: header.index(column) for column in COLUMNS}
    names, rows = [], []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split(":")]
        if len(cells) != len(COLUMNS):
            raise InputError(f"{path}, line {number}: {len(cells)} cells separated by ':'; expected {len(COLUMNS)}.")
        y = _joints(cells[at["keypoints_y"]], path, number, joints)
        x = _joints(cells[at["keypoints_x"]], path, number, joints)
        names.append(cells[at["name"]])
        rows.append(list(zip(x, y, strict=True)))
    return tuple(names), torch.tensor(rows, dtype=torch.float32).reshape(-1, joints, 2)


def read_pairs(path: str | os.PathLike) -> list[tuple[str, str]]:
    """Read a list of (source name, target name) from a csv with the columns ``from`` and ``to``."""
    rows = _csv_rows(_lines(path), path)
    header = [cell.strip() for cell in rows[0]]
    if "from" not in header or "to" not in header:
        raise InputError(f"{path}: the header is {','.join(header)!r}; a list of pairs has the columns from and to.")
    source, target = header.index("from"), header.index("to")
    pairs = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise InputError(f"{path}, line {number}: {len(row)} cells separated by ','; expected {len(header)}.")
        pairs.append((row[source].strip(), row[target].strip()))
    return pairs


def _csv_rows(lines: list[str], path: str | os.PathLike) -> list[list[str]]:
    """The cells of a csv; InputError where one is longer than any name is."""
    try:
        return list(csv.reader(lines))
    except csv.Error as error:
        raise InputError(f"{path} is no csv of names ({error}).") from error


def _lines(path: str | os.PathLike) -> list[str]:
    try:
        lines = read_text(path, encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file; expected a csv in UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path} could not be read ({error.strerror}); check the path.") from error
    if not lines:
        raise InputError(f"{path} is empty; expected a header line and one line for each entry.")
    return lines


def _joints(cell: str, path: str | os.PathLike, number: int, joints: int) -> list[float]:
    try:
        values = json.loads(cell)
    except (ValueError, RecursionError):  # no JSON, a number of thousands of digits, thousands of brackets
        values = None
    if not isinstance(values, list) or not all(_is_number(v) for v in values):
        raise InputError(f"{path}, line {number}: {cell[:40]!r} is not a list of numbers such as [24, -1, 49].")
    if len(values) != joints:
        raise InputError(
            f"{path}, line {number}: {len(values)} joints; expected the {joints} of OpenPose "
            "(an older kind of file has 16: take the file with 18)."
        )
    return [float(v) for v in values]


def _is_number(value: object) -> bool:
    """JSON, as Python reads it, has true, NaN and Infinity too: none of them is a pixel index."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
