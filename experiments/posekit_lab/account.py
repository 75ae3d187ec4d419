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
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from posekit.evaluation.study_presets import PRESETS
from posekit.util.errors import InputError
from posekit_lab import results
from posekit_lab.claims import COMPARISON, VERDICTS, Claim, Judged, count
from posekit_lab.pictures import BLUE, GREY, ORANGE, new_figure

_STANDS_FOR = {"lpips": ("lpips", "perceptual"), "lpips_alex": ("lpips", "perceptual")}  # column -> metrics
COLOURS = {"reproduced": BLUE, "not reproduced": ORANGE, "no difference": "#009E73", "undecided": GREY}
KINDS = ("ablation", "rivals", "study", "architecture", "other")


@dataclass(frozen=True)
class Printed:
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
        if unknown := set(table.get("presets", ())) - set(PRESETS):
            raise InputError(f"{path}: {name} names studies that are not there: {', '.join(sorted(unknown))}.")
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


def comparisons(printed: Mapping[str, Any], judged: Sequence[Judged]) -> list[Printed]:
    """Every printed comparison with its claims or its reason; InputError where it has neither."""
    made = []
    for table in printed["tables"]:
        own = [one for one in judged if f"{table['paper']}, {table['table']}" in _sources(one.claim)]
        _check_rows(table, own)
        reference = table["rows"].get(table.get("reference"))
        for row, numbers in table["rows"].items():
            if row == table.get("reference"):
                continue
            for column, number in numbers.items():
                if reference is not None and column not in reference:
                    continue
                beside = None if reference is None else reference[column]
                fits = [] if beside is None else [o for o in own if _is_about(o.claim, row, column, {beside, number})]
                reason = "" if fits else _reason(printed["reasons"], table, row, column)
                made.append(Printed(table["paper"], table["table"], row, column, number, beside, fits, reason))
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


def _verdict_of(comparison: Printed) -> str:
    """One word for a comparison: the verdict of its claim by the column's own measure; "no claim" without any."""
    own = [one for one in comparison.judged if one.claim.measure in (comparison.column, "lpips")]
    verdicts = [one.verdict for one in own] or ["not measured"] * bool(comparison.judged)
    return next((verdict for verdict in VERDICTS if verdict in verdicts), "no claim")


def account_page(printed: Mapping[str, Any], judged: Sequence[Judged]) -> str:
    """The page: papers by verdicts, then every row of every table, then the claims in words."""
    made = comparisons(printed, judged)
    papers = list(dict.fromkeys(table["paper"] for table in printed["tables"]))
    names = (*VERDICTS, "no claim")
    lines = [["printed comparisons", *names, "all"]]
    for paper in papers:
        verdicts = [_verdict_of(one) for one in made if one.paper == paper]
        lines.append([paper, *(str(verdicts.count(name)) for name in names), str(len(verdicts))])
    lines.append(["**all**", *(str(sum(_verdict_of(o) == name for o in made)) for name in names), str(len(made))])
    words = [one for one in judged if one.claim.printed is None]
    said = ", ".join(f"{n} {name}" for name, n in count(words).items() if n)
    parts = [
        _markdown(lines),
        "Two comparisons are printed twice (keypoints against DensePose, Dense Pose Transfer's Tables 3 and 7), and "
        "counted twice. Where LPIPS is printed, and the perceptual distance stands in for it, the row counts as not "
        f"measured. Beside these, {len(words)} claims that the papers make in words: {said}.",
    ]
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


