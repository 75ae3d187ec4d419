"""Fixtures for the tests of the exercises."""

import pytest
import torch

from posekit.ops.sample import sample
from posekit.ops.splat import splat

pytest.register_assert_rewrite("tests.course.checks.exercise_checkers")


def pytest_generate_tests(metafunc):
    """The tests of exercise_checkers.py, once for every checker and mutant in the CASES of their module."""
    if "checker" not in metafunc.fixturenames:
        return
    cases = [((name, check, source), mutants) for name, (check, source, mutants) in metafunc.module.CASES.items()]
    if "mutant" in metafunc.fixturenames:
        every = [
            pytest.param(checker, mutant, id=f"{checker[0]}-{n}")
            for checker, mutants in cases
            for n, mutant in enumerate(mutants)
        ]
        metafunc.parametrize(("checker", "mutant"), every)
    else:
        metafunc.parametrize("checker", [pytest.param(checker, id=checker[0]) for checker, _ in cases])


@pytest.fixture
def function():
    """(source, old, new) -> the function ``solution`` of the source in which every ``old`` is replaced by ``new``."""

    def make(source: str, old: str = "", new: str = ""):
        if old:
            assert old in source, f"the mutant's text is not in the solution: {old}"
            source = source.replace(old, new)
        scope = {
            "torch": torch,
            "splat": splat,
            "look_up": lambda image, grid: sample(image[None], grid[None])[0],
            "forward": lambda image, grid: splat(image[None], grid[None], image.shape[1:]).values[0],
        }
        exec(source, scope)
        return scope["solution"]

    return make
