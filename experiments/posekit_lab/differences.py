"""Does one arm of an experiment differ from another?  Differences seed by seed, and their interval.

Runs of one seed share their people and the order of the pairs, so their difference varies less than each
of them.  With differences d_1 ... d_n, mean m and standard deviation s, the interval is

    m +- t s / sqrt(n),   t: the 97.5 % quantile of Student's t with n - 1 degrees of freedom   (4.30 for n = 3)

Where the runs recorded one mean for each person (`posekit.evaluation.person_means`), the interval is over seeds and
people together.  Of the differences d_sp of seed s and person p, with S seeds and P people, the mean squares of the
two-way table are

    MS_s = P var_s(mean over p),   MS_p = S var_p(mean over s),   MS_e = sum (d_sp - d_s - d_p + m)^2 / ((S-1)(P-1))

and the variance of the mean m is Q / (S P) with Q = MS_s + MS_p - MS_e, no less than MS_s or MS_p alone.  Its degrees
of freedom are Satterthwaite's (Clark 1973 calls this test F'; Brennan, Generalizability Theory, has the variances):

    Q^2 / (MS_s^2 / (S-1) + MS_p^2 / (P-1) + MS_e^2 / ((S-1)(P-1)))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import t as student

from posekit.evaluation.person_means import read_person_means
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

    seeds: how many seeds the interval is over; people, where ``over`` says so.  people: how many people beside the
    seeds; 0 where the interval is not over both.  of_people: the part of the mean's variance that more seeds leave.
    """

    metric: str
    mean: float
    low: float
    high: float
    seeds: int
    p: float
    over: str = "seeds"
    people: int = 0
    freedom: float = 0.0
    of_people: float = 0.0

    @property
    def counted(self) -> str:
        """Such as "3 seeds", or "3 seeds, 20 people"."""
        return f"{self.seeds} {self.over}" + (f", {self.people} people" if self.people else "")

    @property
    def reading(self) -> str:
        """ "higher" or "lower" where the interval leaves out 0, else "undecided"."""
        return "higher" if self.low > 0 else "lower" if self.high < 0 else "undecided"

    def seeds_for(self, margin: float) -> int | None:
        """How many seeds would leave out 0, or bring the interval within the margin, if mean and spread stay.

        None where it would take more than 1,000.
        """
        wanted = max(abs(self.mean), margin - abs(self.mean))
        freedom = self.freedom or self.seeds - 1
        whole = ((self.high - self.low) / 2 / student.ppf((1 + CONFIDENCE) / 2, freedom)) ** 2
        of_seed = self.seeds * max(0.0, whole - self.of_people)  # of one seed
        for n in range(2, 1001):
            variance = of_seed / n + self.of_people
            parts = (of_seed / n) ** 2 / (n - 1) + (self.of_people**2 / (self.people - 1) if self.people else 0)
            freedom = variance**2 / parts if parts else n - 1
            if student.ppf((1 + CONFIDENCE) / 2, freedom) * variance**0.5 < wanted:
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
    both = _by_seed_and_person(of[arm], of[beside], seeds, metric)
    if both is not None:
        return two_way_interval(metric, both)
    return interval_of(metric, np.array([of[arm][seed][metric] - of[beside][seed][metric] for seed in seeds], float))


def _by_seed_and_person(
    arm: Mapping[Any, Mapping[str, Any]], beside: Mapping[Any, Mapping[str, Any]], seeds: Sequence[Any], metric: str
) -> np.ndarray | None:
    """Differences, a line for each seed and a column for each person; None where a run has no means of people.

    InputError where runs were measured on different people.
    """
    lines, shown = [], None
    for seed in seeds:
        if "by_person" not in arm[seed] or "by_person" not in beside[seed]:
            return None
        (people, ours), (others, theirs) = (read_person_means(run[seed]["by_person"]) for run in (arm, beside))
        if metric not in ours or metric not in theirs:
            return None
        shown = shown or people
        if not shown == people == others:
            raise InputError(f"The runs of {metric!r} were measured on different people; measure all on the same.")
        lines.append(ours[metric] - theirs[metric])
    apart = np.stack(lines)
    apart = apart[:, np.isfinite(apart).all(0)]
    return apart if apart.shape[1] > 1 else None


def difference_over_people(made: Evaluation, metric: str, arm: str, beside: str) -> Difference:
    """Compare two systems of one evaluation pair by pair; each person's pairs count as one, by their mean.

    Raises InputError where a system is missing, was not measured, or fewer than two people are shown.
    """
    ours, theirs = (made.values.get(system, {}).get(metric) for system in (arm, beside))
    if ours is None or theirs is None:
        raise InputError(f"{metric!r} of {arm!r} and {beside!r}: the comparison has {', '.join(made.values)}.")
    apart = [a - b for a, b in zip(ours, theirs, strict=True)]
    means = np.array(replace(made, values={arm: {metric: apart}}).by_person(arm)[metric])
    means = means[np.isfinite(means)]
    if len(means) < 2:
        raise InputError(f"{metric!r} was measured on {len(means)} people; an interval needs two.")
    return replace(interval_of(metric, means), over="people")


def interval_of(metric: str, differences: np.ndarray) -> Difference:
    """Student's interval of the mean of independent differences."""
    n = len(differences)
    mean, spread = differences.mean(), differences.std(ddof=1) / np.sqrt(n)
    half = student.ppf((1 + CONFIDENCE) / 2, n - 1) * spread
    p = 2 * student.sf(abs(mean) / spread, n - 1) if spread > 0 else float(mean == 0)
    return Difference(metric, float(mean), float(mean - half), float(mean + half), n, float(p))


def two_way_interval(metric: str, differences: np.ndarray) -> Difference:
    """Interval of the mean of differences over seeds (lines) and people (columns) together: see the head of this file.

    differences: at least 2 x 2.
    """
    S, P = differences.shape
    mean, by_seed, by_person = differences.mean(), differences.mean(1), differences.mean(0)
    rest = differences - by_seed[:, None] - by_person[None] + mean
    ms_seed, ms_person = P * by_seed.var(ddof=1), S * by_person.var(ddof=1)
    ms_rest = (rest**2).sum() / ((S - 1) * (P - 1))
    q = max(ms_seed + ms_person - ms_rest, ms_seed, ms_person)
    parts = ms_seed**2 / (S - 1) + ms_person**2 / (P - 1) + ms_rest**2 / ((S - 1) * (P - 1))
    freedom = q**2 / parts if parts > 0 else 1.0
    spread = np.sqrt(q / (S * P))
    half = student.ppf((1 + CONFIDENCE) / 2, freedom) * spread
    p = 2 * student.sf(abs(mean) / spread, freedom) if spread > 0 else float(mean == 0)
    of_people = max(0.0, ms_person - ms_rest) / (S * P)
    ends = (float(mean), float(mean - half), float(mean + half))
    return Difference(metric, *ends, S, float(p), people=P, freedom=float(freedom), of_people=float(of_people))


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
        f"{differences[0].counted}]; undecided where the interval holds 0.\n"
    )
