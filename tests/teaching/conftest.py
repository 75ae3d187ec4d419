"""Fixtures for the tests of the exercises."""

import pytest
import torch

from posekit.splat import splat


@pytest.fixture
def function():
    """(source, old, new) -> the function ``solution`` of the source in which every ``old`` is replaced by ``new``."""

    def make(source: str, old: str = "", new: str = ""):
        if old:
            assert old in source, f"the mutant's text is not in the solution: {old}"
            source = source.replace(old, new)
        scope = {
            "torch": torch,
            "forward": lambda image, grid: splat(image[None], grid[None], image.shape[1:]).values[0],
        }
        exec(source, scope)
        return scope["solution"]

    return make
