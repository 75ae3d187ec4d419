"""The floors of the house: an import only ever points down.

teaching                                       for notebooks; nothing below knows it
cli, commands, demo, check                     the command line
training, transfer
systems
data   nets   losses   metrics                 side by side; none of them imports another
studio
person
surface  keypoints  fill  correlation ...      geometry of bodies
sample  splat  affine                          warps
grids                                          the coordinate convention
errors  files  distributed                     below everything
"""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "posekit"

# Folder or file -> what of ours it may import besides itself.
GROUND = {"errors", "files", "distributed", "_torchvision"}
WARPS = {"grids", "sample", "splat", "affine"}
GEOMETRY = GROUND | WARPS | {"surface", "keypoints", "fill", "correlation", "part_affine"}
FLOORS = {
    "errors": set(),
    "_torchvision": set(),
    "distributed": set(),
    "files": {"errors"},
    "grids": set(),
    "sample": {"grids"},
    "affine": {"grids"},
    "splat": {"grids", "_numba_splat", "_threads"},
    "_numba_splat": set(),
    "_numba_nearest": set(),
    "_threads": set(),
    "surface": {"grids", "sample", "splat"},
    "keypoints": {"grids", "affine", "errors"},
    "fill": {"grids", "sample", "errors"},
    "correlation": {"grids", "errors"},
    "part_affine": WARPS | {"errors", "keypoints"},
    "data.person": {"errors"},
    "studio": GEOMETRY | {"data.person"},
    "data": GEOMETRY | {"studio", "data.person"},
    "nets": GEOMETRY,
    "losses": GEOMETRY | {"_numba_nearest", "_threads"},
    "metrics": GEOMETRY,
    "systems": GEOMETRY | {"data.person", "nets", "losses"},
    "training": GEOMETRY | {"data.person", "data", "metrics", "systems"},
    "transfer": GEOMETRY | {"data", "data.person", "systems", "studio"},
    "check": GEOMETRY | {"data", "training"},
}
FLOORS["commands"] = FLOORS["training"] | {"training", "studio", "transfer"}
FLOORS["demo"] = FLOORS["commands"] | {"commands"}
FLOORS["cli"] = FLOORS["demo"] | {"demo", "check"}
FLOORS["teaching"] = FLOORS["cli"] - {"cli"} | {"nets", "losses"}


def unit(module: str) -> str:
    """posekit.nets.vgg -> nets; posekit.person -> data.person, which stands on a floor of its own."""
    parts = module.split(".")[1:]
    name = ".".join(parts[:2])
    return name if name in FLOORS else (parts or [""])[0]


def imports(source: str) -> set[str]:
    """Modules of ours that a file imports, wherever in it: ``from posekit.x import y`` names x, or x.y if a module."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                inner = PACKAGE.parent / Path(*node.module.split("."), alias.name)
                is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
                found.add(f"{node.module}.{alias.name}" if is_module else node.module)
        assert not (isinstance(node, ast.ImportFrom) and node.level), "relative imports hide where they point"
    return {name for name in found if name.split(".")[0] == "posekit"}


def violations(module: str, source: str) -> list[str]:
    here = unit(module)
    allowed = FLOORS.get(here)
    assert allowed is not None, f"{module} stands on no floor; add it to FLOORS."
    reached = {unit(name) for name in imports(source)} - {here, ""}
    return sorted(reached - allowed)


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_down(path):
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    assert violations(module, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "line", "named"),
    [
        ("posekit.nets.unet", "from posekit.person import Pair", "data.person"),
        ("posekit.losses.l1", "from posekit import systems", "systems"),
        ("posekit.systems.gan", "import posekit.training.fit", "training"),
        ("posekit.ops.splat", "from posekit.util.errors import InputError", "errors"),
        ("posekit.training.fit", "def f():\n    from posekit.teaching import checks", "teaching"),
    ],
)
def test_a_wrong_import_is_seen(module, line, named):
    assert violations(module, line) == [named]


def test_the_floors_have_no_cycle():
    """Nothing can be reached from itself, so the floors are floors."""

    def reach(name, path=()):
        assert name not in path, f"cycle: {' -> '.join((*path, name))}"
        for lower in FLOORS.get(name, ()):
            reach(lower, (*path, name))

    for name in FLOORS:
        reach(name)
