"""Students' copies fail exactly at their stubs, and run with the solutions put back."""

import base64

import pytest
from posekit_lab import student
from posekit_lab.exercises import without_markers
from posekit_lab.source import read

from posekit.util.errors import InputError

NAME = "90_example"
PIXEL = base64.b64encode(b"a picture").decode()


def test_round_trip(folder):
    assert student.student_problems(NAME, folder) == []


def test_error_beside_the_stub_and_stub_not_reached_are_named(folder):
    source = folder / "src" / f"{NAME}.py"
    text = source.read_text()
    text = text.replace(
        "# %% [markdown]\n# ## Take-away",
        "# %%\nboth = weights(t)\n\n# %%\nprint(both[0].sum())\n\n# %% [markdown]\n# ## Take-away",
    )
    text = text.replace('tags=["check"]\nif not', 'tags=["check"]\nif False and not')
    text += '\n# %% tags=["exercise"]\ndef unused():\n    # SOLUTION\n    return 1\n    # END SOLUTION\n'
    source.write_text(text)
    found = student.student_problems(NAME, folder, solved=False)
    assert any("student's copy stops in" in sentence and "'both' is not defined" in sentence for sentence in found), (
        found
    )
    assert "The stub of exercise 2 is never reached; call it in a check." in found


def test_solutions_put_back_give_the_source(folder):
    copy = student.student_copy(NAME, folder)
    exercises = [c for c in copy.cells if "exercise" in c.metadata.get("tags", [])]
    assert all("w1 = t" not in cell.source and "raise checks.StillOpen(1)" in cell.source for cell in exercises)
    assert student.stubs(copy) == {1}
    solved = {c.id: c.source for c in student.with_solutions(copy, NAME, folder).cells if c.cell_type == "code"}
    source = {
        c.id: without_markers(c.source) for c in read(folder / "src" / f"{NAME}.py").cells if c.cell_type == "code"
    }
    assert solved == source


def test_copy_has_no_outputs_but_the_expected_picture(folder, as_if_built):
    from nbformat.v4 import new_output
    from posekit_lab.notebooks import dumps

    notebook = as_if_built(folder)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("display_data", {"image/png": PIXEL})]
    (folder / f"{NAME}.ipynb").write_text(dumps(notebook))
    copy = student.student_copy(NAME, folder)
    assert all(not cell.outputs and cell.execution_count is None for cell in copy.cells if cell.cell_type == "code")
    (expected,) = [cell for cell in copy.cells if "attachments" in cell]
    assert expected.attachments == {"0.png": {"image/png": PIXEL}}
    assert "![Two straight lines that cross in the middle" in expected.source
    assert "expected" in copy.cells[copy.cells.index(expected) - 1].metadata.tags
    assert "3 s on 2 cores" in copy.cells[0].source


def test_quick_parameters_are_written_into_the_literals(folder):
    copy = student.student_copy(NAME, folder)
    student.set_parameters(copy, {"size": 7, "sharpness": 2.5}, NAME)
    text = next(c.source for c in copy.cells if "parameters" in c.metadata.get("tags", []))
    assert text.splitlines() == [
        "size: int = 7  # points between the two pixels",
        "seed: int = 0  # of the random values",
        "sharpness: float = 2.5  # exponent of the weights; 1 is bilinear",
    ]
    with pytest.raises(InputError, match="quick parameter 'sise'"):
        student.set_parameters(copy, {"sise": 7}, NAME)


def test_cells_that_meet_a_stub_do_not_stop_run_all(folder):
    copy = student.student_copy(NAME, folder)
    tagged = [cell.metadata.tags for cell in copy.cells if "raises-exception" in cell.metadata.get("tags", [])]
    assert tagged == [["check", "raises-exception"], ["expected", "raises-exception"]]


def test_warm_up_runs_before_the_copy(folder, monkeypatch):
    """As in a build: else a busy machine prepares the data within the limit of one cell."""
    source = folder / "src" / f"{NAME}.py"
    source.write_text(source.read_text().replace("#     timeout: 60", "#     timeout: 60\n#     warm_up: a.b:c"))
    given = []
    monkeypatch.setattr(
        student, "execute", lambda *_, **options: given.append((options["timeout"], options["warm_up"]))
    )
    student.student_problems(NAME, folder)
    assert given == [(60, "a.b:c")] * 2


def test_command_names_a_notebook_that_is_not_there(folder, capsys):
    assert student.main(["try", "12"], folder) == 1
    assert "There is no notebook '12'" in capsys.readouterr().err
