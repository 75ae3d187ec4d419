"""Charts of the studio's body as DensePose has them: 24 parts, each unfolded by itself.

DensePose cut the body into 24 parts, limbs and torso into a front and a back half, and flattened these by
multidimensional scaling of the distances along the surface; head, hands and feet kept the layout that the atlas of
their body model gave them.  ``data_scripts/build_unfolded.py`` does the same with this body, and keeps the result
beside it; here it is looked up.

Source: R. A. Gueler, N. Neverova, I. Kokkinos, DensePose: Dense Human Pose Estimation In The Wild, section 2.
"""

from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float, Integer

from posekit.studio.body.surface_tables import ATLAS_SIZE, part_labels

STEPS = 65535  # charts are stored as whole numbers from 0 to this


@cache
def unfolded() -> Float[np.ndarray, "2 a a"]:
    """(U, V) in [0, 1] of every texel of the atlas, in the chart of its part; beside an island, of the nearest one."""
    with files("posekit.studio").joinpath("asset/unfolded.npz").open("rb") as raw, np.load(raw) as stored:
        return stored["chart"].astype(np.float32) / np.float32(STEPS)


def chart_at(uv: Float[np.ndarray, "2 h w"], part: Integer[np.ndarray, "h w"]) -> Float[np.ndarray, "2 h w"]:
    """Chart position (U, V) in [0, 1] of atlas positions in [-1, 1] that lie on these parts; 0 for part 0.

    Bilinear in `unfolded`, over those of the four texels around that belong to the part; 0 where none of them does.
    """
    chart, labels = unfolded(), part_labels()
    x, y = (((axis + np.float32(1)) * ATLAS_SIZE - np.float32(1)) / np.float32(2) for axis in uv)
    left, above = np.floor(x), np.floor(y)
    fx, fy = x - left, y - above
    total, weight = np.zeros_like(uv), np.zeros_like(x)
    for down in (0, 1):
        for across in (0, 1):
            column = np.clip(left + across, 0, ATLAS_SIZE - 1).astype(np.int64)
            row = np.clip(above + down, 0, ATLAS_SIZE - 1).astype(np.int64)
            w = (fx if across else 1 - fx) * (fy if down else 1 - fy)
            w = np.where((labels[row, column] == part) & (part > 0), w, np.float32(0))
            total += w * chart[:, row, column]
            weight += w
    return total / np.where(weight > 0, weight, np.float32(1))
