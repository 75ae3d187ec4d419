"""Program for the folder ``experiments``: build its notebooks, keep the tables of its sweeps, draw them.

    python -m posekit_lab.experiments build                    notebooks from their sources, not executed
    posekit sweep experiments/NAME.yaml
    python -m posekit_lab.experiments keep NAME                out/sweeps/NAME/table.csv -> results/NAME.csv
    python -m posekit_lab.experiments draw NAME                results/NAME.png and NAME.md
    python -m posekit_lab.experiments again NAME               what a sweep that was run again says of the claims
    python -m posekit_lab.experiments claims                   what the papers say, our verdicts: results/claims.md and
                                                               claims.png, docs/verdicts.md
    python -m posekit_lab.experiments curve                    results/training_curve.png: the shipped log, drawn

What is drawn is written in ``experiments/figures.yaml``, one entry for each NAME:

    tables    kept tables to show together
    along     the parameter on the horizontal axis; without it, arms stand side by side
    arms      what `arm` was recorded -> name to show
    metrics   what was recorded -> title of its panel
    title     of the figure
    beside    an arm; the table then also shows how much the others differ from it, with intervals over the seeds
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from posekit.reference import reference_log
from posekit.util.errors import InputError
from posekit.util.files import whole_file, write_text
from posekit_lab import account, claims, differences, notebooks, results, source
from posekit_lab.pictures import draw_curves
from posekit_lab.runtimes import between_markers

OUT = Path("out/sweeps")
PAGE = source.ROOT / "docs" / "verdicts.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def experiment_problems(folder: Path = results.EXPERIMENTS) -> list[str]:
    """One sentence for every notebook of the folder that is not what its source gives."""
    problems = []
    for script in sorted((folder / "src").glob("*.py")):
        notebook = folder / f"{script.stem}.ipynb"
        if not notebook.is_file() or notebooks.dumps(source.read(script)) != notebook.read_text(encoding="utf-8"):
            problems.append(f"{notebook.name} is not what src/{script.name} gives; build it.")
    known = {path.stem for path in (folder / "src").glob("*.py")}
    return problems + [f"{p.name} has no source." for p in sorted(folder.glob("*.ipynb")) if p.stem not in known]


def _build(folder: Path = results.EXPERIMENTS) -> list[Path]:
    """Write every notebook of the folder from its source, without outputs: sweeps execute copies."""
    scripts = sorted((folder / "src").glob("*.py"))
    return [write_text(folder / f"{s.stem}.ipynb", notebooks.dumps(source.read(s))) for s in scripts]


def figure_of(name: str, folder: Path = results.EXPERIMENTS) -> dict[str, Any]:
    """The entry of ``figures.yaml`` for one experiment; InputError where it is missing or incomplete."""
    path = folder / "figures.yaml"
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(entries, dict) or name not in entries:
        raise InputError(f"{path} has no entry {name!r}; it has: {', '.join(map(str, entries or ())) or 'none'}.")
    entry = {"along": None, "title": "", "beside": None, **entries[name]}
    kinds = {"tables": list, "arms": dict, "metrics": dict, "title": str}
    kinds |= {"along": (str, type(None)), "beside": (str, type(None))}
    for key in (*kinds, *entry):
        if key not in kinds or not isinstance(entry.get(key), kinds[key]):
            optional = "along, title, beside"
            raise InputError(f"{path}: the entry {name!r} needs tables, arms and metrics ({optional}); see {key!r}.")
    return entry


def draw_experiment(name: str, folder: Path = results.EXPERIMENTS) -> list[Path]:
    """Write the figure and the table of one experiment."""
    entry = figure_of(name, folder)
    rows = results.read_results(*entry["tables"], folder=folder / "results")
    summaries = results.summarise(rows, list(entry["metrics"]), entry["arms"], entry["along"])
    picture, table = (folder / "results" / f"{name}.{kind}" for kind in ("png", "md"))
    with whole_file(picture) as temporary:
        figure = results.draw_summaries(summaries, entry["metrics"], entry["along"], entry["title"])
        figure.savefig(temporary, metadata={"Software": None})
    text = f"# {entry['title']}\n\n{_cost(rows)}" + results.summary_table(summaries, entry["metrics"], entry["along"])
    if entry["beside"]:
        text += "\n" + differences.differences_table(rows, entry["metrics"], entry["arms"], entry["beside"])
    write_text(table, text)
    return [picture, table]


def _cost(rows: Sequence[results.Row]) -> str:
    """How many runs, how long they took, and of which version of the code (`posekit.sweeps.code_version`)."""
    minutes = sum(row.get("seconds", 0.0) for row in rows) / 60
    codes = sorted({str(row.get("library", "")) for row in rows})
    which = [code or "older than this record" for code in codes]
    return (
        f"{len(rows)} runs of one processor core each, {minutes:.0f} minutes one after the other; "
        f"code {' and '.join(which)}.\n\n"
    )


def _write_claims(folder: Path = results.EXPERIMENTS, page: Path = PAGE) -> list[Path]:
    """Write the verdicts on the claims of ``claims.yaml``, their figure, and the page of all printed tables."""
    judged = claims.judge_all(folder)
    text = "# Published claims, and what the experiments here say\n\n" + claims.claims_table(judged)
    written = [write_text(folder / "results" / "claims.md", text)]
    with whole_file(folder / "results" / "claims.png") as temporary:
        account.draw_account(judged).savefig(temporary, format="png", metadata={"Software": None})
    written.append(folder / "results" / "claims.png")
    if (folder / "printed.yaml").is_file():
        table = account.account_page(account.read_printed(folder), judged)
        written.append(write_text(page, between_markers(page.read_text(encoding="utf-8"), table, BEGIN, END)))
    return written


def _judged(name: str, folder: Path) -> set[str]:
    """The metrics of a sweep that a claim is about, or that its figure compares with intervals."""
    judged = set()
    if (folder / "claims.yaml").is_file():
        judged = {claim.metric for claim in claims.read_claims(folder) if name in claim.results}
    if (folder / "figures.yaml").is_file():
        for figure in yaml.safe_load((folder / "figures.yaml").read_text(encoding="utf-8")):
            entry = figure_of(figure, folder)
            judged |= set(entry["metrics"]) if name in entry["tables"] and entry["beside"] else set()
    return judged


def _claims_again(name: str, table: Path, folder: Path = results.EXPERIMENTS) -> str:
    """What a sweep that was run again, with other seeds or on another machine, says of the claims that it judges.

    A line for each of them: the kept difference and verdict, and the new ones.  Of other sweeps that a claim needs the
    kept tables are taken.
    """
    with TemporaryDirectory() as temporary:
        results.keep(table, name, Path(temporary) / "results", _judged(name, folder))
        lines, changed = [], 0
        mine = [claim for claim in claims.read_claims(folder) if name in claim.results]
        for other in {other for claim in mine for other in claim.results} - {name}:
            kept_table = folder / "results" / f"{other}.csv"
            if kept_table.is_file():
                shutil.copy(kept_table, Path(temporary) / "results")
        for claim in mine:
            kept, new = (claims.judge_claim(claim, where) for where in (folder, Path(temporary)))
            changed += kept.verdict != new.verdict
            mark = "CHANGED" if kept.verdict != new.verdict else "same"
            lines.append(
                f"{mark:8}{claim.claim}: {kept.verdict} {kept.difference}, again {new.verdict} {new.difference}"
            )
    if not mine:
        raise InputError(f"No claim is judged by {name}; claims.yaml says which sweeps judge what.")
    return "\n".join([*lines, f"{changed} of {len(mine)} verdicts changed."])


def _draw_curve(folder: Path = results.EXPERIMENTS) -> Path:
    """Draw the log of the training that made the reference weights."""
    records = reference_log("coordinate_inpainting")
    with whole_file(folder / "results" / "training_curve.png") as temporary:
        heading = f"Training of the reference weights: {records[-1]['total_step']:,} steps"
        draw_curves(records, heading=heading).savefig(temporary, format="png", metadata={"Software": None})
    return folder / "results" / "training_curve.png"


def main(arguments: list[str] | None = None, folder: Path = results.EXPERIMENTS, out: Path = OUT) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="posekit_lab.experiments", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="notebooks from their sources")
    commands.add_parser("claims", help="a verdict on every published claim")
    commands.add_parser("curve", help="the log of the reference weights, drawn")
    named = (("keep", "take the table of a sweep as results"), ("draw", "figure and table of results"))
    for command, words in (*named, ("again", "verdicts of a sweep that was run again, beside the kept ones")):
        commands.add_parser(command, help=words).add_argument("name")
    options = parser.parse_args(arguments)
    try:
        if options.command == "build":
            written = _build(folder)
        elif options.command == "claims":
            written = _write_claims(folder)
        elif options.command == "curve":
            written = [_draw_curve(folder)]
        elif options.command == "again":
            written = [_claims_again(options.name, out / options.name / "table.csv", folder)]
        elif options.command == "keep":
            table = out / options.name / "table.csv"
            written = [results.keep(table, options.name, folder / "results", _judged(options.name, folder))]
        else:
            written = draw_experiment(options.name, folder)
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(*written, sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
