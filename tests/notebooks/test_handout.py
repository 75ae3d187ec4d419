"""A student's folder: filled, brought up to date, and nothing that the student wrote is ever lost."""

import pytest
from posekit_lab import handout, runtimes
from posekit_lab.execute import Measured
from posekit_lab.notebooks import dumps, load_notebook

NAME = "90_example"
ANSWER = "def weights(t):\n    return 1 - t, t"


@pytest.fixture
def out(folder):
    """A student's folder with the first version."""
    assert handout.hand_out(NAME, folder / "out", folder) == f"{NAME}.ipynb is new"
    return folder / "out"


def edit(path, change):
    """What JupyterLab does: read, change, write again."""
    notebook = load_notebook(path)
    change(notebook)
    path.write_text(dumps(notebook))
    return path.read_bytes()


def solve(notebook):
    exercise(notebook).source = ANSWER


def exercise(notebook):
    return next(cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", []))


def only_run(notebook):
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        cell.execution_count = count
    notebook.metadata["language_info"] = {"name": "python", "version": "3.12.1"}


def newer_course(folder, old="Straight lines.", new="Straight lines, and averages."):
    source = folder / "src" / f"{NAME}.py"
    source.write_text(source.read_text().replace(old, new))


def test_the_same_version_is_left_alone(folder, out):
    before = edit(out / f"{NAME}.ipynb", solve)
    assert handout.hand_out(NAME, out, folder) == f"{NAME}.ipynb is there already"
    runtimes.store(NAME, Measured(9, 200, 0, 2), folder / "runtimes.json")  # measured again: no newer course
    assert handout.hand_out(NAME, out, folder) == f"{NAME}.ipynb is there already"
    assert (out / f"{NAME}.ipynb").read_bytes() == before
    assert len(list(out.iterdir())) == 1


def test_a_copy_that_was_only_run_is_replaced(folder, out):
    edit(out / f"{NAME}.ipynb", only_run)
    newer_course(folder)
    assert "is now the newer version" in handout.hand_out(NAME, out, folder)
    assert "and averages" in load_notebook(out / f"{NAME}.ipynb").cells[0].source
    assert len(list(out.iterdir())) == 1


def test_a_changed_copy_stays_and_its_answers_go_into_the_newer_one(folder, out):
    before = edit(out / f"{NAME}.ipynb", solve)
    newer_course(folder)
    sentence = handout.hand_out(NAME, out, folder)
    assert sentence == (
        f"{NAME}.ipynb has changes of yours and stays; the newer version is beside it, {NAME}.2.ipynb, "
        "with your answers to exercise 1"
    )
    assert (out / f"{NAME}.ipynb").read_bytes() == before
    second = load_notebook(out / f"{NAME}.2.ipynb")
    assert "and averages" in second.cells[0].source
    assert exercise(second).source == ANSWER
    assert handout.hand_out(NAME, out, folder) == f"{NAME}.2.ipynb is there already"
    newer_course(folder, "and averages", "and means")
    assert f"{NAME}.3.ipynb, with your answers" in handout.hand_out(NAME, out, folder)
    assert exercise(load_notebook(out / f"{NAME}.3.ipynb")).source == ANSWER


def test_a_changed_exercise_gets_no_old_answer(folder, out):
    edit(out / f"{NAME}.ipynb", solve)
    newer_course(folder, "The shares (w0, w1)", "The two shares (w0, w1)")
    assert handout.hand_out(NAME, out, folder).endswith(f"{NAME}.2.ipynb")
    assert "raise checks.StillOpen(1)" in exercise(load_notebook(out / f"{NAME}.2.ipynb")).source


@pytest.mark.parametrize("text", ["", "<<<<<<< not json", '{"cells": 3}'])
def test_a_file_that_is_no_notebook_any_more_stays(folder, out, text):
    (out / f"{NAME}.ipynb").write_text(text)
    assert f"{NAME}.ipynb has changes of yours and stays" in handout.hand_out(NAME, out, folder)
    assert (out / f"{NAME}.ipynb").read_text() == text
    assert load_notebook(out / f"{NAME}.2.ipynb").cells


def test_a_solved_notebook_saved_under_another_name_is_not_touched(folder, out):
    (out / f"{NAME}.old.ipynb").write_text("mine")
    newer_course(folder)
    handout.hand_out(NAME, out, folder)
    assert (out / f"{NAME}.old.ipynb").read_text() == "mine"


def test_command(folder, capsys):
    assert handout.main(["-o", str(folder / "out")], folder) == 0
    assert capsys.readouterr().out == f"{NAME}.ipynb is new\n"
    assert handout.main(["12"], folder) == 1
    assert "There is no notebook '12'" in capsys.readouterr().err
    (folder / "file").write_text("")
    assert handout.main(["-o", str(folder / "file" / "in")], folder) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_drawings_come_along(folder, tmp_path, capsys):
    """A copy's pictures lie in the student's folder, which is all that JupyterLab shows."""
    (folder / "images" / "diagrams").mkdir(parents=True)
    (folder / "images" / "diagrams" / "a.svg").write_text("<svg/>", encoding="utf-8")
    assert handout.main(["-o", str(tmp_path / "mine")], folder) == 0
    assert (tmp_path / "mine" / "images" / "diagrams" / "a.svg").read_text(encoding="utf-8") == "<svg/>"
