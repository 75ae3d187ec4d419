"""The discriminator of Deformable GANs: size by arithmetic, wiring against a twin."""

import torch
from torch.nn import functional as F

from posekit.nets.pair_discriminator import PairDiscriminator


def test_parameters():
    widths = (64, 128, 256, 512, 1)
    expected = 42 * 64 * 16 + 64 + sum(a * b * 16 for a, b in zip(widths, widths[1:], strict=False))
    assert sum(p.numel() for p in PairDiscriminator().parameters()) == expected == 2_803_776


def test_wiring_against_a_twin():
    torch.manual_seed(0)
    d = PairDiscriminator(6, 4).eval()
    x = torch.randn(2, 6, 128, 64)

    def norm(x):
        return (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()

    y = F.conv2d(x, d.first.weight, d.first.bias, stride=2)
    for conv in d.convs:
        y = norm(F.conv2d(F.leaky_relu(y, 0.2), conv.weight, stride=2, padding=1))
    y = F.conv2d(F.leaky_relu(y, 0.2), d.last.weight, stride=2, padding=1)
    out = d(x)
    assert out.shape == (2, 1, 3, 1)
    torch.testing.assert_close(out, y)
