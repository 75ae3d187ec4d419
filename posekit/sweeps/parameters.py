"""The parameters of a notebook: its cell tagged `parameters`, and the values a sweep may give them."""

from pathlib import Path
from typing import Any

from posekit.sweeps.experiment import Scalar
from posekit.sweeps.kernels import NO_NOTEBOOK, skip_slow_grammar
from posekit.util.errors import InputError

KINDS = {"int": (int,), "float": (float, int), "bool": (bool,), "str": (str,)}


def known_parameters(notebook: Path) -> dict[str, str]:
    """The parameters of a notebook and their kinds ("int", "float", ...; "" where unknown)."""
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
    return {name: _kind(entry) for name, entry in entries.items()}


def check_parameters(notebook: Path, parameters: dict[str, list[Scalar]]) -> None:
    """InputError for a parameter that the notebook does not have, or a value of another kind than its own."""
    known = known_parameters(notebook)
    for name, values in parameters.items():
        if name not in known:
            there = f"it has {', '.join(known)}" if known else "it has no cell tagged `parameters`"
            raise InputError(f"{notebook.name} has no parameter {name!r}; {there}.")
        wanted = KINDS.get(known[name])
        for value in values:
            if wanted and (not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)):
                raise InputError(f"The parameter {name} of {notebook.name} is of kind {known[name]}, got {value!r}.")


def _kind(entry: dict[str, Any]) -> str:
    named = str(entry.get("inferred_type_name", ""))
    return named if named in KINDS else ""
