"""How a file is written: whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posekit.errors import InputError

try:
    import fcntl
except ImportError:  # not on Windows: two processes there must not write into one folder at the same time
    fcntl = None


@contextlib.contextmanager
def whole_file(path: str | os.PathLike, *, make_folder: bool = False) -> Iterator[Path]:
    """Write a file whole or not at all: yields a temporary sibling, which becomes ``path`` at the end.

    The sibling has the same suffix, so that writers which look at it keep working.  When the block fails, for
    whatever reason, the sibling is removed, ``path`` is as before, and an operating-system error (a folder that
    cannot be written to, a full disk) becomes an `InputError` of one sentence.

    >>> with whole_file("out.png") as temporary:
    ...     picture.save(temporary)
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes private files; a result is an ordinary one
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{path} could not be written ({reason}); nothing was left half-written: "
            "choose a folder that exists, may be written to and has room."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> Path:
    """Write a text file, in UTF-8; its folder is made if it is not there."""
    with whole_file(path, make_folder=True) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(path)


def write_json(path: str | os.PathLike, value: Any) -> Path:
    """Write ``value`` as indented JSON; its folder is made if it is not there."""
    return write_text(path, json.dumps(value, indent=2) + "\n")


@contextlib.contextmanager
def only_one(folder: str | os.PathLike) -> Iterator[None]:
    """Wait until no other process is inside for this folder.  The system drops the lock of a process that dies."""
    if fcntl is None:
        yield
        return
    with open(Path(folder) / ".lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _umask() -> int:
    """The permissions that new files do not get; the system call can only be asked by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
