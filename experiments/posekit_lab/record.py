"""`record(name=value)`: leave a measured number in the notebook, for the reader and for a sweep."""

from __future__ import annotations

import numbers

from posekit.sweeps.recorded import bundle
from posekit.util.errors import InputError


def record(**values: float | int | bool | str) -> None:
    """Show `name = value` and store it in the notebook, so that `posekit sweep` can put it into its table.

    record(error=0.031, steps=40)      two lines in the notebook, two columns in the table

    Each value is one number, truth value or string; tensors and arrays of one element are taken as numbers.
    Raises InputError for anything else.
    """
    from IPython.display import display

    for name, value in values.items():
        display(bundle(name, _scalar(name, value)), raw=True)


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
