"""The cache folder, and files that are whole or absent."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from posekit.util.cache import cache_dir
from posekit.util.errors import InputError
from posekit.util.files import alone_in, only_one, whole_file, write_text


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


@pytest.mark.parametrize("lock", [alone_in, only_one])
def test_a_lock_follows_no_link_and_empties_no_file(tmp_path, lock):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".lock").symlink_to(victim)
    with pytest.raises(InputError, match=r"\.lock is a link; remove it"), lock(tmp_path / "out"):
        pass
    assert victim.read_text() == "precious"
    (tmp_path / "out" / ".lock").unlink()
    (tmp_path / "out" / ".lock").write_text("old")
    with lock(tmp_path / "out"):
        assert (tmp_path / "out" / ".lock").read_text() == "old"


def test_a_second_process_is_refused_at_once(tmp_path):
    code = f"from posekit.util.files import alone_in\nwith alone_in({str(tmp_path)!r}): pass"
    with alone_in(tmp_path):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "Another process is writing into" in done.stderr
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_forked_children_of_a_killed_process_do_not_hold_its_lock(tmp_path):
    """Data loaders are forked while a training holds its folder, and outlive a SIGKILL of it for seconds."""
    code = f"""if True:
        import os, sys, time
        from posekit.util.files import alone_in
        with alone_in({str(tmp_path)!r}):
            if os.fork() == 0:
                time.sleep(30)
                os._exit(0)
            print("ready", flush=True)
            time.sleep(30)
    """
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert parent.stdout.readline() == "ready\n"
        with pytest.raises(InputError, match="Another process"), alone_in(tmp_path):
            pass
        parent.kill()
        parent.wait(10)
        time.sleep(0.1)
        with alone_in(tmp_path):
            pass
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.stdout.close()
