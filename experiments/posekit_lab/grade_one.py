"""Grade one notebook of a student, in this process: a line of JSON for every exercise and trial.

    python -m posekit_lab.grade_one STUDENTS_COPY NAME

`posekit_lab.grade` starts it for every notebook.  Trial 0 is the checker as the notebook runs it; in the others it
draws other random numbers.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from posekit.util.errors import InputError
from posekit_lab.notebooks import load_notebook
from posekit_lab.source import FOLDER, read

TRIALS = 3
_APART = 1000  # between the seeds of two trials
_KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def exercises_of(name: str, folder: Path = FOLDER) -> list[tuple[int, str]]:
    """Number and function of every exercise of a notebook that a checker judges."""
    return [(number, function) for number, function, _ in _checks_of(name, folder)]


def _checks_of(name: str, folder: Path) -> list[tuple[int, str, str]]:
    """(number, function, call of its checker) of the exercises in the course's source."""
    judged, number = [], 0
    for cell in read(folder / "src" / f"{name}.py").cells:
        tags = cell.metadata.get("tags", [])
        number += "exercise" in tags
        if "check" not in tags:
            continue
        for node in ast.walk(ast.parse(cell.source)):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr.startswith("check_") and _is_name(node):
                judged.append((number, node.args[0].id, ast.unparse(node)))
    return judged


def _is_name(call: ast.Call) -> bool:
    return len(call.args) == 1 and not call.keywords and isinstance(call.args[0], ast.Name)


def grade_lines(copy: Path, name: str, folder: Path = FOLDER) -> Iterator[dict[str, Any]]:
    """A row for every exercise and trial; said: the sentence of the checker, "" where the answer is right."""
    checks = import_module("posekit_course.checks")  # of the notebooks, which stand above the lab
    namespace, broken = definitions_of(copy)
    for number, function, call in _checks_of(name, folder):
        for trial in range(TRIALS):
            if function in namespace:
                said = _said(call, {"checks": checks, function: namespace[function]}, trial)
            else:
                said = broken or f"There is no function {function} in the notebook."
            yield {"exercise": number, "trial": trial, "said": said}


def definitions_of(copy: Path) -> tuple[dict[str, Any], str]:
    """What a notebook's imports, definitions and constants define; and the first error among them, or ""."""
    namespace: dict[str, Any] = {"__name__": "student"}
    try:
        cells = load_notebook(copy).cells
    except InputError as error:
        return namespace, str(error)
    broken = ""
    for cell in cells:
        if cell.cell_type != "code":
            continue
        try:
            tree = ast.parse(cell.source)
        except (SyntaxError, ValueError) as error:
            if "exercise" in cell.metadata.get("tags", []):
                broken = broken or f"The cell is no Python: {error}."
            continue
        for statement in filter(_is_kept, tree.body):
            try:
                with redirect_stdout(StringIO()):
                    exec(compile(ast.Module([statement], []), "student", "exec"), namespace)
            except Exception as error:  # whatever a student wrote
                broken = broken or f"{type(error).__name__}: {error}"
    return namespace, broken


def _is_kept(statement: ast.stmt) -> bool:
    """Imports, definitions, and names for plain values."""
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        try:
            ast.literal_eval(statement.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return False
        return True
    return isinstance(statement, _KEPT)


def _said(call: str, namespace: dict[str, Any], trial: int) -> str:
    with redirect_stdout(StringIO()), ExitStack() as changed:
        for name, module in list(sys.modules.items()):
            if name.startswith("posekit_course.checks.") and getattr(module, "torch", None) is torch:
                changed.enter_context(mock.patch.object(module, "torch", _Torch(_APART * trial)))
        try:
            eval(compile(call, "check", "eval"), namespace)
        except Exception as error:  # the verdict, or whatever the student's function raises
            return " ".join(str(error).split()) or type(error).__name__
    return ""


class _Torch:
    """torch as the checkers see it: what `torch.Generator().manual_seed(n)` gives has the seed n + apart."""

    def __init__(self, apart: int) -> None:
        self._apart = apart

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    def Generator(self) -> _Seeded:
        """In place of torch's."""
        return _Seeded(self._apart)


class _Seeded:
    def __init__(self, apart: int) -> None:
        self._apart = apart

    def manual_seed(self, seed: int) -> torch.Generator:
        """In place of torch's."""
        return torch.Generator().manual_seed(seed + self._apart)


def main() -> None:
    """The program."""
    for row in grade_lines(Path(sys.argv[1]), sys.argv[2]):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
