"""The checker of notebooks finds every defect that is planted into a good one, and nothing in the good one."""

import re

import pytest
from nbformat.v4 import new_output
from posekit_lab.notebooks import dumps, notebook_problems
from posekit_lab.tidy import WIDGET, absolute_paths


def test_good_notebook_has_no_problems(folder, as_if_built):
    as_if_built(folder)
    assert notebook_problems("90_example", folder) == []


IN_THE_SOURCE = {
    "no title": ("# # Bilinear weights", "# Bilinear weights", "does not begin with a title"),
    "no question": ("between them?", "between them.", "asks no question"),
    "no objectives": ("**Objectives.**", "Aims:", "no objectives"),
    "no prerequisites": ("**Prerequisites.**", "Needs:", "no prerequisites"),
    "no run time": ("**Run time.** {{run_time}}", "It takes a second.", "no run time"),
    "run time by hand": ("{{run_time}}", "3 s on 2 cores", "does not say {{run_time}}"),
    "no parameters": ('tags=["parameters"]', "", "0 code cells tagged `parameters`"),
    "two cells of parameters": ('tags=["call"]', 'tags=["parameters", "call"]', "2 code cells tagged `parameters`"),
    "parameter without kind": ("size: int = 32", "size = 32", "is not of the form"),
    "parameter without comment": ("seed: int = 0  # of the random values", "seed: int = 0", "is not of the form"),
    "computed parameter": ("size: int = 32", "size: int = 2 * 16 + seed", "computes its value"),
    "no derivation": ('tags=["derive"]', "", "No cell is tagged `derive`"),
    "no call": ('tags=["call"]', "", "No cell is tagged `call`"),
    "equality not tested": ("np.testing.assert_allclose", "print", "No code cell tagged `equal` asserts"),
    "no live figure": ('tags=["explore"]', "", "No code cell is tagged `explore`"),
    "figure not moved": ("panel.move()", "print(panel)", "is not followed by a cell tagged `move`"),
    "nothing predicted": ("have the same share?", "have the same share.", "No cell is tagged `predict`"),
    "no experiment": ('tags=["experiment"]', "", "No cell is tagged `experiment`"),
    "no exercise": ('tags=["exercise"]', "", "There is no exercise"),
    "solution not tagged": ('tags=["exercise"]', "", "A cell with a solution is not tagged"),
    "exercise without solution": ("    # SOLUTION\n    # STUB: # The nearer pixel gets the larger share.\n", "",
                                  "has no `# SOLUTION` before it"),
    "solution not closed": ("    # END SOLUTION\n", "", "has no `# END SOLUTION`"),
    "exercise without check": ('tags=["check"]', "", "has no cell tagged `check`"),
    "no take-away": ("## Take-away", "## End", "no take-away"),
    "no paper": ("## What the paper reports", "## Elsewhere", "What the paper"),
    "excuse without need": ("#     browser: true", "#     without: {predict: too easy}", "delete the excuse"),
    "excuse of a fixed part": ("#     browser: true", "#     without: {parameters: none}", "excuses 'parameters'"),
    "unknown header entry": ("#     browser: true", "#     brwoser: true", "unknown header entry 'brwoser'"),
    "time that no test gives": ("#     timeout: 60", "#     timeout: 1200", "at most 900 seconds"),
    "absolute path in the text": ("Straight lines.", "See /home/someone/lines.txt.", "absolute path /home/someone"),
    "cell longer than a screen": ("left, right =", "1\n" * 18 + "left, right =", "lines; the limit is 25"),
    "words that say nothing": ("Two bars: the shares of the left and of the right pixel.", "Bars", "not 25 to 240"),
    "line that is cut": ("left, right = np", "left, right = " + 80 * " " + "np", "columns, more than 95"),
    "assertion without a word": ("raise checks.CheckFailed(", "assert not (", "says nothing where it fails"),
}  # fmt: skip


@pytest.mark.parametrize("defect", IN_THE_SOURCE)
def test_defect_in_the_source_is_named(defect, folder, as_if_built):
    old, new, words = IN_THE_SOURCE[defect]
    source = folder / "src" / "90_example.py"
    text = source.read_text()
    assert text.count(old) >= 1
    source.write_text(text.replace(old, new))
    as_if_built(folder)
    found = notebook_problems("90_example", folder)
    assert any(words in sentence for sentence in found), found


