"""Sweeps: a notebook run many times with other parameters and seeds, side by side, and a table of what came out.

    posekit sweep NOTEBOOK.ipynb -p size=64,128 --seeds 0,1,2 --jobs 2

writes out/sweeps/NAME/run-000.ipynb, ... (each the executed notebook, to be opened and read) and table.csv, one row
for each run: parameters, status, seconds, and the numbers that the notebook recorded (`posekit.sweeps.recorded`), and
summary.csv, their means over the seeds with intervals, which are printed too.

- Unknown parameters, and values of the wrong kind or out of range, are refused before anything runs.
- Equal runs are one run.
- Every run has a limit of time; a run that fails or passes it is in the table, and its notebook shows where.
- The same command goes on where it stopped: a finished run of the same notebook with the same parameters is kept.
- The table holds what is asked for now; runs of other values stay in the folder and come back when they are asked for.
- Runs are joblib tasks: processes here, or a Dask or Ray cluster by the name of the backend.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from posekit.sweeps.code_version import code_version
from posekit.sweeps.experiment import Experiment, Value
from posekit.sweeps.one_run import run_one
from posekit.sweeps.parameters import check_parameters
from posekit.sweeps.summary import CONFIDENCE, over_seeds, setting_in_words, summary_lines, write_summary
from posekit.sweeps.table import SweepRun, finished, write_run_table
from posekit.util.errors import InputError
from posekit.util.files import alone_in
from posekit.util.reading import read_json
from posekit.util.workers import end_with, replaced_in_silence

OUT = Path("out/sweeps")


def sweep(experiment: Experiment, out: Path = OUT, *, say=print) -> dict[Path, list[SweepRun]]:
    """Run an experiment; returns the rows of each notebook's table by the path of the table.

    say: called with a line of text as each run ends.  Raises InputError before running anything where a parameter is
    unknown or has a value of the wrong kind or out of range.
    """
    tables = {}
    plans = [(path, _plan(experiment, path, out)) for path in experiment.notebooks]  # all checks before any run
    for notebook, (folder, version, tasks) in plans:
        folder.mkdir(parents=True, exist_ok=True)
        done = len(experiment.combinations()) - len(tasks)
        say(f"{notebook.stem}: {len(tasks)} runs, {done} already done, into {folder}")
        if repeats := experiment.repeats():
            say(
                f"  {repeats} of the runs asked for {'equals' if repeats == 1 else 'equal'} another and "
                f"{'is' if repeats == 1 else 'are'} left out"
            )
        older = [row.run for row in finished(folder, version) if row.library != code_version()]
        if older:
            say(f"  of other code: {', '.join(older)}; delete them where the change matters")
        try:
            with alone_in(folder):  # a second sweep would take the same names for its runs
                for row in _in_parallel(experiment, notebook, version, tasks):
                    say(f"  {row.run}  {row.status:7}  {row.seconds:6.1f} s  {setting_in_words(row.parameters)}")
        finally:
            asked = {_key(parameters) for parameters in experiment.combinations()}  # not what was asked before
            rows = [row for row in finished(folder, version) if _key(row.parameters) in asked]
            write_run_table(folder / "table.csv", rows, list(experiment.values()))
            summary = over_seeds(rows, list(experiment.values()))
            write_summary(folder / "summary.csv", summary)
        if summary:
            say(f"mean and {CONFIDENCE:.0%} interval over seeds:" if experiment.seeds else "recorded:")
            for line in summary_lines(summary):
                say(line)
        tables[folder / "table.csv"] = rows
    return tables


def checked_sweep(experiment: Experiment, out: Path = OUT, *, say=print) -> str:
    """Run, and return where the tables are; InputError with the failed runs, if any failed."""
    tables = sweep(experiment, out, say=say)
    failed = [
        f"{table.parent / row.run} ({row.status}; {setting_in_words(row.parameters)}): {row.error}"
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


def checked_sweeps(experiments: Sequence[Experiment], out: Path = OUT, *, say=print) -> str:
    """`checked_sweep` of one after the other; what fails in one is said at the end and does not stop the others.

    All are checked before the first one runs.
    """
    for experiment in experiments:
        for path in experiment.notebooks:
            _plan(experiment, path, out)
    written, failures = [], []
    for experiment in experiments:
        try:
            written.append(checked_sweep(experiment, out, say=say))
        except InputError as error:
            if len(experiments) == 1:
                raise
            failures.append(str(error))
            say(str(error))
    if failures:
        raise InputError(f"{len(failures)} of {len(experiments)} experiments failed:\n" + "\n".join(failures))
    return "\n".join(written)


def _plan(experiment: Experiment, notebook: Path, out: Path):
    """Folder, version of the notebook, and the runs that are not finished yet: (file, parameters)."""
    grid = experiment.values() | ({"seed": list(experiment.seeds)} if experiment.seeds else {})
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
    cells = read_json(notebook).get("cells", [])
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha1("\n# %%\n".join(code).encode()).hexdigest()[:12]


def _key(parameters: dict[str, Value]) -> str:
    return json.dumps(parameters, sort_keys=True)


def _in_parallel(experiment: Experiment, notebook: Path, version: str, tasks: list):
    """Yield the rows as their runs end."""
    from joblib import Parallel, delayed, parallel_config

    calls = [(str(notebook.resolve()), str(file.resolve()), p, version, experiment.timeout) for file, p in tasks]
    if experiment.jobs == 1 and experiment.backend == "loky":
        for call in calls:  # in this process: nothing to start
            yield run_one(*call)
        return
    pool = {"backend": experiment.backend, "n_jobs": experiment.jobs}
    with _cluster(experiment), replaced_in_silence(), parallel_config(**pool):
        yield from Parallel(return_as="generator_unordered")(
            delayed(_run_in_worker)(os.getpid() if experiment.backend == "loky" else None, *call) for call in calls
        )


def _run_in_worker(parent: int | None, *call: Any) -> SweepRun:
    if parent is not None:  # else the worker may be a child of another program, on another machine
        end_with(parent)
    return run_one(*call)


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
