"""Sweeps: a notebook run many times with other parameters and seeds, side by side, and a table of what came out.

    posekit sweep notebooks/02_scatter_rasterization.ipynb -p size=64,128 --seeds 0,1,2 --jobs 2

writes out/sweeps/NAME/run-000.ipynb, ... (each the executed notebook, to be opened and read) and table.csv, one row
for each run: parameters, status, seconds, and the numbers that the notebook recorded (`posekit_lab.record`).

- Unknown parameters are refused before anything runs.
- Every run has a limit of time; a run that fails or passes it is in the table, and its notebook shows where.
- The same command goes on where it stopped: a finished run of the same notebook with the same parameters is kept.
- The table holds what is asked for now; runs of other values stay in the folder and come back when they are asked for.
- Runs are joblib tasks: processes here, or a Dask or Ray cluster by the name of the backend.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posekit.sweeps import recorded
from posekit.sweeps.experiment import Experiment, Scalar
from posekit.sweeps.kernels import kernel_environment, poll_in_slices, skip_slow_grammar
from posekit.util.errors import InputError
from posekit.util.files import alone_in, write_text

OUT = Path("out/sweeps")
KINDS = {"int": (int,), "float": (float, int), "bool": (bool,), "str": (str,)}


@dataclass(frozen=True)
class Row:
    """One run as the table shows it.  status: "ok", "failed" or "timeout"."""

    run: str  # file name of its notebook
    parameters: dict[str, Scalar]
    status: str
    seconds: float
    values: dict[str, Scalar]
    error: str = ""
    library: str = ""  # a hash of posekit's code that the run used


def sweep(experiment: Experiment, out: Path = OUT, *, say=print) -> dict[Path, list[Row]]:
    """Run an experiment; returns the rows of each notebook's table by the path of the table.

    say: called with a line of text as each run ends.  Raises InputError before running anything where a parameter is
    unknown or has a value of the wrong kind.
    """
    tables = {}
    plans = [(path, _plan(experiment, path, out)) for path in experiment.notebooks]  # all checks before any run
    for notebook, (folder, version, tasks) in plans:
        folder.mkdir(parents=True, exist_ok=True)
        done = len(experiment.combinations()) - len(tasks)
        say(f"{notebook.stem}: {len(tasks)} runs, {done} already done, into {folder}")
        older = [row.run for row in finished(folder, version) if row.library != library_version()]
        if older:
            say(f"  of other code of posekit: {', '.join(older)}; delete them where the change matters")
        try:
            with alone_in(folder):  # a second sweep would take the same names for its runs
                for row in _in_parallel(experiment, notebook, version, tasks):
                    say(f"  {row.run}  {row.status:7}  {row.seconds:6.1f} s  {_in_words(row.parameters)}")
        finally:
            asked = {_key(parameters) for parameters in experiment.combinations()}  # not what was asked before
            rows = [row for row in finished(folder, version) if _key(row.parameters) in asked]
            write_table(folder / "table.csv", rows, list(experiment.parameters))
        tables[folder / "table.csv"] = rows
    return tables


def checked_sweep(experiment: Experiment, out: Path = OUT, *, say=print) -> str:
    """Run, and return where the tables are; InputError with the failed runs, if any failed."""
    tables = sweep(experiment, out, say=say)
    failed = [
        f"{table.parent / row.run} ({row.status}; {_in_words(row.parameters)}): {row.error}"
        for table, rows in tables.items()
        for row in rows
        if row.status != "ok"
    ]
    written = "\n".join(f"table: {table}" for table in tables)
    if failed:
        total = len(experiment.combinations()) * len(tables)
        raise InputError(
            f"{len(failed)} of {total} runs failed; their notebooks show where:\n" + "\n".join([*failed, written])
        )
    return written


# ---------------------------------------------------------------------------------------------------- before running


def known_parameters(notebook: Path) -> dict[str, str]:
    """The parameters of a notebook and their kinds ("int", "float", ...; "" where unknown)."""
    skip_slow_grammar()
    try:
        import nbformat
        import papermill
    except ImportError:
        raise InputError('Sweeps need papermill: pip install "posekit[notebooks]".') from None
    try:
        found = papermill.inspect_notebook(str(notebook))
    except (ValueError, LookupError, TypeError, AttributeError, nbformat.ValidationError) as error:  # no notebook
        raise InputError(f"{notebook} cannot be run: {_one_line(str(error))}") from None
    return {name: _kind(entry) for name, entry in found.items()}


def check_parameters(notebook: Path, parameters: dict[str, list[Scalar]]) -> None:
    """InputError for a parameter that the notebook does not have, or a value of another kind than its own."""
    known = known_parameters(notebook)
    for name, values in parameters.items():
        if name not in known:
            there = f"it has {', '.join(known)}" if known else "it has no cell tagged `parameters`"
            raise InputError(f"{notebook.name} has no parameter {name!r}; {there}.")
        wanted = KINDS.get(known[name])
        for value in values:
            if wanted and (not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)):
                raise InputError(f"The parameter {name} of {notebook.name} is of kind {known[name]}, got {value!r}.")


def _kind(entry: dict[str, Any]) -> str:
    named = str(entry.get("inferred_type_name", ""))
    return named if named in KINDS else ""


def _plan(experiment: Experiment, notebook: Path, out: Path):
    """Folder, version of the notebook, and the runs that are not finished yet: (file, parameters)."""
    grid = dict(experiment.parameters) | ({"seed": list(experiment.seeds)} if experiment.seeds else {})
    check_parameters(notebook, grid)
    name = experiment.name or notebook.stem
    folder = out / name / notebook.stem if experiment.name and len(experiment.notebooks) > 1 else out / name
    version = _version(notebook)
    kept = {_key(row.parameters): row for row in finished(folder, version)}
    taken = {path.name for path in folder.glob("run-*.ipynb")}
    free = (f"run-{n:03d}.ipynb" for n in range(10**6))
    tasks = []
    for parameters in experiment.combinations():
        row = kept.get(_key(parameters))
        if row is not None and row.status == "ok":
            continue
        file = row.run if row is not None else next(name for name in free if name not in taken)
        tasks.append((folder / file, parameters))
    return folder, version, tasks


def _version(notebook: Path) -> str:
    """A hash of the notebook's code: results of other code are not results of this notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8")).get("cells", [])
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha1("\n# %%\n".join(code).encode()).hexdigest()[:12]


