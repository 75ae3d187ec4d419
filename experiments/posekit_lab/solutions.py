"""All exercises with their solutions and the mistakes that the checkers name, as a document for the teacher.

    python -m posekit_lab.solutions [-o out/solutions.md]        # or: make teaching

Everything comes from the sources of the notebooks and of the checkers, so it is as right as they are.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from posekit.util.errors import InputError
from posekit.util.files import write_text
from posekit_lab.exercises import without_markers
from posekit_lab.source import FOLDER, read

OUT = Path("out/solutions.md")
_ASKED = re.compile(r"(?:\*\*|### )(?:Exercise|Your turn).*", re.DOTALL)


class Solved(NamedTuple):
    """number: in its notebook.  asked: Markdown.  code: of the solution.  mistakes: sentences of its checker."""

    number: int
    asked: str
    code: str
    mistakes: list[str]


def solutions_of(name: str, folder: Path = FOLDER) -> list[Solved]:
    """The exercises of a notebook that have a function to write."""
    solved: list[Solved] = []
    asked = last = ""
    cells = read(folder / "src" / f"{name}.py").cells
    for place, cell in enumerate(cells):
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            match = _ASKED.search(cell.source)
            last = cell.source
            asked = match.group().strip().removeprefix("### ") if match else asked
        if "exercise" not in tags:
            continue
        below = next((c.source for c in cells[place + 1 :] if "check" in c.metadata.get("tags", [])), "")
        checker = re.search(r"checks\.(check_\w+)", below)
        mistakes = list(mistakes_of(checker.group(1))) if checker else []
        solved.append(Solved(len(solved) + 1, asked or last, without_markers(cell.source).strip(), mistakes))
        asked = ""
    return solved


def mistakes_of(checker: str) -> Iterator[str]:
    """The sentences with which a checker names mistakes, each once, as they stand in its module."""
    module = _module_of(checker)
    functions = [node for node in ast.parse(_source(module)).body if isinstance(node, ast.FunctionDef)]
    names = [function.name for function in functions]
    start = names.index(checker)
    end = next((n for n in range(start + 1, len(names)) if names[n].startswith("check_")), len(names))
    said = set()
    for function in functions[start:end]:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Mistake" and node.args:
                sentence = _text(node.args[0])
                if sentence and sentence not in said:
                    said.add(sentence)
                    yield sentence


def _module_of(checker: str) -> ModuleType:
    checks = import_module("posekit_course.checks")
    return import_module(getattr(checks, checker).__module__)


def _source(module: ModuleType) -> str:
    return Path(module.__file__).read_text(encoding="utf-8")


def _text(node: ast.expr) -> str:
    """A sentence that is written out; "" where its parts are computed."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def document(folder: Path = FOLDER) -> str:
    """All of it, as Markdown."""
    parts = ["# Exercises, solutions, and what goes wrong\n"]
    for path in sorted((folder / "src").glob("[0-9]*.py")):
        solved = solutions_of(path.stem, folder)
        if solved:
            parts.append(f"## {path.stem}\n")
        for one in solved:
            parts.append(f"### {one.number}\n\n{one.asked}\n\n```python\n{one.code}\n```\n")
            if one.mistakes:
                parts.append("What the checker says to other answers:\n")
                parts.append("\n".join(f"- {sentence}" for sentence in one.mistakes) + "\n")
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=OUT)
    args = parser.parse_args(arguments)
    try:
        write_text(args.out, document())
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
