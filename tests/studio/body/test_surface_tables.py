"""Charts and mirror map of the studio's atlas."""

import numpy as np
import pytest
import torch

from posekit.ops.surface import flip_map, mirror_parts, mirror_uv
from posekit.studio.body.atlas import load_atlas
from posekit.studio.body.surface_tables import ATLAS_SIZE, mirror_table, part_labels, surface_table


@pytest.fixture(scope="module")
def texels():
    """(u, v), mask and part of all texels of the atlas that lie in an island."""
    atlas = load_atlas(ATLAS_SIZE)
    centre = 2 * (torch.arange(ATLAS_SIZE) + 0.5) / ATLAS_SIZE - 1
    uv = torch.stack([centre.expand(ATLAS_SIZE, -1), centre[:, None].expand(-1, ATLAS_SIZE)])[None].float()
    mask = torch.from_numpy(atlas.valid)[None, None].float()
    part = torch.from_numpy(part_labels().astype(np.int64))[None, None] * mask.long()
    return uv * mask, mask, part


def test_charts_and_atlas_are_two_spellings_of_one_map(texels):
    uv, mask, part = texels
    table = surface_table()
    found, chart = table.to_charts(uv, mask)
    assert (found == part).all()
    assert chart.min() >= 0
    assert chart.max() <= 1
    back, back_mask = table.to_atlas(found, chart)
    assert (back_mask == mask).all()
    torch.testing.assert_close(back, uv, atol=1e-6, rtol=0)


def test_every_part_has_a_chart_that_it_fills_from_edge_to_edge(texels):
    uv, mask, part = texels
    _, chart = surface_table().to_charts(uv, mask)
    for p in range(1, 25):
        inside = chart.movedim(1, -1)[(part == p)[:, 0]]
        assert len(inside) > 200
        assert inside.min() < 0.2
        assert inside.max() > 0.8


def test_labels_reach_a_little_beyond_the_islands():
    labels, atlas = part_labels(), load_atlas(ATLAS_SIZE)
    assert (labels[atlas.valid] > 0).all()
    assert (labels[~atlas.near] == 0).all()
    assert (labels[atlas.near] > 0).all()


def test_the_mirror_of_the_mirror_is_where_we_started(texels):
    uv, mask, part = texels
    mirror = mirror_table()
    once, once_mask = mirror_uv(uv, mask, mirror)
    assert (once_mask == mask).all()
    twice, twice_mask = mirror_uv(once, once_mask, mirror)
    assert (twice_mask == mask).all()
    texel = (twice - uv).norm(dim=1)[mask[:, 0] > 0] * ATLAS_SIZE / 2
    assert texel.median() < 0.01
    assert texel.quantile(0.999) < 0.5
    assert texel.max() < 4


def test_the_mirror_swaps_left_and_right(texels):
    uv, mask, part = texels
    once, once_mask = mirror_uv(uv, mask, mirror_table())
    found, _ = surface_table().to_charts(once, once_mask)
    agree = (found == mirror_parts(part))[mask > 0]
    assert agree.float().mean() > 0.985  # texels on the borders between parts may fall on either side


def test_the_mirror_texel_is_the_mirror_point_of_the_body(texels):
    """In three dimensions: the texel's mean-body point, reflected at x = 0."""
    _, mask, _ = texels
    atlas = load_atlas(ATLAS_SIZE)
    points = np.zeros((ATLAS_SIZE, ATLAS_SIZE, 3), np.float32)
    points[atlas.valid] = atlas.from_vertices(atlas.body.mean_vertices[: atlas.body.n_skin])
    rows, columns = np.nonzero(atlas.valid)
    twin = mirror_table()[:, rows, columns].numpy()
    x, y = np.clip(((twin + 1) * ATLAS_SIZE / 2).astype(int), 0, ATLAS_SIZE - 1)
    on = atlas.valid[y, x]
    assert on.mean() > 0.97  # a twin on the rim may round to the texel beside the island
    distance = np.linalg.norm(points[y, x][on] - points[rows, columns][on] * [-1, 1, 1], axis=1)
    assert np.median(distance) < 0.06  # dm; a texel of the torso is 0.04 dm wide
    assert np.quantile(distance, 0.999) < 0.2


def test_flipping_a_map_twice_gives_it_back(texels):
    uv, mask, _ = texels
    mirror = mirror_table()
    twice, twice_mask = flip_map(*flip_map(uv, mask, mirror), mirror)
    assert (twice_mask == mask).all()
    assert ((twice - uv).abs() * mask).mean() < 1e-3
