"""A tiny Dense Pose Transfer, not trained, whose blending module adds something."""

import pytest
import torch

from posekit.systems import build
from tests.synthetic import TINY_DENSE_POSE

TINY = {**TINY_DENSE_POSE, "image_size": 48}


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    system = build("dense_pose_transfer", **TINY).eval()
    torch.nn.init.normal_(system.blending.layers[-1].weight, std=0.1)
    return system
