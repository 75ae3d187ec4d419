"""The cache folder, and files that are whole or absent."""

import errno
import os
from pathlib import Path

import pytest

from posekit.util.cache import cache_dir
from posekit.util.errors import InputError
from posekit.util.files import whole_file, write_text


def test_the_environment_moves_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("POSEKIT_CACHE", str(tmp_path / "elsewhere"))
    assert cache_dir() == tmp_path / "elsewhere"
    monkeypatch.setenv("POSEKIT_CACHE", " ")
    assert cache_dir().name == "posekit"


def test_a_file_appears_only_at_the_end(tmp_path):
    out = tmp_path / "a.txt"
    with whole_file(out) as temporary:
        temporary.write_text("whole")
        assert temporary.suffix == ".txt"
        assert not out.exists()
    assert out.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [out]


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    done, sync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append("fsync"), sync(handle)))
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append("replace"), replace(a, b)))
    write_text(tmp_path / "a.txt", "whole")
    assert done == ["fsync", "replace"]


def test_it_has_the_permissions_of_an_ordinary_file(tmp_path):
    with whole_file(tmp_path / "a") as temporary:
        temporary.write_text("")
    (tmp_path / "b").write_text("")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt(), KeyError("x")]
)
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    out = tmp_path / "a.txt"
    out.write_text("old")
    expected = InputError if isinstance(failure, OSError) else type(failure)

    def write():
        with whole_file(out) as temporary:
            temporary.write_text("half")
            raise failure

    with pytest.raises(expected):
        write()
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_is_not_there(tmp_path):
    out = tmp_path / "no" / "a.txt"
    with pytest.raises(InputError, match="could not be written.*choose a folder that exists"), whole_file(out):
        pass
    with whole_file(out, make_folder=True) as temporary:
        temporary.write_text("x")
    assert Path(out).read_text() == "x"
