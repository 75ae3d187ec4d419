"""Solutions become stubs and stubs become solutions; broken markers are said."""

import pytest
from posekit_course import checks
from posekit_lab.exercises import put_solution_back, solution_blocks, to_stub, without_markers

from posekit.util.errors import InputError

CELL = """def f(x):
    # SOLUTION
    # STUB: # Think of a square.

    # STUB: y = ...
    y = x * x
    # END SOLUTION
    if y:
        # SOLUTION
        y += 1

        # END SOLUTION
    return y"""


def test_stub():
    assert to_stub(CELL, 4) == (
        "def f(x):\n"
        "    # YOUR CODE HERE\n"
        "    # Think of a square.\n"
        "    y = ...\n"
        "    raise checks.StillOpen(4)\n"
        "    # END OF YOUR CODE\n"
        "    if y:\n"
        "        # YOUR CODE HERE\n"
        "        raise checks.StillOpen(4)\n"
        "        # END OF YOUR CODE\n"
        "    return y"
    )


def test_stub_runs_up_to_the_raise():
    scope = {"checks": checks}
    exec(to_stub(CELL, 4), scope)
    with pytest.raises(checks.StillOpen, match="^Exercise 4 is still open: "):
        scope["f"](2)


def test_round_trip():
    assert put_solution_back(to_stub(CELL, 4), CELL) == without_markers(CELL)
    scope = {}
    exec(without_markers(CELL), scope)
    assert scope["f"](3) == 10


def test_cell_without_exercise_stays():
    assert to_stub("x = 1  # SOLUTION is a word", 1) == "x = 1  # SOLUTION is a word"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("# SOLUTION\nx = 1", "line 1 has no `# END SOLUTION`"),
        ("x = 1\n# END SOLUTION", "line 2 has no `# SOLUTION` before it"),
        ("# SOLUTION\n# SOLUTION\nx = 1\n# END SOLUTION", "line 2 begins inside the one of line 1"),
        ("# SOLUTION\n# only words\n# END SOLUTION", "begins in line 1 has no code"),
        ("# STUB: x", "stands outside"),
    ],
)
def test_broken_markers(source, words):
    with pytest.raises(InputError, match=words):
        solution_blocks(source)


def test_put_back_needs_the_places():
    with pytest.raises(InputError, match="Expected 2 places"):
        put_solution_back("def f(x): return 1", CELL)
