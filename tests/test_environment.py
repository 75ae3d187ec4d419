"""The lists of packages - the two pyproject.toml, environment.yml, requirements.lock - say the same."""

import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

tomllib = pytest.importorskip("tomllib", reason="tomllib is in the standard library from Python 3.11 on")

ROOT = Path(__file__).parents[1]
NOT_EVERYWHERE = ("triton",)  # 290 MB, for those who change the kernel of a GPU without having one
CONDA_NAMES = {"pytorch": "torch", "playwright-python": "playwright"}  # conda-forge's playwright is Node's


def requirements_of_pyproject() -> list[Requirement]:
    """Of the library with its extras but `NOT_EVERYWHERE`, and of the course and the lab."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    course = tomllib.loads((ROOT / "notebooks" / "pyproject.toml").read_text())["project"]
    lines = [
        *project["dependencies"],
        *[r for name, extra in project["optional-dependencies"].items() if name not in NOT_EVERYWHERE for r in extra],
    ]
    lines += [line for line in course["dependencies"] if not line.startswith("posekit[")]
    lines += [r for extra in course["optional-dependencies"].values() for r in extra]
    return [Requirement(line) for line in lines]


def test_a_package_asked_for_twice_has_one_bound():
    bounds = {}
    for requirement in requirements_of_pyproject():
        assert bounds.setdefault(canonical(requirement.name), requirement.specifier) == requirement.specifier


def requirements_of_conda() -> list[Requirement]:
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(line["pip"] for line in lines if isinstance(line, dict))
    names = [line for line in [*lines, *pip] if isinstance(line, str) and not line.startswith("--editable")]
    found = [Requirement(line) for line in names]
    for requirement in found:
        requirement.name = CONDA_NAMES.get(requirement.name, requirement.name)
    return [r for r in found if r.name not in ("python", "pip")]


def pinned() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().split()
    return dict(re.fullmatch(r"([\w.\-]+)==(\S+)", line).groups() for line in lines)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_conda_environment_equals_pyproject():
    ours = {canonical(r.name): str(r.specifier) for r in requirements_of_pyproject()}
    theirs = {canonical(r.name): str(r.specifier) for r in requirements_of_conda()}
    assert ours == theirs


def test_conda_environment_has_no_build_strings():
    text = (ROOT / "environment.yml").read_text()
    assert not re.search(r"^\s*- [\w\-]+=[^=]", text, flags=re.M), "write name>=version, not name=version=build"


def test_python_bound_is_the_same():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert f"python{project['requires-python']}" in lines


def test_lock_satisfies_every_bound():
    pins = {canonical(k): v for k, v in pinned().items()}
    for requirement in requirements_of_pyproject():
        version = pins[canonical(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"


def test_lock_pins_torch_without_a_local_build():
    pins = pinned()
    assert pins["torch"] == "2.13.0"
    assert pins["torchvision"] == "0.28.0"


def test_hashes_are_of_the_locked_versions():
    text = (ROOT / "requirements.hashes").read_text()
    named = dict(re.findall(r"^([\w.\-]+)==(\S+) \\$", text, re.MULTILINE))
    locked = {canonical(name): version for name, version in pinned().items() if name not in ("torch", "torchvision")}
    assert {canonical(name): version for name, version in named.items()} == locked
    blocks = re.split(r"^(?=[\w.\-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks), "A locked package has no hash."


def test_every_core_bound_has_a_reason():
    block = (ROOT / "pyproject.toml").read_text().split("dependencies = [")[1].split("\n]")[0]
    for line in filter(None, map(str.strip, block.splitlines())):
        assert re.fullmatch(r'"[^"]+>=[^"]+",\s+# \S.*', line), f"no reason at: {line}"
