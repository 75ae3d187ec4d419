"""benchmarks/train_step.py: what it times, what it counts, what it prints."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

PATH = Path(__file__).parents[2] / "benchmarks" / "train_step.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("train_step_benchmark", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(autouse=True)
def same_threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_table_and_its_json(benchmark, monkeypatch, capsys):
    words = ["--size", "40", "--batch", "2", "--steps", "1", "--threads", "1"]
    monkeypatch.setattr(benchmark, "WARM_UP", 0)
    monkeypatch.setattr(sys, "argv", ["train_step.py", *words])
    benchmark.main()
    out = capsys.readouterr().out
    stored = json.loads(out.splitlines()[-1])
    found = stored["seconds"]
    assert list(found) == ["f", "g + D", "both"]
    assert list(found["f"]) == list(benchmark.VARIANTS)
    for name, both in found["both"].items():
        assert both["wall"] == pytest.approx(found["f"][name]["wall"] + found["g + D"][name]["wall"])
        assert min(both.values()) > 0
        rate, ratio = 2 / both["wall"], found["both"]["plain"]["wall"] / both["wall"]
        assert f"{rate:.2f} ({ratio:.2f})" in out
    assert (stored["threads"], stored["preset"]) == (1, "laptop")


def test_operations_are_those_of_the_convolutions(benchmark):
    """A step of f: a forward pass, and twice that backward, but for the first block, whose input needs no gradient."""
    args = type("Args", (), {"preset": "laptop", "size": 40, "batch": 2})()
    system, batch = benchmark.build(args)
    runner = benchmark.Runner(system, benchmark.VARIANTS["plain"], batch, "cpu")
    forward = []

    def count(conv, _, output):
        forward.append(2 * output.numel() * conv.weight[0].numel())

    hooks = [m.register_forward_hook(count) for m in runner.system.f.modules() if isinstance(m, nn.Conv2d)]
    runner.stage(0)()
    for hook in hooks:
        hook.remove()
    assert len(forward) == 2 * 15 + 1  # two for each gated block
    assert benchmark.operations(runner, 0) == 3 * sum(forward) - sum(forward[:2])


def test_variants_are_what_they_say(benchmark):
    args = type("Args", (), {"preset": "laptop", "size": 40, "batch": 2})()
    system, batch = benchmark.build(args)
    tuned = benchmark.Runner(system, benchmark.VARIANTS["bf16, channels-last"], batch, "cpu")
    assert tuned.fabric.strategy.precision.precision == "bf16-mixed"
    assert tuned.system.f.last.weight.is_contiguous(memory_format=torch.channels_last)
    assert not system.f.last.weight.is_contiguous(memory_format=torch.channels_last)  # a copy was made
    assert batch.source.size == (40, 40)
