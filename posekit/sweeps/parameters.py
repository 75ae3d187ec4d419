"""The parameters of a notebook: its cell tagged `parameters`, and the values a sweep may give them.

    size: int = 128  # 32..512: pixels along an edge
    rate: float = 0.004  # 0..1: of each training; or 1..: for no upper end

The comment of a parameter may begin with its range, both ends included; of a list, that of its entries.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posekit.sweeps.experiment import Scalar, Value
from posekit.sweeps.kernels import NO_NOTEBOOK, skip_slow_grammar
from posekit.util.errors import InputError

KINDS = {"int": (int,), "float": (float, int), "bool": (bool,), "str": (str,)}
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)?(?=[:;,\s]|$)")
_LIST = re.compile(r"(list|tuple)(?:\[(\w+).*\])?$")


@dataclass(frozen=True)
class Parameter:
    """kind: "int", "float", "bool", "str"; "" where unknown.  many: it is a list of these.  low, high: its range."""

    kind: str
    many: bool = False
    low: float = -math.inf
    high: float = math.inf

    def range_in_words(self) -> str:
        """Such as "from 32 to 512", "from 1 up"."""
        return f"from {self.low:g} " + ("up" if self.high == math.inf else f"to {self.high:g}")


def known_parameters(notebook: Path) -> dict[str, Parameter]:
    """The parameters of a notebook, their kinds and ranges."""
    skip_slow_grammar()
    try:
        import nbformat
        import papermill
    except ImportError:
        raise InputError('Sweeps need papermill: pip install "posekit[sweeps]".') from None
    try:
        entries = papermill.inspect_notebook(str(notebook))
    except (*NO_NOTEBOOK, nbformat.ValidationError) as error:
        raise InputError(f"{notebook} cannot be run: {' '.join(str(error).split())[:300]}") from None
    return {name: _parameter(entry) for name, entry in entries.items()}


def check_parameters(notebook: Path, parameters: dict[str, list[Value]]) -> None:
    """InputError for a parameter that the notebook does not have, a value of another kind, or one out of range."""
    known = known_parameters(notebook)
    for name, values in parameters.items():
        if name not in known:
            there = f"it has {', '.join(known)}" if known else "it has no cell tagged `parameters`"
            raise InputError(f"{notebook.name} has no parameter {name!r}; {there}.")
        for value in values:
            _check(f"The parameter {name} of {notebook.name}", name, known[name], value)


def _check(what: str, name: str, parameter: Parameter, value: Value) -> None:
    if parameter.many and not isinstance(value, list):
        raise InputError(
            f"{what} is a list: {name}=[{value}] on the command line, {name}: [[{value}]] in an experiment file; "
            f"got {value!r}."
        )
    if isinstance(value, list) and not parameter.many and parameter.kind:
        raise InputError(f"{what} is one value of kind {parameter.kind}, got the list {value!r}.")
    for part in value if isinstance(value, list) else [value]:
        _check_one(what, parameter, part)


def _check_one(what: str, parameter: Parameter, value: Scalar) -> None:
    wanted = KINDS.get(parameter.kind)
    if wanted and (not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)):
        raise InputError(f"{what} is of kind {parameter.kind}, got {value!r}.")
    if isinstance(value, int | float) and not parameter.low <= value <= parameter.high:
        raise InputError(f"{what} is a number {parameter.range_in_words()}, got {value!r}.")


def _parameter(entry: dict[str, Any]) -> Parameter:
    kind, listed = str(entry.get("inferred_type_name", "")), None
    if kind not in KINDS:
        listed = _LIST.match(kind)
        kind = (listed and listed[2]) or ""
    ends = _RANGE.match(str(entry.get("help", "")))
    low, high = (float(ends[1]), float(ends[2] or "inf")) if ends else (-math.inf, math.inf)
    return Parameter(kind if kind in KINDS else "", listed is not None, low, high)
