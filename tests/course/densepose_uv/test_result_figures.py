"""Pictures of results on surface maps: the numbers that they were given are in them."""

import numpy as np
import torch
from posekit_course.densepose_uv import result_figures


def test_tint_is_where_the_mask_is():
    image, mask = torch.zeros(3, 4, 4), torch.zeros(1, 4, 4)
    mask[..., 0, 0] = 1
    made = result_figures.tinted(image, mask, (1.0, 0.0, 0.0))
    torch.testing.assert_close(made[:, 0, 0], torch.tensor([0.9, 0.15, 0.15]))
    torch.testing.assert_close(made[:, 1:], torch.full((3, 3, 4), 0.6))


def test_costs_say_what_a_shift_costs():
    curve = np.array([[40.0, 40.0], [37.0, 39.0], [30.0, 34.0], [20.0, 24.0]])
    figure = result_figures.draw_costs((0.0, 1.0, 2.0, 4.0), curve, {"n / 255": 30.0, "(n + ½) / 255": 33.0})
    (axis,) = figure.axes
    assert "one pixel off costs 2 dB, up to four pixels 18 dB" in axis.get_title()
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [40, 38, 32, 22])
    assert [line.get_ydata()[0] for line in axis.lines[1:]] == [30, 33]
