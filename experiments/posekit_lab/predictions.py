"""What a class predicted: one table of all students' `predictions.json`, and a tally of each question.

    python -m posekit_lab.predictions FOLDER [-o predictions.csv]

FOLDER holds a folder for each student, with the file that the forms of the notebooks write.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from posekit.util.errors import InputError
from posekit.util.files import write_text

FILE = "predictions.json"
_LONGEST = 1_000_000  # bytes


class Guess(NamedTuple):
    """A row of the table."""

    student: str
    name: str
    question: str
    answer: str


def read_predictions(file: Path) -> dict[str, Any]:
    """What a file of predictions holds, by the name of the question; {} where there is no file.  Raises InputError."""
    if not file.exists():
        return {}
    try:
        if not file.is_file() or file.stat().st_size > _LONGEST:
            raise ValueError("too large")
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file} cannot be read as predictions ({error}); move it away.") from None
    if not isinstance(kept, dict) or not all(isinstance(entry, dict) for entry in kept.values()):
        raise InputError(f"{file} holds something else than predictions; move it away.")
    return kept


def guesses_in(folder: Path) -> list[Guess]:
    """All guesses, by name and student; a file that is damaged, or holds something else, is left out and named.

    Raises InputError where nobody has such a file.
    """
    files = sorted(folder.glob(f"*/{FILE}"))
    if not files:
        raise InputError(f"{folder} holds no file NAME/{FILE}; the notebooks' forms write it beside the notebook.")
    guesses = []
    for file in files:
        try:
            kept = read_predictions(file)
        except InputError as error:
            print(f"Left out: {error}", file=sys.stderr)
            continue
        for name, entry in kept.items():
            guesses.append(Guess(file.parent.name, name, str(entry.get("question", "")), str(entry.get("answer", ""))))
    return sorted(guesses, key=lambda guess: (guess.name, guess.student))


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("predictions.csv"))
    args = parser.parse_args(arguments)
    try:
        guesses = guesses_in(args.folder)
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(Guess._fields)
        table.writerows(guesses)
        write_text(args.out, text.getvalue())
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    for name in dict.fromkeys(guess.name for guess in guesses):
        own = [guess for guess in guesses if guess.name == name]
        tally = ", ".join(f"{answer} {count}" for answer, count in Counter(g.answer for g in own).most_common())
        print(f"{name}: {own[0].question}\n    {tally}")
    print(args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
