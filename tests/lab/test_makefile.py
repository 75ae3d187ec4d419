"""What a student starts, `make lab`: the copies without solutions, no questions about news, the work safe."""

import json
import re
import subprocess
import sys

import pytest
from posekit_lab.handout import OUT
from posekit_lab.source import ROOT


def recipe(target: str) -> str:
    """The commands that make would run for a target."""
    command = ["make", "--dry-run", "--always-make", "--no-print-directory", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def jupyter(target: str) -> list[str]:
    (line,) = [line for line in recipe(target).replace("\\\n", " ").splitlines() if "jupyter lab" in line]
    return line.split()


def test_lab_writes_and_opens_the_students_copies():
    assert "-m posekit_lab.handout" in recipe("lab")
    assert jupyter("lab")[-1] == OUT.relative_to(ROOT).as_posix()
    assert jupyter("solutions")[-1] == "notebooks"


@pytest.mark.parametrize("target", ["lab", "solutions"])
def test_jupyterlab_asks_for_no_news_and_looks_for_no_update(target):
    """That it then asks nobody is seen in the browser (tests/browser/test_student_copy.py)."""
    (folder,) = [ROOT / word.split("=")[1] for word in jupyter(target) if word.startswith("--LabApp.app_settings_dir=")]
    settings = json.loads((folder / "overrides.json").read_text())["@jupyterlab/apputils-extension:notification"]
    assert settings == {"fetchNews": "false", "checkForUpdates": False}


def test_the_students_folder_is_ignored_and_survives_make_clean():
    ignored = subprocess.run(["git", "check-ignore", "-q", "student/01.ipynb"], cwd=ROOT, timeout=60)
    assert ignored.returncode in (0, 128)  # 128: not a git checkout
    assert not re.search(r"\bstudent\b", recipe("clean"))


def test_course_and_lab_are_importable_from_the_students_folder(tmp_path):
    code = "import posekit, posekit_course.checks, posekit_lab.handout"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=120)
