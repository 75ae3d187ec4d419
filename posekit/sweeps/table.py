"""The rows of a sweep's table, from the notebooks that were run."""

import csv
import io
import logging
from dataclasses import dataclass
from pathlib import Path

from posekit.sweeps.experiment import Scalar, Value
from posekit.sweeps.kernels import NO_NOTEBOOK, skip_slow_grammar
from posekit.sweeps.recorded import recorded_values
from posekit.util.files import write_text
from posekit.util.reading import read_text

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SweepRun:
    """One run as the table shows it.  status: "ok", "failed" or "timeout"."""

    run: str  # file name of its notebook
    parameters: dict[str, Value]
    status: str
    seconds: float
    values: dict[str, Scalar]
    error: str = ""
    library: str = ""  # the version of the code that the run used


def finished(folder: Path, version: str) -> list[SweepRun]:
    """The rows of the runs in a folder that were made from this version of the notebook, in order.

    A file that is empty or cut short is no finished run; a warning names it, and another run takes another name.
    """
    skip_slow_grammar()
    import nbformat

    rows = []
    for path in sorted(folder.glob("run-*.ipynb")):
        try:
            notebook = nbformat.reads(read_text(path), as_version=4)
            about = notebook.metadata.get("posekit_sweep", {})
            if about.get("version") != version:
                continue
            values = recorded_values(notebook)
            said = (about.get("error", ""), about.get("library", ""))
            rows.append(SweepRun(path.name, dict(about.parameters), about.status, about.seconds, values, *said))
        except (OSError, *NO_NOTEBOOK, nbformat.ValidationError):
            log.warning("%s is not a whole notebook of a run; it is left alone and run again under another name.", path)
    return rows


def write_run_table(path: Path, rows: list[SweepRun], first: list[str]) -> None:
    """table.csv: run, parameters (``first`` first), status, seconds, recorded values, error; whole or not at all."""
    parameters = dict.fromkeys(first + [name for row in rows for name in row.parameters])
    values = dict.fromkeys(name for row in rows for name in row.values)
    text = io.StringIO()
    columns = ["run", *parameters, "status", "seconds", *values, "library", "error"]
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        recorded = {name: plain_number(value) for name, value in row.values.items()}
        writer.writerow({**recorded, **row.parameters, **vars(row)})
    write_text(path, text.getvalue())


def plain_number(value):
    """A number with six significant digits, which is more than any run knows; everything else as it is.

    >>> plain_number(0.123456789), plain_number(12), plain_number("f")
    (0.123457, 12, 'f')
    """
    return float(f"{value:.6g}") if isinstance(value, float) else value
