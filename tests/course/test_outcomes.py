"""What did not come out is said, with the reason why that happens, and stops nothing."""

import numpy as np
import pytest
from posekit_course.outcomes import EXPLANATION, expect


@pytest.mark.parametrize("truth", [True, np.bool_(True), np.array([True])])
def test_what_came_out(truth, capsys):
    assert expect("a is below b", truth) is True
    assert capsys.readouterr().out == "as expected: a is below b\n"


@pytest.mark.parametrize("truth", [False, np.bool_(False), float("nan") < 1])
def test_what_did_not(truth, capsys):
    assert expect("a is below b", truth) is False
    assert capsys.readouterr().out == f"not in this run: a is below b {EXPLANATION}\n"
