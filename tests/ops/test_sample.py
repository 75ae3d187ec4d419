"""Backward warp and composition of warps."""

from math import floor

import pytest
import torch

from posekit.ops.grids import identity_grid, norm_to_index
from posekit.ops.sample import compose, sample


def naive_sample(image, grid, padding):
    """Bilinear lookup, one pixel after the other."""
    b, c, h, w = image.shape
    rows = []
    for i in range(b):
        for y in range(grid.shape[2]):
            for x in range(grid.shape[3]):
                column, row = norm_to_index(grid[i, 0, y, x], w), norm_to_index(grid[i, 1, y, x], h)
                if padding == "border":
                    column, row = column.clamp(0, w - 1), row.clamp(0, h - 1)
                total = image.new_zeros(c)
                for q in (floor(row.item()), floor(row.item()) + 1):
                    for p in (floor(column.item()), floor(column.item()) + 1):
                        if 0 <= p < w and 0 <= q < h:
                            total = total + (1 - (column - p).abs()) * (1 - (row - q).abs()) * image[i, :, q, p]
                rows.append(total)
    return torch.stack(rows).reshape(b, *grid.shape[2:], c).permute(0, 3, 1, 2)


@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize(
    ("source", "target", "channels"), [((4, 6), (3, 5), 3), ((1, 7), (4, 2), 1), ((5, 5), (1, 1), 4)]
)
def test_values_and_gradients_of_the_naive_twin(padding, source, target, channels):
    torch.manual_seed(0)
    image = torch.randn(2, channels, *source, dtype=torch.float64, requires_grad=True)
    grid = (torch.rand(2, 2, *target, dtype=torch.float64) * 2.6 - 1.3).requires_grad_()
    ours, naive = sample(image, grid, padding=padding), naive_sample(image, grid, padding)
    torch.testing.assert_close(ours, naive)
    cotangent = torch.randn_like(ours)
    for a, b in zip(
        torch.autograd.grad(ours, (image, grid), cotangent),
        torch.autograd.grad(naive, (image, grid), cotangent),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_the_identity_changes_nothing():
    image = torch.randn(2, 3, 17, 9, dtype=torch.float64)
    grid = identity_grid(17, 9, dtype=torch.float64).expand(2, -1, -1, -1)
    torch.testing.assert_close(sample(image, grid), image)


def test_channel_0_is_x():
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    # x of the last column, y of the first row
    grid = torch.tensor([0.75, -2 / 3]).reshape(1, 2, 1, 1)
    assert sample(image, grid).item() == pytest.approx(3)


def test_outside_is_zero_or_the_border():
    image = torch.ones(1, 1, 4, 4)
    grid = torch.full((1, 2, 1, 1), 1.5)
    assert sample(image, grid).item() == 0
    assert sample(image, grid, padding="border").item() == 1
    edge = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1)
    assert sample(image, edge).item() == pytest.approx(0.5)  # half of the kernel lies outside


def test_gradcheck():
    torch.manual_seed(1)
    image = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    grid = (torch.rand(1, 2, 3, 3, dtype=torch.float64) * 1.8 - 0.9).requires_grad_()
    assert torch.autograd.gradcheck(sample, (image, grid))
    outer = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(compose, (outer, grid))


def smooth_warp(h, w, strength=0.1):
    x = identity_grid(h, w, dtype=torch.float64)
    return (x + strength * torch.sin(3 * x.flip(0)))[None]


def test_compose_with_the_identity_is_exact():
    warp, x = smooth_warp(12, 9), identity_grid(12, 9, dtype=torch.float64)[None]
    torch.testing.assert_close(compose(warp, x), warp, atol=1e-12, rtol=0)
    torch.testing.assert_close(compose(x, warp), warp, atol=1e-12, rtol=0)


def test_compose_of_shifts_adds_them_even_past_the_border():
    x = identity_grid(8, 8, dtype=torch.float64)[None]
    a, b = torch.tensor([0.4, -0.2]).reshape(1, 2, 1, 1), torch.tensor([0.9, 0.7]).reshape(1, 2, 1, 1)
    torch.testing.assert_close(compose(x + a, x + b), x + a + b)


def test_compose_is_sampling_twice():
    image = torch.sin(3 * identity_grid(64, 64, dtype=torch.float64))[None]
    outer, inner = smooth_warp(64, 64), 0.6 * identity_grid(64, 64, dtype=torch.float64)[None] + 0.2
    twice = sample(sample(image, outer), inner)
    assert (sample(image, compose(outer, inner)) - twice).abs().max() < 0.004
    assert (sample(image, compose(inner, outer)) - twice).abs().max() > 0.1  # the order matters


def test_compose_is_associative_for_smooth_warps():
    a, b, c = (smooth_warp(96, 96, s) for s in (0.05, -0.04, 0.06))
    difference = compose(compose(a, b), c) - compose(a, compose(b, c))
    assert difference[..., 8:-8, 8:-8].abs().max() < 2e-4  # 1 / 100 pixel, away from the continued border


def test_empty_batch():
    assert sample(torch.zeros(0, 3, 4, 4), torch.zeros(0, 2, 5, 5)).shape == (0, 3, 5, 5)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("image", "grid", "message"),
    [
        (torch.zeros(1, 3, 4, 4), torch.zeros(2, 2, 4, 4), "one batch size"),
        (torch.zeros(1, 3, 4, 4), torch.zeros(1, 4, 4, 2), r"\(b, 2, H, W\)"),
        (torch.zeros(3, 4, 4), torch.zeros(1, 2, 4, 4), r"got \(3, 4, 4\)"),
        (torch.zeros(1, 3, 4, 4), torch.zeros(1, 2, 4, 4, dtype=torch.float64), "one floating-point dtype"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.uint8), torch.zeros(1, 2, 4, 4, dtype=torch.uint8), "torch.uint8"),
    ],
)
def test_wrong_input_is_named(image, grid, message):
    with pytest.raises(ValueError, match=message):
        sample(image, grid)


@pytest.mark.usefixtures("unchecked")
def test_wrong_padding_and_wrong_grids_are_named():
    with pytest.raises(ValueError, match='"zeros" or "border", got \'reflect\''):
        sample(torch.zeros(1, 3, 4, 4), torch.zeros(1, 2, 4, 4), padding="reflect")
    with pytest.raises(ValueError, match="inner of shape"):
        compose(torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 4, 4))


@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_holes_in_the_grid_read_outside_and_take_no_gradient(padding):
    image = torch.rand(1, 2, 5, 6, requires_grad=True)
    grid = identity_grid(5, 6)[None].clone()
    grid[0, :, 1, 2] = torch.nan
    grid[0, 0, 3, 3] = torch.inf
    grid.requires_grad_(True)
    out = sample(image, grid, padding=padding)
    out.sum().backward()
    corner = image[0, :, 0, 0] if padding == "border" else torch.zeros(2)
    assert torch.equal(out[0, :, 1, 2], corner)
    assert out.isfinite().all()
    assert grid.grad.isfinite().all()
    assert image.grad.isfinite().all()
    assert (grid.grad[0, :, 1, 2] == 0).all()
