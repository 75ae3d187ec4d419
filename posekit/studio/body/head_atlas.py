"""The atlas "head": the head by itself, turned upright and stretched over the whole square.

A face that fills a photograph takes a few hundredths of the body's atlas: with as many texels as pixels, three quarters
of its pixels would find no texel of their own.  So close-ups have the rectangle of the atlas that shows the head as
an atlas of their own, as face models have one; neck, shoulders, the back of the head and the inside of the mouth are
off it.
"""

from functools import cache
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from posekit.studio.body.surface_tables import ATLAS_SIZE, mirror_table

HEAD_PARTS = (23, 24)  # of DensePose: its right half, its left half
# Of the body's atlas, in [0, 1]: from the crown to the chin along its u, from ear to ear and beyond along its v.
CROWN, CHIN, RIGHT, LEFT = 0.64, 1.0, 0.788, 0.238
_MIDDLE, _HALF = (LEFT + RIGHT - 1, CROWN + CHIN - 1), (LEFT - RIGHT, CHIN - CROWN)  # across and down, in [-1, 1]

Array = TypeVar("Array", np.ndarray, Tensor)


def onto_head(uv: Array, part: Array) -> tuple[Array, Array]:
    """Positions in the body's atlas as positions in the head's, and the parts with 0 off it.

    uv: ``... 2 h w`` in [-1, 1].  part: ``... 1 h w`` whole numbers, 0..24.  Off the head the position means nothing.
    """
    u, v = uv[..., :1, :, :], uv[..., 1:, :, :]
    across, down = (v - _MIDDLE[0]) / _HALF[0], (u - _MIDDLE[1]) / _HALF[1]
    inside = (abs(across) <= 1) & (abs(down) <= 1) & ((part == HEAD_PARTS[0]) | (part == HEAD_PARTS[1]))
    join = torch.cat if isinstance(uv, Tensor) else np.concatenate
    return join([across, down], -3), part * inside


@cache
def head_mirror(size: int = ATLAS_SIZE) -> Float[Tensor, "2 a a"]:
    """For each texel of the head's atlas the (u, v) of its twin on the other half of the face; NaN where no skin is.

    Read off the nearest texel of the body's (`mirror_table`), which is finer.
    """
    axis = (np.arange(size) + 0.5) / size
    u = ((CROWN + axis * (CHIN - CROWN))[:, None] * ATLAS_SIZE).astype(np.int64)
    v = ((RIGHT + axis * (LEFT - RIGHT))[None, :] * ATLAS_SIZE).astype(np.int64)
    twin = mirror_table()[:, torch.from_numpy(v), torch.from_numpy(u)]
    across, down = (twin[1] - _MIDDLE[0]) / _HALF[0], (twin[0] - _MIDDLE[1]) / _HALF[1]
    on_head = (across.abs() <= 1) & (down.abs() <= 1)
    return torch.where(on_head, torch.stack([across, down]), torch.nan)