def draw_account(judged: Sequence[Judged]) -> Figure:
    """Printed difference against ours, a panel for each paper: above 0 as printed, on the dotted line by as much."""
    drawn = [one for one in judged if one.claim.printed_difference and one.difference is not None]
    drawn = [one for one in drawn if one.claim.expect != "nearer"]
    papers = list(dict.fromkeys(_sources(one.claim)[0].split(",")[0] for one in drawn))
    figure, (axes,) = new_figure(3.4 * len(papers), 3.9, 1, len(papers), kind=Figure)
    for axis, paper in zip(axes, papers, strict=True):
        ticks = (-0.3, -0.1, -0.03, -0.01, 0, 0.01, 0.03, 0.1, 0.3)
        for which in (axis.set_xscale, axis.set_yscale):
            which("symlog", linthresh=0.01)
        axis.axhline(0, color="black", linewidth=0.8)
        axis.plot((0, 0.5), (0, 0.5), ":", color=GREY)
        for one in drawn:
            if not one.claim.source.startswith(paper):
                continue
            sign = 1 if one.claim.expect == "higher" else -1
            d, colour = one.difference, COLOURS[one.verdict]
            ends = sorted((sign * d.low, sign * d.high))
            x = abs(one.claim.printed_difference)
            axis.plot((x, x), ends, color=colour, linewidth=1.2)
            axis.plot(x, sign * d.mean, "o", color=colour, markersize=5)
        axis.set(xlim=(0, 0.5), ylim=(-0.5, 0.5), title=paper, xlabel="printed difference")
        for which in (axis.xaxis, axis.yaxis):
            which.set_ticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=8, minor=False)
            which.set_ticks([], minor=True)
        axis.set_xlim(0, 0.5)
        axis.tick_params(axis="x", labelrotation=60)
    axes[0].set_ylabel("here, above 0: as printed")
    lines = [Line2D([], [], marker="o", color=colour, label=name) for name, colour in COLOURS.items()]
    lines.append(Line2D([], [], linestyle=":", color=GREY, label="as much as printed"))
    figure.legend(handles=lines, loc="outside lower center", ncol=len(lines), fontsize=9, frameon=False)
    return figure


def _of_table(table: Mapping[str, Any], made: Sequence[Printed]) -> list[str]:
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
    if table["kind"] == "architecture":
        parts.append("Built as printed where the print allows it; [readings](readings.md) says what was decided.")
    if table.get("presets"):
        asked = ", ".join(f"`posekit study {name}`" for name in table["presets"])
        parts.append(f"Ask it yourself: {asked}.")
    return parts + ([f"*Unclear:* {table['doubt']}"] if table.get("doubt") else [])


def _verdict(one: Judged) -> str:
    """The verdict, by which metric where it is another, the interval, and where its runs are."""
    by = "by the perceptual distance, " if one.claim.measure == "perceptual" else ""
    interval = "" if one.difference is None else f"{one.difference}, "
    note = f"; *{one.claim.note}*" if one.claim.note else ""
    return f"**{one.verdict}** ({by}{interval}{' and '.join(map(_runs, one.claim.results))}){note}"


def _runs(name: str) -> str:
    """Links to the file that a sweep is run from, and to its figure where it was kept."""
    if name == COMPARISON:
        return "[compare](../experiments/results/compare/evaluation.json)"
    figure = results.RESULTS / f"{name}.png"
    drawn = f", [figure](../experiments/results/{figure.name})" if figure.is_file() else ""
    return f"[{name}](../experiments/{name}.yaml){drawn}"


def _sources(claim: Claim) -> list[str]:
    return [source.strip() for source in claim.source.split(";")]


def _check_rows(table: Mapping[str, Any], judged: Sequence[Judged]) -> None:
    """InputError where a claim could be about several rows, or names one that the table does not have."""
    reference = table["rows"].get(table.get("reference"), {})
    for claim in (one.claim for one in judged if one.claim.printed is not None):
        rows = [
            row
            for row, numbers in table["rows"].items()
            if row != table["reference"]
            and any(_is_about(claim, row, c, {reference.get(c), number}) for c, number in numbers.items())
        ]
        if len(rows) > 1 or (claim.row and claim.row not in table["rows"]):
            raise InputError(
                f"The claim {claim.claim!r} fits {len(rows)} rows of {table['paper']}, {table['table']} "
                f"({', '.join(rows)}); name one as its row."
            )


def _is_about(claim: Claim, row: str, column: str, numbers: set[float | None]) -> bool:
    return claim.row in ("", row) and (
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
