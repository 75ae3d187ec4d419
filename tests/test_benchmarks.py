"""What holds for every script in benchmarks/ that can run on a GPU, and the report that runs them all."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPTS = sorted(Path("benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_no_thread_of_autograd_is_left_at_exit(path):
    """On a GPU a script with a backward in Python was aborted at its end; one thread alone cannot be left behind."""
    text = path.read_text()
    if re.search(r'"--device"', text) and re.search(r"\.backward\(|autograd\.grad\(|train_step\(|fit\(", text):
        first = text.index("set_multithreading_enabled(False)") if "set_multithreading_enabled(False)" in text else -1
        assert first > text.index("parse_args()"), f"{path}: autograd keeps its threads."


@pytest.fixture
def report():
    spec = importlib.util.spec_from_file_location("gpu_report", SCRIPTS[0].parent / "gpu_report.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_the_report_of_a_gpu_as_a_dry_run(tmp_path):
    words = ["--device", "cpu", "--only", "splat", "nearest", "waiting", "--minutes", "8", "--out", "report.json"]
    script = str(Path("benchmarks/gpu_report.py").resolve())
    done = subprocess.run(
        [sys.executable, script, *words], cwd=tmp_path, capture_output=True, text=True, timeout=500, check=True
    )
    stored = json.loads((tmp_path / "report.json").read_text())
    assert stored == json.loads(done.stdout.splitlines()[-1])
    assert not [name for name, results in stored["sections"].items() if "error" in results], stored
    assert stored["sections"]["splat"]["splat_backward_ms"] > 0
    assert set(stored["sections"]["waiting"]) >= {"waited, in the program", "waited, on the device"}
    assert "  splat_forward_ms" in done.stdout


def test_a_section_that_hangs_or_dies_costs_itself_alone(report, monkeypatch, capfd):
    assert report.run_section("machine", "cpu", 0.1) == {"error": "stopped after 0 s"}
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr(report.sys, "executable", "/bin/false")
    assert report.run_section("machine", "cpu", 60) == {"error": "exit code 1: no word"}
    monkeypatch.setattr(sys, "argv", ["gpu_report.py", "--device", "cpu", "--minutes", "0.01", "--only", "machine"])
    report.main()
    torch.autograd.set_multithreading_enabled(True)  # as it was
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["sections"]["machine"] == {"error": "no time was left"}
