"""Where generated data lives on this machine."""

import os
import tempfile
from pathlib import Path

import platformdirs

from posekit.util.errors import InputError


def cache_dir() -> Path:
    """The user's cache folder of posekit; the environment variable ``POSEKIT_CACHE`` puts it elsewhere.

    The folder need not exist yet: whoever writes into it makes it.  A user without a home (``docker --user``) has one
    in the folder for temporary files.
    """
    elsewhere = os.environ.get("POSEKIT_CACHE", "").strip()
    if elsewhere:
        try:
            return Path(elsewhere).expanduser()
        except RuntimeError as error:
            raise InputError(f"POSEKIT_CACHE={elsewhere} names a home that is not there; give a whole path.") from error
    return Path(platformdirs.user_cache_dir("posekit")) if has_home() else _without_home()


def has_home() -> bool:
    """Whether this user has a home folder: HOME, or an entry in the list of users."""
    return os.path.expanduser("~") != "~"


def _without_home() -> Path:
    return Path(tempfile.gettempdir()) / f"posekit-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def keep_numba_out_of_the_working_folder() -> None:
    """Without a home numba would keep what it compiles in a folder called ``~``; to be called before it is imported."""
    if not has_home():
        os.environ.setdefault("NUMBA_CACHE_DIR", str(_without_home() / "numba"))
