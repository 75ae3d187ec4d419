"""A small network, not trained, that reads maps, and poses small enough for it."""

import pytest
import torch
from posekit_course.garments_and_keypoints.probes import posed_people

from posekit.systems import build
from tests.synthetic import TINY

SIDE = 64


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    sizes = {**TINY, "image_size": SIDE, "atlas_size": SIDE}
    return build("coordinate_inpainting", variant="keypoints", **sizes).eval()


@pytest.fixture(scope="module")
def poses():
    return posed_people(2, SIDE, views=2)


@pytest.fixture(autouse=True)
def interpreter():
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
