"""The tile atlas: the field's part-atlas picture, pixel for pixel, and its mirror."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from posekit.data.chart_tiles import charts_to_tiles, tile_mirror, tiles_to_charts
from posekit.ops.grids import identity_grid, norm_to_points
from posekit.ops.surface import mirror_parts, mirror_uv


def at(part, u, v):
    return torch.tensor([[[part]]]), torch.tensor([u, v]).reshape(2, 1, 1)


@given(st.integers(1, 24), st.integers(0, 255), st.integers(0, 255))
def test_positions_are_those_of_the_1200_by_800_picture(part, u, v):
    uv = charts_to_tiles(*at(part, u / 255, v / 255))
    x, y = norm_to_points(uv[:, 0, 0], (1200, 800)).tolist()
    column, row = (part - 1) // 6, (part - 1) % 6
    assert abs(x - (200 * column + u * 199 / 255)) < 1e-3
    assert abs(y - (200 * row + (255 - v) * 199 / 255)) < 1e-3


def test_round_trip_of_every_part_corners_included():
    generator = torch.Generator().manual_seed(0)
    part = torch.arange(1, 25).repeat_interleave(50).reshape(1, 24, 50)
    chart = torch.rand(2, 24, 50, generator=generator)
    chart[:, :, :4] = torch.tensor([[0.0, 0, 1, 1], [0, 1, 0, 1]])[:, None]
    back, again = tiles_to_charts(charts_to_tiles(part, chart))
    assert torch.equal(back, part)
    assert (again - chart).abs().max() < 1e-5


def test_the_background_stays_zero():
    assert (charts_to_tiles(*at(0, 0.0, 0.0)) == 0).all()


def test_mirror_of_mirror_is_where_one_was():
    size = 96
    mirror, grid = tile_mirror(size), identity_grid(size, size)
    assert mirror.abs().max() < 1
    part, _ = tiles_to_charts(grid)
    mirrored, _ = tiles_to_charts(mirror)
    assert torch.equal(mirrored, mirror_parts(part))
    assert (mirror != grid).any(0).float().mean() > 0.9
    fine = tile_mirror(4 * 600)[None]
    inside = torch.rand(2, 24, 40, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
    uv = charts_to_tiles(torch.arange(1, 25)[None, :, None].expand(1, 24, 40), inside)[None]
    once, mask = mirror_uv(uv, torch.ones(1, 1, 24, 40), fine[0])
    twice, mask = mirror_uv(once, mask, fine[0])
    assert (mask == 1).all()
    assert (twice - uv).abs().max() < 1e-3
