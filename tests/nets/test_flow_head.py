"""The flow network C_l, of 1 to 6 layers."""

import pytest
import torch

from posekit.nets.flow_head import FlowHead
from posekit.systems.base import count_parameters
from posekit.util.errors import InputError

PUBLISHED = (128, 128, 96, 64, 32, 2)


@pytest.mark.parametrize("depth", range(1, 7))
def test_depth_and_parameter_count(depth):
    """Convolutions without bias before BatchNorm, the last one with."""
    channels = [4096, *PUBLISHED[: depth - 1], 2]
    expected = sum(9 * a * b for a, b in zip(channels[:-1], channels[1:], strict=True)) + 2 + 2 * sum(channels[1:-1])
    net = FlowHead(4096, depth)
    assert count_parameters(net) == expected
    widths = [layer[0].out_channels for layer in net.layers] + [net.last.out_channels]
    assert widths == channels[1:]
    assert net.eval()(torch.rand(1, 4096, 8, 8)).shape == (1, 2, 8, 8)


def test_narrower_ones_keep_the_proportions():
    net = FlowHead(16, 6, 32)
    assert [layer[0].out_channels for layer in net.layers] == [32, 32, 24, 16, 8]


def test_positions_may_lie_beyond_the_picture():
    net = FlowHead(16, 1).eval()
    with torch.no_grad():
        net.last.bias.copy_(torch.tensor([1.7, -2.5]))
        net.last.weight.zero_()
    assert net(torch.rand(1, 16, 3, 3))[0, :, 1, 1].tolist() == pytest.approx([1.7, -2.5])


def test_autocast_keeps_positions_in_float32():
    net = FlowHead(16, 3, 8).eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert net(torch.rand(1, 16, 4, 4)).dtype == torch.float32


def test_bad_input(unchecked):
    for depth in (0, 7):
        with pytest.raises(InputError, match=f"1 to 6 layers, got depth {depth}"):
            FlowHead(16, depth)
    with pytest.raises(InputError, match="at least 4"):
        FlowHead(16, 2, 3)
