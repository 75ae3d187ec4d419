"""One run of a notebook with given parameters, in a kernel of its own; a task for any process."""

import os
import time
from pathlib import Path

from posekit.sweeps.code_version import code_version
from posekit.sweeps.experiment import Value
from posekit.sweeps.kernels import kernel_environment, poll_in_slices, skip_slow_grammar
from posekit.sweeps.recorded import recorded_values
from posekit.sweeps.table import SweepRun
from posekit.util.files import to_disk


def run_one(notebook: str, file: str, parameters: dict[str, Value], version: str, timeout: float) -> SweepRun:
    """One run, from start to its file; never raises for what the notebook does.  A task for any process."""
    skip_slow_grammar()
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    poll_in_slices()
    path = Path(file)
    partial = path.with_name(f".{path.stem}.partial.ipynb")
    partial.unlink(missing_ok=True)  # a link is not followed
    begin, library = time.monotonic(), code_version()
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
    row = SweepRun(
        path.name,
        parameters,
        status,
        round(seconds, 2),
        recorded_values(result),
        " ".join(error.split())[:300],
        library,
    )
    result.metadata["posekit_sweep"] = {
        "version": version,
        "parameters": parameters,
        "status": status,
        "seconds": row.seconds,
        "error": row.error,
        "library": row.library,
    }
    nbformat.write(result, str(partial))
    to_disk(partial)  # else a machine that loses power may keep the name of a run and nothing of it
    os.replace(partial, path)
    return row
