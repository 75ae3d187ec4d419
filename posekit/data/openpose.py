"""A pose as the field's estimators write it: one JSON file a photograph, with the joints of everybody in it.

``{"people": [{"pose_keypoints_2d": [x, y, confidence, x, y, confidence, ...]}]}``, x and y in pixel indices, 18 joints
(COCO) or 25 (BODY_25, which has the middle of the hips and the feet too), confidence 0 for a joint that was not found.
The size of the photograph is not in the file.

Source: OpenPose, documentation of its output format.
"""

import math
import os
from pathlib import Path

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.data.annotations import JOINT_COUNT, VISIBLE
from posekit.ops.grids import norm_to_points, points_to_norm
from posekit.util.errors import InputError
from posekit.util.files import write_json
from posekit.util.reading import read_json

# Place in BODY_25 of each of the 18 joints.
_OF_25 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
_KEY = "pose_keypoints_2d"
_MOST_BYTES = 10_000_000
_LEAST = 0.2  # share of a photograph that the joints of somebody in it take
_ROOM = 0.8  # share of a photograph that framed joints take, along the tighter side


def read_openpose(
    path: str | os.PathLike, size: tuple[int, int], *, frame: bool = False
) -> tuple[Float[Tensor, "18 2"], Integer[Tensor, " 18"]]:
    """(keypoints, visibility) of the person in an OpenPose file, as `posekit.person.Person` has them.

    size: (height, width) of the photograph in pixels.  frame: joints that reach beyond it, or take less than a fifth of
    it, are those of another photograph: they are scaled and moved so that they fill its middle.  Otherwise joints that
    reach beyond it by more than half of it are an InputError.  Of several people the tallest is taken.  Raises
    InputError that names the file for one that is no such file, or shows nobody.
    """
    rows = [row for row in read_everybody(path) if (row[:, 2] > 0).sum() >= 2]
    if not rows:
        raise InputError(f"{path} holds the joints of nobody; take a photograph in which a person was found.")
    joints = max(rows, key=_height)
    seen = joints[:, 2] > 0
    h, w = size
    x0, y0 = joints[seen, :2].amin(0).tolist()
    x1, y1 = joints[seen, :2].amax(0).tolist()
    elsewhere = min(x0, y0) < 0 or x1 > w or y1 > h
    if frame and (elsewhere or max((x1 - x0) / w, (y1 - y0) / h) < _LEAST):
        joints = _framed(joints, size)
    elif min(x0 / w, y0 / h) < -0.5 or max(x1 / w, y1 / h) > 1.5:
        raise InputError(
            f"{path}: the joints reach from ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}), the photograph has {w} x {h} pixels "
            "(width x height); scale the joints to its size."
        )
    points = torch.where(seen[:, None], points_to_norm(joints[:, :2], size), 0)
    return points, seen.long() * VISIBLE


def read_everybody(path: str | os.PathLike) -> list[Float[Tensor, "18 3"]]:
    """(x, y, confidence) in pixel indices of everybody in an OpenPose file; confidence 0 where a joint is missing.

    Raises InputError that names the file for one that is no such file.
    """
    people = [person for person in _people(Path(path)) if not (isinstance(person, dict) and person.get(_KEY) == [])]
    return [_joints(person, path) for person in people]


def write_openpose(
    path: str | os.PathLike, keypoints: Float[Tensor, "18 2"], visibility: Integer[Tensor, " 18"], size: tuple[int, int]
) -> Path:
    """Write the joints of one person, ``size`` = (height, width) being the photograph's; missing ones as zeros."""
    pixels = norm_to_points(keypoints, size)
    there = visibility > 0
    rows = torch.cat([torch.where(there[:, None], pixels, 0), there[:, None].to(pixels)], 1)
    return write_json(path, {"version": 1.3, "people": [{_KEY: [round(v, 3) for v in rows.flatten().tolist()]}]})


def _people(path: Path) -> list:
    try:
        whole = read_json(path, _MOST_BYTES, "utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} could not be read ({error.strerror}); check the path.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON; expected a file of joints as OpenPose writes it.") from error
    people = whole.get("people") if isinstance(whole, dict) else None
    if not isinstance(people, list):
        raise InputError(f'{path} has no list "people"; expected a file of joints as OpenPose writes it.')
    return people


def _joints(person: object, path: str | os.PathLike) -> Float[Tensor, "18 3"]:
    values = person.get(_KEY) if isinstance(person, dict) else None
    if isinstance(values, list) and len(values) % 3 == 0:  # null and NaN say that a joint was not seen
        for k in range(0, len(values), 3):
            if any(v is None or (isinstance(v, float) and math.isnan(v)) for v in values[k : k + 3]):
                values[k : k + 3] = [0.0, 0.0, 0.0]
    if not isinstance(values, list) or len(values) not in (3 * JOINT_COUNT, 3 * 25) or not all(map(_is_number, values)):
        raise InputError(
            f'{path}: "{_KEY}" should be a list of 54 numbers (18 joints: x, y and confidence) or of 75 (25 joints).'
        )
    rows = torch.tensor([float(v) for v in values], dtype=torch.float32).reshape(-1, 3)
    return rows if len(rows) == JOINT_COUNT else rows[list(_OF_25)]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e6 and math.isfinite(value)


def _framed(joints: Float[Tensor, "18 3"], size: tuple[int, int]) -> Float[Tensor, "18 3"]:
    """The same pose in the middle of a photograph of ``size``, as large as fits; room is left for hair and feet."""
    there = joints[:, 2] > 0
    low, high = joints[there, :2].amin(0), joints[there, :2].amax(0)
    room = torch.tensor([size[1], size[0]]) * _ROOM
    scale = (room / (high - low).clamp(min=1e-3)).min()
    middle = torch.tensor([size[1], size[0]]) / 2
    return torch.cat([(joints[:, :2] - (low + high) / 2) * scale + middle, joints[:, 2:]], 1)


def _height(joints: Float[Tensor, "18 3"]) -> float:
    y = joints[joints[:, 2] > 0, 1]
    return (y.max() - y.min()).item()
