"""Pictures of results on scattering: the numbers that they were given are in them."""

import numpy as np
import torch
from posekit_course.scatter_rasterization import result_figures


def test_sizes_have_every_person_and_the_mean():
    table = np.random.default_rng(0).random((4, 3, 5))
    one, two, three = result_figures.draw_sizes([32, 64, 128, 256, 512], 128, table).axes
    assert [len(axis.lines) for axis in (one, two, three)] == [3 + 1 + 1, 3 + 1 + 1, 3 + 2 + 1]
    np.testing.assert_allclose(one.lines[3].get_ydata(), 100 * table[0].mean(0))
    np.testing.assert_allclose(two.lines[3].get_ydata(), table[1].mean(0))
    np.testing.assert_allclose(three.lines[4].get_ydata(), table[3].mean(0))


def test_slopes_are_broken_at_the_texels():
    x = torch.linspace(1.5, 4.5, 61) + 0.013
    figure = result_figures.draw_slopes(x, {"a": (x, x * 0 + 1, x * 0 + 1), "b": (x * 2, x * 0 + 2, x * 0 + 2)})
    for axis in figure.axes:
        level, *slopes, measured = axis.lines
        assert len(slopes) == 4
        assert sum(len(line.get_xdata()) for line in slopes) == len(x)
        assert len(measured.get_xdata()) == 31
        np.testing.assert_allclose(level.get_xdata(), x.numpy())


def test_gradients_of_a_column_share_a_scale():
    a, b = torch.randn(1, 3, 8, 8), torch.randn(1, 3, 8, 8)
    axes = result_figures.draw_gradients(a, b).axes[:6]
    for column in range(3):
        above, below = axes[column].images[0], axes[3 + column].images[0]
        assert above.get_clim() == below.get_clim()
        np.testing.assert_allclose(above.get_array(), a[0, column].numpy())
        np.testing.assert_allclose(below.get_array(), b[0, column].numpy())
