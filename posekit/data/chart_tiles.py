"""The 24 DensePose charts as the tiles of one picture: an atlas that needs no external table.

The layout is the field's part-atlas picture, 1200 x 800 pixels: 4 columns and 6 rows of tiles of 200 x 200, part
``6 * column + row + 1``; inside a tile U runs to the right and V **up**, over the pixel centres 0..199:

    pixel column = 200 * column + 199 * U,      pixel row = 200 * row + 199 * (1 - V).

Positions are normalised like any other, so the atlas can be rasterised at any size, square ones included.
"""

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.ops.grids import identity_grid, index_to_norm, norm_to_index
from posekit.ops.surface import mirror_charts

COLUMNS, ROWS, TILE = 4, 6, 200


def charts_to_tiles(part: Integer[Tensor, "*b 1 h w"], chart: Float[Tensor, "*b 2 h w"]) -> Float[Tensor, "*b 2 h w"]:
    """(I, U, V) -> position (u, v) in [-1, 1] of the tile atlas; 0 where the part is 0."""
    column, row = (part - 1).div(ROWS, rounding_mode="floor"), (part - 1).remainder(ROWS)
    U, V = chart[..., :1, :, :], chart[..., 1:, :, :]
    u = index_to_norm(TILE * column + (TILE - 1) * U, TILE * COLUMNS)
    v = index_to_norm(TILE * row + (TILE - 1) * (1 - V), TILE * ROWS)
    return torch.cat((u, v), dim=-3) * (part > 0)


def tiles_to_charts(uv: Float[Tensor, "*b 2 h w"]) -> tuple[Integer[Tensor, "*b 1 h w"], Float[Tensor, "*b 2 h w"]]:
    """Position in the tile atlas -> (part 1..24, chart (U, V) in [0, 1]); the inverse of `charts_to_tiles`."""
    x = norm_to_index(uv[..., :1, :, :], TILE * COLUMNS)
    y = norm_to_index(uv[..., 1:, :, :], TILE * ROWS)
    column = ((x + 0.5) / TILE).floor().clamp(0, COLUMNS - 1)
    row = ((y + 0.5) / TILE).floor().clamp(0, ROWS - 1)
    U = (x - TILE * column) / (TILE - 1)
    V = 1 - (y - TILE * row) / (TILE - 1)
    return (ROWS * column + row + 1).long(), torch.cat((U, V), dim=-3).clamp(0, 1)


def tile_mirror(size: int) -> Float[Tensor, "2 a a"]:
    """The mirror table of the tile atlas: for each texel the (u, v) of its left-right mirror texel."""
    part, chart = tiles_to_charts(identity_grid(size, size, dtype=torch.float64))
    return charts_to_tiles(*mirror_charts(part, chart)).float()
