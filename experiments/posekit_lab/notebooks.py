"""Build the notebooks from their sources: convert, execute, measure, clean, and check the result.

python -m posekit_lab.notebooks build                 all of them
python -m posekit_lab.notebooks build 02 --no-execute only convert; outputs of unchanged code stay
python -m posekit_lab.notebooks build --check         change nothing; say what is out of date or breaks a rule
python -m posekit_lab.notebooks table README.md       write the table of notebooks between its two markers
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from posekit.sweeps.kernels import NO_NOTEBOOK, skip_slow_grammar
from posekit.util.errors import InputError
from posekit.util.files import write_text
from posekit_lab import runtimes, skeleton
from posekit_lab.alternatives import missing_alternatives, put_alternatives
from posekit_lab.execute import CellFailed, execute
from posekit_lab.source import FOLDER, Header, code_hash, names, put_run_time, read
from posekit_lab.tidy import tidy


def build_notebook(name: str, folder: Path = FOLDER, *, run: bool = True) -> Path:
    """Source -> notebook.  run: execute it now and record time and memory; else keep the outputs that still fit.

    Raises CellFailed when a cell fails, and then leaves the notebook as it was.
    """
    notebook = read(folder / "src" / f"{name}.py")
    header = Header.of(notebook, name)
    path = folder / f"{name}.ipynb"
    if run:
        measured = execute(notebook, folder, timeout=header.timeout, warm_up=header.warm_up)
        runtimes.store(name, measured, folder / "runtimes.json")
        notebook.metadata["posekit"] = {**notebook.metadata["posekit"], "executed": code_hash(notebook)}
    elif path.is_file():
        _keep_outputs(notebook, load_notebook(path))
    tidy(notebook)
    put_alternatives(notebook)
    put_run_time(notebook, runtimes.time_in_words(runtimes.load_runtimes(folder / "runtimes.json").get(name)))
    write_text(path, dumps(notebook))
    return path


def _keep_outputs(new: Any, old: Any) -> None:
    """Give the cells of ``new`` the outputs that cells with the same text have in ``old``."""
    by_id = {cell.id: cell for cell in old.cells if cell.cell_type == "code"}
    for cell in new.cells:
        if cell.cell_type == "code" and cell.id in by_id:
            cell.outputs, cell.execution_count = by_id[cell.id].outputs, by_id[cell.id].execution_count
    executed = old.metadata.get("posekit", {}).get("executed")
    if executed is not None:
        new.metadata["posekit"] = {**new.metadata["posekit"], "executed": executed}


def notebook_problems(name: str, folder: Path = FOLDER) -> list[str]:
    """Everything that is wrong with one notebook: drift from its source, broken rules; empty when all is well."""
    path = folder / f"{name}.ipynb"
    if not path.is_file():
        return [f"{name}.ipynb does not exist; build it."]
    try:
        source = read(folder / "src" / f"{name}.py")
        header = Header.of(source, name)
    except InputError as error:
        return [str(error)]
    notebook = load_notebook(path)
    problems = list(skeleton.missing_parts(notebook, header))
    if not skeleton.run_time_said(source, built=False):
        problems.append("The source does not say {{run_time}} under **Run time**.")
    if not skeleton.run_time_said(notebook, built=True):
        problems.append("The notebook does not say its measured run time; build it.")
    problems += skeleton.bad_outputs(notebook)
    problems += [*skeleton.too_large(path.stat().st_size), *skeleton.long_cells(notebook)]
    problems += [*skeleton.wide_lines(notebook), *skeleton.silent_assertions(notebook)]
    problems += missing_alternatives(notebook)
    measured = runtimes.load_runtimes(folder / "runtimes.json").get(name)
    return [*drift(source, notebook, measured), *problems]


def drift(source: Any, notebook: Any, measured: dict | None):
    """Sentences about every difference between a source (changed: gets the run time) and its notebook."""
    put_run_time(source, runtimes.time_in_words(measured))
    if [c.cell_type for c in source.cells] != [c.cell_type for c in notebook.cells]:
        yield f"Its source has {len(source.cells)} cells in an order that the notebook does not have; build it."
        return
    for number, (wanted, got) in enumerate(zip(source.cells, notebook.cells, strict=True), start=1):
        if wanted.source != got.source:
            yield f"Cell {number} differs from the source; edit the source and build it."
        elif wanted.id != got.id or wanted.metadata != got.metadata:
            yield f"Cell {number} has another id or other metadata than its source gives; build it."
    if notebook.metadata.get("posekit", {}).get("executed") != code_hash(notebook):
        yield "Its outputs come from older code; build it with execution."


def load_notebook(path: str | Path) -> Any:
    """Read a notebook file."""
    skip_slow_grammar()
    import nbformat

    try:
        return nbformat.read(str(path), as_version=4)
    except (*NO_NOTEBOOK, nbformat.ValidationError) as error:
        raise InputError(f"{path} is not a Jupyter notebook: {' '.join(str(error).split())[:200]}") from None


def dumps(notebook: Any) -> str:
    """The text of a notebook file, checked against Jupyter's schema."""
    skip_slow_grammar()
    import nbformat

    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def chosen_notebooks(wanted: list[str], folder: Path = FOLDER) -> list[str]:
    """Names of notebooks from what a user typed: full names, file names or numbers; all when nothing."""
    available = names(folder)
    chosen = []
    for word in wanted:
        stem = Path(word).stem
        matches = [name for name in available if name == stem or name.split("_")[0] == stem]
        if not matches:
            raise InputError(f"There is no notebook {word!r}; there are: {', '.join(available) or 'none'}.")
        chosen += matches
    return chosen or available


def _write_table(readme: Path, folder: Path = FOLDER) -> None:
    """Put the table of notebooks, times and memory between the markers of a markdown file."""
    titles = {name: runtimes.title_and_question(read(folder / "src" / f"{name}.py")) for name in names(folder)}
    inside = runtimes.table(titles, runtimes.load_runtimes(folder / "runtimes.json"))
    if not readme.is_file():
        raise InputError(f"There is no file {readme} to write the table into.")
    write_text(readme, runtimes.between_markers(readme.read_text(encoding="utf-8"), inside))


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="posekit_lab.notebooks", description="Build and check the notebooks.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="convert and execute")
    building.add_argument("names", nargs="*", help="names or numbers; all when none")
    building.add_argument("--no-execute", action="store_true", help="only convert")
    building.add_argument("--check", action="store_true", help="change nothing, report problems")
    commands.add_parser("table", help="write the table of notebooks into a markdown file").add_argument("readme")
    options = parser.parse_args(arguments)
    try:
        if options.command == "table":
            _write_table(Path(options.readme), folder)
            return 0
        failed = 0
        for name in chosen_notebooks(options.names, folder):
            failed += _check(name, folder) if options.check else _build(name, folder, run=not options.no_execute)
        return int(failed > 0)
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _check(name: str, folder: Path) -> int:
    problems = notebook_problems(name, folder)
    for sentence in problems:
        print(f"{name}: {sentence}")
    return len(problems)


def _build(name: str, folder: Path, *, run: bool) -> int:
    try:
        path = build_notebook(name, folder, run=run)
    except CellFailed as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    measured = runtimes.load_runtimes(folder / "runtimes.json").get(name)
    print(f"{name}: {runtimes.time_in_words(measured)}, {path.stat().st_size / 1000:.0f} kB")
    for sentence in notebook_problems(name, folder):
        print(f"    {sentence}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
