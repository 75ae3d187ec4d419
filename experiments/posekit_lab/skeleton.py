"""The rules for a notebook here, each checked by machine and each broken rule said in one sentence.

Every notebook has the same parts, so that a reader knows where to look; a part is recognised by a heading or by a
cell tag:

    part             recognised by
    title, question  first cell: `# Title`, and a line that ends with "?"
    objectives       a heading or bold "Objectives"
    prerequisites    a heading or bold "Prerequisites"
    run time         "Run time", followed by {{run_time}} in the source and by the measured figure in the notebook
    parameters       one code cell tagged `parameters`: `name: type = literal  # what it is`, nothing else
    derive           cell tagged `derive`: the idea written out in a few lines
    call             cell tagged `call`: the same from the library
    equal            code cell tagged `equal` with an assertion that both agree
    explore          code cell tagged `explore` that shows a live figure, and later one tagged `move` that moves it
    predict          cell tagged `predict` with a question; the answer is in a later code cell
    experiment       cell tagged `experiment`
    exercises        code cells tagged `exercise` with a marked solution, each followed by one tagged `check`
    take-away        a heading "Take-away"
    paper            a heading that begins "What the paper"

A notebook that has no use for one of the parts says so in its header: `without: {experiment: reason}`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from posekit.util.errors import InputError
from posekit_lab.exercises import solution_blocks
from posekit_lab.source import RUN_TIME, Header
from posekit_lab.tidy import WIDGET, absolute_paths

MOST_BYTES = 1_500_000
MOST_LINES = 25  # of a code cell; the markers of exercises do not count
OPTIONAL = ("derive", "call", "equal", "explore", "predict", "experiment", "exercises", "paper")
MOST_COLUMNS = 95  # of a line of code: JupyterLab cuts what is longer in a window of 1280 pixels
MEASURED = re.compile(r"\d+(\.\d+)? (s|min) on \d+ core")
MARKER = re.compile(r"^ *# (SOLUTION|END SOLUTION|STUB:)")
PARAMETER = re.compile(r"^\w+: [\w\[\], |]+ = [^#]+  # \S.*$")


def missing_parts(notebook: Any, header: Header) -> Iterator[str]:
    """One sentence for every part of the skeleton that is missing or unfinished."""
    if not notebook.cells or notebook.cells[0].cell_type != "markdown":
        yield "The first cell is not text; begin with `# Title` and the question that the notebook answers."
        return
    first = notebook.cells[0].source
    if not first.startswith("# "):
        yield "The first cell does not begin with a title, `# Title`."
    if not re.search(r"\?[*_ ]*$", first, re.MULTILINE):
        yield "The first cell asks no question: one of its lines must end with a question mark."
    for part, heading in (("objectives", "Objectives"), ("prerequisites", "Prerequisites"), ("run time", "Run time")):
        if not _has_heading(notebook, heading):
            yield f"There are no {part}: write a heading or bold text **{heading}**."
    for part in header.without:
        if part not in OPTIONAL or not str(header.without[part]).strip():
            yield f"The header excuses {part!r}; parts that may be left out, with a reason: {', '.join(OPTIONAL)}."
    yield from _bad_parameters(notebook)
    finders = {"derive": _derive, "call": _call, "equal": _equal, "explore": _explore, "predict": _predict}
    finders |= {"experiment": _experiment, "exercises": _exercises, "paper": _paper}
    for part in OPTIONAL:
        problems = list(finders[part](notebook))
        if part in header.without:
            if not problems:
                yield f"The header excuses the part {part!r}, but the notebook has it; delete the excuse."
        else:
            yield from problems
    if not _has_heading(notebook, "Take-away"):
        yield "There is no take-away: write a heading **Take-away**."


def _bad_parameters(notebook: Any) -> Iterator[str]:
    """What is wrong with the cell of parameters that sweeps change."""
    cells = _tagged(notebook, "parameters", "code")
    if len(cells) != 1:
        yield f"There are {len(cells)} code cells tagged `parameters`; exactly one is needed."
        return
    for line in cells[0].source.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not PARAMETER.match(line):
            yield f"The parameter line `{line}` is not of the form `name: type = literal  # what it is`."
            continue
        value = ast.parse(line).body[0].value
        try:
            ast.literal_eval(value)
        except ValueError:
            yield f"The parameter line `{line}` computes its value; write a literal, and derive values in a later cell."


def bad_outputs(notebook: Any) -> Iterator[str]:
    """Errors, cells that were not run in order, paths of a machine, dead widgets."""
    number = 0
    for cell in notebook.cells:
        for path in absolute_paths(cell.source):
            yield f"The text of a cell has the absolute path {path}; take paths from the library."
        if cell.cell_type != "code":
            continue
        if cell.source.strip():
            number += 1
            if cell.execution_count != number:
                yield f"Code cell {number} was not run in order (its count is {cell.execution_count}); build again."
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"Code cell {number} has the error {output.ename}: {output.evalue}"
            for path in absolute_paths(_text_of(output)):
                yield f"The output of code cell {number} shows the absolute path {path}."
            if WIDGET in output.get("data", {}):
                yield f"The output of code cell {number} holds a widget view, dead without its kernel; build again."
    if "widgets" in notebook.metadata:
        yield "The notebook stores the state of widgets; build again."


def too_large(size: int) -> Iterator[str]:
    """The limit of a file, ``size`` in bytes."""
    if size > MOST_BYTES:
        yield f"The file has {size / 1000:.0f} kB; the limit is {MOST_BYTES / 1000:.0f} kB (smaller or fewer figures)."


def long_cells(notebook: Any) -> Iterator[str]:
    """Code cells that do not fit on a screen."""
    for number, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        count = sum(not MARKER.match(line) for line in cell.source.splitlines())
        if count > MOST_LINES:
            yield (
                f"Code cell {number} has {count} lines; the limit is {MOST_LINES} (split it, or move what draws and "
                "prints into the course's package)."
            )


def wide_lines(notebook: Any) -> Iterator[str]:
    """Lines of code of which a reader does not see the end."""
    for number, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        for line in cell.source.splitlines():
            if len(line) > MOST_COLUMNS:
                start = line.strip()[:40]
                yield f"Code cell {number} has a line of {len(line)} columns, more than {MOST_COLUMNS}: `{start} ...`."


def silent_assertions(notebook: Any) -> Iterator[str]:
    """Assertions that would stop a reader without a word."""
    for number, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Assert) and node.msg is None:
                yield f"Code cell {number}: the assertion `{ast.unparse(node.test)[:60]}` says nothing where it fails."


def _derive(notebook: Any) -> Iterator[str]:
    yield from _need_tag(notebook, "derive", "the idea written out in a few lines")


def _call(notebook: Any) -> Iterator[str]:
    yield from _need_tag(notebook, "call", "the same by a call of the library")


def _experiment(notebook: Any) -> Iterator[str]:
    yield from _need_tag(notebook, "experiment", "something measured")


def _equal(notebook: Any) -> Iterator[str]:
    if not any(
        re.search(r"\bassert\b|assert_close|assert_allclose", c.source) for c in _tagged(notebook, "equal", "code")
    ):
        yield "No code cell tagged `equal` asserts that the derivation and the library agree."


def _explore(notebook: Any) -> Iterator[str]:
    cells = notebook.cells
    shown = [n for n, cell in enumerate(cells) if "explore" in _tags(cell) and cell.cell_type == "code"]
    moved = [n for n, cell in enumerate(cells) if "move" in _tags(cell) and ".move(" in cell.source]
    if not shown:
        yield "No code cell is tagged `explore` (a live figure)."
    for number, cell in enumerate(cells):
        if "explore" in _tags(cell) and cell.cell_type == "code":
            following = min((n for n in shown if n > number), default=len(cells))
            if not any(number < n < following for n in moved):
                yield "A live figure (`explore`) is not followed by a cell tagged `move` that calls `.move()` on it."


def _predict(notebook: Any) -> Iterator[str]:
    cells = notebook.cells
    for number, cell in enumerate(cells):
        if "predict" in _tags(cell) and "?" in cell.source:
            if any(later.cell_type == "code" for later in cells[number + 1 :]):
                return
            yield "The prediction (`predict`) has no code cell after it to look at."
            return
    yield "No cell is tagged `predict` and asks the reader a question before the result is shown."


def _exercises(notebook: Any) -> Iterator[str]:
    cells = [c for c in notebook.cells if c.cell_type == "code" and {"exercise", "check"} & set(_tags(c))]
    if not any("exercise" in _tags(cell) for cell in cells):
        yield "There is no exercise (a code cell tagged `exercise` with a marked solution)."
    for number, cell in enumerate(cells):
        if "exercise" not in _tags(cell):
            continue
        try:
            if not solution_blocks(cell.source):
                yield "A cell tagged `exercise` has no `# SOLUTION` ... `# END SOLUTION`."
        except InputError as error:
            yield str(error)
        if number + 1 == len(cells) or "check" not in _tags(cells[number + 1]):
            yield "An exercise has no cell tagged `check` after it."
    for cell in notebook.cells:
        if "exercise" not in _tags(cell) and re.search(r"^ *# (END )?SOLUTION\s*$", cell.source, re.MULTILINE):
            yield "A cell with a solution is not tagged `exercise`."


def _paper(notebook: Any) -> Iterator[str]:
    if not _has_heading(notebook, "What the paper"):
        yield "There is no heading that begins **What the paper** (its figures beside ours)."


def _need_tag(notebook: Any, tag: str, what: str) -> Iterator[str]:
    if not _tagged(notebook, tag):
        yield f"No cell is tagged `{tag}` ({what})."


def _tags(cell: Any) -> list[str]:
    return cell.metadata.get("tags", [])


def _tagged(notebook: Any, tag: str, kind: str | None = None) -> list[Any]:
    return [cell for cell in notebook.cells if tag in _tags(cell) and kind in (None, cell.cell_type)]


def _has_heading(notebook: Any, words: str) -> bool:
    pattern = re.compile(rf"^(#+ *|\*\*){re.escape(words)}", re.MULTILINE | re.IGNORECASE)
    return any(cell.cell_type == "markdown" and pattern.search(cell.source) for cell in notebook.cells)


def run_time_said(notebook: Any, *, built: bool) -> bool:
    """Whether the run time stands where it belongs: the place holder in a source, the figure in a notebook."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"(#+ *|\*\*)Run time", cell.source, re.IGNORECASE):
            return bool(MEASURED.search(cell.source)) if built else RUN_TIME in cell.source
    return False


def _text_of(output: Any) -> str:
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return "\n".join(output.traceback)
    return "\n".join(str(v) for kind, v in output.get("data", {}).items() if kind.startswith("text/"))
