"""How a file from elsewhere is read: an ordinary file, of a size that its kind can have.

A pipe in place of a file would be waited for without end, a device such as /dev/zero fills the memory.  What is refused
is an OSError with a sentence, as for a file that may not be read: every reader has words for that.
"""

import errno
import json
import os
import stat
from typing import Any, BinaryIO

MOST_BYTES = 500_000_000  # of a list or a table that is read whole


def open_file(path: str | os.PathLike, most: int | None = None) -> BinaryIO:
    """Open an ordinary file to read its bytes; links to one are followed.

    most: bytes it may have.  Raises OSError for whatever is no file, and for more.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags)
    try:
        about = os.fstat(handle)
        if stat.S_ISDIR(about.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", str(path))
        if most is not None and about.st_size > most:
            raise OSError(errno.EFBIG, f"it has {about.st_size} bytes, more than {most}", str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_bytes(path: str | os.PathLike, most: int = MOST_BYTES) -> bytes:
    """All bytes of an ordinary file; OSError as `open_file`."""
    with open_file(path, most) as file:
        return file.read()


def read_text(path: str | os.PathLike, most: int = MOST_BYTES, encoding: str = "utf-8", errors: str = "strict") -> str:
    """All text of an ordinary file; OSError as `open_file`, UnicodeDecodeError (a ValueError) for other bytes."""
    return read_bytes(path, most).decode(encoding, errors).replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: str | os.PathLike, most: int = MOST_BYTES, encoding: str = "utf-8") -> Any:
    """The value of a JSON file; OSError as `open_file`, ValueError for what is no JSON.

    Thousands of brackets inside each other and numbers of thousands of digits are no JSON of anybody's.
    """
    try:
        return json.loads(read_text(path, most, encoding))
    except RecursionError:
        raise ValueError("brackets are nested too deeply") from None
