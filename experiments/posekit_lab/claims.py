"""What the papers claim, and what the kept results say of it.

`experiments/claims.yaml` holds ``margins``, a number for each metric, and the ``claims``.  Each compares two arms of a
sweep by one metric:

    claim     a sentence
    source    paper and table
    printed   [of the arm, of the one beside it] as printed; null where the paper gives no number
    expect    higher or lower: how the arm should differ; same: by no more than the margin; nearer: of a ratio, that it
              should come nearer to 1, which is counted in doublings, |log2|, so that half and double are alike
    results   tables in experiments/results, kept by `python -m posekit_lab.experiments keep NAME`; or [compare], the
              systems of `posekit compare`: one training of each, so that the interval is over people
    metric    column of the tables
    arm, beside   what the two arms were recorded as
    row       of the printed table, where its numbers do not tell it from the others (optional)
    where     column -> value, where the tables hold more than one setting of an arm (optional)
    note      what a reader of the verdict must know (optional)

The verdict is computed from the differences seed by seed (`posekit_lab.differences`):

    no difference    the interval lies within the margin of the metric, on either side of 0
    reproduced       it lies on the expected side of 0
    not reproduced   it lies on the other side
    undecided        it holds 0
    not measured     the runs have no number (a metric whose network was not there)
    not run          there are no kept results

The interval is over the seeds, and over the people too where the runs recorded a mean for each (`differences`).  One of
three seeds is wide (t = 4.30): where all seeds agree and it still holds 0, the table says so.

Each verdict stands alone.  Of many true nothings, one in twenty looks like something; the table says of each decided
claim whether it would also be decided if all were tested together, by Holm's correction (`holm`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.stats import false_discovery_control

from posekit.evaluation.table import Evaluation
from posekit.util.errors import InputError
from posekit_lab import results
from posekit_lab.differences import CONFIDENCE, Difference, difference, difference_over_people

COMPARISON = "compare"  # experiments/results/compare: systems beside each other, one training of each
DECIDED = ("reproduced", "not reproduced")
VERDICTS = (*DECIDED, "no difference", "undecided", "not measured", "not run")
UNITS = {
    "l1": 255,
    "l1_32": 255,
    "rank_1": 100,
    "rank_5": 100,
    "rank_10": 100,
    "mAP": 100,
}  # printed numbers above 1 are divided by it to be ours


@dataclass(frozen=True)
class Claim:
    """One published comparison; see the head of this file."""

    claim: str
    source: str
    expect: str
    results: list[str]
    metric: str
    arm: str
    beside: str
    printed: list[float | None] | None = None
    where: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    row: str = ""
    margin: float | None = None  # of its metric, see `read_claims`

    def __post_init__(self) -> None:
        if self.expect not in ("higher", "lower", "same", "nearer"):
            raise InputError(f"The claim {self.claim!r} expects higher, lower, same or nearer, got {self.expect!r}.")
        if not isinstance(self.results, list) or not self.results:
            raise InputError(f"The claim {self.claim!r} names its results as a list, got {self.results!r}.")
        if self.printed is not None and len(self.printed) != 2:
            raise InputError(f"The claim {self.claim!r} has two printed numbers, got {self.printed!r}.")

    @property
    def measure(self) -> str:
        """The metric without its region, picture or distance: l1 of view.unseen.l1, rank_1 of xqda_rank_1."""
        return self.metric.rsplit(".", 1)[-1].removeprefix("xqda_").removeprefix("kissme_")

    @property
    def printed_difference(self) -> float | None:
        """Arm minus beside as printed, in the units of our tables; None where the paper gives no numbers."""
        if self.printed is None or None in self.printed:
            return None
        ours, beside = self.printed
        unit = UNITS.get(self.measure, 1) if max(ours, beside) > 1 else 1
        return (ours - beside) / unit


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict (one of VERDICTS), the difference where there is one, and the seeds that agree."""

    claim: Claim
    verdict: str
    difference: Difference | None = None
    agreeing: int = 0


