"""Does one arm of an experiment differ from another?  Differences seed by seed, and their interval over the seeds.

Runs of one seed share their people and the order of the pairs, so their difference varies less than each
of them.  With differences d_1 ... d_n, mean m and standard deviation s, the interval is

    m +- t s / sqrt(n),   t: the 97.5 % quantile of Student's t with n - 1 degrees of freedom   (4.30 for n = 3)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import t as student

from posekit.evaluation.table import Evaluation
from posekit.util.errors import InputError

CONFIDENCE = 0.95
# What two runs share when only their arm differs; a column that both tables have must agree.
SHARED = (
    *("preset", "stages", "steps", "batch_size", "precision", "people", "views", "size", "skirts", "noise"),
    *("measure", "measured", "protocol"),
)


@dataclass(frozen=True)
class Difference:
    """Mean difference (arm - beside) of a metric, its interval, and the t test's p value.

    seeds: how many seeds the interval is over; people, where ``over`` says so.
    """

    metric: str
    mean: float
    low: float
    high: float
    seeds: int
    p: float
    over: str = "seeds"

    @property
    def reading(self) -> str:
        """ "higher" or "lower" where the interval leaves out 0, else "undecided"."""
        return "higher" if self.low > 0 else "lower" if self.high < 0 else "undecided"

    def seeds_for(self, margin: float) -> int | None:
        """How many seeds would leave out 0, or bring the interval within the margin, if mean and spread stay.

        None where it would take more than 1,000.
        """
        wanted = max(abs(self.mean), margin - abs(self.mean))
        half = (self.high - self.low) / 2
        spread = half / student.ppf((1 + CONFIDENCE) / 2, self.seeds - 1) * np.sqrt(self.seeds)
        for n in range(2, 1001):
            if student.ppf((1 + CONFIDENCE) / 2, n - 1) * spread / np.sqrt(n) < wanted:
                return n
        return None

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def difference(rows: Sequence[Mapping[str, Any]], metric: str, arm: str, beside: str) -> Difference:
    """Compare the runs of ``arm`` with those of ``beside``, seed by seed; each has one run for a seed.

    Raises InputError for fewer than two common seeds, where an arm has several runs of one seed, and where the runs of
    a seed differ in more than their arm (`SHARED`).
    """
    of: dict[str, dict[Any, Mapping[str, Any]]] = {arm: {}, beside: {}}
    for row in rows:
        own = of.get(row.get("arm"))
        if own is None or metric not in row:
            continue
        if "seed" not in row:
            raise InputError(f"A run of {row['arm']!r} has no seed; runs are compared seed by seed.")
        if row["seed"] in own:
            raise InputError(f"{row['arm']!r} has several runs of seed {row['seed']}; compare those of one setting.")
        own[row["seed"]] = row
    seeds = sorted(of[arm].keys() & of[beside].keys())
    if len(seeds) < 2:
        raise InputError(f"{arm!r} and {beside!r} share {len(seeds)} seeds with {metric!r}; an interval needs two.")
    for a, b in ((of[arm][seed], of[beside][seed]) for seed in seeds):
        if differ := [f"{key} {a[key]} and {b[key]}" for key in SHARED if key in a and key in b and a[key] != b[key]]:
            raise InputError(f"{arm!r} and {beside!r} differ in more than their arm ({'; '.join(differ)}).")
    return interval_of(metric, np.array([of[arm][seed][metric] - of[beside][seed][metric] for seed in seeds], float))


def difference_over_people(made: Evaluation, metric: str, arm: str, beside: str) -> Difference:
    """Compare two systems of one evaluation pair by pair; each person's pairs count as one, by their mean.

    Raises InputError where a system is missing, was not measured, or fewer than two people are shown.
    """
    ours, theirs = (made.values.get(system, {}).get(metric) for system in (arm, beside))
    if ours is None or theirs is None:
        raise InputError(f"{metric!r} of {arm!r} and {beside!r}: the comparison has {', '.join(made.values)}.")
    apart = np.array(ours, float) - np.array(theirs, float)
    whose = np.array(made.people)
    means = [
        np.nanmean(apart[whose == who]) for who in dict.fromkeys(made.people) if np.isfinite(apart[whose == who]).any()
    ]
    if len(means) < 2:
        raise InputError(f"{metric!r} was measured on {len(means)} people; an interval needs two.")
    return replace(interval_of(metric, np.array(means)), over="people")


def interval_of(metric: str, differences: np.ndarray) -> Difference:
    """Student's interval of the mean of independent differences."""
    n = len(differences)
    mean, spread = differences.mean(), differences.std(ddof=1) / np.sqrt(n)
    half = student.ppf((1 + CONFIDENCE) / 2, n - 1) * spread
    p = 2 * student.sf(abs(mean) / spread, n - 1) if spread > 0 else float(mean == 0)
    return Difference(metric, float(mean), float(mean - half), float(mean + half), n, float(p))


def differences_table(
    rows: Sequence[Mapping[str, Any]], metrics: Mapping[str, str], arms: Mapping[str, str], beside: str
) -> str:
    """A table in Markdown: every other arm beside one of them, for each metric (name -> title)."""
    lines = [["", *metrics.values()], ["---"] * (1 + len(metrics))]
    for arm, shown in arms.items():
        if arm == beside:
            continue
        differences = [difference(rows, metric, arm, beside) for metric in metrics]
        lines.append([shown, *(f"{d} {d.reading}" for d in differences)])
    said = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return (
        f"Difference from *{arms[beside]}*, seed by seed:\n\n{said}\n\nMean [{CONFIDENCE:.0%} interval over "
        f"{differences[0].seeds} seeds]; undecided where the interval holds 0.\n"
    )
