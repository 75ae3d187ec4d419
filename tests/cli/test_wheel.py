"""The wheel works where there is no checkout: built here, unpacked elsewhere, run with the installed dependencies."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSES = ("posekit_lab", "posekit_course", "notebooks", "experiments", "tests")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """posekit-VERSION-py3-none-any.whl, built without a network."""
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"  # a build leaves files behind: not in the checkout
    source.mkdir()
    tracked = subprocess.run(["git", "ls-files", "posekit"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    for name in (*tracked, "pyproject.toml", "docs/pypi.md", "LICENSE", "LICENSE-ASSETS"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(out), "."]
    subprocess.run([sys.executable, *build], cwd=source, check=True, timeout=300)
    (path,) = out.glob("posekit-*.whl")
    return path


@pytest.fixture(scope="module")
def run(wheel, tmp_path_factory):
    """run(*words) -> output of `python -m posekit WORDS` in a folder that holds nothing, from the wheel alone."""
    home = tmp_path_factory.mktemp("elsewhere")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(home / "site")
    # Course and lab are installed beside the checkout here; from the wheel nothing may need them.
    code = (
        "import sys; sys.modules.update({name: None for name in ('posekit_lab', 'posekit_course')})\n"
        "import posekit; assert posekit.__file__.startswith(sys.argv.pop(1)), posekit.__file__\n"
        "from posekit.cli.app import main; main()"
    )
    environment = {**os.environ, "PYTHONPATH": str(home / "site"), "POSEKIT_CACHE": str(home / "cache")}

    def call(*words):
        command = [sys.executable, "-W", "ignore", "-c", code, str(home / "site"), *map(str, words)]
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    call.home = home
    return call


def test_it_holds_the_library_and_its_data_alone(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"posekit"}
    assert {"posekit/py.typed", "posekit/__init__.pyi", "posekit/studio/asset/body.npz"} <= set(names)
    assert any(name.endswith("laptop.safetensors") for name in names)
    assert "posekit/nets/asset/edge_vgg16.safetensors" in names, "the features of losses and of `perceptual`"
    assert not [name for name in names if any(f"/{house}/" in name for house in HOUSES)]
    assert wheel.stat().st_size < 50e6


def test_the_source_distribution_holds_course_lab_and_tests(tmp_path):
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split("\n")
    source = tmp_path / "source"
    for name in filter(None, tracked):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copyfile(ROOT / name, source / name)
    build = f"import setuptools.build_meta as b; print(b.build_sdist({str(tmp_path)!r}))"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", build], cwd=source, check=True, timeout=300, capture_output=True
    )
    (path,) = tmp_path.glob("posekit-*.tar.gz")
    with tarfile.open(path) as packed:
        there = {name.partition("/")[2] for name in packed.getnames()}
    left_out = {name for name in tracked if name} - there
    assert left_out <= {".gitignore", ".gitattributes"}, f"The source distribution lacks {sorted(left_out)[:5]}."


def test_what_pypi_shows_links_to_nothing_in_the_checkout():
    text = (ROOT / "docs" / "pypi.md").read_text()
    assert not re.findall(r"\]\((?!https://)", text)
    assert "docs/pypi.md" in (ROOT / "pyproject.toml").read_text()


def test_its_metadata_are_as_pypi_wants_them(wheel):
    pytest.importorskip("twine")
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", str(wheel)], check=True, timeout=120)


def test_commands_of_the_wheel(run):
    assert "2,824,866 parameters" in run("describe", "coordinate_inpainting", "--preset", "paper")
    assert "reference weights" in run("check")
    run("render", "--people", 1, "--views", 2, "--size", 128, "--jobs", 1, "-o", "people")
    views = run.home / "people" / "people" / "00000"
    run("transfer", views / "0.png", views / "1.png", "-o", "new.png", "--panel", "steps.png")
    assert (run.home / "new.png").stat().st_size > 1000
    assert "coordinate_inpainting" in run("demo", "--pairs", 12, "--rows", 1, "-o", "demo.png")
    assert (run.home / "demo.png").stat().st_size > 1000