def read_claims(folder: Path = results.EXPERIMENTS) -> list[Claim]:
    """The entries of ``claims.yaml``; InputError where one is not complete."""
    path = folder / "claims.yaml"
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    known = {f.name for f in fields(Claim)} - {"margin"}
    needed = known - {"printed", "where", "note", "row"}
    if (
        not isinstance(entries, dict)
        or set(entries) != {"margins", "claims"}
        or not isinstance(entries["claims"], list)
    ):
        raise InputError(f"{path} holds margins (metric: number) and a list of claims; this one does not.")
    margins, claims = entries["margins"], []
    for number, entry in enumerate(entries["claims"], 1):
        given = set(entry) if isinstance(entry, dict) else set()
        if wrong := (given - known) | (needed - given):
            raise InputError(f"{path}: entry {number} lacks, or should not have, {', '.join(sorted(map(str, wrong)))}.")
        claim = Claim(**entry)
        if not isinstance(margins.get(claim.measure), float) or margins[claim.measure] <= 0:
            raise InputError(f"{path}: the metric {claim.measure} of entry {number} needs a margin above 0.")
        claims.append(replace(claim, margin=margins[claim.measure]))
    return claims


def judge_claim(claim: Claim, folder: Path = results.EXPERIMENTS) -> Judged:
    """The verdict on one claim from the kept results.

    Raises InputError where results are kept but lack the claim's arms or metric: a verdict must not fail in silence.
    """
    if claim.results == [COMPARISON]:
        return _judge_over_people(claim, folder / "results" / COMPARISON / "evaluation.json")
    if not all((folder / "results" / f"{name}.csv").is_file() for name in claim.results):
        return Judged(claim, "not run")
    rows = results.read_results(*claim.results, folder=folder / "results")
    rows = [row for row in rows if all(row.get(key) == value for key, value in claim.where.items())]
    missing = any(claim.metric not in row for row in rows if row.get("arm") in (claim.arm, claim.beside))
    expect = claim.expect
    if expect == "nearer":
        rows = [row | {claim.metric: _doublings(row[claim.metric])} for row in rows if claim.metric in row]
        expect = "lower"
    values = [results.values_of(rows, claim.metric, arm=arm) for arm in (claim.arm, claim.beside)]
    if missing or not all(math.isfinite(value) for one in values for value in one):
        return Judged(claim, "not measured")
    gap = difference(rows, claim.metric, claim.arm, claim.beside)
    sign = 1 if expect == "higher" else -1
    ours, theirs = ({r["seed"]: r[claim.metric] for r in rows if r.get("arm") == a} for a in (claim.arm, claim.beside))
    agreeing = sum(sign * (ours[seed] - theirs[seed]) > 0 for seed in ours.keys() & theirs.keys())
    return Judged(claim, _verdict(claim, gap, expect), gap, agreeing)


def _judge_over_people(claim: Claim, path: Path) -> Judged:
    """The verdict on a claim about two systems of the kept comparison."""
    if not path.is_file():
        return Judged(claim, "not run")
    if claim.expect == "nearer" or claim.where:
        raise InputError(f"The claim {claim.claim!r} is judged over people, without nearer and where.")
    gap = difference_over_people(Evaluation.load(path), claim.metric, claim.arm, claim.beside)
    return Judged(claim, _verdict(claim, gap, claim.expect), gap)


def _verdict(claim: Claim, gap: Difference, expect: str) -> str:
    """What the interval says: see the head of this file."""
    if claim.margin is not None and -claim.margin < gap.low and gap.high < claim.margin:
        return "reproduced" if expect == "same" else "no difference"
    if gap.reading == "undecided" or (expect == "same" and abs(gap.mean) < (claim.margin or 0)):
        return "undecided"
    return "reproduced" if gap.reading == expect else "not reproduced"


def judge_all(folder: Path = results.EXPERIMENTS) -> list[Judged]:
    """Every claim, in the order of the file."""
    return [judge_claim(claim, folder) for claim in read_claims(folder)]


