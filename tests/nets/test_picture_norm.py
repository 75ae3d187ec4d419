"""Normalisation over a whole picture: its definition, and the colours that it keeps and InstanceNorm does not."""

import pytest
import torch

from posekit.nets.picture_norm import PictureNorm


def test_against_its_definition():
    torch.manual_seed(0)
    norm, x = PictureNorm(), torch.randn(2, 3, 5, 4, dtype=torch.float64) * 3 + 1
    norm = norm.double()
    with torch.no_grad():
        norm.scale.fill_(0.7)
        norm.shift.fill_(-0.2)
    for picture, out in zip(x, norm(x), strict=True):
        std = ((picture - picture.mean()) ** 2).mean().sqrt()
        torch.testing.assert_close(out, 0.7 * (picture - picture.mean()) / (std + 1e-3) - 0.2)
    assert torch.autograd.gradcheck(norm, (x.requires_grad_(),))
    assert sum(p.numel() for p in norm.parameters()) == 2


def test_a_faint_picture_keeps_its_contrast():
    """0.03 / (0.03 + 1e-3) = 0.97; with 1e-3 added to the variance it would be 0.69.  Flat: 0, slope included."""
    x = torch.randn(1, 4, 16, 16)
    x = 0.03 * (x - x.mean()) / x.std(correction=0)
    assert PictureNorm()(x).detach().std(correction=0).item() == pytest.approx(0.03 / 0.031, rel=1e-4)
    flat = torch.full((1, 2, 4, 4), 0.5, requires_grad=True)
    out = PictureNorm()(flat)
    out.square().sum().backward()
    assert not out.any()
    assert not flat.grad.any()


def test_it_tells_a_green_picture_from_a_blue_one():
    """Two pictures that differ in a constant for each channel alone."""
    grain = 0.1 * torch.rand(1, 3, 8, 8)
    green, blue = (grain + torch.tensor(c).view(1, 3, 1, 1) for c in ([0.1, 0.6, 0.2], [0.1, 0.2, 0.6]))
    whole, channels = PictureNorm(), torch.nn.InstanceNorm2d(3)
    torch.testing.assert_close(channels(green), channels(blue), atol=1e-3, rtol=0)
    assert (whole(green) - whole(blue)).abs().mean() > 0.5
