"""Students' copies of the notebooks: stubs in place of solutions, no outputs, pictures of what is expected.

    python -m posekit_lab.student build            -> out/student/NN_name.ipynb
    python -m posekit_lab.student build 01 -o lab1
    python -m posekit_lab.student try 01           run the copy and the copy with the solutions put back

A copy runs from top to bottom and fails exactly at the stubs, with NotImplementedError; with the solutions put back it
runs through.  So in the source, a cell that follows an exercise must need nothing of it but the functions it defines.
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
from posekit.util.files import write_text
from posekit_lab import exercises, runtimes
from posekit_lab.execute import execute
from posekit_lab.notebooks import chosen_notebooks, dumps, load_notebook
from posekit_lab.source import FOLDER, Header, put_run_time, read

OUT = Path("out/student")
STUB_ERROR = re.compile(r"^(exercise \d+): write this part")


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
            cell.source = exercises.to_stub(cell.source, f"exercise {number}")
        cells.append(cell)
        if "expected" in tags:
            cells += _expected(cell.id, outputs.get(cell.id, []))
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


def stubs(student: Any) -> set[str]:
    """The names of the exercises of a student's notebook: {"exercise 1", ...}."""
    text = "\n".join(cell.source for cell in student.cells if cell.cell_type == "code")
    return set(re.findall(r'NotImplementedError\("(exercise \d+): ', text))


def failures(student: Any, folder: Path, timeout: int = 300) -> tuple[set[str], list[str]]:
    """Run a student's notebook to its end: the exercises whose stubs were reached, and every other error."""
    student = copy.deepcopy(student)
    execute(student, folder, timeout=timeout, allow_errors=True)
    reached, others = set(), []
    number = 0
    for cell in student.cells:
        number += cell.cell_type == "code"
        for output in cell.get("outputs", []):
            if output.output_type != "error":
                continue
            stub = STUB_ERROR.match(output.evalue)
            if output.ename == "NotImplementedError" and stub:
                reached.add(stub.group(1))
            else:
                others.append(f"code cell {number}: {output.ename}: {output.evalue}")
    return reached, others


def student_problems(name: str, folder: Path = FOLDER, *, solved: bool = True) -> list[str]:
    """Whether a notebook's student copy fails exactly at its stubs, and (``solved``) runs with the solutions.

    Both runs use the header's `quick` parameters.  Empty when all is well.
    """
    header = Header.of(read(folder / "src" / f"{name}.py"), name)
    student = student_copy(name, folder)
    set_parameters(student, header.quick, name)
    wanted = stubs(student)
    found = []
    if wanted:
        reached, others = failures(student, folder, header.timeout)
        found += [f"The stub of {stub} is never reached; call it in a check." for stub in sorted(wanted - reached)]
        found += [f"The student's copy fails beside its stubs, in {other}" for other in others]
    if solved or not wanted:
        _, others = failures(with_solutions(student, name, folder), folder, header.timeout)
        found += [f"With the solutions put back it fails in {other}" for other in others]
    return found


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


def build_student_copy(name: str, out: Path = OUT, folder: Path = FOLDER) -> Path:
    """Write the student's copy of one notebook."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.ipynb"
    write_text(path, dumps(student_copy(name, folder)))
    return path


def _expected(identity: str, outputs: list[Any]) -> list[Any]:
    """A text cell with the picture that the solution gives; nothing where there is none."""
    from nbformat.v4 import new_markdown_cell

    pictures = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    if not pictures:
        return []
    text = "**Expected picture**\n\n" + "\n".join(f"![expected](attachment:{n}.png)" for n in range(len(pictures)))
    cell = new_markdown_cell(text, id=f"{identity}-expected")
    cell["attachments"] = {f"{n}.png": {"image/png": picture.replace("\n", "")} for n, picture in enumerate(pictures)}
    return [cell]


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="posekit_lab.student", description="Students' copies of the notebooks.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="write the copies")
    building.add_argument("-o", "--out", type=Path, default=OUT)
    trying = commands.add_parser("try", help="run the copies, with stubs and with solutions")
    for command in (building, trying):
        command.add_argument("names", nargs="*", help="names or numbers; all when none")
    options = parser.parse_args(arguments)
    failed = 0
    try:
        for name in chosen_notebooks(options.names, folder):
            if options.command == "build":
                print(build_student_copy(name, options.out, folder))
            else:
                found = student_problems(name, folder)
                failed += len(found)
                print(f"{name}: " + ("; ".join(found) or "fails exactly at its stubs, runs with the solutions"))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
