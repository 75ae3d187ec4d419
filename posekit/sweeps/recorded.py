"""Numbers that a notebook leaves for the program that ran it: one display output of its own type each.

    from posekit.sweeps.recorded import record
    record(error=0.031, steps=40)      two lines in the notebook, two columns in the table of `posekit sweep`

Jupyter shows only the output types it knows, so the number travels in the notebook file, beside the line of text
that the reader sees.
"""

import math
import numbers
from typing import Any

from posekit.util.errors import InputError

RECORD_TYPE = "application/vnd.posekit.record+json"
Scalar = float | int | bool | str
LONGEST_SHOWN = 2000  # characters of one value that a reader of the notebook sees


def record(**values: float | int | bool | str) -> None:
    """Show `name = value` and store it in the notebook, so that `posekit sweep` can put it into its table.

    record(error=0.031, steps=40)      two lines in the notebook, two columns in the table

    Each value is one number, truth value or string; tensors and arrays of one element are taken as numbers.
    Raises InputError for anything else.
    """
    from IPython.display import display

    for name, value in values.items():
        display(record_bundle(name, _scalar(name, value)), raw=True)


def _scalar(name: str, value):
    if hasattr(value, "item") and getattr(value, "shape", None) is not None:
        if len(value.shape) and max(value.shape) > 1:
            raise InputError(
                f"record expected one number for {name}, got an array of shape {tuple(value.shape)}; "
                "record its mean, or one name for each entry."
            )
        value = value.item()
    if isinstance(value, bool | str):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise InputError(f"record expected a number or a string for {name}, got {type(value).__name__}.")


def record_bundle(name: str, value: Scalar) -> dict[str, Any]:
    """The display data of one recorded value; JSON has no NaN and no infinity, so they travel as text."""
    stored = repr(value) if isinstance(value, float) and not math.isfinite(value) else value
    kind = "float" if isinstance(value, float) else type(value).__name__
    shown = f"{value:.4g}" if isinstance(value, float) else repr(value)  # for readers; the table has every digit
    shown = shown if len(shown) <= LONGEST_SHOWN else shown[:LONGEST_SHOWN] + " ..."
    return {RECORD_TYPE: {"name": name, "value": stored, "type": kind}, "text/plain": f"{name} = {shown}"}


def recorded_values(notebook: Any) -> dict[str, Scalar]:
    """Everything a notebook recorded, in order; a name recorded twice keeps its last value."""
    values = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            entry = output.get("data", {}).get(RECORD_TYPE)
            if entry is not None:
                value = entry["value"]
                values[entry["name"]] = float(value) if entry["type"] == "float" else value
    return values
