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
    "posekit.ops.part_positions",
    "posekit.ops.part_flow",
    "posekit.ops.thin_plate",
    "posekit.ops.charts",
    "posekit.ops.correlation",
    "posekit.ops.inside",
    "posekit.data",
    "posekit.nets",
    "posekit.losses",
    "posekit.metrics",
    "posekit.photo",
    "posekit.systems",
]
# Tests with this in their names run a notebook from its first cell to its last.
WHOLE_NOTEBOOK = "::test_whole_notebook"

_hook = install_import_hook(CHECKED, "beartype.beartype")

os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser):
    """How many damaged files each reader is given (tests/fuzz), and which."""
    parser.addoption("--fuzz", type=int, default=100, help="damaged files for each of some twenty readers")
    parser.addoption("--fuzz-seed", type=int, default=0, help="other damaged files")


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_xdist_make_scheduler(config, log):
    """As ``--dist loadscope``, a module on one worker, but tests that each run a whole notebook go to any."""
    from xdist.scheduler import LoadScopeScheduling

    class SpreadNotebooks(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid if WHOLE_NOTEBOOK in nodeid else super()._split_scope(nodeid)

    return SpreadNotebooks(config, log)


@pytest.fixture(scope="module")
def people_cache(tmp_path_factory):
    """A cache of rendered people for the tests of a module, never the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSEKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def unchecked():
    """Switch the shape checker off, as it is for users, to see our own messages about wrong input."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
