"""The discriminator of Deformable GANs: size by arithmetic, wiring against a twin."""

import torch
from torch.nn import functional as F

from posekit.nets.pair_discriminator import PairDiscriminator


def test_parameters():
    widths = (64, 128, 256, 512, 1)
    expected = 42 * 64 * 16 + 64 + sum(a * b * 16 for a, b in zip(widths, widths[1:], strict=False)) + 2 * 3
    assert sum(p.numel() for p in PairDiscriminator().parameters()) == expected == 2_803_782


def test_wiring_against_a_twin():
    torch.manual_seed(0)
    d = PairDiscriminator(6, 4).eval()
    for p in d.parameters():
        torch.nn.init.normal_(p, std=0.3)  # scales and shifts too
    x = torch.randn(2, 6, 128, 64)

    def norm(x, layer):
        mean, std = x.mean((1, 2, 3), keepdim=True), x.std((1, 2, 3), keepdim=True, correction=0)
        return layer.scale * (x - mean) / (std + 1e-3) + layer.shift

    y = F.conv2d(x, d.first.weight, d.first.bias, stride=2)
    for conv, layer in zip(d.convs, d.norms, strict=True):
        y = norm(F.conv2d(F.leaky_relu(y, 0.2), conv.weight, stride=2, padding=1), layer)
    y = F.conv2d(F.leaky_relu(y, 0.2), d.last.weight, stride=2, padding=1)
    out = d(x)
    assert out.shape == (2, 1, 3, 1)
    torch.testing.assert_close(out, y)
