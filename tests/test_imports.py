"""The floors of the house: an import only ever points down, and no circle remains.

Three houses: the library (posekit), the lab (posekit_lab) and the course (posekit_course).  The library knows neither
of the others and names no path of theirs; the course may use the lab.
"""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOMES = {
    "posekit": ROOT / "posekit",
    "posekit_lab": ROOT / "experiments" / "posekit_lab",
    "posekit_course": ROOT / "notebooks" / "posekit_course",
}
# Bottom to top.  Units of one floor stand side by side: none of them imports another.
FLOORS = [
    ["util"],
    ["person", "ops"],
    ["nets", "losses"],
    ["metrics"],  # one of them looks through a network
    ["studio.base"],
    ["studio.body"],
    ["studio.clothes"],
    ["studio.hair"],
    ["studio.skin"],
    ["studio.render"],
    ["studio"],  # the files that join its folders
    ["data"],
    ["systems"],
    ["training", "photo"],
    ["reference"],
    ["evaluation"],
    ["reid", "sweeps"],
    ["plots"],
    ["cli"],
    ["posekit_lab"],
    ["posekit_course"],
]
FLOOR = {unit: number for number, floor in enumerate(FLOORS) for unit in floor}
# What design forbids although it would point down.
NEVER = {
    "ops": {"person"},
    "nets": {"studio", "data"},
    "losses": {"studio", "data"},
    "metrics": {"studio", "data"},
    "systems": {"studio", "data", "training"},
    "training": {"studio", "data"},
}


def unit(module: str) -> str:
    """posekit.nets.vgg -> nets; posekit.studio.body.pose -> studio.body; posekit_lab.claims -> posekit_lab."""
    top, *rest = module.split(".")
    if top != "posekit":
        return top
    name = ".".join(rest[:2])
    return name if name in FLOOR else (rest or [""])[0]


def file_of(module: str) -> Path | None:
    top, *rest = module.split(".")
    path = HOMES[top].joinpath(*rest)
    if path.is_dir():
        return path / "__init__.py"
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else None


def imports(source: str) -> set[str]:
    """Modules of ours that a file imports, wherever in it: ``from posekit.x import y`` names x.y if that is a module.

    ``from posekit import X`` counts as the import of posekit itself: it reaches whatever the lazy name X stands for.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                ours = node.module.split(".")[0] in HOMES
                if node.module == "posekit" and alias.name == "__version__":
                    continue
                found.add(inner if ours and file_of(inner) else node.module)
        assert not (isinstance(node, ast.ImportFrom) and node.level), "relative imports hide where they point"
    return {name for name in found if name.split(".")[0] in HOMES}


def violations(module: str, source: str) -> list[str]:
    """Units that ``module`` reaches and must not."""
    here = unit(module)
    assert here in FLOOR, f"{module} stands on no floor; add it to FLOORS."
    wrong = set()
    for name in imports(source):
        there = unit(name)
        lazily = name == "posekit" and module.split(".")[0] == "posekit"  # inside the library: any circle hides in it
        up = there != here and there in FLOOR and FLOOR[there] >= FLOOR[here]
        if lazily or up or there.split(".")[0] in NEVER.get(here, ()):
            wrong.add(there or "posekit")
    return sorted(wrong)


def modules() -> dict[str, Path]:
    """Every module of the three houses but the root of the library, which holds the lazy names."""
    found = {}
    for top, home in HOMES.items():
        for path in sorted(home.rglob("*.py")):
            parts = path.relative_to(home).with_suffix("").parts
            parts = parts[:-1] if parts and parts[-1] == "__init__" else parts
            found[".".join((top, *parts))] = path
    found.pop("posekit")
    found.pop("posekit.__main__", None)
    return found


MODULES = modules()


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    assert violations(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "line", "named"),
    [
        ("posekit.nets.unet", "from posekit.data.load import load_person", "data"),
        ("posekit.losses.l1", "from posekit import systems", "systems"),
        ("posekit.losses.l1", "from posekit import build", "posekit"),
        ("posekit.losses.l1", "import posekit", "posekit"),
        ("posekit.systems.gan", "import posekit.training.fit", "training"),
        ("posekit.ops.splat", "from posekit.person import Person", "person"),
        ("posekit.training.fit", "def f():\n    from posekit_course import checks", "posekit_course"),
        ("posekit.studio.body.pose", "from posekit.studio.hair.tail import x", "studio.hair"),
        ("posekit.studio.base.mesh", "from posekit.studio.generate import x", "studio"),
        ("posekit_lab.results", "import posekit_course.live", "posekit_course"),
    ],
)
def test_a_wrong_import_is_seen(module, line, named):
    assert violations(module, line) == [named]


def test_no_circle_between_modules():
    """Nothing can be reached from itself, also inside a floor."""
    reached = {m: imports(path.read_text(encoding="utf-8")) & MODULES.keys() - {m} for m, path in MODULES.items()}
    done: set[str] = set()

    def reach(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"circle: {' -> '.join((*path, name))}"
        if name not in done:
            for lower in reached[name]:
                reach(lower, (*path, name))
            done.add(name)

    for name in MODULES:
        reach(name, ())


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("posekit.")])
def test_the_library_names_no_path_of_course_and_lab(module):
    """An installed wheel has neither notebooks nor experiments beside it."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr == "parents":
            assert not (isinstance(node.value, ast.Call) and "__file__" in ast.dump(node.value)), "no checkout here"
    strings = [
        node.value
        for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    code = [s for s in strings if "\n" not in s and " " not in s]  # paths, not prose
    assert not [s for s in code if s.startswith(("notebooks/", "experiments/", "posekit_lab", "posekit_course"))]


# loaded where their package is: the kernel of a GPU
OPTIONAL = () if find_spec("triton") else ("posekit.ops.splat_triton_kernel",)


def test_the_library_imports_without_course_and_lab():
    """Every module of the library, in a process that cannot find the two others."""
    names = [m for m in MODULES if m.startswith("posekit.") and m not in OPTIONAL]
    code = (
        "import importlib, sys\n"
        "sys.modules['posekit_lab'] = sys.modules['posekit_course'] = None\n"
        f"for name in {names!r}: importlib.import_module(name)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=300)


def test_the_root_is_easy_to_survey():
    """At most 10 files and 15 folders: what is added goes into a folder that says what it is."""
    entries = [p for p in (ROOT / "posekit").iterdir() if p.name != "__pycache__"]
    assert sum(p.is_file() for p in entries) <= 10
    assert sum(p.is_dir() for p in entries) <= 15
