"""Worker processes that end when the program that started them is gone, however it ended."""

import os
import threading
import time

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
