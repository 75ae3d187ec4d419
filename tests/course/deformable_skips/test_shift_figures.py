"""The figure of forgiven shifts: its numbers by hand, and what it must show."""

import numpy as np
import pytest
import torch
from posekit_course.deformable_skips.shift_figures import WINDOWS, draw_forgiveness, moved, shift_losses
from posekit_course.scatter_rasterization.figures import photograph_of


@pytest.fixture(scope="module")
def photo():
    return photograph_of(0, 3, 0, 96).image


def test_moved_goes_right_and_mixes_neighbours():
    row = torch.arange(8.0).view(1, 1, 1, 8)
    assert moved(row, 0, 2).flatten().tolist() == [2, 3, 4, 5]
    assert moved(row, 2, 2).flatten().tolist() == [0, 1, 2, 3]
    assert moved(row, 0.25, 2).flatten().tolist() == [1.75, 2.75, 3.75, 4.75]
    with pytest.raises(ValueError, match="a shift from 0 to 2"):
        moved(row, 3, 2)


def test_window_one_is_l1(photo):
    losses = shift_losses(photo, (0, 1, 2.5), (1,))[0]
    still = moved(photo, 0, 3)
    for loss, shift in zip(losses, (0, 1, 2.5), strict=True):
        assert loss == pytest.approx((moved(photo, shift, 3) - still).abs().mean().item(), abs=1e-7)


@pytest.mark.parametrize("features", [None, "random"])
def test_a_window_forgives_what_it_reaches_and_nothing_else(photo, features):
    shifts = np.arange(5)
    l1, *others = shift_losses(photo, shifts, WINDOWS, features)
    assert (np.diff(l1) > 0).all()
    for window, losses in zip(WINDOWS[1:], others, strict=True):
        reach = window // 2
        assert (losses[1 : reach + 1] < 0.1 * l1[1 : reach + 1]).all()
        assert (losses[reach + 1 :] > 10 * losses[reach]).all()


def test_features_do_not_forgive_half_a_pixel(photo):
    l1, three = shift_losses(photo, (0.5, 1), (1, 3), "random")
    assert three[0] > 0.5 * l1[0]
    assert three[1] < 0.1 * l1[1]


def test_figure(photo):
    figure = draw_forgiveness(photo, furthest=4)
    picture, *panels = figure.axes
    assert picture.images[0].get_array().shape == (96, 2 * (96 - 8), 3)
    for panel in panels:
        curves = [line.get_ydata() for line in panel.lines if len(line.get_ydata()) == 9]
        assert len(curves) == len(WINDOWS)
        assert curves[0].max() == pytest.approx(100)
    assert figure.as_image().size == (880, 312)
