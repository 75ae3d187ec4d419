"""A notebook's source: a Python script with `# %%` cells, which people review and edit, and the notebook from it.

    # ---
    # jupyter:
    #   kernelspec: {display_name: Python 3, language: python, name: python3}
    #   posekit:
    #     warm_up: package.module:function                 (optional) fills caches before the timed run
    #     timeout: 60                                      (optional) seconds that one cell may take
    #     quick: {people: 4}                               (optional) parameters for the fast run of a student copy
    #     browser: true                                    (optional) opened in a real browser by the tests
    #     trains: true                                     (optional) also run with other kernels and seeds
    #     without: {experiment: why there is none}         (optional) parts of the skeleton that it does not have
    # ---

    # %% [markdown]
    # # Title
    # The question it answers?

    # %% tags=["parameters"]
    size: int = 64  # pixels

Reading is jupytext's; what is added here makes a rebuild reproducible: cell names that depend on the text alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from posekit.sweeps.kernels import skip_slow_grammar
from posekit.util.errors import InputError

MOST_SECONDS = 900  # that a header may give to one cell; nbval gives as much to every cell (Makefile)
RUN_TIME = "{{run_time}}"  # in a markdown cell: replaced by the measured run time and memory
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
ROOT = Path(__file__).resolve().parents[2]  # of the checkout: the lab is installed editable, never as a wheel
FOLDER = ROOT / "notebooks"


@dataclass(frozen=True)
class Header:
    """What a source says about itself (the `posekit` part of its header)."""

    warm_up: str | None = None
    timeout: int = 300
    quick: dict[str, Any] = field(default_factory=dict)
    browser: bool = False
    trains: bool = False
    without: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(notebook: Any, name: str) -> Header:
        """The header of a notebook read from its source; InputError where it says something unknown."""
        given = dict(notebook.metadata.get("posekit", {}))
        known = {f.name for f in fields(Header)}
        unknown = sorted(set(given) - known)
        if unknown:
            raise InputError(f"{name}: unknown header entry {unknown[0]!r}; known are {', '.join(sorted(known))}.")
        if given.get("warm_up") is not None and ":" not in str(given["warm_up"]):
            raise InputError(f"{name}: warm_up is written package.module:function, got {given['warm_up']!r}.")
        header = Header(**given)
        if not 0 < header.timeout <= MOST_SECONDS:
            raise InputError(f"{name}: timeout is at most {MOST_SECONDS} seconds for a cell, got {header.timeout}.")
        return header


def read(path: str | Path) -> Any:
    """Source file -> notebook with stable cell ids, exercise metadata, and no outputs.

    The id of a cell is the hash of its kind and text (repeats are counted), so that editing one cell changes one
    id and an unchanged source gives the same notebook on every machine.
    """
    skip_slow_grammar()
    import jupytext

    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no notebook source {path}; sources are {path.parent}/NN_name.py.")
    try:
        notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    except Exception as error:  # jupytext and yaml raise many kinds for a broken header
        raise InputError(f"{path.name}: the source cannot be read: {error}") from None
    header = notebook.metadata.get("posekit", {})
    notebook.metadata = type(notebook.metadata)(
        kernelspec=dict(KERNEL), language_info={"name": "python"}, posekit=header
    )
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        for key in [key for key in cell.metadata if key.startswith("lines_to")]:
            del cell.metadata[key]  # jupytext's memory of blank lines in the source
        cell.id = _identity(cell, seen)
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    _mark_exercises(notebook)
    return notebook


def _mark_exercises(notebook: Any) -> None:
    """nbgrader's metadata for the cells tagged `exercise` (to be solved) and `check` (tests the one before)."""
    number = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            number += 1
            cell.metadata["nbgrader"] = _grader(f"exercise-{number}", solution=True)
        elif "check" in tags and number:
            cell.metadata["nbgrader"] = _grader(f"check-{number}-{cell.id}", solution=False) | {"points": 1}


def _grader(name: str, *, solution: bool) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "grade": not solution,
        "grade_id": name,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }


def _identity(cell: Any, seen: dict[str, int]) -> str:
    digest = hashlib.sha1(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
    seen[digest] = seen.get(digest, 0) + 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def code_hash(notebook: Any) -> str:
    """One hash for all the code of a notebook: says whether its outputs belong to this code."""
    text = "\n# %%\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return hashlib.sha1(text.encode()).hexdigest()[:12]


def put_run_time(notebook: Any, text: str) -> None:
    """Replace the place holder {{run_time}} in the notebook's prose."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(RUN_TIME, text)


def names(folder: Path = FOLDER) -> list[str]:
    """The notebooks of a folder, by the names of their sources, in order."""
    return sorted(path.stem for path in (folder / "src").glob("[0-9]*.py"))
