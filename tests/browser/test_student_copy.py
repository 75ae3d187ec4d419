"""What a student sees first: Run All goes through a copy with open exercises, and nobody asks about news."""

from pathlib import Path

import pytest
from posekit_lab import handout

NAME = "90_example"
SHOWN = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr'], .jp-OutputArea-output pre"


@pytest.fixture
def copy(lab, tmp_path):
    """The example's student copy in JupyterLab's folder."""
    (tmp_path / "src").mkdir()
    origin = Path(__file__).parents[1] / "notebooks" / "example" / "src" / f"{NAME}.py"
    (tmp_path / "src" / origin.name).write_text(origin.read_text())
    handout.hand_out(NAME, lab[1] / "student", tmp_path)
    return f"student/{NAME}.ipynb"


def test_run_all_reaches_the_last_cell_and_an_open_exercise_is_one_line(opened, copy):
    page, messages = opened(copy, 60, allowed="StillOpen: ")
    lines = [text for text in page.locator(SHOWN).all_inner_texts() if "Exercise 1" in text]
    assert lines, "the open exercise is said"
    assert all("\n" not in text.strip() and text.startswith("Exercise 1 is still open") for text in lines)
    page.wait_for_timeout(2000)  # the question about news comes late
    said = page.locator(".jp-Notification-Toast, .Toastify__toast, .jp-Dialog").all_inner_texts()
    assert not any("news" in text.lower() or "update" in text.lower() for text in said), said
    assert messages == []
