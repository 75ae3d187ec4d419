"""Two processes on the CPU take the steps that one process takes with the whole batch."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from posekit.nets.batch_norm import BatchNorm2d
from posekit.systems import build
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs

ROOT = Path(__file__).parents[2]
STEPS = 6
SETTINGS = {**TINY, "batch_size": 4, "f_lr": 1e-4, "g_lr": 1e-4, "d_lr": 1e-4}

SCRIPT = """
import os, signal, sys, torch
torch.set_num_threads(1)
from posekit.systems import build
from posekit.training.fit import TrainingInterrupted, fit
from posekit.training.options import TrainingOptions
from tests.synthetic import SyntheticPairs
out, processes, steps, stop = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
count = [0]
def on_step(system, stage, step):
    count[0] += 1
    if count[0] == stop and os.environ.get("RANK", "0") == "1":  # one process is told, all must stop
        os.kill(os.getpid(), signal.SIGTERM)
try:
    fit(build("coordinate_inpainting", **SETTINGS), SyntheticPairs(5, 40), out,
        TrainingOptions(steps=steps, device="cpu", devices=processes, log_every=1, progress=False), on_step=on_step)
except TrainingInterrupted as stopped:
    print("STOPPED", stopped)
"""


UNSEEDED = """
import atexit, os, sys, torch
torch.set_num_threads(1)
def last():  # registered first, so that it runs after all others
    with open(os.path.join(os.path.dirname(sys.argv[1]), os.environ["RANK"] + ".end"), "w") as file:
        file.write(str(torch.distributed.is_initialized()))
atexit.register(last)
from posekit.systems import build
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from tests.synthetic import SyntheticPairs
system = build("coordinate_inpainting", seed=int(os.environ["RANK"]), **SETTINGS)
options = TrainingOptions(steps=2, stages=["inpainting"], device="cpu", devices=2, log_every=1, progress=False)
fit(system, SyntheticPairs(5, 40), options=options)
with open(os.path.join(os.path.dirname(__file__), os.environ["RANK"] + ".txt"), "w") as file:  # stdout is shared
    file.write(str(sum(float(tensor.double().abs().sum()) for tensor in system.state_dict().values())))
"""


def test_all_processes_begin_with_the_weights_of_the_first(tmp_path):
    """A script may build its system without a seed; then the processes have drawn different weights."""
    run(tmp_path / "run", 2, script=UNSEEDED)
    first, second = ((tmp_path / f"{rank}.txt").read_text() for rank in (0, 1))
    assert first == second
    ended = [(tmp_path / f"{rank}.end").read_text() for rank in (0, 1)]
    assert ended == ["False", "False"], "threads of an open group can abort a process that ends"


def run(folder, processes, steps=STEPS, stop=0, script=SCRIPT):
    path = folder.parent / "run.py"
    path.write_text(f"SETTINGS = {SETTINGS!r}\n" + textwrap.dedent(script))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    done = subprocess.run(
        [*command, str(path), str(folder), str(processes), str(steps), str(stop)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "HOME": str(folder.parent)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def log_of(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()][1:]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two") / "run"
    run(folder, 2)
    return folder


def test_two_processes_are_one_with_the_whole_batch(two, tmp_path):
    """BatchNorm's statistics, masked means, gradients: all belong to the whole batch of four."""
    torch.set_num_threads(1)
    system = build("coordinate_inpainting", **SETTINGS)
    log = fit(
        system, SyntheticPairs(5, 40), tmp_path, TrainingOptions(steps=STEPS, device="cpu", log_every=1, progress=False)
    )
    for ours, theirs in zip(log_of(two), log, strict=True):
        assert ours["losses"] == pytest.approx(theirs["losses"], rel=1e-3, abs=1e-5)
    one, both = load_file(tmp_path / "weights.safetensors"), load_file(two / "weights.safetensors")
    wrong = entries = 0
    for name, tensor in one.items():
        if name.startswith("g.") and name.endswith("bias"):
            continue  # InstanceNorm takes it out again: its gradient is rounding noise, which Adam makes a step of
        # Where another gradient is near that noise, the same happens to a few entries, and which ones depends on the
        # processor (83 of 51,918 on an AMD EPYC with AVX2): no entry is further off than Adam's steps reach, and almost
        # all agree to rounding.
        apart = (both[name] - tensor).abs()
        assert float(apart.max()) < 1e-4 * STEPS, name
        wrong, entries = wrong + int((apart > 3e-5 + 1e-3 * tensor.abs()).sum()), entries + tensor.numel()
    assert wrong < 0.02 * entries


def test_a_stop_of_one_process_stops_all_and_resumes_bit_for_bit(two, tmp_path):
    folder = tmp_path / "run"
    assert run(folder, 2, stop=STEPS + 2).count("STOPPED") == 2
    run(folder, 2)
    whole, resumed = load_file(two / "weights.safetensors"), load_file(folder / "weights.safetensors")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path):
    with pytest.raises(InputError, match="multiple of 3 x 1"):
        fit(
            build("coordinate_inpainting", **SETTINGS),
            SyntheticPairs(5, 40),
            options=TrainingOptions(device="cpu", devices=3),
        )


def test_batch_norm_alone_is_pytorchs():
    torch.manual_seed(0)
    ours, theirs = BatchNorm2d(3), torch.nn.BatchNorm2d(3)
    x = torch.randn(4, 3, 5, 5)
    assert torch.equal(ours(x), theirs(x))
    assert all(torch.equal(a, b) for a, b in zip(ours.buffers(), theirs.buffers(), strict=True))
