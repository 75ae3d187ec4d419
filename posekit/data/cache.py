"""Where generated data lives on this machine, and how a file is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from posekit.errors import InputError


def cache_dir() -> Path:
    """The user's cache folder of posekit; the environment variable ``POSEKIT_CACHE`` puts it elsewhere.

    The folder need not exist yet: whoever writes into it makes it.
    """
    elsewhere = os.environ.get("POSEKIT_CACHE", "").strip()
    return Path(elsewhere).expanduser() if elsewhere else Path(platformdirs.user_cache_dir("posekit"))


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


def _umask() -> int:
    """The permissions that new files do not get; the system call can only be asked by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
