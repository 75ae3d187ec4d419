"""Squares of a photograph, in any place and turn, as the networks want to see them; and photographs made smaller."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from posekit.ops.grids import identity_grid, points_to_norm
from posekit.ops.sample import sample


class Region(NamedTuple):
    """A square of a photograph.

    centre: (x, y) in pixels, the centre of pixel i at i.  half: half its side in pixels.  up: unit vector (x, y), y
    down, which direction of the photograph is up in the square.
    """

    centre: np.ndarray
    half: float
    up: np.ndarray

    def axes(self) -> Float[np.ndarray, "2 2"]:
        """The matrix that takes (x, y) in [-1, 1] of the square to pixels from its centre."""
        right = np.array([-self.up[1], self.up[0]])
        return np.stack([right, -self.up], 1) * self.half


def sampled(
    image: Float[Tensor, "c h w"], region: Region, side: int, padding: str = "zeros"
) -> Float[Tensor, "c side side"]:
    """The square in ``side`` pixels, averaged first where the photograph is finer.

    Outside the photograph it is 0, or with padding="border" as the nearest pixel.
    """
    h, w = image.shape[-2:]
    grid = identity_grid(side, side).numpy()
    pixels = np.einsum("ij,jhw->ihw", region.axes(), grid) + region.centre[:, None, None]
    place = points_to_norm(torch.from_numpy(pixels.astype(np.float32)).movedim(0, -1), (h, w)).movedim(-1, 0)
    image = shrunk(image, side / (2 * region.half))
    return sample(image[None].float(), place[None], padding=padding)[0]


def shrunk(image: Float[Tensor, "c h w"], share: float) -> Float[Tensor, "c h2 w2"]:
    """The picture at ``share`` of its size, each pixel the average of those it replaces; as it is from 1 on."""
    if share >= 1:
        return image
    size = [max(1, round(side * share)) for side in image.shape[-2:]]
    return F.interpolate(image[None], size, mode="bilinear", antialias=True)[0].clamp(0, 1)