def test_excused_part_may_be_missing(folder, as_if_built):
    source = folder / "src" / "90_example.py"
    text = source.read_text().replace('tags=["predict"]', "")
    source.write_text(text.replace("#     browser: true", "#     without: {predict: nothing to guess in one line}"))
    as_if_built(folder)
    assert notebook_problems("90_example", folder) == []


def _error(cell):
    cell.outputs.append(new_output("error", ename="ValueError", evalue="no", traceback=["at /tmp/x/y.py"]))


IN_THE_NOTEBOOK = {
    "edited by hand": (lambda n: n.cells[4].update(source="t = 5"), "differs from the source"),
    "cell removed": (lambda n: n.cells.pop(), "in an order that the notebook does not have"),
    "other id": (lambda n: n.cells[4].update(id="abc"), "another id or other metadata"),
    "other tags": (lambda n: n.cells[4].metadata.update(tags=["x"]), "another id or other metadata"),
    "older outputs": (lambda n: n.metadata.posekit.update(executed="0"), "outputs come from older code"),
    "cell not run": (lambda n: n.cells[4].update(execution_count=None), "was not run in order"),
    "run out of order": (lambda n: n.cells[4].update(execution_count=9), "was not run in order"),
    "error in an output": (lambda n: _error(n.cells[4]), "has the error ValueError: no"),
    "path in a traceback": (lambda n: _error(n.cells[4]), "absolute path /tmp/x"),
    "path in printed text": (
        lambda n: n.cells[4].outputs.append(new_output("stream", text="in /home/ann/x.py")),
        "absolute path /home/ann",
    ),
    "path in HTML": (
        lambda n: n.cells[4].outputs.append(new_output("display_data", {"text/html": "<i>/usr/lib</i>"})),
        "absolute path /usr/lib",
    ),
    "dead widget": (
        lambda n: n.cells[4].outputs.append(new_output("display_data", {WIDGET: {"model_id": "1"}})),
        "dead without its kernel",
    ),
    "widget state": (lambda n: n.metadata.update(widgets={}), "stores the state of widgets"),
    "no measured time": (lambda n: n.cells[0].update(source=n.cells[0].source.replace("3 s on 2 cores", "a while")),
                         "does not say its measured run time"),
    "picture without words": (
        lambda n: n.cells[4].outputs.append(new_output("display_data", {"image/png": "AAAA"})),
        "shows 1 pictures and says 0 of them in words",
    ),
    "too large": (
        lambda n: n.cells[4].outputs.append(new_output("display_data", {"image/png": "A" * 1_500_000})),
        "the limit is 1500 kB",
    ),
}  # fmt: skip


@pytest.mark.parametrize("defect", IN_THE_NOTEBOOK)
def test_defect_in_the_notebook_is_named(defect, folder, as_if_built):
    plant, words = IN_THE_NOTEBOOK[defect]
    notebook = as_if_built(folder)
    plant(notebook)
    (folder / "90_example.ipynb").write_text(dumps(notebook))
    found = notebook_problems("90_example", folder)
    assert any(words in sentence for sentence in found), found


def test_notebook_that_was_never_built(folder):
    assert notebook_problems("90_example", folder) == ["90_example.ipynb does not exist; build it."]


def test_file_that_is_no_notebook(folder):
    from posekit.util.errors import InputError

    (folder / "90_example.ipynb").write_text("not json")
    with pytest.raises(InputError, match="is not a Jupyter notebook"):
        notebook_problems("90_example", folder)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("open('/home/ann/a.npy')", ["/home/ann"]),
        (r"open('C:\Users\ann')", [r"C:\Users"]),
        ("see https://example.org/home/ann and 3/home/4", []),
        ("a/b, 1 / 2, ~/data/x, out/tmp/x, ./usr/lib", []),
    ],
)
def test_absolute_paths(text, paths):
    assert absolute_paths(text) == paths
    assert all(re.escape(path) for path in paths)
