"""What every program here that runs notebooks needs to know about Jupyter's client: one hang, one slow import.

Both remedies only touch the process that calls them, and only while it drives kernels.
"""

import os
import sys
import time
from contextlib import contextmanager
from queue import Empty

SLICE = 1.0  # seconds between two looks at the socket
# What nbformat and papermill raise, beside nbformat.ValidationError, for a file that is no notebook.
NO_NOTEBOOK = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)


def skip_slow_grammar() -> None:
    """Make `import nbformat` cheap; call it before the first Jupyter import of the process.

    `jsonschema`, which nbformat validates with, imports `rfc3987_syntax` if it is there: a package that compiles
    a grammar at import, one to four seconds of processor time, to check a string format that notebooks never use.
    jsonschema goes on without it, so here it is declared absent.
    """
    if "rfc3987_syntax" not in sys.modules:
        sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # Python's way to say: import fails


def poll_in_slices() -> None:
    """Guard this process against a hang of nbclient, the library inside papermill and `nbconvert --execute`.

    nbclient waits for "has anything arrived?" on a socket on which it also *sends* when a notebook shows a live
    widget, and the waiting can then miss its wake-up and last for ever (nbclient issue 312).  Waiting in slices of
    one second looks again by itself; nothing else changes.
    """
    from jupyter_client.channels import AsyncZMQSocketChannel

    if getattr(AsyncZMQSocketChannel.get_msg, "in_slices", False):
        return
    wait = AsyncZMQSocketChannel.get_msg

    async def get_msg(self, timeout: float | None = None):
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = SLICE if end is None else max(0.0, min(SLICE, end - time.monotonic()))
            try:
                return await wait(self, left)
            except Empty:
                if end is not None and time.monotonic() >= end:
                    raise

    get_msg.in_slices = True
    AsyncZMQSocketChannel.get_msg = get_msg


@contextmanager
def kernel_environment(threads: int | None = None):
    """Environment variables for the kernels started inside: their number of threads, pictures shown inline.

    Kernels inherit the environment of the program that starts them.  MPLBACKEND is taken out, because a backend
    chosen for scripts (Agg) would keep every figure out of the notebook.
    """
    wanted: dict[str, str | None] = {"MPLBACKEND": None, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    wanted["OMP_WAIT_POLICY"] = os.environ.get("OMP_WAIT_POLICY", "passive")  # a notebook may load torch first
    if threads is not None:
        wanted["OMP_NUM_THREADS"] = str(threads)
    before = {name: os.environ.get(name) for name in wanted}
    try:
        _set(wanted)
        yield
    finally:
        _set(before)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
