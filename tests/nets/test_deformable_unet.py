"""The U-Net of Deformable GANs: sizes by arithmetic, wiring against a twin, what moves and what does not."""

import pytest
import torch
from torch.nn import functional as F

from posekit.nets.deformable_unet import DeformableUNet
from posekit.util.errors import InputError

RELEASE_6 = (64, 128, 256, 512, 512, 512)  # Market-1501, 128 x 64
RELEASE_7 = (64, 128, 256, 512, 512, 512, 512)  # fashion, 256 x 256


def encoder_parameters(channels, widths):
    """A 3 x 3 convolution with bias, then 4 x 4 convolutions without; two numbers for each norm but at both ends."""
    first = channels * widths[0] * 9 + widths[0]
    return first + sum(a * b * 16 for a, b in zip(widths, widths[1:], strict=False)) + 2 * (len(widths) - 2)


def decoder_parameters(widths, seen):
    """The block of level l sees ``seen[l]`` activations and the block before, and is as wide as level l."""
    total, before = 0, 0
    for level in range(len(widths) - 1, 0, -1):
        total += (before + seen[level] * widths[level]) * widths[level] * 16 + 2
        before = widths[level]
    return total + (before + seen[0] * widths[0]) * 3 * 9 + 3


@pytest.mark.parametrize(("widths", "expected"), [(RELEASE_6, 61_109_085), (RELEASE_7, 82_080_611)])
def test_parameters_of_two_encoders(widths, expected):
    count = encoder_parameters(21, widths) + encoder_parameters(18, widths)
    count += decoder_parameters(widths, [2] * len(widths))
    with torch.device("meta"):
        net = DeformableUNet(21, 18, 64, len(widths))
    assert sum(p.numel() for p in net.parameters()) == count == expected


def test_parameters_of_one_encoder_and_without_source_skips():
    one = encoder_parameters(39, RELEASE_6) + decoder_parameters(RELEASE_6, [1] * 6)
    with torch.device("meta"):
        stacked, without = DeformableUNet(39, 0, 64, 6), DeformableUNet(21, 18, 64, 6, source_skips=False)
    assert sum(p.numel() for p in stacked.parameters()) == one == 36_072_533
    none = encoder_parameters(21, RELEASE_6) + encoder_parameters(18, RELEASE_6)
    none += decoder_parameters(RELEASE_6, [1, 1, 1, 1, 2, 2])
    assert sum(p.numel() for p in without.parameters()) == none == 55_602_333


def tiny(**settings):
    torch.manual_seed(0)
    return DeformableUNet(5, 4, **{"width": 4, "levels": 6, "widest": 8, **settings}).eval()


def test_wiring_against_a_twin():
    """Six levels written out; the norm is written out too."""
    net = tiny()
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.3)  # scales and shifts too
    source, target = torch.randn(2, 5, 64, 32), torch.randn(2, 4, 64, 32)

    def norm(x, layer):
        mean, std = x.mean((1, 2, 3), keepdim=True), x.std((1, 2, 3), keepdim=True, correction=0)
        return layer.scale * (x - mean) / (std + 1e-3) + layer.shift

    def encode(encoder, x):
        levels = [F.conv2d(x, encoder.first.weight, encoder.first.bias, padding=1)]
        for k, block in enumerate(encoder.down):
            y = F.conv2d(F.leaky_relu(levels[-1], 0.2), block[1].weight, stride=2, padding=1)
            levels.append(y if k == 4 else norm(y, block[2]))
        return levels

    def move(x):
        return x.flip(-1)

    s, t = encode(net.source, source), encode(net.target, target)
    assert [tuple(x.shape[1:]) for x in s] == [
        (4, 64, 32), (8, 32, 16), (16, 16, 8), (32, 8, 4), (32, 4, 2), (32, 2, 1)
    ]  # fmt: skip
    seen = [move(s[0]), move(s[1]), move(s[2]), move(s[3]), s[4], s[5]]
    x = None
    for level, block in zip((5, 4, 3, 2, 1), net.decoder.up, strict=True):
        here = [seen[level], t[level]] if x is None else [x, seen[level], t[level]]
        x = norm(F.conv_transpose2d(F.relu(torch.cat(here, 1)), block[1].weight, stride=2, padding=1), block[2])
    last = net.decoder.last
    x = F.conv2d(F.relu(torch.cat([x, seen[0], t[0]], 1)), last.weight, last.bias, padding=1)
    result = net(source, target, move)
    torch.testing.assert_close(result.image, (torch.tanh(x) + 1) / 2)
    for got, expected in [(result.source, s), (result.skips, seen), (result.target, t)]:
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(got, expected, strict=True))


def test_half_of_the_three_coarsest_blocks_is_dropped_in_training():
    net = tiny().train()
    dropped = [block[3].p if len(block) > 3 else 0 for block in net.decoder.up]
    assert dropped == [0.5, 0.5, 0.5, 0, 0]
    x, y = torch.randn(1, 5, 64, 64), torch.randn(1, 4, 64, 64)
    assert not torch.equal(net(x, y).image, net(x, y).image)
    net.eval()
    assert torch.equal(net(x, y).image, net(x, y).image)


def test_only_the_four_finest_levels_are_moved():
    moved = []
    net = tiny()
    net(torch.randn(1, 5, 32, 32), torch.randn(1, 4, 32, 32), lambda x: moved.append(x.shape[-1]) or x)
    assert moved == [32, 16, 8, 4]


def test_without_source_skips_the_decoder_sees_the_source_from_the_fifth_level_on():
    net = tiny(source_skips=False)
    result = net(torch.randn(1, 5, 32, 32), torch.randn(1, 4, 32, 32))
    assert [skip is None for skip in result.skips] == [True] * 4 + [False] * 2
    assert all(source is not None for source in result.source)


def test_one_encoder():
    net = DeformableUNet(7, 0, 4, 5)
    result = net(torch.randn(1, 7, 32, 32))
    assert result.image.shape == (1, 3, 32, 32)
    assert 0 <= result.image.min() <= result.image.max() <= 1
    assert result.target == []


def test_bad_input(unchecked):
    with pytest.raises(InputError, match="multiples of 32, got 64 x 40"):
        tiny()(torch.randn(1, 5, 64, 40), torch.randn(1, 4, 64, 40))
    with pytest.raises(InputError, match="two encoders needs source and target"):
        tiny()(torch.randn(1, 5, 32, 32))
    with pytest.raises(InputError, match="one encoder only source"):
        DeformableUNet(5, 0, 4, 5)(torch.randn(1, 5, 32, 32), torch.randn(1, 4, 32, 32))
    with pytest.raises(InputError, match="at least 5 levels, got 4 and 4"):
        DeformableUNet(5, 4, 4, 4)
    with pytest.raises(InputError, match="without them take two encoders"):
        DeformableUNet(5, 0, 4, 5, source_skips=False)
