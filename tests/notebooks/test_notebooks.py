"""Every notebook of the course: equal to its source, whole, clean; its student copy fails exactly at the stubs."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from posekit_lab import student
from posekit_lab.execute import WARM_UP_LIMIT
from posekit_lab.exercises import without_markers
from posekit_lab.notebooks import load_notebook, notebook_problems
from posekit_lab.skeleton import MOST_COLUMNS
from posekit_lab.source import FOLDER, MOST_SECONDS, ROOT, Header, names, read
from posekit_lab.tidy import tidy

every_notebook = pytest.mark.parametrize("name", names())


def seconds(name):
    """What a run of a student's copy may take: a cell that is too slow is named before pytest stops the test."""
    return WARM_UP_LIMIT + Header.of(read(FOLDER / "src" / f"{name}.py"), name).timeout + 60


IN_TIME = [pytest.param(name, marks=pytest.mark.timeout(seconds(name))) for name in names()]


def test_every_notebook_has_a_source():
    """No notebook is edited by hand, and the parametrised tests below look where the notebooks are."""
    assert (FOLDER / "src").is_dir()
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == names()


def test_limits_of_time_agree():
    """A header's limit holds in a build; nbval gives every cell as much, and pytest more than nbval."""
    makefile = (ROOT / "Makefile").read_text()
    cell, test = (int(re.search(rf"{option}=(\d+)", makefile)[1]) for option in ("--nbval-cell-timeout", "--timeout"))
    assert cell == MOST_SECONDS
    assert test >= cell + 300, "nbval's own message, which names the cell, comes first"


def test_sources_are_formatted_as_wide_as_a_cell_shows():
    assert f"\nline-length = {MOST_COLUMNS}\n" in (FOLDER / "src" / "ruff.toml").read_text()


@every_notebook
def test_keeps_the_rules(name):
    assert notebook_problems(name) == []


@every_notebook
def test_solutions_put_back_give_the_source(name):
    copy = student.student_copy(name)
    solved = {c.id: c.source for c in student.with_solutions(copy, name).cells if c.cell_type == "code"}
    source = {
        c.id: without_markers(c.source) for c in read(FOLDER / "src" / f"{name}.py").cells if c.cell_type == "code"
    }
    assert solved == source


@pytest.mark.parametrize("name", IN_TIME)
def test_whole_notebook_of_a_student_fails_exactly_at_its_stubs(name):
    """The whole of it with the solutions is what nbval runs."""
    assert student.student_problems(name, solved=False) == []


@every_notebook
def test_readers_see_no_warnings(name):
    """What went to stderr while a notebook was built is the machine's business."""
    outputs = [o for cell in load_notebook(FOLDER / f"{name}.ipynb").cells for o in cell.get("outputs", [])]
    assert [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"] == []


def test_words_on_fonts_are_dropped():
    outputs = [
        new_output("stream", name="stderr", text="findfont: Font family ['cmr10'] not found.\n"),
        new_output("stream", name="stderr", text="findfont: x\nkept\n"),
    ]
    notebook = new_notebook(cells=[new_code_cell("1", outputs=outputs)])
    tidy(notebook)
    assert [o.text.strip() for o in notebook.cells[0].outputs] == ["kept"]
