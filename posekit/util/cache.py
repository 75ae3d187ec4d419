"""Where generated data lives on this machine."""

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """The user's cache folder of posekit; the environment variable ``POSEKIT_CACHE`` puts it elsewhere.

    The folder need not exist yet: whoever writes into it makes it.
    """
    elsewhere = os.environ.get("POSEKIT_CACHE", "").strip()
    return Path(elsewhere).expanduser() if elsewhere else Path(platformdirs.user_cache_dir("posekit"))
