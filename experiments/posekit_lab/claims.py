"""What the papers claim, and what the kept results say of it.

`experiments/claims.yaml` lists the claims.  Each compares two arms of a sweep by one metric:

    claim     a sentence
    source    paper and table
    printed   [of the arm, of the one beside it] as printed; null where the paper gives no number
    expect    higher or lower: how the arm should differ; nearer: of a ratio, that it should come nearer to 1, which
              is counted in doublings, |log2|, so that half and double are alike
    results   tables in experiments/results, kept by `python -m posekit_lab.experiments keep NAME`
    metric    column of the tables
    arm, beside   what the two arms were recorded as
    where     column -> value, where the tables hold more than one setting of an arm (optional)
    note      what a reader of the verdict must know (optional)

The verdict is computed from the differences seed by seed (`posekit_lab.differences`):

    reproduced       the interval over the seeds lies on the expected side of 0
    not reproduced   it lies on the other side
    undecided        it holds 0
    not measured     the runs have no number (a metric whose network was not there)
    not run          there are no kept results

An interval of three seeds is wide (t = 4.30): where all seeds agree and it still holds 0, the table says so.

Each verdict stands alone.  Of many true nothings, one in twenty looks like something; below the table stands how many
of the decided claims would also be decided if all were tested together (`standing_together`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.stats import false_discovery_control

from posekit.util.errors import InputError
from posekit_lab import results
from posekit_lab.differences import CONFIDENCE, Difference, difference

DECIDED = ("reproduced", "not reproduced")
VERDICTS = ("reproduced", "not reproduced", "undecided", "not measured", "not run")


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

    def __post_init__(self) -> None:
        if self.expect not in ("higher", "lower", "nearer"):
            raise InputError(f"The claim {self.claim!r} expects higher, lower or nearer, got {self.expect!r}.")
        if not isinstance(self.results, list) or not self.results:
            raise InputError(f"The claim {self.claim!r} names its results as a list, got {self.results!r}.")
        if self.printed is not None and len(self.printed) != 2:
            raise InputError(f"The claim {self.claim!r} has two printed numbers, got {self.printed!r}.")


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
    known = {f.name for f in fields(Claim)}
    needed = known - {"printed", "where", "note"}
    claims = []
    for number, entry in enumerate(entries if isinstance(entries, list) else [entries], 1):
        given = set(entry) if isinstance(entry, dict) else set()
        if wrong := (given - known) | (needed - given):
            raise InputError(f"{path}: entry {number} lacks, or should not have, {', '.join(sorted(map(str, wrong)))}.")
        claims.append(Claim(**entry))
    return claims


def judge_claim(claim: Claim, folder: Path = results.EXPERIMENTS) -> Judged:
    """The verdict on one claim from the kept results.

    Raises InputError where results are kept but lack the claim's arms or metric: a verdict must not fail in silence.
    """
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
    if gap.reading == "undecided":
        return Judged(claim, "undecided", gap, agreeing)
    verdict = "reproduced" if gap.reading == expect else "not reproduced"
    return Judged(claim, verdict, gap, agreeing)


def judge_all(folder: Path = results.EXPERIMENTS) -> list[Judged]:
    """Every claim, in the order of the file."""
    return [judge_claim(claim, folder) for claim in read_claims(folder)]


def claims_table(judged: Sequence[Judged]) -> str:
    """The table: the claim, the printed numbers, our difference with its interval, the verdict."""
    lines = [["claim", "source", "metric", "printed", "here: difference [95 % interval]", "verdict"]]
    lines.append(["---"] * len(lines[0]))
    for one in judged:
        c = one.claim
        metric = c.metric + (", doublings from 1" if c.expect == "nearer" else "")
        note = f"; {c.note}" if c.note else ""
        lines.append([c.claim, c.source, metric, _printed(c), _ours(one), f"**{one.verdict}**{note}"])
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    counted = ", ".join(f"{n} {name}" for name, n in count(judged).items() if n)
    decided = sum(one.verdict in DECIDED for one in judged)
    holm, hochberg = standing_together(judged)
    together = (
        f"Each verdict is tested alone at {CONFIDENCE:.0%}, over seeds; the people of a seed are the same in all arms, "
        f"and no interval is over people. Tested together, of the {decided} decided ones {holm} stay decided under "
        f"Holm's correction (no false one among all, with {CONFIDENCE:.0%}) and {hochberg} under Benjamini and "
        f"Hochberg's (at most {1 - CONFIDENCE:.0%} false ones expected among them)."
    )
    return f"{table}\n\n{len(judged)} claims: {counted}.\n\n{together}\n"


def standing_together(judged: Sequence[Judged]) -> tuple[int, int]:
    """How many claims are decided when all that have a number are tested together: by Holm, by Benjamini-Hochberg."""
    p = np.sort([one.difference.p for one in judged if one.difference is not None])
    if not len(p):
        return 0, 0
    level = 1 - CONFIDENCE
    passing = p <= level / np.arange(len(p), 0, -1)  # Holm: the k-th smallest of m against level / (m - k + 1)
    holm = len(p) if passing.all() else int(passing.argmin())
    return holm, int((false_discovery_control(p) <= level).sum())


def count(judged: Sequence[Judged]) -> Mapping[str, int]:
    """How many claims have each verdict."""
    return {name: sum(one.verdict == name for one in judged) for name in VERDICTS}


def _printed(claim: Claim) -> str:
    if claim.printed is None or None in claim.printed:
        return "in words"
    ours, beside = claim.printed
    return f"{ours:g} against {beside:g}"


def _ours(one: Judged) -> str:
    d = one.difference
    if d is None:
        return ""
    agree = f", {one.agreeing} of {d.seeds} seeds agree" if one.verdict == "undecided" else f", {d.seeds} seeds"
    return f"{d}{agree}"


def _doublings(ratio: float) -> float:
    """How many times a ratio would have to be doubled, or halved, to be 1; NaN where it has no logarithm."""
    return abs(math.log2(ratio)) if ratio > 0 else math.nan
