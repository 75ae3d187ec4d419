"""Squares of a photograph: where they lie, how they are turned, and pictures made smaller."""

import numpy as np
import pytest
import torch

from posekit.photo.regions import Region, sampled, shrunk

UP = np.array([0.0, -1.0])


def picture(h=20, w=30):
    return torch.rand(3, h, w, generator=torch.Generator().manual_seed(0))


def test_an_upright_square_is_a_cut():
    image = picture()
    cut = sampled(image, Region(np.array([7.5, 5.5]), 4.0, UP), 8)
    torch.testing.assert_close(cut, image[:, 2:10, 4:12])


def test_a_turned_square():
    """With the photograph's right as up, the square is the cut turned by a quarter: what was right is above."""
    image = picture()
    cut = sampled(image, Region(np.array([7.5, 5.5]), 4.0, np.array([1.0, 0.0])), 8)
    torch.testing.assert_close(cut, image[:, 2:10, 4:12].rot90(1, (1, 2)))


def test_axes_are_right_and_down():
    axes = Region(np.zeros(2), 3.0, UP).axes()
    assert axes == pytest.approx(np.diag([3.0, 3.0]))


def test_outside():
    image = torch.ones(1, 10, 10)
    region = Region(np.array([0.0, 4.5]), 5.0, UP)
    assert sampled(image, region, 10)[0, 5, 0] == 0
    assert sampled(image, region, 10, padding="border").min() == 1


def test_fine_pictures_are_averaged():
    """A pattern of single pixels is grey in a square of a quarter as many."""
    image = (torch.arange(64) % 2).float().expand(1, 64, 64)
    cut = sampled(image, Region(np.array([31.5, 31.5]), 32.0, UP), 16)
    assert cut[:, 2:-2, 2:-2].sub(0.5).abs().max() < 0.05


def test_shrunk():
    image = picture(20, 30)
    assert shrunk(image, 1.0) is image
    assert shrunk(image, 2.0) is image
    assert shrunk(image, 0.5).shape == (3, 10, 15)
    assert shrunk(image, 1e-9).shape == (3, 1, 1)
    assert shrunk(image, 0.1).mean((1, 2)) == pytest.approx(image.mean((1, 2)), abs=0.05)
