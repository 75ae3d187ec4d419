"""Shared fixtures, and the switch that checks every annotated tensor shape while the tests run."""

import os

import pytest
from jaxtyping import config, install_import_hook

# Modules whose annotated shapes are checked by beartype in every test.  The studio is numpy and numba inside,
# and numba cannot compile functions that a checker has wrapped.
CHECKED = [
    "posekit.ops.grids",
    "posekit.ops.sample",
    "posekit.ops.splat",
    "posekit.ops.affine",
    "posekit.ops.surface",
    "posekit.ops.keypoints",
    "posekit.ops.fill",
    "posekit.ops.crops",
    "posekit.ops.outline",
    "posekit.ops.part_affine",
    "posekit.data",
    "posekit.nets",
    "posekit.losses",
    "posekit.metrics",
    "posekit.systems",
]
_hook = install_import_hook(CHECKED, "beartype.beartype")

os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser):
    """How many damaged files each reader is given (tests/fuzz), and which."""
    parser.addoption("--fuzz", type=int, default=100, help="damaged files for each of some twenty readers")
    parser.addoption("--fuzz-seed", type=int, default=0, help="other damaged files")


@pytest.fixture
def unchecked():
    """Switch the shape checker off, as it is for users, to see our own messages about wrong input."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
