"""A small network, not trained, and faces small enough for it."""

import pytest
import torch
from posekit_course.face_resynthesis import probes

from posekit.systems import build
from tests.synthetic import TINY

SIDE = 64


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    return build("coordinate_inpainting", "face", **{**TINY, "image_size": SIDE, "atlas_size": SIDE}).eval()


@pytest.fixture(scope="module")
def faces():
    return probes.some_faces(2, 3, SIDE)
