"""Every row of every table that the papers print: which claim decides it, or why none does.

`experiments/printed.yaml` holds the tables as data.  A comparison is one column of one row, beside the reference row.
It belongs to a claim of ``claims.yaml`` that names the table as its source, has the same two printed numbers, in either
order, and measures what the column says; by LPIPS, whose network is not in the package, a claim by the perceptual
distance does too, and says so.  What has no claim has a reason.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from posekit.util.errors import InputError
from posekit_lab import results
from posekit_lab.claims import VERDICTS, Claim, Judged, count

_STANDS_FOR = {"lpips": ("lpips", "perceptual"), "lpips_alex": ("lpips", "perceptual")}  # column -> metrics
KINDS = ("ablation", "rivals", "study", "architecture", "other")


@dataclass(frozen=True)
class Comparison:
    """One number of a printed table beside the reference's; ``reference`` is None in a study of pairs.

    judged: the claims that decide it.  reason: why there is none.
    """

    paper: str
    table: str
    row: str
    column: str
    number: float
    reference: float | None
    judged: list[Judged] = field(default_factory=list)
    reason: str = ""


def read_printed(folder: Path = results.EXPERIMENTS) -> dict[str, Any]:
    """``printed.yaml``: its reasons and tables; InputError where it is not as its head says."""
    path = folder / "printed.yaml"
    try:
        printed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    for table in printed["tables"]:
        name = f"{table['paper']}, {table['table']}"
        if table["kind"] not in KINDS:
            raise InputError(f"{path}: the kind of {name} is one of {', '.join(KINDS)}, got {table['kind']!r}.")
        strange = [column for row in table["rows"].values() for column in row if column not in table["columns"]]
        left = [entry for entry in table.get("unclaimed", ()) if entry["because"] not in printed["reasons"]]
        left += [
            entry
            for entry in table.get("unclaimed", ())
            if not set(entry.get("rows", ())) <= set(table["rows"])
            or not set(entry.get("columns", ())) <= set(table["columns"])
        ]
        if strange or left:
            raise InputError(f"{path}: {name} names what it does not have: {strange or left}.")
    return printed


def comparisons(printed: Mapping[str, Any], judged: Sequence[Judged]) -> list[Comparison]:
    """Every printed comparison with its claims or its reason; InputError where it has neither."""
    made = []
    for table in printed["tables"]:
        own = [one for one in judged if f"{table['paper']}, {table['table']}" in _sources(one.claim)]
        reference = table["rows"].get(table.get("reference"))
        for row, numbers in table["rows"].items():
            if row == table.get("reference"):
                continue
            for column, number in numbers.items():
                if reference is not None and column not in reference:
                    continue
                beside = None if reference is None else reference[column]
                fits = [one for one in own if beside is not None and _is_about(one.claim, column, {beside, number})]
                reason = "" if fits else _reason(printed["reasons"], table, row, column)
                made.append(Comparison(table["paper"], table["table"], row, column, number, beside, fits, reason))
    return made


def unused(printed: Mapping[str, Any], judged: Sequence[Judged]) -> list[Judged]:
    """Claims with printed numbers that no printed comparison has: a slip of the pen in one of the files."""
    used = {id(one) for comparison in comparisons(printed, judged) for one in comparison.judged}
    pairs = {frozenset(pair) for pair in _pairs(printed)}
    return [
        one
        for one in judged
        if one.claim.printed is not None and id(one) not in used and frozenset(one.claim.printed) not in pairs
    ]


def verdict_of(comparison: Comparison) -> str:
    """One word for a comparison: that of its claims, the most decided first; "no claim" without any."""
    verdicts = [one.verdict for one in comparison.judged]
    return next((verdict for verdict in VERDICTS if verdict in verdicts), "no claim")


def account_page(printed: Mapping[str, Any], judged: Sequence[Judged]) -> str:
    """The page: papers by verdicts, then every row of every table, then the claims in words."""
    made = comparisons(printed, judged)
    papers = list(dict.fromkeys(table["paper"] for table in printed["tables"]))
    names = (*VERDICTS, "no claim")
    lines = [["printed comparisons", *names, "all"]]
    for paper in papers:
        verdicts = [verdict_of(one) for one in made if one.paper == paper]
        lines.append([paper, *(str(verdicts.count(name)) for name in names), str(len(verdicts))])
    lines.append(["**all**", *(str(sum(verdict_of(o) == name for o in made)) for name in names), str(len(made))])
    words = [one for one in judged if one.claim.printed is None]
    said = ", ".join(f"{n} {name}" for name, n in count(words).items() if n)
    parts = [_markdown(lines), f"Beside these, {len(words)} claims that the papers make in words: {said}."]
    for paper in papers:
        parts.append(f"## {paper}")
        for table in printed["tables"]:
            if table["paper"] == paper:
                parts += _of_table(table, [o for o in made if (o.paper, o.table) == (paper, table["table"])])
        own = [one for one in words if any(source.startswith(paper) for source in _sources(one.claim))]
        if own:
            rows = [[one.claim.claim, one.claim.source, _verdict(one)] for one in own]
            parts += ["### In words", _markdown([["claim", "where", "here"], *rows])]
    return "\n\n".join(parts) + "\n"


def _of_table(table: Mapping[str, Any], made: Sequence[Comparison]) -> list[str]:
    """Heading, what it is about, a row for each printed row, and what is unclear."""
    parts = [f"### {table['table']}", table["about"]]
    if made:
        rows = []
        for row, group in itertools.groupby(made, key=lambda one: one.row):
            for column, one in ((one.column, one) for one in group):
                here = "; ".join(map(_verdict, one.judged)) or one.reason
                beside = f"{one.number:g}" if one.reference is None else f"{one.reference:g} against {one.number:g}"
                rows.append([row, column, beside, here])
        parts.append(_markdown([[f"*{table['reference']}* against", "", "printed", "here"], *rows]))
    return parts + ([f"*Unclear:* {table['doubt']}"] if table.get("doubt") else [])


def _verdict(one: Judged) -> str:
    """The verdict, by which metric where it is another, the interval, and where its runs are."""
    by = "by the perceptual distance, " if one.claim.measure == "perceptual" else ""
    runs = " and ".join(f"[{name}](../experiments/{_file(name)})" for name in one.claim.results)
    interval = "" if one.difference is None else f" {one.difference},"
    return f"**{one.verdict}** ({by}{interval.strip()} {runs})".replace("( ", "(")


def _file(name: str) -> str:
    return "results/compare/evaluation.json" if name == "compare" else f"{name}.yaml"


def _sources(claim: Claim) -> list[str]:
    return [source.strip() for source in claim.source.split(";")]


def _is_about(claim: Claim, column: str, numbers: set[float]) -> bool:
    return (
        claim.measure in _STANDS_FOR.get(column, (column,))
        and claim.printed is not None
        and set(claim.printed) == numbers
    )


def _reason(reasons: Mapping[str, str], table: Mapping[str, Any], row: str, column: str) -> str:
    for entry in table.get("unclaimed", ()):
        if row in entry.get("rows", [row]) and column in entry.get("columns", [column]):
            return reasons[entry["because"]]
    raise InputError(
        f"{table['paper']}, {table['table']}: {column} of {row!r} has neither a claim in claims.yaml nor a reason in "
        "printed.yaml; add one."
    )


def _pairs(printed: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Any two numbers of one column of a table."""
    for table in printed["tables"]:
        for column in table["columns"]:
            numbers = [row[column] for row in table["rows"].values() if column in row]
            yield from itertools.combinations(numbers, 2)
            yield from ((n, n) for n in numbers)


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    head, *rows = lines
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rows])
