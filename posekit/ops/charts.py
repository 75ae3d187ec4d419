"""The 24 charts of the body surface as 24 textures: scatter a photograph into all of them at once, and sample back.

A chart of ``t x t`` texels has its texels *on* the corners of the unit square, as DensePose's UV points: column k is
U = k / (t - 1), so that nothing of a chart falls beside it.  All charts lie beside each other in one picture of 4 rows
and 6 columns of tiles, and `splat` and `sample` are called once; no kernel reaches from one tile into the next.

Source: N. Neverova, R. A. Gueler, I. Kokkinos, Dense Pose Transfer, section 3.2.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.ops.grids import index_to_norm
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.util.errors import InputError

PARTS = 24
_ROWS, _COLUMNS = 4, 6


class Charts(NamedTuple):
    """What `splat_charts` returns.

    values: ``b 24 c t t``, 0 where unknown.  known: ``b 24 1 t t``, 1 where some pixel fell on the texel, else 0.
    """

    values: Float[Tensor, "b 24 c t t"]
    known: Float[Tensor, "b 24 1 t t"]


def chart_positions(
    part: Integer[Tensor, "b 1 h w"], chart: Float[Tensor, "b 2 h w"], side: int
) -> Float[Tensor, "b 2 h w"]:
    """Where in the picture of all tiles each pixel belongs, in [-1, 1]; part 0 gets a place outside, far away.

    part: 1..24.  chart: (U, V) in [0, 1].  side: texels along an edge of a chart, 2 or more.

    >>> part, chart = torch.ones(1, 1, 1, 2, dtype=torch.long), torch.tensor([[[[0.0, 1.0]], [[0.0, 0.0]]]])
    >>> x = chart_positions(part, chart, 3)[0, 0, 0]
    >>> bool(x[0] == index_to_norm(0, 18)), bool(x[1] == index_to_norm(2, 18))  # first and last column of the tile
    (True, True)
    """
    if side < 2:
        raise InputError(f"A chart has 2 texels along an edge or more, got {side}.")
    tile = (part - 1).clamp(min=0)
    across, down = (tile % _COLUMNS), (tile // _COLUMNS)
    x = across[:, 0] * side + chart[:, 0].clamp(0, 1) * (side - 1)
    y = down[:, 0] * side + chart[:, 1].clamp(0, 1) * (side - 1)
    places = torch.stack([index_to_norm(x, _COLUMNS * side), index_to_norm(y, _ROWS * side)], 1)
    return torch.where(part > 0, places, 9.0)


def splat_charts(
    values: Float[Tensor, "b c h w"], part: Integer[Tensor, "b 1 h w"], chart: Float[Tensor, "b 2 h w"], side: int
) -> Charts:
    """Every pixel of the body into the chart of its part, with the bilinear kernel of `posekit.ops.splat`.

    part: 0 off the body, whose pixels go nowhere.
    """
    texels = splat(values, chart_positions(part, chart, side).to(values), (_ROWS * side, _COLUMNS * side))
    return Charts(cut_tiles(texels.values), cut_tiles(texels.known))


def sample_charts(
    charts: Float[Tensor, "b 24 c t t"], part: Integer[Tensor, "b 1 h w"], chart: Float[Tensor, "b 2 h w"]
) -> Float[Tensor, "b c h w"]:
    """The colour of every pixel of the body from the chart of its part, bilinearly; 0 off the body."""
    places = chart_positions(part, chart, charts.shape[-1]).to(charts)
    return sample(lay_tiles(charts), places, padding="border") * (part > 0)


def lay_tiles(charts: Float[Tensor, "b 24 c t t"]) -> Float[Tensor, "b c H W"]:
    """The charts beside each other: part 1 is the tile in the upper left corner, part 7 the one below it."""
    b, _, c, t, _ = charts.shape
    return charts.view(b, _ROWS, _COLUMNS, c, t, t).permute(0, 3, 1, 4, 2, 5).reshape(b, c, _ROWS * t, _COLUMNS * t)


def cut_tiles(picture: Float[Tensor, "b c H W"]) -> Float[Tensor, "b 24 c t t"]:
    """The inverse of `lay_tiles`."""
    b, c, h, _ = picture.shape
    t = h // _ROWS
    return picture.view(b, c, _ROWS, t, _COLUMNS, t).permute(0, 2, 4, 1, 3, 5).reshape(b, PARTS, c, t, t)
