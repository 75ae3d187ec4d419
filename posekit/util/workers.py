"""Pools of worker processes: they end when the program that started them is gone, and one may replace another."""

import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_watched: set[int] = set()
INTERVAL = 0.5  # seconds between two looks


def end_with(parent: int) -> None:
    """From now on this process ends, at once and in silence, when process ``parent`` is no longer its parent.

    A program that is killed (SIGKILL, out of memory) cannot end its workers; they would work on, hold its output
    open, and a pipe that reads it would wait for minutes.  To be called in workers of this machine: one whose parent is
    another process has lost its own before it came to its first task, and ends now.  Nothing happens in ``parent``
    itself.
    """
    if os.getpid() == parent or parent in _watched:
        return
    _watched.add(parent)
    threading.Thread(target=_watch, args=(parent,), daemon=True, name="end with the parent").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(INTERVAL)
    os._exit(1)


@contextmanager
def replaced_in_silence() -> Iterator[None]:
    """Within it joblib's pool replaces a worker without a warning.

    A worker leaves its pool when its memory has grown by 300 MB since its first task, and another takes its place:
    what is rendered or measured stays the same.  joblib warns of it in the thread that looks after the pool; under
    ``python -W error`` the warning ends that thread, and the program waits for ever for what the pool still holds.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
        yield
