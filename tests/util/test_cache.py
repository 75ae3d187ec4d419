"""The cache folder, also of a user who has no home."""

import os
import pwd

import pytest

from posekit.util.cache import cache_dir, has_home, keep_numba_out_of_the_working_folder
from posekit.util.errors import InputError


@pytest.fixture
def nobody(monkeypatch):
    """As ``docker --user 12345``: no HOME, and no entry in the list of users."""

    def unknown(_):
        raise KeyError("uid not found")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(os, "getuid", lambda: 12345)


def test_a_user_without_a_home_has_a_cache_and_no_folder_called_tilde(nobody, monkeypatch):
    monkeypatch.delenv("POSEKIT_CACHE", raising=False)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    assert not has_home()
    assert cache_dir().is_absolute()
    assert cache_dir().name == "posekit-12345"
    monkeypatch.setenv("NUMBA_CACHE_DIR", "mine")
    keep_numba_out_of_the_working_folder()
    assert os.environ["NUMBA_CACHE_DIR"] == "mine"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    keep_numba_out_of_the_working_folder()
    assert os.environ["NUMBA_CACHE_DIR"] == str(cache_dir() / "numba")
    monkeypatch.setenv("POSEKIT_CACHE", "~/here")
    with pytest.raises(InputError, match="names a home that is not there"):
        cache_dir()


def test_a_cache_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("POSEKIT_CACHE", str(tmp_path / "x"))
    assert cache_dir() == tmp_path / "x"
    monkeypatch.delenv("POSEKIT_CACHE")
    assert cache_dir().name == "posekit"
