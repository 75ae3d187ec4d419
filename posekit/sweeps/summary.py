"""What the runs of a sweep say together: the mean over seeds and its interval, for each setting."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posekit.sweeps.experiment import Value
from posekit.sweeps.table import SweepRun, plain_number
from posekit.util.files import write_text

CONFIDENCE = 0.95
MOST_LINES = 40


@dataclass(frozen=True)
class OverSeeds:
    """A recorded number of one setting: its mean over n seeds; low, high: Student's interval, None for one seed."""

    parameters: dict[str, Value]
    name: str
    n: int
    mean: float
    low: float | None
    high: float | None


def over_seeds(rows: Sequence[SweepRun], first: Sequence[str] = ()) -> list[OverSeeds]:
    """Every number that the finished runs recorded, together for runs that differ in the seed alone.

    first: names of parameters, in the order in which they are to be shown.

    The interval is Student's: seeds are few, and it is wide where they are two.  Numbers that are not finite count as
    they are: the mean is not finite then either.
    """
    from scipy.stats import t as student

    groups: dict[str, list[SweepRun]] = {}
    for row in rows:
        if row.status == "ok":
            groups.setdefault(json.dumps(_without_seed(row, first), sort_keys=True), []).append(row)
    summary = []
    for runs in groups.values():
        for name in dict.fromkeys(name for run in runs for name in run.values):
            values = [run.values[name] for run in runs if name in run.values]
            if any(isinstance(value, bool | str) for value in values):
                continue
            n, mean, half = len(values), float(np.mean(values)), None
            if n > 1:
                half = float(student.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(values, ddof=1) / n**0.5)
            ends = (None, None) if half is None else (mean - half, mean + half)
            summary.append(OverSeeds(_without_seed(runs[0], first), name, n, mean, *ends))
    return summary


def _without_seed(row: SweepRun, first: Sequence[str]) -> dict[str, Value]:
    names = dict.fromkeys([*(name for name in first if name in row.parameters), *row.parameters])
    return {name: row.parameters[name] for name in names if name != "seed"}


def write_summary(path: Path, summary: Sequence[OverSeeds]) -> None:
    """summary.csv: the parameters, name, n, mean, low, high; whole or not at all."""
    parameters = list(dict.fromkeys(name for entry in summary for name in entry.parameters))
    text = io.StringIO()
    writer = csv.DictWriter(text, [*parameters, "name", "n", "mean", "low", "high"], lineterminator="\n")
    writer.writeheader()
    for entry in summary:
        numbers = {key: plain_number(getattr(entry, key)) for key in ("mean", "low", "high")}
        writer.writerow({**entry.parameters, "name": entry.name, "n": entry.n, **numbers})
    write_text(path, text.getvalue())


def summary_lines(summary: Sequence[OverSeeds]) -> list[str]:
    """The summary to be read: a line for each setting and a line for each of its numbers, four digits each."""
    lines, last = [], None
    for entry in summary:
        if entry.parameters != last:
            lines.append(f"  {setting_in_words(entry.parameters)}")
            last = entry.parameters
        seeds = f"  [{entry.low:.4g}, {entry.high:.4g}]  {entry.n} seeds" if entry.low is not None else ""
        lines.append(f"    {entry.name}  {entry.mean:.4g}{seeds}")
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"  ... and {len(lines) - MOST_LINES} lines more in summary.csv"]
    return lines


def setting_in_words(parameters: dict[str, Value]) -> str:
    """Such as "size=64, view=1"."""
    return ", ".join(f"{name}={value}" for name, value in parameters.items()) or "as written"
