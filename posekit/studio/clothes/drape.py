"""How loose cloth hangs: from the widest place above it, not along the skin below.

A `RadiusMap` records how far the body reaches from the axis of a limb in every direction and at every height.
Running down it and never letting the radius shrink faster than a slope turns the body's outline into the outline
of a loose garment: a shirt falls from the chest, a trouser leg from the thigh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from posekit.studio.base.ramps import smoothstep
from posekit.studio.body.limbs import GROUP, torso_axis
from posekit.studio.body.wearer import Wearer


@dataclass
class RadiusMap:
    """radius: (directions, heights) dm around an axis, directions over [0, 2 pi), heights over [low, high]."""

    radius: np.ndarray
    low: float
    high: float

    @classmethod
    def of_points(cls, angle, run, radius, directions: int, heights: int, low: float, high: float) -> RadiusMap:
        """The farthest point in each cell; cells without points take the nearest cell that has one."""
        column = (angle / (2 * np.pi) % 1 * directions).astype(int) % directions
        row = np.floor((run - low) / (high - low) * heights).astype(int)
        inside = (row >= 0) & (row < heights)
        table = np.zeros((directions, heights))
        np.maximum.at(table, (column[inside], row[inside]), radius[inside])
        tiled = np.tile(table, (3, 1))  # nearest also across the seam of the directions
        nearest = distance_transform_edt(tiled == 0, return_distances=False, return_indices=True)
        return cls(tiled[tuple(nearest)][directions : 2 * directions], low, high)

    @property
    def step(self) -> float:
        """Height of a cell, dm."""
        return (self.high - self.low) / self.radius.shape[1]

    def blur(self, across: float, along: float) -> None:
        """Gaussian smoothing, in cells."""
        self.radius = gaussian_filter(self.radius, (across, along), mode=("wrap", "nearest"))

    def fall(self, start: float, slope: float) -> None:
        """Let the outline fall: going up in `run` from ``start``, it shrinks by at most ``slope`` per dm."""
        first = int(np.clip((start - self.low) / self.step, 0, self.radius.shape[1] - 1))
        for row in range(first + 1, self.radius.shape[1]):
            self.radius[:, row] = np.maximum(self.radius[:, row], self.radius[:, row - 1] - slope * self.step)

    def __call__(self, angle: np.ndarray, run: np.ndarray) -> np.ndarray:
        """Bilinear lookup."""
        directions, heights = self.radius.shape
        column = angle / (2 * np.pi) % 1 * directions
        row = np.clip((run - self.low) / self.step - 0.5, 0, heights - 1)
        wrapped = np.concatenate([self.radius, self.radius[:1]])
        return map_coordinates(wrapped, [column, row], order=1, mode="nearest")


@dataclass(frozen=True)
class Drape:
    """limb: "torso", or "arm" / "leg" with "_l" / "_r".  looseness: 0 follows the body .. 1 falls straight.
    flare: dm by which the far end is widened."""

    limb: str
    looseness: float
    flare: float = 0.0


# per limb: groups, joints of its two segments, where the fall begins (dm along), slope of a fully tight garment
_LIMBS = {
    "arm": (("upper_arm", "lower_arm", "hand"), ("upperarm", "lowerarm", "hand"), 1.1, 0.34),
    "leg": (("thigh", "calf", "foot"), ("thigh", "calf", "foot"), 1.3, 0.16),
}
_TORSO_START, _TORSO_SLOPE = -5.3, 0.18
_DIRECTIONS, _HEIGHTS = 36, 50


def hang(wearer: Wearer, vertices: np.ndarray, drape: Drape) -> np.ndarray:
    """Widen a shell (n_skin, 3) over one limb until it hangs; returns a new array."""
    places = wearer.atlas.vertices
    if drape.limb == "torso":
        here = np.flatnonzero(places.torso)
        points = vertices[here]
        axis = np.stack([np.zeros(len(here)), points[:, 1], torso_axis(places.y[here])], axis=1)
        run, start, slope = -places.along[here], _TORSO_START, _TORSO_SLOPE  # down the trunk
        grows = smoothstep(run, start, start + 0.6)
    else:
        limb, side = drape.limb.split("_")
        groups, bones, start, slope = _LIMBS[limb]
        groups = [GROUP[f"{g}_{side}"] for g in groups]
        here = np.flatnonzero(np.isin(places.group, groups))
        points, run = vertices[here], places.along[here]
        a, b, c = (wearer.joint(f"{bone}_{side}") for bone in bones)
        first, second = (b - a) / np.linalg.norm(b - a), (c - b) / np.linalg.norm(c - b)
        on_first, on_second = a + ((points - a) @ first)[:, None] * first, b + ((points - b) @ second)[:, None] * second
        axis = np.where((places.group[here] == groups[0])[:, None], on_first, on_second)
        grows = smoothstep(run, start - 0.5, start + 0.3)
    angle, outward = places.angle[here], points - axis
    radius = np.linalg.norm(outward, axis=1)

    outline = RadiusMap.of_points(angle, run, radius, _DIRECTIONS, _HEIGHTS, run.min() - 1e-3, run.max() + 1e-3)
    outline.blur(0.8, 0.6)
    outline.fall(start, (1 - drape.looseness) * slope)
    if drape.flare:
        rows = outline.low + np.arange(_HEIGHTS) * outline.step
        outline.radius += drape.flare * np.maximum(0, (rows - start) / (outline.high - start)) ** 1.5
    outline.blur(1.2, 1.0)
    wide = np.maximum(outline(angle, run), radius)
    scale = 1 + grows * (wide / np.maximum(radius, 0.05) - 1)
    vertices = vertices.copy()
    vertices[here] = axis + outward * np.clip(scale, 1, 2.2)[:, None]
    return vertices
