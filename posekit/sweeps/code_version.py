"""Which code a run used: a hash of posekit and of every package that says its changes make other results.

A package says so in its metadata, by an entry point of the group ``posekit.code``:

    [project.entry-points."posekit.code"]
    mine = "my_package"

so that the probes and figures of a course, or a researcher's own system, change the version as the library does.
"""

import hashlib
import importlib.metadata
import importlib.util
from pathlib import Path

GROUP = "posekit.code"


def code_version() -> str:
    """12 hexadecimal digits of the code that lies on the disk now: a sweep takes hours, every run starts a kernel."""
    announced = {entry.value for entry in importlib.metadata.entry_points(group=GROUP)}
    digest = hashlib.sha1()
    for package in sorted({"posekit"} | announced):
        for root in _folders(package):
            for path in sorted(root.rglob("*.py")):
                digest.update(f"{package}/{path.relative_to(root).as_posix()}".encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _folders(package: str) -> list[Path]:
    """Where a package lies; nowhere when it is announced and not there any more."""
    spec = importlib.util.find_spec(package)
    return [Path(place) for place in spec.submodule_search_locations or ()] if spec is not None else []