def claims_table(judged: Sequence[Judged]) -> str:
    """The table: the claim, the printed numbers, our difference with its interval, the verdict."""
    lines = [["claim", "source", "metric", "printed", "here: difference [95 % interval]", "verdict", "together"]]
    lines.append(["---"] * len(lines[0]))
    adjusted = holm(judged)
    for one, p in zip(judged, adjusted, strict=True):
        c = one.claim
        metric = c.metric + (", doublings from 1" if c.expect == "nearer" else "")
        note = f"{_more_seeds(one)}; {c.note}" if c.note else _more_seeds(one)
        lines.append([c.claim, c.source, metric, _printed(c), _ours(one), f"**{one.verdict}**{note}"])
        lines[-1].append(("yes" if p <= 1 - CONFIDENCE else "no") if one.verdict in DECIDED else "")
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    counted = ", ".join(f"{n} {name}" for name, n in count(judged).items() if n)
    decided = [p for one, p in zip(judged, adjusted, strict=True) if one.verdict in DECIDED]
    staying = sum(p <= 1 - CONFIDENCE for p in decided)
    margins = sorted({(one.claim.measure, one.claim.margin) for one in judged if one.claim.margin is not None})
    together = (
        f"Each verdict is tested alone at {CONFIDENCE:.0%}. Those over seeds have other weights and batches, but the "
        "same people and pairs, and say nothing of other people; those over people have one training of each, and say "
        "nothing of other trainings; those over seeds and people speak of both (runs that recorded one mean for each "
        f"person: of {sum(bool(one.difference and one.difference.people) for one in judged)} claims). *Together*: of "
        f"the {len(decided)} decided ones {staying} stay decided under "
        f"Holm's correction over all {sum(one.difference is not None for one in judged)} that have a number (no false "
        f"one among all, with {CONFIDENCE:.0%}), and {hochberg(judged)} under Benjamini and Hochberg's (at most "
        f"{1 - CONFIDENCE:.0%} false ones expected among them).\n\n*No difference*: the interval is within the margin "
        f"({', '.join(f'{name} {margin:g}' for name, margin in margins) or 'none given'}). A printed difference "
        "below it is marked so. Of what is undecided the table says how many seeds would decide it, either way, if "
        "mean and spread stay as they are: a guess, since the true spread may be half that of three seeds, or six "
        "times. (The margins were written down after the first runs.)"
    )
    return f"{table}\n\n{len(judged)} claims: {counted}.\n\n{together}\n"


def holm(judged: Sequence[Judged]) -> list[float]:
    """The p value of every claim when all that have a number are tested together (Holm); 1 for the others."""
    p = np.array([1.0 if one.difference is None else one.difference.p for one in judged])
    order = [n for n in np.argsort(p, kind="stable") if judged[n].difference is not None]
    adjusted, least = np.ones(len(p)), 0.0
    for rank, n in enumerate(
        order
    ):  # the k-th smallest of m counts (m - k + 1) times, and no less than those before it
        least = max(least, min(1.0, p[n] * (len(order) - rank)))
        adjusted[n] = least
    return adjusted.tolist()


def hochberg(judged: Sequence[Judged]) -> int:
    """How many claims differ from nothing when the share of false ones among them is held down (Benjamini-Hochberg)."""
    p = [one.difference.p for one in judged if one.difference is not None and one.verdict in DECIDED]
    rest = [one.difference.p for one in judged if one.difference is not None and one.verdict not in DECIDED]
    if not p:
        return 0
    return int((false_discovery_control(np.array(p + rest))[: len(p)] <= 1 - CONFIDENCE).sum())


def count(judged: Sequence[Judged]) -> Mapping[str, int]:
    """How many claims have each verdict."""
    return {name: sum(one.verdict == name for one in judged) for name in VERDICTS}


def _printed(claim: Claim) -> str:
    if claim.printed is None or None in claim.printed:
        return "in words"
    ours, beside = claim.printed
    small = claim.margin is not None and abs(claim.printed_difference) < claim.margin
    return f"{ours:g} against {beside:g}{' (below the margin)' if small else ''}"


def _ours(one: Judged) -> str:
    d = one.difference
    if d is None:
        return ""
    agree = f", {d.counted}"
    if one.verdict == "undecided" and d.over == "seeds":
        agree += f", {one.agreeing} of {d.seeds} seeds agree"
    return f"{d}{agree}"


def _more_seeds(one: Judged) -> str:
    """Of an undecided claim: how many seeds it would take, by the spread of those that there are."""
    if one.verdict != "undecided" or one.claim.margin is None or one.difference.over != "seeds":
        return ""
    wanted = one.difference.seeds_for(one.claim.margin)
    return f" ({'over 1,000' if wanted is None else wanted} seeds would do)"


def _doublings(ratio: float) -> float:
    """How many times a ratio would have to be doubled, or halved, to be 1; NaN where it has no logarithm."""
    return abs(math.log2(ratio)) if ratio > 0 else math.nan
