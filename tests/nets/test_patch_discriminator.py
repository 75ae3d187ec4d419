"""The discriminator: size by the table, its map of verdicts."""

import pytest
import torch

from posekit.nets.patch_discriminator import PatchDiscriminator


def test_parameters_follow_from_the_table():
    table = [(5, 16), (16, 32), (32, 64), (64, 128), (128, 1)]
    expected = sum(a * b * 16 + b + 2 * b for a, b in table)
    assert sum(p.numel() for p in PatchDiscriminator().parameters()) == expected == 176_083


@pytest.mark.parametrize(("h", "w"), [(64, 64), (128, 64), (256, 256)])
def test_one_verdict_per_sixteen_pixels(h, w):
    out = PatchDiscriminator()(torch.rand(2, 5, h, w))
    assert out.shape == (2, 1, h // 16, w // 16)
    assert out.min() > 0
    assert out.max() < 1


def test_verdicts_are_local():
    """A patch far away has no say (batch statistics fixed)."""
    d = PatchDiscriminator().eval()
    x = torch.rand(1, 5, 256, 256, requires_grad=True)
    d(x)[0, 0, 0, 0].backward()
    assert x.grad[..., 128:, :].abs().max() == 0
    assert x.grad[..., :16, :16].abs().max() > 0
