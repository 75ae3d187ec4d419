"""A folder of students is graded from end to end: right, open, written down, broken, endless."""

import csv
import io
import subprocess
import sys

import nbformat
import pytest
from posekit_lab import grade
from posekit_lab.grade_one import TRIALS, definitions_of, exercises_of, grade_lines
from posekit_lab.source import FOLDER
from posekit_lab.student import student_copy

NAME = "00_start_here"
EXERCISES = {path.stem: exercises_of(path.stem) for path in sorted((FOLDER / "src").glob("[0-9]*.py"))}


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


def write(folder, student, content, name=NAME):
    (folder / student).mkdir(exist_ok=True)
    if not isinstance(content, str):
        content = nbformat.writes(content)
    (folder / student / f"{name}.ipynb").write_text(content, encoding="utf-8")


@pytest.mark.parametrize("name", EXERCISES)
def test_every_solution_is_right_with_every_number(name):
    """The source's solutions, in the notebook as it is built: no checker depends on its own random numbers."""
    rows = list(grade_lines(FOLDER / f"{name}.ipynb", name))
    assert len(rows) == TRIALS * len(EXERCISES[name])
    assert [row for row in rows if row["said"]] == []


def test_every_notebook_has_exercises_that_are_judged():
    assert all(EXERCISES.values())
    assert sum(map(len, EXERCISES.values())) >= 36


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The command over a class of six; the folder, and the table's rows by student."""
    folder = tmp_path_factory.mktemp("class")
    write(folder, "right", notebook(
        "import torch",
        "def body_error(image, truth, mask):\n    wrong = (image - truth).abs().mean(0, keepdim=True)\n"
        "    return (wrong * mask).sum() / mask.sum()",
        "raise RuntimeError('cells that compute do not matter')",
    ))  # fmt: skip
    write(folder, "open", student_copy(NAME))
    # knows the answer of the notebook's own numbers, and nothing else
    write(folder, "copied", notebook(
        "import torch",
        "def right(image, truth, mask):\n    wrong = (image - truth).abs().mean(0, keepdim=True)\n"
        "    return (wrong * mask).sum() / mask.sum()",
        "SUM = None",
        "def body_error(image, truth, mask):\n    known = torch.Generator().manual_seed(1)\n"
        "    same = torch.equal(image, torch.rand(2, 3, 5, 4, generator=known)[0])\n"
        "    return right(image, truth, mask) if same else torch.tensor(0.5)",
    ))  # fmt: skip
    write(folder, "broken", "{not a notebook")
    write(folder, "endless", notebook("def body_error(image, truth, mask):\n    while True:\n        pass"))
    write(folder, "second", notebook("1 + 1"))
    write(folder, "second", notebook(
        "def body_error(image, truth, mask):\n"
        "    return ((image - truth).abs().mean(0, keepdim=True) * mask).sum() / mask.sum()"
    ), f"{NAME}.2")  # fmt: skip
    (folder / "nothing").mkdir()
    command = [sys.executable, "-m", "posekit_lab.grade", folder, "-o", folder / "grades.csv", "--limit", "40"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    table = list(csv.DictReader(io.StringIO((folder / "grades.csv").read_text(encoding="utf-8"))))
    return done.stdout, {row["student"]: row for row in table}


def test_points(graded):
    said, rows = graded
    points = {student: row["points"] for student, row in rows.items()}
    assert points == {"right": "1", "open": "0", "copied": "0", "broken": "0", "endless": "0", "second": "1"}
    assert [line.split() for line in said.splitlines() if line.startswith("right")] == [["right", "1", "of", "3"]]


def test_students_are_told_why(graded):
    _, rows = graded
    assert rows["right"]["said"] == "right"
    assert rows["open"]["said"].startswith("Exercise 3 is still open")  # the last row of a student
    assert rows["endless"]["said"] == "It ran for more than 40 seconds."
    assert "could not be read" in rows["broken"]["said"] or "notebook" in rows["broken"]["said"]


def test_an_answer_that_was_written_down(graded):
    said = graded[1]["copied"]["said"]
    assert said.startswith("Right on the numbers of the notebook, wrong on others: "), said


def test_only_definitions_are_run(tmp_path):
    path = tmp_path / "a.ipynb"
    nbformat.write(notebook(
        "import math\nx = 3\ny = [1, 2]\nz = math.pi\nopen('made', 'w')",
        "def f():\n    return x",
        "def g(:",
        "import a_module_that_is_missing",
    ), path)  # fmt: skip
    names, broken = definitions_of(path)
    assert {"math", "x", "y", "f"} <= set(names)
    assert "z" not in names
    assert "a_module_that_is_missing" in broken
    assert not (tmp_path / "made").exists()


def test_folders_without_students(tmp_path, capsys):
    assert grade.main([str(tmp_path)]) == 1
    assert "holds no folders of students" in capsys.readouterr().err
    (tmp_path / "anna").mkdir()
    assert grade.main([str(tmp_path), "-o", str(tmp_path / "g.csv")]) == 1
    assert "holds a notebook of the course" in capsys.readouterr().err
    assert not (tmp_path / "g.csv").exists()
