"""Small networks, not trained, and people small enough for them."""

import pytest
import torch
from posekit_course.garments_and_keypoints import probes

from posekit.systems import build
from tests.synthetic import TINY

SIDE = 64


@pytest.fixture(scope="module")
def keypoints():
    torch.manual_seed(0)
    return build("coordinate_inpainting", variant="keypoints", **{**TINY, "image_size": SIDE}).eval()


@pytest.fixture(scope="module")
def garments():
    torch.manual_seed(0)
    return build("coordinate_inpainting", variant="garments", **{**TINY, "image_size": SIDE}).eval()


@pytest.fixture(scope="module")
def pairs():
    data = probes.posed_people(2, SIDE)
    return [data[n].batched() for n in (0, 5)]
