"""Kept results of sweeps in notebooks: a dot for each seed, the paper's values beside them, and the direction of both.

What is shown of a sweep is its entry in ``experiments/figures.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from posekit_lab import results
from posekit_lab.differences import Difference, difference
from posekit_lab.experiments import figure_of
from posekit_lab.pictures import BLUE, ORANGE, new_figure

SAME_SCALE = ("ssim", "ms_ssim")  # at most 1 here and in the papers, whatever the pictures; l1 is not


class Recorded(NamedTuple):
    """titles: metric -> title.  values: arm -> metric -> one value a seed, without the metrics it does not have.

    rows: the runs themselves.  arms: arm as it is shown -> as it was recorded.
    """

    titles: dict[str, str]
    values: dict[str, dict[str, list[float]]]
    rows: list[results.Row]
    arms: dict[str, str]

    def mean(self, arm: str, metric: str) -> float:
        """Over the seeds."""
        return float(np.mean(self.values[arm][metric]))

    def difference(self, metric: str, arm: str, beside: str) -> Difference:
        """Seed by seed, with its interval over the seeds: the rule of all verdicts of this course."""
        return difference(self.rows, metric, self.arms[arm], self.arms[beside])

    def direction(self, metric: str, better: str, worse: str, *, higher: bool = False) -> str:
        """One line: does ``better`` come out better than ``worse``, as the paper prints it?

        higher: is more of this metric better?
        """
        found, signs = self.difference(metric, better, worse), ("lower", "higher")
        verdict = {signs[higher]: "as in the paper", signs[not higher]: "against the paper"}.get(found.reading)
        means = f"{better} {self.mean(better, metric):.3f}, {worse} {self.mean(worse, metric):.3f}"
        return f"{self.titles[metric]}: {means}; difference {found}: {verdict or 'undecided'}"

    def draw(self, printed: Mapping[str, Mapping[str, float]] | None = None, width: float = 2.7) -> Figure:
        """A panel for each metric, ``width`` inches each, and a dot for each seed.

        printed: metric -> arm -> the paper's value; diamonds on an axis of their own, because the papers measure other
        people at another size.  For a metric of SAME_SCALE both axes have the same span, so that equal distances are
        equal differences.
        """
        figure, (axes,) = new_figure(width * len(self.titles), 3.5, 1, len(self.titles))
        arms = list(self.values)
        for axis, (metric, title) in zip(axes, self.titles.items(), strict=True):
            for n, arm in enumerate(arms):
                dots = self.values[arm].get(metric, [])
                axis.plot([n] * len(dots), dots, "o", color=BLUE, alpha=0.7)
                if dots:
                    axis.plot([n - 0.25, n + 0.25], [np.mean(dots)] * 2, color=BLUE, linewidth=2)
            axis.set_xticks(range(len(arms)), arms, rotation=25, ha="right", fontsize=9)
            axis.set_title(fill(title, 24), fontsize=10)
            theirs = (printed or {}).get(metric, {})
            if theirs:
                other = axis.twinx()
                places = [arms.index(arm) for arm in theirs]
                other.plot(places, list(theirs.values()), "D", color=ORANGE, fillstyle="none", markersize=8)
                other.tick_params(labelsize=9, labelcolor=ORANGE)
                other.spines["top"].set_visible(False)
                if metric.split(".")[-1] in SAME_SCALE:
                    _same_span(axis, other)
        handles = [Line2D([], [], marker="o", color=BLUE, label="here: a dot for each seed, a line for their mean")]
        if printed:
            label = "in the paper (right axis)"
            handles.append(Line2D([], [], marker="D", color=ORANGE, fillstyle="none", linestyle="", label=label))
        figure.legend(handles=handles, loc="outside lower center", ncol=2, fontsize=9, frameon=False)
        return figure


def _same_span(*axes: Axes) -> None:
    """Make the y ranges as high as the highest of them, each about its own middle, with ticks at equal distances."""
    middles = [np.mean(axis.get_ylim()) for axis in axes]
    highest = max(axes, key=lambda axis: np.ptp(axis.get_ylim()))
    half, step = np.ptp(highest.get_ylim()) / 2, np.diff(highest.get_yticks())[0]
    for axis, middle in zip(axes, middles, strict=True):
        axis.set_ylim(middle - half, middle + half)
        axis.yaxis.set_major_locator(MultipleLocator(step))


def recorded(name: str, metrics: Sequence[str] | None = None, folder: Path = results.EXPERIMENTS) -> Recorded | None:
    """The kept results of a sweep; None where some of its tables are not kept.

    metrics: all that ``figures.yaml`` names for the sweep where it is not given.
    """
    entry = figure_of(name, folder)
    if not all((folder / "results" / f"{table}.csv").is_file() for table in entry["tables"]):
        return None
    rows = results.read_results(*entry["tables"], folder=folder / "results")
    titles = {metric: entry["metrics"][metric] for metric in metrics or entry["metrics"]}
    found = {}
    for arm, shown in entry["arms"].items():
        own = [row for row in rows if row.get("arm") == arm]
        there = [m for m in titles if not own or any(m in row for row in own)]  # an arm without runs is an error
        found[shown] = {m: results.values_of(own, m, arm=arm) for m in there}
    return Recorded(titles, found, rows, {shown: arm for arm, shown in entry["arms"].items()})


def draw_recorded(
    name: str, printed: Mapping[str, Sequence[float]] | None = None, folder: Path = results.EXPERIMENTS
) -> Figure | None:
    """`Recorded.draw` with all metrics of a sweep; None where no results are kept.

    printed: metric -> the paper's value for every arm, in their order.
    """
    found = recorded(name, folder=folder)
    if found is None:
        return None
    return found.draw({m: dict(zip(found.values, row, strict=True)) for m, row in (printed or {}).items()})
