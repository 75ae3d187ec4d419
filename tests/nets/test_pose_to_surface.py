"""The network that reads a surface map from a drawn pose."""

import pytest
import torch

from posekit.nets.pose_to_surface import PLANES, SIDES, PoseToSurface
from posekit.systems.base import count_parameters
from posekit.util.errors import InputError


def two_layers(a, b):
    """Two 3 x 3 convolutions without bias, each with BatchNorm's scale and offset."""
    return 9 * a * b + 9 * b * b + 4 * b


@pytest.mark.parametrize("w", [2, 16, 24])
def test_parameters(w):
    c = [w, 2 * w, 4 * w, 6 * w, 8 * w, 8 * w]
    expected = two_layers(PLANES, c[0]) + sum(two_layers(a, b) for a, b in zip(c, c[1:], strict=False))
    expected += sum(two_layers(c[i + 1] + c[i], c[i]) for i in range(5))
    expected += (w + 1) * (25 + 48)
    assert count_parameters(PoseToSurface(w)) == expected
    assert PLANES == 18
    if w == 24:
        assert expected == 3_737_809


@pytest.mark.parametrize("size", [(64, 64), (96, 64)])
def test_shapes(size):
    scores, positions = PoseToSurface(2)(torch.randn(2, PLANES, *size))
    assert scores.shape == (2, 25, *size)
    assert positions.shape == (2, 24, 2, *size)


def test_every_plane_and_every_weight_matters():
    torch.manual_seed(0)
    net, x = PoseToSurface(2), torch.randn(2, PLANES, 64, 64, requires_grad=True)
    scores, positions = net(x)
    (scores.square().sum() + positions.square().sum()).backward()
    assert (x.grad.abs().amax((0, 2, 3)) > 0).all()
    assert all(p.grad.abs().max() > 0 for p in net.parameters())


def test_positions_stay_exact_under_autocast():
    net, x = PoseToSurface(2), torch.randn(2, PLANES, 64, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores, positions = net(x)
    assert scores.dtype == positions.dtype == torch.float32
    assert len(positions.unique()) > 50_000, "bfloat16 has 256 numbers between 1 and 2"


@pytest.mark.parametrize("size", [(64, 60), (32, 64), (0, 64)])
def test_bad_sizes(size):
    with pytest.raises(InputError, match=f"multiples of {SIDES}, {2 * SIDES} or more, got {size[0]} x {size[1]}"):
        PoseToSurface(2)(torch.zeros(1, PLANES, *size))


def test_bad_width():
    with pytest.raises(InputError, match="positive numbers of channels"):
        PoseToSurface(0)
