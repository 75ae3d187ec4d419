"""All charts at once: against a loop over the parts, and what must not leak between tiles."""

import pytest
import torch

from posekit.ops.charts import PARTS, chart_positions, cut_tiles, lay_tiles, sample_charts, splat_charts
from posekit.ops.grids import index_to_norm
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.util.errors import InputError


def scene(b=2, h=9, w=7, seed=0, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    part = torch.randint(0, PARTS + 1, (b, 1, h, w), generator=g)
    chart = torch.rand(b, 2, h, w, generator=g, dtype=dtype)
    return torch.randn(b, 3, h, w, generator=g, dtype=dtype), part, chart * (part > 0)


def test_one_call_is_a_loop_over_the_parts():
    values, part, chart = scene()
    t = 6
    ours = splat_charts(values, part, chart, t)
    assert ours.values.shape == (2, PARTS, 3, t, t)
    places = index_to_norm(chart * (t - 1), t)
    for i in range(PARTS):
        alone = splat(values, places, (t, t), (part == i + 1).double())
        torch.testing.assert_close(ours.values[:, i], alone.values)
        torch.testing.assert_close(ours.known[:, i], alone.known)
    back = sample_charts(ours.values, part, chart)
    expected = torch.zeros_like(values)
    for i in range(PARTS):
        expected = torch.where(part == i + 1, sample(ours.values[:, i], places, padding="border"), expected)
    torch.testing.assert_close(back, expected)


@pytest.mark.parametrize("corner", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_nothing_reaches_from_one_tile_into_the_next(corner):
    for number in (1, 6, 7, 12, 24):
        part = torch.full((1, 1, 1, 1), number)
        chart = torch.tensor(corner).view(1, 2, 1, 1)
        charts = splat_charts(torch.ones(1, 1, 1, 1), part, chart, 4)
        (place,) = charts.known.nonzero().tolist()
        assert place == [0, number - 1, 0, 3 * int(corner[1]), 3 * int(corner[0])], "one texel, of its own part"
        others = torch.full((1, PARTS, 1, 4, 4), float("nan"))
        others[:, number - 1] = 5.0
        seen = sample_charts(torch.nan_to_num(others, 1e6), part, chart)
        assert seen.item() == pytest.approx(5, rel=1e-4)


def test_off_the_body_nothing_goes_and_nothing_comes():
    values, part, chart = scene()
    nobody = torch.zeros_like(part)
    assert splat_charts(values, nobody, chart, 4).known.sum() == 0
    charts = torch.randn(2, PARTS, 3, 4, 4, dtype=torch.float64)
    assert sample_charts(charts, nobody, chart).abs().sum() == 0
    on = (part > 0).expand_as(values)
    assert (sample_charts(charts, part, chart)[~on] == 0).all()


def test_tiles_are_laid_and_cut():
    charts = torch.arange(float(2 * PARTS * 3 * 2 * 2)).view(2, PARTS, 3, 2, 2)
    picture = lay_tiles(charts)
    assert picture.shape == (2, 3, 8, 12)
    assert torch.equal(picture[:, :, :2, :2], charts[:, 0])
    assert torch.equal(picture[:, :, 2:4, :2], charts[:, 6])
    assert torch.equal(cut_tiles(picture), charts)


def test_gradients_reach_colours_and_charts():
    values, part, chart = scene(1, 3, 4)
    chart = (0.1 + 0.8 * chart).requires_grad_()
    values.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda v, c: sample_charts(splat_charts(v, part, c, 3).values, part, c), (values, chart), fast_mode=True
    )


def test_a_chart_has_an_edge():
    with pytest.raises(InputError, match="2 texels along an edge or more, got 1"):
        chart_positions(torch.ones(1, 1, 1, 1, dtype=torch.long), torch.zeros(1, 2, 1, 1), 1)
