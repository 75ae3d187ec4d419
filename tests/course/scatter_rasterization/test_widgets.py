"""The live figures of the notebook on scattering: drawn over their whole grid, and with the right numbers in them."""

import io

import ipywidgets as W
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from posekit_course.live import Live, settings, to_png
from posekit_course.scatter_rasterization import figures
from posekit_course.scatter_rasterization import widgets as scatter
from posekit_lab.pictures import DPI

from posekit.ops.grids import identity_grid, norm_to_index
from posekit.ops.splat import splat

PEOPLE = [(0, 0), (1, 1)]
SIZES = [16, 32, 64]


def written(axis) -> list[str]:
    return [text.get_text() for text in axis.texts]


@pytest.mark.parametrize("normalise", [False, True])
def test_kernel_over_its_whole_grid(normalise):
    grid = [s for s in settings(most=1000, **scatter.kernel_controls()) if s["normalise"] is normalise]
    assert len(grid) == 9 * 9
    for setting in grid:
        figure = scatter.render_kernel(**setting)
        left, right = figure.axes
        # the shares are the products of the two tents, written in full and summing to one
        shares = [float(word) for word in written(left)]
        along = [1 - setting["x"] % 1, setting["x"] % 1]
        across = [1 - setting["y"] % 1, setting["y"] % 1]
        wanted = [a * b for b in across for a in along if a * b > 0]
        np.testing.assert_allclose(shares, wanted, atol=6e-4)
        assert "1.00" in left.get_title()
        assert ("mean" if normalise else "sum") in right.get_title()
        assert {"0", "1"} <= set(written(right))  # the two points


def test_kernel_on_top_of_the_other_point_decides_by_the_weights():
    # both points in one cell of four texels: the mean is w_1 / (w_1 + w_0), the sum is w_1
    for normalise, wanted in ((True, 0.25 / (0.25 + 0.4 * 0.7)), (False, 0.25)):
        right = scatter.render_kernel(2.5, 2.5, normalise).axes[1]
        assert f"{wanted:.3f}" == written(right)[0]


@pytest.mark.parametrize("setting", settings(**scatter.texture_controls(PEOPLE, SIZES)), ids=str)
def test_texture_over_its_whole_grid(setting):
    figure = scatter.render_texture(**setting, size=32)
    left, middle, right = figure.axes
    size = setting["atlas"]
    assert left.images[0].get_array().shape == (32, 32, 3)
    assert middle.images[0].get_array().shape == right.images[0].get_array().shape == (size, size, 3)
    person = figures.photograph_of(0, *setting["person"], 32)
    known = splat(identity_grid(32, 32)[None], person.uv, (size, size), person.mask).known
    blue = np.abs(right.images[0].get_array() - np.array([0, 0x72, 0xB2]) / 255).max(-1) < 1e-6
    np.testing.assert_array_equal(blue, known[0, 0].numpy() > 0)


def test_drawing_is_pure():
    for draw in (
        lambda: scatter.render_kernel(1.75, 3.5, True),
        lambda: scatter.render_texture((1, 1), 32, "coordinates", size=32),
    ):
        before = plt.get_fignums()
        assert to_png(draw()) == to_png(draw())
        assert plt.get_fignums() == before


def test_every_control_changes_the_picture():
    for panel in (scatter.kernel(), scatter.texture(PEOPLE, SIZES, size=32)):
        assert isinstance(panel, Live)
        start = panel.values()
        panel.move()
        assert panel.values() == start


def test_controls_have_names():
    for controls in (scatter.kernel_controls(), scatter.texture_controls(PEOPLE, SIZES)):
        assert all(isinstance(c, W.ValueWidget) and c.description for c in controls.values())


# ------------------------------------------------------------------------------------------------------- the pictures


def test_states_and_coverage():
    known, seen = torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    seen[..., 20:24, 20:30] = 1
    known[..., 20:24, 20:25] = 1
    states = figures.texel_states(known, seen)
    assert (states == figures.KNOWN).sum() == 20
    assert (states == figures.MISSED).sum() == 20
    assert figures.coverage(states) == 0.5
    skin = figures.skin_texels(64)[0, 0].numpy() > 0
    elsewhere = (seen[0, 0].numpy() == 0) & skin
    assert (states[elsewhere] == figures.HIDDEN).all()
    assert 0.2 < skin.mean() < 0.9


def test_coverage_of_nothing_is_zero():
    assert figures.coverage(np.zeros((4, 4), int)) == 0


def test_finer_photograph_reaches_what_the_coarse_one_does():
    person = figures.photograph_of(0, 1, 1, 32)
    known = splat(identity_grid(32, 32)[None], person.uv, (32, 32), person.mask).known
    seen = figures.seen_texels(0, 1, 1, 32, 32)
    assert float((known * (1 - seen)).sum() / known.sum()) < 0.02
    assert float(seen.sum()) > float(known.sum())


def test_journeys_stand_where_the_map_says():
    person = figures.photograph_of(0, 1, 1, 32)
    r, c = (person.mask[0, 0] > 0).nonzero()[40].tolist()
    left, right = figures.draw_journeys(person.image, person.uv, [(r, c)], atlas=64).axes
    assert left.lines[0].get_xydata().tolist() == [[c, r]]
    np.testing.assert_allclose(right.lines[0].get_xydata()[0], norm_to_index(person.uv[0, :, r, c], 64), atol=1e-4)


def test_window_keeps_inside_the_photograph():
    mask = torch.zeros(1, 1, 40, 32)
    mask[..., 2:6, 28:32] = 1
    rows, columns = figures.window(mask, 16)
    assert (rows.start, rows.stop, columns.start, columns.stop) == (0, 16, 16, 32)
    mask[..., 20:30, 10:20] = 1
    rows, columns = figures.window(mask, 8)
    assert mask[0, 0, rows, columns].shape == (8, 8)


def test_row_shows_every_picture_under_its_title():
    images = {f"title {n}": np.full((4, 6, 3), n / 5) for n in range(5)}
    figure = figures.row(images, "heading", rows=2)
    assert isinstance(figure, Figure)
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title() for axis in shown] == list(images)


def test_jupyter_gets_a_small_picture_of_the_same_size(monkeypatch):
    figure = figures.row({"a": np.random.default_rng(0).random((32, 32, 3))}, width=4)
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    figure._ipython_display_()
    width, height = figure.get_size_inches() * DPI
    assert Image.open(io.BytesIO(shown[0]["image/png"])).size == (int(width), int(height))
    assert len(shown[0]["image/png"]) < len(to_png(figure))


def test_prepare_runs():
    figures.prepare_scatter()
