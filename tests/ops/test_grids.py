"""The one coordinate convention, and resizing what is written in it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from posekit.ops.grids import (
    identity_grid,
    index_to_norm,
    norm_to_index,
    norm_to_points,
    points_to_norm,
    resize_grid,
    resize_mask,
)

sizes = st.integers(1, 300)


def test_pixel_centres_of_a_row_of_four():
    assert [index_to_norm(i, 4) for i in range(4)] == [-0.75, -0.25, 0.25, 0.75]
    assert index_to_norm(-0.5, 4) == -1  # the left edge of the picture, not the centre of a pixel
    assert index_to_norm(3.5, 4) == 1
    assert norm_to_index(0.0, 4) == 1.5


@settings(derandomize=True, max_examples=50, deadline=None)
@given(size=sizes, index=st.floats(-400, 400))
def test_index_and_norm_are_inverse(size, index):
    assert norm_to_index(index_to_norm(index, size), size) == pytest.approx(index, abs=1e-9)


def test_points_are_x_then_y():
    # Column 7 of 8 and row 0 of 4: far right, top.
    point = points_to_norm(torch.tensor([7.0, 0.0]), (4, 8))
    assert point.tolist() == [0.875, -0.75]
    assert norm_to_points(point, (4, 8)).tolist() == [7, 0]


def test_points_keep_leading_axes():
    points = torch.rand(3, 5, 2, dtype=torch.float64) * 10
    back = norm_to_points(points_to_norm(points, (9, 11)), (9, 11))
    torch.testing.assert_close(back, points)


def test_identity_grid_holds_the_centres():
    grid = identity_grid(3, 5)
    assert grid.shape == (2, 3, 5)
    assert grid[0, 1].tolist() == pytest.approx([-0.8, -0.4, 0, 0.4, 0.8])
    assert grid[1, :, 2].tolist() == pytest.approx([-2 / 3, 0, 2 / 3])
    assert identity_grid(2, 2, dtype=torch.float64).dtype == torch.float64


@pytest.mark.parametrize("size", [(4, 6), (8, 12), (3, 50), (1, 1), (5, 7)])
def test_resizing_the_identity_gives_the_identity(size):
    grid = identity_grid(5, 7, dtype=torch.float64)[None]
    torch.testing.assert_close(resize_grid(grid, size)[0], identity_grid(*size, dtype=torch.float64))


@settings(derandomize=True, max_examples=25, deadline=None)
@given(h=st.integers(2, 20), w=st.integers(2, 20), height=sizes, width=sizes, seed=st.integers(0, 99))
def test_resizing_keeps_every_affine_map(h, w, height, width, seed):
    matrix = torch.randn(2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))

    def flow(*size):
        x = identity_grid(*size, dtype=torch.float64)
        return (torch.einsum("ij,jhw->ihw", matrix[:, :2], x) + matrix[:, 2, None, None])[None]

    torch.testing.assert_close(resize_grid(flow(h, w), (height, width)), flow(height, width))


def test_resizing_inside_is_the_bilinear_resizing_of_torch():
    grid = torch.randn(2, 2, 8, 12)
    torch.testing.assert_close(resize_grid(grid, (4, 6)), F.interpolate(grid, size=(4, 6), mode="bilinear"))
    larger = F.interpolate(grid, size=(16, 24), mode="bilinear")
    torch.testing.assert_close(resize_grid(grid, (16, 24))[..., 1:-1, 1:-1], larger[..., 1:-1, 1:-1])


def test_resize_grid_is_differentiable():
    grid = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda g: resize_grid(g, (5, 3)), grid)


def test_resize_mask_takes_the_pixel_under_the_centre():
    mask = torch.tensor([[0.0, 1.0, 0.0, 0.0, 1.0, 1.0]]).expand(1, 1, 1, 6)
    assert resize_mask(mask, (1, 3)).flatten().tolist() == [1, 0, 1]
    assert resize_mask(mask, (1, 12)).flatten().tolist() == [0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]
    assert resize_mask(mask, (1, 2)).flatten().tolist() == [1, 1]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("size", [(0, 4), (4, -1), (4,), (2.5, 3)])
def test_a_bad_size_is_named(size):
    with pytest.raises(ValueError, match="two positive whole numbers"):
        resize_grid(torch.zeros(1, 2, 4, 4), size)


@pytest.mark.usefixtures("unchecked")
def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"\(b, 2, h, w\), got \(2, 4, 4\)"):
        resize_grid(torch.zeros(2, 4, 4), (8, 8))
    with pytest.raises(ValueError, match=r"\(b, 1, h, w\), got \(4, 4\)"):
        resize_mask(torch.zeros(4, 4), (8, 8))
