"""What a network that reads poses is shown, and how it is made to bear with rough ones.

Exact joints and silhouettes are a rendered person's privilege.  An estimator's joints are a little off, some are
missing; its silhouettes are swollen or thin; and photographs are cut at the knee, the waist or the chest.  While the
network is trained, all of this is done to it on purpose.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer, Shaped
from torch import Tensor

from posekit.ops.grids import identity_grid, norm_to_points, points_to_norm, resize_mask
from posekit.ops.keypoints import skeleton_maps
from posekit.person import Person
from posekit.systems.cut_out import silhouette
from posekit.util.errors import InputError

_MISSING = -1.0  # the plane of a silhouette that nobody gave


class Drawn(NamedTuple):
    """A pose as the network sees it, and what it is to answer; part and uv are 0 off the body."""

    planes: Float[Tensor, "b 18 h w"]
    part: Integer[Tensor, "b 1 h w"]
    uv: Float[Tensor, "b 2 h w"]


@dataclass(frozen=True)
class RoughPose:
    """How rough the poses of training are; all drawn anew for every photograph at every step.

    | field          | meaning |
    |----------------|---------|
    | window         | smallest and largest side of the window that is cut out, in units of the photograph's side |
    | shift          | how far its middle is moved at most, along either axis, in [-1, 1] of the photograph |
    | jitter         | standard deviation of each joint's x and y, in [-1, 1] of the window |
    | dropout        | share of the joints that are missing |
    | blur           | silhouettes are averaged over 1, 3, ... 2 blur + 1 pixels, and cut again at a level from |
    |                | 0.15 to 0.85: thin ones come out swollen or gone |
    | no_silhouette  | share of the photographs without one |
    """

    window: tuple[float, float] = (0.55, 1.2)
    shift: float = 0.25
    jitter: float = 0.012
    dropout: float = 0.06
    blur: int = 3
    no_silhouette: float = 0.3

    def __post_init__(self) -> None:
        low, high = self.window
        shares = (self.dropout, self.no_silhouette)
        if (
            not 0 < low <= high
            or self.shift < 0
            or self.jitter < 0
            or self.blur < 0
            or not all(0 <= share <= 1 for share in shares)
        ):
            raise InputError(
                "A rough pose has a window (low, high) above 0, shift, jitter and blur from 0 up, and shares of "
                f"missing joints and silhouettes from 0 to 1; got {self}."
            )

    def __call__(self, person: Person, size: tuple[int, int]) -> Drawn:
        """Windows of a batch of people, with maps, parts and joints, as they are drawn at ``size``; torch's random
        numbers."""
        b, like = len(person.image), person.image
        scale = like.new_empty(b).uniform_(*self.window)
        middle = like.new_empty(b, 2).uniform_(-self.shift, self.shift)
        grid = identity_grid(*size, dtype=like.dtype, device=like.device).movedim(0, -1)
        grid = scale[:, None, None, None] * grid + middle[:, None, None]
        cut = F.grid_sample(
            torch.cat([person.uv, person.mask, person.part.to(like), silhouette(person)], 1),
            grid, mode="nearest", padding_mode="zeros", align_corners=False,
        )  # fmt: skip
        uv, mask, part, outline = cut.split((2, 1, 1, 1), 1)
        joints = (person.keypoints - middle[:, None]) / scale[:, None, None]
        inside = (joints.abs() <= 1).all(-1)
        joints = joints + self.jitter * torch.randn_like(joints)
        lost = torch.rand_like(joints[..., 0]) < self.dropout
        planes = pose_planes(joints, person.visibility * (inside & ~lost), self._rough(outline), size)
        return Drawn(planes, (part * mask).round().long(), uv * mask)

    def _rough(self, outline: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
        radius = int(torch.randint(self.blur + 1, ()))
        blurred = F.avg_pool2d(outline, 2 * radius + 1, 1, radius, count_include_pad=False)
        level = torch.empty(len(outline), 1, 1, 1, device=outline.device).uniform_(0.15, 0.85)
        without = torch.rand_like(level) < self.no_silhouette
        return torch.where(without, _MISSING, (blurred > level).to(outline))


def pose_planes(
    keypoints: Float[Tensor, "b 18 2"],
    visibility: Integer[Tensor, "b 18"],
    outline: Float[Tensor, "b 1 H W"] | None,
    size: tuple[int, int],
) -> Float[Tensor, "b 18 h w"]:
    """The silhouette (1 inside; -1 everywhere where there is none) and one map a bone, drawn at ``size``."""
    bones = skeleton_maps(keypoints, visibility, size)
    if outline is None:
        outline = bones.new_full((len(bones), 1, *size), _MISSING)
    return torch.cat([resize_mask(outline, size), bones], 1)


def on_square(person: Person) -> Person:
    """The person (a batch) in the middle of a square canvas, 0 around them; the network is fed squares.

    Joints move along, so that nothing is stretched.  A square photograph is returned as it is.
    """
    h, w = person.size
    if h == w:
        return person
    side = max(h, w)
    left, top = (side - w) // 2, (side - h) // 2
    border = (left, side - w - left, top, side - h - top)
    names = ("image", "uv", "mask", "part", "chart", "head", "hair", "hands")
    maps = {name: F.pad(value, border) for name in names if (value := getattr(person, name)) is not None}
    points = person.keypoints
    if points is not None:
        corner = torch.tensor([left, top], dtype=points.dtype, device=points.device)
        points = points_to_norm(norm_to_points(points, (h, w)) + corner, (side, side))
    return replace(person, keypoints=points, **maps)


def from_square(maps: Shaped[Tensor, "b c s s"], size: tuple[int, int]) -> Shaped[Tensor, "b c h w"]:
    """The part of a map on the canvas of `on_square` that a photograph of ``size`` covers."""
    h, w = size
    left, top = (max(size) - w) // 2, (max(size) - h) // 2
    return maps[..., top : top + h, left : left + w]
