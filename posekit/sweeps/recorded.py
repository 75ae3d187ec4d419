"""Numbers that a notebook leaves for the program that ran it: one display output of its own type each.

Jupyter shows only the output types it knows, so the number travels in the notebook file, beside the line of text
that the reader sees.  `posekit_lab.record` writes them, a sweep reads them back.
"""

from __future__ import annotations

import math
from typing import Any

RECORD_TYPE = "application/vnd.posekit.record+json"
Scalar = float | int | bool | str


def bundle(name: str, value: Scalar) -> dict[str, Any]:
    """The display data of one recorded value; JSON has no NaN and no infinity, so they travel as text."""
    stored = repr(value) if isinstance(value, float) and not math.isfinite(value) else value
    kind = "float" if isinstance(value, float) else type(value).__name__
    return {RECORD_TYPE: {"name": name, "value": stored, "type": kind}, "text/plain": f"{name} = {value!r}"}


def values(notebook: Any) -> dict[str, Scalar]:
    """Everything a notebook recorded, in order; a name recorded twice keeps its last value."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            entry = output.get("data", {}).get(RECORD_TYPE)
            if entry is not None:
                value = entry["value"]
                found[entry["name"]] = float(value) if entry["type"] == "float" else value
    return found
