"""The teacher's document: every exercise, a solution that runs, and the sentences of its checker."""

import re

import pytest
from posekit_lab import solutions
from posekit_lab.grade_one import exercises_of
from posekit_lab.source import FOLDER

NAMES = [path.stem for path in sorted((FOLDER / "src").glob("[0-9]*.py"))]


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_is_there(name):
    solved = solutions.solutions_of(name)
    assert [one.number for one in solved] == list(range(1, len(solved) + 1))
    assert len(solved) >= len(exercises_of(name))
    functions = {function for _, function in exercises_of(name)}
    defined = set(re.findall(r"^def (\w+)", "\n".join(one.code for one in solved), re.MULTILINE))
    assert functions <= defined
    for one in solved:
        assert one.asked, one.number
        assert "SOLUTION" not in one.code
        assert "STUB" not in one.code
        compile(one.code, name, "exec")


def test_mistakes_are_those_of_one_checker():
    """Those of its neighbours in the same module do not belong to it."""
    said = list(solutions.mistakes_of("check_iou"))
    assert any("in a + b those of both count twice" in sentence for sentence in said)
    assert not any("torsos" in sentence for sentence in said)
    assert len(said) == len(set(said))


def test_the_document(tmp_path, capsys):
    out = tmp_path / "deep" / "solutions.md"
    assert solutions.main(["-o", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert all(f"## {name}" in text for name in NAMES)
    assert text.count("```python") >= text.count("\n### ")
    assert text.count("What the checker says to other answers:") >= 34
