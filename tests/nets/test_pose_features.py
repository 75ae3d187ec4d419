"""The pose network M."""

import pytest
import torch

from posekit.nets.pose_features import PoseFeatures
from posekit.systems.base import count_parameters
from posekit.util.errors import InputError


def test_published_shape_and_layers():
    net = PoseFeatures().eval()
    z = net(torch.rand(1, 18, 256, 256))
    assert z.shape == (1, 35, 64, 64)
    torch.testing.assert_close(z.square().sum(1), torch.ones(1, 64, 64))
    kinds = [type(layer).__name__ for layer in net.layers]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU"] * 10 + ["Conv2d", "BatchNorm2d"]  # eleven


@pytest.mark.parametrize(("width", "out"), [(64, 35), (8, 5)])
def test_parameter_count(width, out):
    convolutions = 9 * (18 * width + 9 * width * width + width * out)
    norms = 2 * (10 * width + out)
    assert count_parameters(PoseFeatures(18, out, width)) == convolutions + norms


def test_the_same_pose_elsewhere_has_the_same_features_elsewhere():
    """Away from the border, a shift by 4 pixels of the pose is a shift by 1 of the features."""
    torch.manual_seed(0)
    net = PoseFeatures(2, 5, 4).eval()
    pose = torch.zeros(1, 2, 160, 160)
    pose[..., 72:84, 70:88] = torch.rand(1, 2, 12, 18)
    z, moved = net(pose), net(pose.roll((4, 8), (2, 3)))
    inner = (..., slice(14, 26), slice(14, 26))
    torch.testing.assert_close(moved[inner], z.roll((1, 2), (2, 3))[inner])
    assert (z[inner] - z[..., 14:15, 14:15]).abs().max() > 0.1


def test_bad_input(unchecked):
    with pytest.raises(InputError, match="multiples of 4, got 30 x 32"):
        PoseFeatures(2, 5, 4)(torch.rand(1, 2, 30, 32))
    with pytest.raises(InputError, match="positive widths"):
        PoseFeatures(18, 35, 0)
