"""The committed results of sweeps, ``experiments/results/NAME.csv``: read them, sum them up, draw them.

One row is one run: its parameters, seconds, and what it recorded.  Runs that differ in the seed alone are one *arm*
of the experiment (at one value of what varies along the horizontal axis); an arm is shown by its mean, with the
smallest and the largest of its runs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from posekit.evaluation.person_means import keep_metrics
from posekit.util.errors import InputError
from posekit.util.files import write_text
from posekit_lab.pictures import CYCLE
from posekit_lab.source import ROOT

EXPERIMENTS = ROOT / "experiments"
RESULTS = EXPERIMENTS / "results"
GREYS = ("#444444", "#8A8A8A")
_OF_THE_RUN = ("run", "status", "error")

Row = dict[str, Any]


@dataclass(frozen=True)
class Summary:
    """One metric of one arm at one value of what varies (None for an arm that has none): mean, least, largest."""

    arm: str
    at: float | None
    metric: str
    mean: float
    low: float
    high: float
    runs: int


def keep(table: str | Path, name: str, folder: Path = RESULTS, judged: Collection[str] = ()) -> Path:
    """Take a sweep's table.csv as the results NAME; InputError when a run of it failed or it holds none.

    judged: metrics whose means of single people are kept; those of the others, most of a table, are left out.
    """
    rows = _read(Path(table))
    failed = [row["run"] for row in rows if row.get("status") != "ok"]
    if failed or not rows:
        what = f"{len(failed)} of {len(rows)} runs failed ({failed[0]} first)" if failed else "it holds no run"
        raise InputError(f"{table} cannot be kept: {what}; run the sweep again, it goes on where it stopped.")
    codes = sorted({row.get("library", "") for row in rows})
    if len(codes) > 1:
        raise InputError(
            f"{table} cannot be kept: its runs used {len(codes)} versions of posekit's code ({', '.join(codes)}); "
            "delete the older ones, and run the sweep again."
        )
    columns = [column for column in rows[0] if column not in _OF_THE_RUN]
    for row in rows:
        if row.get("by_person"):
            row["by_person"] = keep_metrics(row["by_person"], judged)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return write_text(folder / f"{name}.csv", text.getvalue())


def read_results(*names: str, folder: Path = RESULTS) -> list[Row]:
    """The runs of the kept tables, one after the other; numbers are numbers, an empty cell is left out of its row."""
    rows = [row for name in names for row in _read(folder / f"{name}.csv")]
    return [{key: _number(value) for key, value in row.items() if value != ""} for row in rows]


def values_of(rows: Sequence[Row], metric: str, **where: Any) -> list[float]:
    """What the runs recorded under ``metric``, in order of their seeds, of those whose columns are as in ``where``.

    values(rows, "view.unseen.l1", arm="texel_fill, variant=mirror")        one value for each seed

    InputError when there is no such run or metric.
    """
    chosen = [row for row in rows if all(row.get(key) == value for key, value in where.items())]
    values = [row[metric] for row in sorted(chosen, key=lambda row: row.get("seed", 0)) if metric in row]
    if not values:
        known = sorted({str(row.get("arm")) for row in rows})
        raise InputError(f"No run with {where} recorded {metric!r}; the arms are: {'; '.join(known)}.")
    return values


def summarise(
    rows: Sequence[Row], metrics: Sequence[str], arms: Mapping[str, str], along: str | None = None
) -> list[Summary]:
    """Every metric of every arm (recorded name -> name to show), at every value of the column ``along``.

    Runs that recorded how they were measured (a column ``protocol``, `posekit.metrics.protocol`) must agree in it.
    """
    summaries = []
    protocols = sorted({str(row.get("protocol", "not recorded")) for row in rows if row.get("arm") in arms})
    if len(protocols) > 1:
        raise InputError(
            f"The runs were measured differently ({' | '.join(protocols)}) and cannot be compared; measure all under "
            "one protocol."
        )
    for arm, shown in arms.items():
        own = [row for row in rows if row.get("arm") == arm]
        if not own:
            raise InputError(
                f"The results have no arm {arm!r}; they have: {sorted({str(r.get('arm')) for r in rows})}."
            )
        places = sorted({row[along] for row in own if along in row}) or [None]
        for at in places:
            here = [row for row in own if at is None or row.get(along) == at]
            if len({row.get("seed") for row in here}) < len(here):
                raise InputError(f"{arm!r} has several runs of one seed; a mean is over the seeds of one setting.")
            for metric in metrics:
                numbers = np.array([row.get(metric, np.nan) for row in here], float)
                numbers = numbers[np.isfinite(numbers)]
                if len(numbers):
                    middle = (float(numbers.mean()), float(numbers.min()), float(numbers.max()))
                    summaries.append(Summary(shown, at, metric, *middle, len(numbers)))
    return summaries


def summary_table(summaries: Sequence[Summary], metrics: Mapping[str, str], along: str | None = None) -> str:
    """The table in Markdown: a line for each arm and value of ``along``, a column for each metric (name -> title)."""
    lines = {(s.arm, s.at): {} for s in summaries}
    for s in summaries:
        spread = f" ({s.low:.3f} to {s.high:.3f})" if s.runs > 1 else ""
        lines[s.arm, s.at][s.metric] = f"{s.mean:.3f}{spread}"
    head = ["", *([along] if along else []), *metrics.values()]
    text = [head, ["---"] * len(head)]
    for (arm, at), cells in lines.items():
        place = [["" if at is None else f"{at:g}"], []][not along]
        text.append([arm, *place, *(cells.get(metric, "") for metric in metrics)])
    runs = max(s.runs for s in summaries)
    said = "\n".join("| " + " | ".join(line) + " |" for line in text)
    return f"{said}\n\nMean (smallest to largest) of {runs} seeds.\n"


def draw_summaries(
    summaries: Sequence[Summary],
    metrics: Mapping[str, str],
    along: str | None = None,
    title: str = "",
    columns: int | None = None,
) -> Figure:
    """A panel for each metric, so many in a row (3, or 2 where there are four).

    Lines over ``along``, with bars from the smallest to the largest run; an arm without a value of ``along`` is a
    dashed line.  Without ``along`` at all, arms are points side by side.
    """
    columns = min(columns or (2 if len(metrics) == 4 else 3), len(metrics))
    rows = -(-len(metrics) // columns)
    figure = Figure(figsize=(3.1 * columns, 2.5 * rows + 0.7), layout="constrained", dpi=110)
    arms = list(dict.fromkeys(s.arm for s in summaries))
    varying = [arm for arm in arms if along is None or any(s.arm == arm and s.at is not None for s in summaries)]
    styles = {arm: CYCLE[i % len(CYCLE)] for i, arm in enumerate(varying)}
    styles |= {arm: GREYS[i % len(GREYS)] for i, arm in enumerate(a for a in arms if a not in varying)}
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for place, (metric, name) in zip(axes, metrics.items(), strict=False):
        for number, arm in enumerate(arms):
            _draw_arm(place, [s for s in summaries if (s.arm, s.metric) == (arm, metric)], number, styles[arm], along)
        place.set_title(name, fontsize=9, loc="left")
        place.spines[["top", "right"]].set_visible(False)
        place.tick_params(labelsize=8)
        low, high = place.get_ylim()
        low = min(0, low)
        place.set_ylim(low, high + 0.05 * (high - low))  # no mark on the edge
        if along is None:
            place.set_xticks([])
        else:
            place.set_xscale("log")
            ticks = sorted({s.at for s in summaries if s.at is not None})
            place.set_xticks(ticks, [f"{at:g}" for at in ticks])
            place.minorticks_off()
            place.set_xlabel(along, fontsize=8)
    for place in axes[len(metrics) :]:
        place.set_axis_off()
    handles = {
        label: handle for place in axes for handle, label in zip(*place.get_legend_handles_labels(), strict=True)
    }
    shown = [arm for arm in arms if arm in handles]
    figure.legend(
        [handles[arm] for arm in shown], shown, loc="outside lower center", ncols=3, frameon=False, fontsize=8
    )
    figure.suptitle(fill(title, 80), fontsize=10)
    return figure


def _draw_arm(axes: Axes, points: Sequence[Summary], number: int, color: str, along: str | None) -> None:
    if not points:
        return
    style = {"color": color, "label": points[0].arm}
    if along is not None and points[0].at is None:
        axes.axhline(points[0].mean, linestyle=["--", ":"][number % 2], linewidth=1.2, **style)
        return
    x = [number if p.at is None else p.at for p in points]
    mean = np.array([p.mean for p in points])
    errors = np.stack([mean - [p.low for p in points], np.array([p.high for p in points]) - mean]).clip(min=0)
    marker = "os^D"[number // len(CYCLE) % 4]  # colours come again, with another mark
    axes.errorbar(x, mean, errors, marker=marker, markersize=4, capsize=3, linewidth=1.5, **style)


def _read(path: Path) -> list[Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The table {path} cannot be read ({error}).") from None


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"True": True, "False": False}.get(text, text)
