"""Grade students' notebooks: a point for every exercise whose function is right.

    python -m posekit_lab.grade FOLDER [-o grades.csv]

FOLDER holds a folder for each student with their copies, ``anna/02_scatter_rasterization.ipynb``; several versions of
one notebook (``NAME.2.ipynb``) count by the best.  Of a copy only imports, definitions and constants are run, then the
course's own checkers: as the notebook runs them, and hidden, with other random numbers, so that an answer that was
written down in place of a computation earns nothing.  Outputs, and check cells that were changed, do not matter.

Students' code runs on this machine, each notebook in a process of its own with a time limit.  That is no wall: where
you do not know the students, grade inside a container.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from posekit.util.errors import InputError
from posekit.util.files import write_text
from posekit_lab.grade_one import TRIALS, exercises_of
from posekit_lab.source import FOLDER

COLUMNS = ("student", "notebook", "exercise", "function", "points", "said")
LIMIT = 120  # seconds for all exercises of a notebook


class Grade(NamedTuple):
    """A row of the table; points: 0 or 1.  said: what the student is told."""

    student: str
    notebook: str
    exercise: int
    function: str
    points: int
    said: str


def _grade_folder(folder: Path, *, limit: float = LIMIT) -> list[Grade]:
    """The grades of everybody in a folder.  Raises InputError where there is no student or no copy."""
    students = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not students:
        raise InputError(
            f"{folder} holds no folders of students; expected {folder}/NAME/02_scatter_rasterization.ipynb."
        )
    names = [path.stem for path in sorted((FOLDER / "src").glob("[0-9]*.py"))]
    grades = []
    for student in students:
        for name in names:
            copies = [path for path in student.glob(f"{name}*.ipynb") if re.fullmatch(rf"{name}(\.\d+)?", path.stem)]
            tried = [_grade_notebook(student.name, name, path, limit=limit) for path in sorted(copies)]
            grades += max(tried, key=lambda rows: sum(row.points for row in rows), default=[])
    if not grades:
        raise InputError(f"No folder in {folder} holds a notebook of the course, such as {names[0]}.ipynb.")
    return grades


def _grade_notebook(student: str, name: str, path: Path, *, limit: float = LIMIT) -> list[Grade]:
    """The grades of one copy; whatever is in the file, there is a row for every exercise."""
    command = [sys.executable, "-m", "posekit_lab.grade_one", str(path), name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL)
        out, left = done.stdout, "The notebook could not be run."
    except subprocess.TimeoutExpired as slow:
        out, left = slow.stdout or "", f"It ran for more than {limit:g} seconds."
        out = out.decode() if isinstance(out, bytes) else out
    said: dict[int, dict[int, str]] = {}
    for line in out.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            said.setdefault(row["exercise"], {})[row["trial"]] = row["said"]
    grades = []
    for number, function in exercises_of(name):
        answers = said.get(number, {})
        wrong = [answers.get(trial, left) for trial in range(TRIALS) if answers.get(trial, left)]
        told = wrong[0] if wrong else "right"
        if wrong and not answers.get(0, left):
            told = f"Right on the numbers of the notebook, wrong on others: {told}"
        grades.append(Grade(student, name, number, function, int(not wrong), told))
    return grades


def _as_csv(grades: Sequence[Grade]) -> str:
    """The table as text."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(grades)
    return text.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("grades.csv"))
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for a notebook")
    args = parser.parse_args(arguments)
    try:
        grades = _grade_folder(args.folder, limit=args.limit)
        write_text(args.out, _as_csv(grades))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    for student in sorted({grade.student for grade in grades}):
        own = [grade for grade in grades if grade.student == student]
        print(f"{student:20} {sum(grade.points for grade in own):3} of {len(own)}")
    print(args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
