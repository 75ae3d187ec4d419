"""Students' copies of the notebooks: stubs in place of solutions, no outputs, pictures of what is expected.

    python -m posekit_lab.student try 01           run the copy and the copy with the solutions put back

`posekit_lab.handout` writes them into a student's folder.  A copy runs from top to bottom: only cells that check an
exercise, or show what it gives, meet its stub, and Jupyter goes on after them, for they are tagged `raises-exception`.
With the solutions put back nothing raises.  So in the source, every other cell that follows an exercise must need
nothing of it but the functions it defines.
"""

from __future__ import annotations

import argparse
import ast
import copy
import re
import sys
from pathlib import Path
from typing import Any

from posekit.util.errors import InputError
from posekit_lab import exercises, runtimes
from posekit_lab.alternatives import words_of
from posekit_lab.execute import execute
from posekit_lab.notebooks import chosen_notebooks, load_notebook
from posekit_lab.source import FOLDER, Header, put_run_time, read

MEETS_STUBS = {"check", "expected"}  # tags of cells that may meet a stub
MAY_RAISE = "raises-exception"  # the tag after which Jupyter goes on when the cell raises
STUB_ERROR = re.compile(r"^Exercise (\d+) is still open")


def student_copy(name: str, folder: Path = FOLDER) -> Any:
    """The student's notebook from the source; the expected pictures come from the built notebook, where it is there."""
    notebook = read(folder / "src" / f"{name}.py")
    built = folder / f"{name}.ipynb"
    outputs = {cell.id: cell.get("outputs", []) for cell in load_notebook(built).cells} if built.is_file() else {}
    cells, number = [], 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            number += 1
            cell.source = exercises.to_stub(cell.source, number)
        if MEETS_STUBS & set(tags):
            cell.metadata["tags"] = [*tags, MAY_RAISE]
        cells.append(cell)
        if "expected" in tags:
            cells += _expected(cell, outputs.get(cell.id, []))
    notebook.cells = cells
    notebook.metadata["posekit"] = {"student": True}
    put_run_time(notebook, runtimes.time_in_words(runtimes.load_runtimes(folder / "runtimes.json").get(name)))
    return notebook


def with_solutions(student: Any, name: str, folder: Path = FOLDER) -> Any:
    """A copy of the student's notebook in which every stub is replaced by the solution of the source."""
    solved = copy.deepcopy(student)
    solutions = {cell.id: cell.source for cell in read(folder / "src" / f"{name}.py").cells}
    for cell in solved.cells:
        if "exercise" in cell.metadata.get("tags", []):
            cell.source = exercises.put_solution_back(cell.source, solutions[cell.id])
    return solved


def stubs(student: Any) -> set[int]:
    """The numbers of the exercises that are open in a student's notebook."""
    text = "\n".join(cell.source for cell in student.cells if cell.cell_type == "code")
    return {int(number) for number in exercises.RAISING.findall(text)}


def failures(student: Any, folder: Path, timeout: int = 300, warm_up: str | None = None) -> tuple[set[int], list[str]]:
    """Run a student's notebook to its end: the exercises whose stubs were reached, and every other error.

    A stub that is reached in a cell at which Jupyter would stop is an error, too.
    """
    student = copy.deepcopy(student)
    execute(student, folder, timeout=timeout, warm_up=warm_up, allow_errors=True)
    reached, others = set(), []
    number = 0
    for cell in student.cells:
        number += cell.cell_type == "code"
        for output in cell.get("outputs", []):
            if output.output_type != "error":
                continue
            stub = STUB_ERROR.match(output.evalue)
            if output.ename == "StillOpen" and stub and output.traceback == [output.evalue]:
                reached.add(int(stub.group(1)))
            if output.ename != "StillOpen" or MAY_RAISE not in cell.metadata.get("tags", []):
                others.append(f"code cell {number}: {output.ename}: {output.evalue}")
    return reached, others


def student_problems(name: str, folder: Path = FOLDER, *, solved: bool = True) -> list[str]:
    """Whether a notebook's student copy fails exactly at its stubs, and (``solved``) runs with the solutions.

    Both runs use the header's `quick` parameters, after its warm-up, as a build does.  Empty when all is well.
    """
    header = Header.of(read(folder / "src" / f"{name}.py"), name)
    student = student_copy(name, folder)
    set_parameters(student, header.quick, name)
    wanted = stubs(student)
    problems = []
    if wanted:
        reached, others = failures(student, folder, header.timeout, header.warm_up)
        problems += [
            f"The stub of exercise {stub} is never reached; call it in a check." for stub in sorted(wanted - reached)
        ]
        problems += [f"The student's copy stops in {other}" for other in others]
    if solved or not wanted:
        _, others = failures(with_solutions(student, name, folder), folder, header.timeout, header.warm_up)
        problems += [f"With the solutions put back it fails in {other}" for other in others]
    return problems


def set_parameters(notebook: Any, values: dict[str, Any], name: str) -> None:
    """Write other literals into the cell of parameters, as a reader would."""
    cell = next((c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])), None)
    lines = cell.source.split("\n") if cell is not None else []
    for key, value in values.items():
        row = next((n for n, line in enumerate(lines) if re.match(rf"{re.escape(key)}\s*(:|=)", line)), None)
        if row is None:
            raise InputError(f"{name}: the header's quick parameter {key!r} is not in the cell of parameters.")
        old = ast.parse(lines[row]).body[0].value
        lines[row] = f"{lines[row][: old.col_offset]}{value!r}{lines[row][old.end_col_offset :]}"
    if values:
        cell.source = "\n".join(lines)


def _expected(cell: Any, outputs: list[Any]) -> list[Any]:
    """A text cell with the picture that the solution gives; nothing where there is none."""
    from nbformat.v4 import new_markdown_cell

    pictures = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    if not pictures:
        return []
    words = [*words_of(cell), *("The expected picture." for _ in pictures)]
    text = "\n".join(f"![{words[n]}](attachment:{n}.png)" for n in range(len(pictures)))
    shown = new_markdown_cell(f"**Expected picture**\n\n{text}", id=f"{cell.id}-expected")
    shown["attachments"] = {f"{n}.png": {"image/png": picture.replace("\n", "")} for n, picture in enumerate(pictures)}
    return [shown]


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="posekit_lab.student", description="Run students' copies of the notebooks.")
    commands = parser.add_subparsers(dest="command", required=True)
    trying = commands.add_parser("try", help="run the copies, with stubs and with solutions")
    trying.add_argument("names", nargs="*", help="names or numbers; all when none")
    options = parser.parse_args(arguments)
    failed = 0
    try:
        for name in chosen_notebooks(options.names, folder):
            problems = student_problems(name, folder)
            failed += len(problems)
            print(f"{name}: " + ("; ".join(problems) or "fails exactly at its stubs, runs with the solutions"))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
