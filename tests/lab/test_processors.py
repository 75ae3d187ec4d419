"""Notebooks that train, run with other kernels and seeds: the kernel gets the variable, a failure gets a sentence."""

import os
import shutil
from pathlib import Path

import pytest
from posekit_lab.notebooks import build_notebook
from posekit_lab.processors import main, run_under, training_notebooks

EXAMPLE = Path(__file__).parents[1] / "notebooks" / "example" / "src" / "90_example.py"


@pytest.fixture
def folder(tmp_path):
    """A folder with the example notebook, which says that it trains."""
    (tmp_path / "src").mkdir()
    source = tmp_path / "src" / EXAMPLE.name
    shutil.copy(EXAMPLE, source)
    text = source.read_text().replace("#     browser: true", "#     trains: true")
    seen = 'import os\n\nkernels = os.environ["ATEN_CPU_CAPABILITY"]\nassert seed < 2, f"seed {seed}, {kernels}"\n'
    source.write_text(text.replace("t = np.linspace", f"{seen}t = np.linspace"))
    build_notebook("90_example", tmp_path, run=False)
    return tmp_path


def test_which_notebooks_train():
    assert [name[:2] for name in training_notebooks()] == ["03", "04", "05", "06", "07", "11"]


def test_kernels_reach_the_notebook_and_failures_are_said(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    failed = run_under("avx2", ["90_example"], [0, 2], 1, tmp_path / "out", folder)
    assert failed == ["90_example, seed 2, avx2 kernels: AssertionError: seed 2, avx2"]
    assert "ATEN_CPU_CAPABILITY" not in os.environ
    assert main(["--kernels", "avx2", "--seeds", "2", "--out", str(tmp_path / "out")], folder) == 1
    assert "seed 2, avx2 kernels" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--kernels", "sse"], ["--seeds", "many"], ["91"]])
def test_wrong_words(wrong, folder, capsys):
    assert main(wrong, folder) == 1
    assert capsys.readouterr().err.startswith("Error: ")
