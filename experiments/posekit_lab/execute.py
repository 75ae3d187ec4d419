"""Run a notebook in a kernel of its own, with a limit for every cell, and measure it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posekit.sweeps.kernels import kernel_environment, poll_in_slices, skip_slow_grammar
from posekit.util.errors import InputError

WARM_UP_LIMIT = 600  # seconds
# Run in the notebook's kernel after its last cell.  On Linux ru_maxrss also holds what the process that started the
# kernel had used, because it survives exec; VmHWM (kB) does not.  macOS has ru_maxrss (bytes), Windows neither.
PEAK_MEMORY = """
import sys as _sys
try:
    if _sys.platform == "linux":
        with open("/proc/self/status") as _status:
            _peak = next(int(_line.split()[1]) * 1024 for _line in _status if _line.startswith("VmHWM:"))
    else:
        import resource as _resource
        _peak = _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss
except ImportError:
    import psutil as _psutil
    _peak = _psutil.Process().memory_info().peak_wset
print(_peak)
"""


@dataclass(frozen=True)
class Measured:
    """What running a notebook took."""

    seconds: float  # from the first cell to the end of the last; start of the kernel and warm-up not counted
    peak_mib: float  # largest resident memory of the kernel's process
    warm_up_seconds: float
    threads: int


class CellFailed(Exception):
    """A cell raised or ran past its limit; the notebook holds the outputs up to there."""


def execute(
    notebook: Any,
    folder: Path,
    *,
    timeout: int = 300,
    threads: int | None = None,
    allow_errors: bool = False,
    warm_up: str | None = None,
) -> Measured:
    """Run every cell in place, from ``folder`` (relative paths in the notebook start there).

    timeout: seconds that one cell may take.  warm_up: "package.module:function", run before, in its own process.
    Raises CellFailed with the number of the cell and the error, unless ``allow_errors``.
    """
    skip_slow_grammar()
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    poll_in_slices()
    threads = threads or min(2, os.cpu_count() or 1)
    with kernel_environment(threads):
        warm_up_seconds = run_warm_up(warm_up) if warm_up else 0.0
        client = NotebookClient(
            notebook,
            timeout=timeout,
            kernel_name="python3",
            allow_errors=allow_errors,
            store_widget_state=False,
            record_timing=False,
            extra_arguments=["--IPKernelApp.log_level=CRITICAL"],  # else every kernel warns about TCP
            resources={"metadata": {"path": str(folder)}},
        )
        number = 0
        client.reset_execution_trackers()
        with client.setup_kernel():
            begin = time.perf_counter()
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                number += 1
                try:
                    client.execute_cell(cell, index, execution_count=number)
                except CellTimeoutError:
                    raise CellFailed(f"code cell {number} took longer than {timeout} s:\n{_start(cell)}") from None
                except DeadKernelError:
                    raise CellFailed(f"the kernel died in code cell {number} (memory?):\n{_start(cell)}") from None
                except CellExecutionError as error:
                    raise CellFailed(
                        f"code cell {number} raised {error.ename}: {error.evalue}\n{_start(cell)}"
                    ) from None
            seconds = time.perf_counter() - begin
            peak = _peak_memory(client)
    return Measured(seconds, peak, warm_up_seconds, threads)


def run_warm_up(name: str, limit: float = WARM_UP_LIMIT) -> float:
    """Call "package.module:function" in a process of its own, bounded in time; returns its seconds."""
    module, _, function = name.partition(":")
    begin = time.perf_counter()
    code = f"import importlib; getattr(importlib.import_module({module!r}), {function!r})()"
    try:
        done = subprocess.run([sys.executable, "-c", code], timeout=limit, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        raise InputError(f"The warm-up {name} took longer than {limit:.0f} s; make it smaller.") from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise InputError(f"The warm-up {name} failed: {last[0]}")
    return time.perf_counter() - begin


def _peak_memory(client: Any) -> float:
    from nbformat.v4 import new_code_cell

    cell = new_code_cell(PEAK_MEMORY)
    client.nb.cells.append(cell)
    try:
        client.execute_cell(cell, len(client.nb.cells) - 1, store_history=False)
        return int(cell.outputs[0].text) / 2**20
    finally:
        client.nb.cells.pop()


def _start(cell: Any) -> str:
    """The first lines of a cell, to recognise it by."""
    return "\n".join(f"    {line}" for line in cell.source.splitlines()[:3])
