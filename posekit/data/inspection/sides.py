"""Whether a picture's maps or joints are mirrored, or their axes exchanged.

Two facts tell, each from another side.  *Winding*: the outside of the body is seen, so going around a pixel goes around
its place in the chart in the same direction everywhere on that chart, unless an axis was flipped or two were exchanged.
*Sides*: seen from the front, a person's right is on the left of the picture; seen from behind, on the right.
"""

from collections.abc import Collection

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

from posekit.ops.keypoints import JOINTS

# How each DensePose chart winds: 1 as the picture, -1 against it.  Read from published maps (tests/real); parts that
# these hardly show are left out.
WINDING = {
    1: -1, 2: 1, 7: -1, 8: 1, 9: 1, 10: -1, 15: -1, 16: 1, 17: 1, 18: -1, 19: -1, 20: 1, 21: 1, 22: -1, 23: -1, 24: -1,
}  # fmt: skip
TRUNK = (1, 2, 23, 24)  # charts that a mirror turns over; those of the limbs change places instead
RIGHT = (3, 6, 7, 9, 11, 13, 16, 18, 20, 22)
LEFT = (4, 5, 8, 10, 12, 14, 15, 17, 19, 21)
BACK, FRONT = 1, 2  # parts of the torso
CUT = 0.06  # of a chart: larger steps from pixel to pixel are no slope
ENOUGH = 100  # pixels, below which nothing is concluded
CLEAR = 3  # times as much front as back, or the reverse, for a view that is one of them
APART = 0.02  # of the picture's width: right and left nearer than this say nothing


def winding(chart: Float[Tensor, "2 h w"], region: Integer[Tensor, "1 h w"]) -> Float[Tensor, "1 h w"]:
    """1 where the chart winds as the picture does, -1 where against it, 0 where that is not known.

    The sign of the determinant of d(u, v) / d(x, y), by central differences among pixels of one region (a part of the
    body, above 0).
    """
    inside = region[:, 1:-1, 1:-1]
    known = inside > 0
    slopes = []
    for axis in (2, 1):  # along x, along y
        sides = [_moved(chart, step, axis) for step in (1, -1)]
        slopes.append((sides[0] - sides[1]) / 2)
        known &= (slopes[-1].abs() < CUT).all(0, keepdim=True)
        for step in (1, -1):
            known &= _moved(region, step, axis) == inside
    (ux, vx), (uy, vy) = slopes
    sign = torch.sign(ux * vy - vx * uy)[None] * known
    return F.pad(sign, (1, 1, 1, 1))


def share_winding(sign: Float[Tensor, "1 h w"]) -> float | None:
    """Of the pixels of `winding` that say something, the share that winds as the picture; None where too few do."""
    said = int((sign != 0).sum())
    return float((sign > 0).sum()) / said if said >= ENOUGH else None


def charts_as_expected(
    part: Integer[Tensor, "1 h w"], chart: Float[Tensor, "2 h w"], parts: Collection[int]
) -> float | None:
    """Of the pixels of these parts, the share whose chart winds as DensePose's; None where too few say something."""
    expected = torch.zeros_like(chart[:1])
    for number in set(parts) & set(WINDING):
        expected = torch.where(part == number, float(WINDING[number]), expected)
    return share_winding(winding(chart, part) * expected)


def right_is_right(part: Integer[Tensor, "1 h w"]) -> bool | None:
    """Whether right and left parts lie where a front or a back view has them; None where that cannot be told."""
    front, back = (int((part == number).sum()) for number in (FRONT, BACK))
    places = [(torch.isin(part, torch.tensor(side))).nonzero()[:, 2].float() for side in (RIGHT, LEFT)]
    if max(front, back) < ENOUGH or min(len(x) for x in places) < ENOUGH or CLEAR * min(front, back) > max(front, back):
        return None
    offset = float(places[0].mean() - places[1].mean()) / part.shape[-1]
    return None if abs(offset) < APART else (offset < 0) == (front > back)


def mirrored_joints(pixels: Float[Tensor, "n 18 2"], seen: Float[Tensor, "n 18"]) -> tuple[int, int, int]:
    """Of people seen from the front: (how many, how many with right and left exchanged, how many with eyes exchanged).

    Seen from the front: nose and both eyes are there, and both shoulders and hips.  pixels: (x, y), y down.  Eyes count
    as exchanged where they are the other way round than the shoulders.
    """
    at = {name: number for number, name in enumerate(JOINTS)}
    needed = ("nose", "right_eye", "left_eye", "right_shoulder", "left_shoulder", "right_hip", "left_hip")
    there = (seen[:, [at[name] for name in needed]] > 0).all(1)
    x = pixels[there, :, 0]
    shoulders, hips, eyes = (
        x[:, at[f"right_{name}"]] - x[:, at[f"left_{name}"]] for name in ("shoulder", "hip", "eye")
    )
    broad = shoulders * hips > 0  # a side view says nothing
    swapped = broad & (shoulders > 0)
    eyes_swapped = broad & (eyes * shoulders < 0)
    return int(broad.sum()), int(swapped.sum()), int(eyes_swapped.sum())


def _moved(maps: Tensor, step: int, axis: int) -> Tensor:
    """Without the border pixels: the value one pixel further along an axis."""
    return torch.roll(maps, -step, axis)[..., 1:-1, 1:-1]
