"""How a file is written: whole or not at all."""

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from posekit.util.errors import InputError


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
        to_disk(temporary)  # else a machine that loses power may keep the new name and not what is in the file
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


def to_disk(path: str | os.PathLike) -> None:
    """Wait until a file, or the names in a folder, are on the disk and not only in memory."""
    if os.name == "nt" and Path(path).is_dir():
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_place(path: str | os.PathLike) -> None:
    """InputError unless a file can be written at ``path``; nothing is left there.  Before work that ends in it."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another folder.") from error
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file.")


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
    with _lock(Path(folder), blocking=True):
        yield


@contextlib.contextmanager
def alone_in(folder: str | os.PathLike) -> Iterator[None]:
    """Refuse to go on where another process is inside for this folder: InputError, at once.

    The folder is made if it is not there.  The lock belongs to the process: forked children do not hold it on, and
    the system drops it when the process dies.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be written to ({error.strerror}); choose another folder.") from error
    with _lock(folder, blocking=False):
        yield


@contextlib.contextmanager
def _lock(folder: Path, *, blocking: bool) -> Iterator[None]:
    """Hold ``folder/.lock``, which stays when it is released; a link in its place is not followed."""
    lock = FileLock(folder / ".lock", blocking=blocking)
    try:
        lock.acquire(poll_interval=0.1)
    except Timeout:
        raise InputError(f"Another process is writing into {folder}; wait for it, or choose another.") from None
    except OSError as error:
        reason = "is a link" if error.errno == errno.ELOOP else f"cannot be opened: {error.strerror}"
        raise InputError(f"{folder / '.lock'} {reason}; remove it, or choose another folder.") from error
    try:
        yield
    finally:
        lock.release()


def _umask() -> int:
    """The permissions that new files do not get; the system call can only be asked by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
