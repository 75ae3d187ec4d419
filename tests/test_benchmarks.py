"""What holds for every script in benchmarks/ that can run on a GPU."""

import re
from pathlib import Path

import pytest

SCRIPTS = sorted(Path("benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_no_thread_of_autograd_is_left_at_exit(path):
    """On a GPU a script with a backward in Python was aborted at its end; one thread alone cannot be left behind."""
    text = path.read_text()
    if re.search(r'"--device"', text) and re.search(r"\.backward\(|autograd\.grad\(|train_step\(|fit\(", text):
        first = text.index("set_multithreading_enabled(False)") if "set_multithreading_enabled(False)" in text else -1
        assert first > text.index("parse_args()"), f"{path}: autograd keeps its threads."
