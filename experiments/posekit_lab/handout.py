"""Write the students' copies into a student's own folder, and never over a student's work.

    python -m posekit_lab.handout                  -> student/NN_name.ipynb, all of them
    python -m posekit_lab.handout 01 -o lab1

A copy that only was run is replaced by a newer version of the course.  A copy with changes stays as it is; the newer
version goes beside it, as NN_name.2.ipynb, with the answers to those exercises that are still the same.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from pathlib import Path
from typing import Any

from posekit.util.errors import InputError
from posekit.util.files import write_text
from posekit_lab import exercises
from posekit_lab.notebooks import chosen_notebooks, dumps, load_notebook
from posekit_lab.source import FOLDER, ROOT, read
from posekit_lab.student import student_copy

OUT = ROOT / "student"


def hand_out(name: str, out: Path = OUT, folder: Path = FOLDER) -> str:
    """Write the student's copy of one notebook where this destroys nothing; a sentence says what happened.

    Raises InputError where the folder cannot be written.
    """
    version, new = _hash(read(folder / "src" / f"{name}.py")), student_copy(name, folder)
    new.metadata["posekit"] |= {"version": version, "text": _hash(new)}
    latest, number = _latest(name, out)
    if latest is None:
        return f"{_write(new, out / f'{name}.ipynb').name} is new"
    old = _read(latest)
    known = old.metadata.get("posekit", {}) if old is not None else {}
    if known.get("version") == version:
        return f"{latest.name} is there already"
    if known.get("text") == (_hash(old) if old is not None else ""):
        return f"{_write(new, latest).name} is now the newer version; the old one had no changes of yours"
    kept = _carry_answers(old, new) if old is not None else []
    path = _write(new, out / f"{name}.{number + 1}.ipynb")
    answers = f", with your answers to exercise {', '.join(map(str, kept))}" if kept else ""
    return f"{latest.name} has changes of yours and stays; the newer version is beside it, {path.name}{answers}"


def _hash(notebook: Any) -> str:
    """Of the text of all cells; Jupyter changes outputs and metadata, and a reader who only runs does, too."""
    text = "\n# %%\n".join(f"{cell.cell_type}\n{cell.source}" for cell in notebook.cells)
    return hashlib.sha1(text.encode()).hexdigest()[:12]


def _latest(name: str, out: Path) -> tuple[Path | None, int]:
    """The newest copy in a student's folder, and its number: NAME.ipynb is 1, NAME.2.ipynb is 2."""
    numbers = {1: out / f"{name}.ipynb"}
    for path in out.glob(f"{name}.*.ipynb"):
        if match := re.fullmatch(rf"{re.escape(name)}\.(\d+)\.ipynb", path.name):
            numbers[int(match.group(1))] = path
    there = [number for number, path in numbers.items() if path.exists()]
    return (numbers[max(there)], max(there)) if there else (None, 0)


def _read(path: Path) -> Any | None:
    """A student's file; None where it is no notebook any more, which counts as changed."""
    try:
        return load_notebook(path)
    except InputError:
        return None


def _carry_answers(old: Any, new: Any) -> list[int]:
    """Put the answers of ``old`` into the exercises of ``new`` (changed) that are the same; gives their numbers."""
    answers = {cell.get("id"): cell.source for cell in old.cells if "exercise" in cell.metadata.get("tags", [])}
    stubs = [cell for cell in new.cells if "exercise" in cell.metadata.get("tags", [])]
    kept = []
    for number, cell in enumerate(stubs, start=1):
        answer = exercises.RAISING.sub(f"raise checks.StillOpen({number})", answers.get(cell.id, cell.source))
        if answer != cell.source:
            cell.source = answer
            kept.append(number)
    return kept


def _write(notebook: Any, path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, dumps(notebook))
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}; choose another folder with -o."
        ) from None
    return path


def _copy_drawings(folder: Path, out: Path) -> None:
    """The drawings that the notebooks show, beside the copies: JupyterLab shows nothing from outside its folder."""
    for drawing in sorted((folder / "images" / "diagrams").glob("*.svg")):
        write_text(out / "images" / "diagrams" / drawing.name, drawing.read_text(encoding="utf-8"))


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="posekit_lab.handout", description="Write the students' copies.")
    parser.add_argument("names", nargs="*", help="names or numbers; all when none")
    parser.add_argument("-o", "--out", type=Path, default=OUT, help="the student's folder (student)")
    options = parser.parse_args(arguments)
    try:
        for name in chosen_notebooks(options.names, folder):
            print(hand_out(name, options.out, folder))
        _copy_drawings(folder, options.out)
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