def library_version() -> str:
    """A hash of posekit's code as it is on the disk now: a sweep takes hours, and every run starts a new kernel."""
    digest = hashlib.sha1()
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _key(parameters: dict[str, Scalar]) -> str:
    return json.dumps(parameters, sort_keys=True)


# ------------------------------------------------------------------------------------------------------------ running


def _in_parallel(experiment: Experiment, notebook: Path, version: str, tasks: list):
    """Yield the rows as their runs end."""
    from joblib import Parallel, delayed, parallel_config

    calls = [(str(notebook.resolve()), str(file.resolve()), p, version, experiment.timeout) for file, p in tasks]
    if experiment.jobs == 1 and experiment.backend == "loky":
        for call in calls:  # in this process: nothing to start
            yield run_one(*call)
        return
    with _cluster(experiment), parallel_config(backend=experiment.backend, n_jobs=experiment.jobs):
        yield from Parallel(return_as="generator_unordered")(delayed(run_one)(*call) for call in calls)


@contextmanager
def _cluster(experiment: Experiment):
    """For the backend "dask": a client of the scheduler at ``address``, or of a small one on this machine; "ray" is
    made known to joblib."""
    if experiment.backend == "ray":
        try:
            from ray.util.joblib import register_ray
        except ImportError:
            raise InputError('The backend "ray" needs the package ray: pip install ray.') from None
        register_ray()  # joblib does not know it by itself
    if experiment.backend != "dask":
        yield
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError('The backend "dask" needs the package distributed: pip install distributed.') from None
    if experiment.address:
        with Client(experiment.address):
            yield
    else:
        local = {"n_workers": experiment.jobs, "threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
        with LocalCluster(**local) as cluster, Client(cluster):
            yield


def run_one(notebook: str, file: str, parameters: dict[str, Scalar], version: str, timeout: float) -> Row:
    """One run, from start to its file; never raises for what the notebook does.  A task for any process."""
    skip_slow_grammar()
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    poll_in_slices()
    path = Path(file)
    partial = path.with_name(f".{path.stem}.partial.ipynb")
    begin, library = time.monotonic(), library_version()
    status, error = "ok", ""
    try:
        with kernel_environment(threads=1):
            papermill.execute_notebook(
                notebook,
                str(partial),
                parameters=parameters,
                kernel_name="python3",
                progress_bar=False,
                cwd=str(Path(notebook).parent),
                extra_arguments=["--IPKernelApp.log_level=CRITICAL"],  # else every kernel warns about TCP
                # nbclient asks this before each cell: what is left of the time of the whole run.
                timeout_func=lambda _cell: max(1.0, timeout - (time.monotonic() - begin)),
            )
    except papermill.PapermillExecutionError as failure:
        status, error = "failed", f"{failure.ename}: {failure.evalue}"
    except CellTimeoutError:
        status, error = "timeout", f"longer than {timeout:g} s"
    except DeadKernelError:
        status, error = "failed", "the kernel died (memory?)"
    seconds = time.monotonic() - begin
    result = nbformat.read(str(partial), as_version=4)
    row = Row(path.name, parameters, status, round(seconds, 2), recorded.values(result), _one_line(error), library)
    result.metadata["posekit_sweep"] = {
        "version": version,
        "parameters": parameters,
        "status": status,
        "seconds": row.seconds,
        "error": row.error,
        "library": row.library,
    }
    nbformat.write(result, str(partial))
    os.replace(partial, path)
    return row


# -------------------------------------------------------------------------------------------------------------- table


def finished(folder: Path, version: str) -> list[Row]:
    """The rows of the runs in a folder that were made from this version of the notebook, in order."""
    skip_slow_grammar()
    import nbformat

    rows = []
    for path in sorted(folder.glob("run-*.ipynb")):
        notebook = nbformat.read(str(path), as_version=4)
        about = notebook.metadata.get("posekit_sweep", {})
        if about.get("version") == version:
            values = recorded.values(notebook)
            said = (about.get("error", ""), about.get("library", ""))
            rows.append(Row(path.name, dict(about.parameters), about.status, about.seconds, values, *said))
    return rows


def write_table(path: Path, rows: list[Row], first: list[str]) -> None:
    """table.csv: run, parameters (``first`` first), status, seconds, recorded values, error; whole or not at all."""
    parameters = list(dict.fromkeys(first + [name for row in rows for name in row.parameters]))
    values = list(dict.fromkeys(name for row in rows for name in row.values))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", *parameters, "status", "seconds", *values, "library", "error"])
    for row in rows:
        writer.writerow(
            [row.run]
            + [row.parameters.get(name, "") for name in parameters]
            + [row.status, row.seconds]
            + [row.values.get(name, "") for name in values]
            + [row.library, row.error]
        )
    write_text(path, text.getvalue())


def _in_words(parameters: dict[str, Scalar]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items()) or "as written"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
