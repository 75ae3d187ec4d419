"""What kind of content a file holds, by its first bytes; nothing is decoded, and nothing of it is run."""

import os
import re
from pathlib import Path

from posekit.util.errors import InputError

_HEAD = 4096  # bytes that are looked at
_SAFETENSORS = 100_000_000  # bytes of header that the format allows
_STARTS = (
    (0, b"\x89PNG\r\n\x1a\n", "picture"),
    (0, b"\xff\xd8\xff", "picture"),
    (8, b"WEBP", "picture"),
    (0, b"II*\0", "picture"),
    (0, b"MM\0*", "picture"),
    (0, b"BM", "picture"),
    (0, b"GIF8", "picture"),
    (0, b"\x93NUMPY", "array"),
    (0, b"PK\x03\x04", "archive"),
    (0, b"PK\x05\x06", "archive"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5"),
    (0, b"MATLAB 5.0 MAT-file", "MATLAB"),
    (8, b"AVI ", "video"),
    (0, b"\x1a\x45\xdf\xa3", "video"),
    (4, b"ftyphei", "HEIF"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypavif", "HEIF"),
    (4, b"ftyp", "video"),
    (4, b"TFL3", "TensorFlow Lite"),
    (0, b"%PDF", "PDF"),
    (0, b"%!PS", "PostScript"),
    (0, b"\x1f\x8b", "compressed"),
    (0, b"BZh", "compressed"),
    (0, b"\xfd7zXZ\0", "compressed"),
    (0, b"7z\xbc\xaf\x27\x1c", "compressed"),
    (0, b"Rar!", "compressed"),
)
_OLD_PICKLE = re.compile(rb"\([ldt]p\d+\n|[\]})]q.|c[\w.]+\n[\w.]+\n(p\d+\n|q.)?\(", re.DOTALL)


def recognise(path: str | os.PathLike) -> str:
    """The kind of content: "picture", "array", "archive", "pickle", "safetensors", "JSON", "text", "video", ...

    "unknown" for other bytes.  Raises `InputError`, one sentence, for what is no readable file, or is empty.

    A pickle is a program; it is recognised here and opened nowhere.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"There is no file {path}; check the path.")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name files in it, such as {path}/*.")
    if not path.is_file():
        raise InputError(f"{path} is a device or a pipe, not a file; save it to a file.")
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"{path} could not be read ({error.strerror}); check the path.") from error
    if not head:
        raise InputError(f"{path} is empty; fetch or write it again.")
    for at, start, kind in _STARTS:
        if head.startswith(start, at):
            return kind
    if len(head) > 2 and head[0] == 0x80 and head[1] <= 5:
        return "pickle"
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= min(size, _SAFETENSORS):
        return "safetensors"
    if _OLD_PICKLE.match(head):
        return "pickle"
    return _text(head)


def _text(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf")
    try:
        words = text.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(text) - 4:  # else a letter that the end of the head cuts
            return "unknown"
        words = text[: error.start].decode("utf-8")
    if "\0" in words:
        return "unknown"
    return "JSON" if words.lstrip()[:1] in ("{", "[") else "text"
