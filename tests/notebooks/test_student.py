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
    text = text.replace('tags=["check"]\nassert', 'tags=["check"]\n1 if True else')
    text += '\n# %% tags=["exercise"]\ndef unused():\n    # SOLUTION\n    return 1\n    # END SOLUTION\n'
    source.write_text(text)
    found = student.student_problems(NAME, folder, solved=False)
    assert any("fails beside its stubs" in sentence and "'both' is not defined" in sentence for sentence in found), (
        found
    )
    assert "The stub of exercise 2 is never reached; call it in a check." in found


def test_solutions_put_back_give_the_source(folder):
    copy = student.student_copy(NAME, folder)
    exercises = [c for c in copy.cells if "exercise" in c.metadata.get("tags", [])]
    assert all("w1 = t" not in cell.source and "raise NotImplementedError" in cell.source for cell in exercises)
    assert student.stubs(copy) == {"exercise 1"}
    solved = {c.id: c.source for c in student.with_solutions(copy, NAME, folder).cells if c.cell_type == "code"}
    source = {
        c.id: without_markers(c.source) for c in read(folder / "src" / f"{NAME}.py").cells if c.cell_type == "code"
    }
    assert solved == source


def test_copy_has_no_outputs_but_the_expected_picture(folder, as_if_built):
    from nbformat.v4 import new_output
    from posekit_lab.notebooks import dumps, load_notebook

    notebook = as_if_built(folder)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("display_data", {"image/png": PIXEL})]
    (folder / f"{NAME}.ipynb").write_text(dumps(notebook))
    copy = load_notebook(student.build_student_copy(NAME, folder / "student", folder))
    assert all(not cell.outputs and cell.execution_count is None for cell in copy.cells if cell.cell_type == "code")
    (expected,) = [cell for cell in copy.cells if "attachments" in cell]
    assert expected.attachments == {"0.png": {"image/png": PIXEL}}
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


def test_command_writes_the_copies(folder, capsys):
    assert student.main(["build", "-o", str(folder / "out")], folder) == 0
    assert (folder / "out" / f"{NAME}.ipynb").is_file()
    assert student.main(["build", "12"], folder) == 1
    assert "There is no notebook '12'" in capsys.readouterr().err
