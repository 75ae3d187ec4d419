"""Ordinary files are read; pipes and devices, which never end, are refused at once."""

import json
import os
import sys
from pathlib import Path

import pytest

from posekit.util.reading import open_file, read_bytes, read_json, read_text

unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def test_a_file_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    assert read_bytes(tmp_path / "a") == b"\xef\xbb\xbfone\r\ntwo"
    assert read_text(tmp_path / "a", encoding="utf-8-sig") == "one\ntwo"
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert read_bytes(tmp_path / "link") == read_bytes(tmp_path / "a")
    with pytest.raises(OSError, match="it has 11 bytes, more than 10"):
        read_bytes(tmp_path / "a", 10)
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "b")
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path)


@unix
@pytest.mark.timeout(20)
def test_pipes_and_devices(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="a device or a pipe, not a file"):
            read_text(path)


@pytest.mark.parametrize("text", ["{", "[" * 10**5, "9" * 5000, ""])
def test_what_is_no_json(text, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r".+"):
        read_json(tmp_path / "a.json")
    (tmp_path / "b.json").write_text(json.dumps({"a": [1]}))
    assert read_json(tmp_path / "b.json") == {"a": [1]}


def test_no_reader_of_the_library_opens_text_by_itself():
    """`Path.read_text` waits for a pipe without end; what the package itself ships is read as it likes."""
    library = Path(__file__).parents[2] / "posekit"
    own = {"util/reading.py", "sweeps/code_version.py", "metrics/pretrained.py", "studio/folder_files.py"}
    found = []
    for path in sorted(library.rglob("*.py")):
        name = path.relative_to(library).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            reads = ".read_text(" in line or (".read_bytes(" in line and "files(" not in line)
            if reads and name not in own:
                found.append(f"{name}:{number}: {line.strip()}")
    assert not found, found
