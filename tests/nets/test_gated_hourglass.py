"""The inpainting network: published size, one block against a naive twin, shapes, bad input."""

import math

import pytest
import torch

from posekit.nets.gated_conv import GatedConv
from posekit.nets.gated_hourglass import GatedHourglass
from posekit.util.errors import InputError


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_published_number_of_parameters():
    assert count(GatedHourglass()) == 2_824_866


def test_parameters_follow_from_the_table():
    # (in, out, kernel) of the gated blocks, times two convolutions, plus scale and shift of BatchNorm
    blocks = [(5, 32, 5), (32, 64, 3), (64, 64, 3), (64, 128, 3), *[(128, 128, 3)] * 8]
    blocks += [(128, 64, 3), (64, 32, 3), (32, 16, 3)]
    gated = sum(2 * (a * b * k * k + b) + 2 * b for a, b, k in blocks)
    assert gated + 16 * 2 * 9 + 2 == 2_824_866


def naive_gated_conv(x, block, kernel, stride, dilation):
    """Pixel by pixel: reflect the index at the border, multiply, add, gate; then BatchNorm over batch and pixels."""
    b, _, h, w = x.shape
    out = block.features.weight.shape[0]
    H, W = math.ceil(h / stride), math.ceil(w / stride)

    def mirror(i, n):
        return -i if i < 0 else 2 * (n - 1) - i if i >= n else i

    y = torch.zeros(b, out, H, W, dtype=x.dtype)
    half = kernel // 2
    for i in range(H):
        for j in range(W):
            features, gate = block.features.bias.expand(b, out), block.gate.bias.expand(b, out)
            for di in range(kernel):
                for dj in range(kernel):
                    pixel = x[
                        :,
                        :,
                        mirror(i * stride + (di - half) * dilation, h),
                        mirror(j * stride + (dj - half) * dilation, w),
                    ]
                    features = features + pixel @ block.features.weight[:, :, di, dj].T
                    gate = gate + pixel @ block.gate.weight[:, :, di, dj].T
            elu = torch.where(features > 0, features, torch.exp(features.clamp(max=0)) - 1)
            y[:, :, i, j] = elu / (1 + torch.exp(-gate))
    mean, variance = y.mean((0, 2, 3), keepdim=True), y.var((0, 2, 3), keepdim=True, unbiased=False)
    scale, shift = block.norm.weight.view(1, -1, 1, 1), block.norm.bias.view(1, -1, 1, 1)
    return (y - mean) / torch.sqrt(variance + block.norm.eps) * scale + shift


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(3, 1, 1), (3, 2, 1), (5, 1, 1), (3, 1, 2)])
def test_block_equals_naive_twin_in_values_and_gradients(kernel, stride, dilation):
    torch.manual_seed(0)
    block = GatedConv(3, 4, kernel, stride, dilation).double()
    torch.nn.init.normal_(block.norm.weight)
    torch.nn.init.normal_(block.norm.bias)
    x = torch.randn(2, 3, 6, 8, dtype=torch.float64, requires_grad=True)
    ours, theirs = block(x), naive_gated_conv(x, block, kernel, stride, dilation)
    torch.testing.assert_close(ours, theirs)
    weights = torch.randn_like(ours)
    names = [x, *block.parameters()]
    for a, b in zip(
        torch.autograd.grad((ours * weights).sum(), names),
        torch.autograd.grad((theirs * weights).sum(), names),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_a_closed_gate_hides_the_filler_of_holes():
    torch.manual_seed(0)
    block = GatedConv(1, 1).eval()
    with torch.no_grad():
        block.gate.weight.zero_()
        block.gate.bias.fill_(-50)
    x = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(block(torch.full_like(x, -10)), block(x))


@pytest.mark.parametrize(("channels", "out", "kind"), [(5, 2, "tanh"), (6, 3, "sigmoid")])
def test_output_range_and_shape(channels, out, kind):
    torch.manual_seed(0)
    net = GatedHourglass(channels, out, width=4, output=kind)
    y = net(torch.randn(2, channels, 40, 44) * 3)
    assert y.shape == (2, out, 40, 44)
    assert y.max() < 1
    assert y.min() > (0 if kind == "sigmoid" else -1)


def test_every_texel_is_seen_from_far_away():
    """The dilated blocks see across the whole atlas: a change in one corner reaches the opposite one."""
    torch.manual_seed(0)
    net = GatedHourglass(width=4).double().eval()
    x = torch.randn(1, 5, 64, 64, dtype=torch.float64, requires_grad=True)
    net(x)[0, :, 63, 63].sum().backward()
    assert x.grad[0, :, 0, 0].abs().max() > 0


def test_last_layer_keeps_float32_under_autocast():
    torch.manual_seed(0)
    net = GatedHourglass(width=4).eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = net(torch.randn(1, 5, 40, 40))
    assert y.dtype == torch.float32
    assert (y != y.bfloat16().float()).float().mean() > 0.9  # more digits than bfloat16 holds


def test_bad_input(unchecked):
    with pytest.raises(InputError, match="multiples of 4, got 38 x 40"):
        GatedHourglass(width=4)(torch.zeros(1, 5, 38, 40))
    with pytest.raises(InputError, match="use larger images and atlases"):
        GatedHourglass(width=4)(torch.zeros(1, 5, 32, 32))
    with pytest.raises(InputError, match="positive even number, got 5"):
        GatedHourglass(width=5)
    with pytest.raises(InputError, match="one of tanh, sigmoid, got 'relu'"):
        GatedHourglass(output="relu")
