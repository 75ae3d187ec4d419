"""The loop: bit-for-bit resume, interruption, what is frozen, the log, bad input."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from posekit.person import Pair
from posekit.systems import build
from posekit.systems.coordinate_inpainting import CoordinateInpainting
from posekit.training import checkpoint
from posekit.training import fit as loop
from posekit.training.fit import TrainingInterrupted, fit
from posekit.training.options import TrainingOptions
from posekit.training.weights import load_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs, make_batch

ROOT = Path(__file__).parents[2]
OPTIONS = {"device": "cpu", "progress": False, "log_every": 2}
DATA = SyntheticPairs(5, 40)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny(**overrides):
    return build("coordinate_inpainting", **{**TINY, **overrides})


def same_state(a, b):
    a, b = a.state_dict(), b.state_dict()
    assert a.keys() == b.keys()
    return all(torch.equal(a[key], b[key]) for key in a)


def stop_at(total):
    """A callback that sends SIGTERM, as a batch system does, after ``total`` steps."""
    count = [0]

    def on_step(system, stage, step):
        count[0] += 1
        if count[0] == total:
            os.kill(os.getpid(), signal.SIGTERM)

    return on_step


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    torch.set_num_threads(1)
    folder, system = tmp_path_factory.mktemp("whole"), tiny()
    log = fit(system, DATA, folder, TrainingOptions(steps=20, **OPTIONS))
    return system, log, folder


@pytest.mark.parametrize("stop", [10, 20, 27])
def test_resumed_run_is_bit_for_bit_the_uninterrupted_one(stop, uninterrupted, tmp_path):
    """In the first stage, at its end, and in the adversarial one."""
    whole, log, _ = uninterrupted
    with pytest.raises(TrainingInterrupted, match="run the same command again to go on"):
        fit(tiny(), DATA, tmp_path, TrainingOptions(steps=20, **OPTIONS), on_step=stop_at(stop))
    torch.manual_seed(12345)  # whatever happens in between
    resumed = tiny(seed=1)  # even other initial weights: all comes from the checkpoint
    again = fit(resumed, DATA, tmp_path, TrainingOptions(steps=20, **OPTIONS))
    assert same_state(whole, resumed)
    assert [(r["total_step"], r["losses"]) for r in again] == [(r["total_step"], r["losses"]) for r in log]


def test_resuming_a_finished_run_changes_nothing(uninterrupted):
    whole, _, folder = uninterrupted
    before = (folder / "weights.safetensors").read_bytes()
    system = tiny()
    log = fit(system, DATA, folder, TrainingOptions(steps=20, **OPTIONS))
    assert same_state(whole, system)
    assert log[-1]["total_step"] == 40
    assert (folder / "weights.safetensors").read_bytes() == before


def test_losses_fall(uninterrupted):
    _, log, _ = uninterrupted
    first, last = log[0], log[9]
    assert (first["stage"], last["stage"], last["step"]) == ("inpainting", "inpainting", 20)
    assert last["losses"]["identity"] < 0.8 * first["losses"]["identity"]
    refinement = [r["losses"]["l1"] for r in log if r["stage"] == "refinement"]
    assert refinement[-1] < 0.8 * refinement[0]


def test_log_file_holds_the_records(uninterrupted):
    _, log, folder = uninterrupted
    header, *lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert header["run"]["system"] == "coordinate_inpainting"
    assert header["run"]["loss_features"] == "random weights, width 4"
    assert header["run"]["data"] == {"dataset": "SyntheticPairs", "n": 5, "size": 40}
    assert [line["losses"] for line in lines] == [r["losses"] for r in log]
    assert all(0 <= line["waited"] <= 1 and line["seconds"] > 0 for line in lines)


def test_a_kill_without_warning_leaves_a_loadable_checkpoint(uninterrupted, tmp_path):
    whole, _, _ = uninterrupted
    script = f"""
        import os, signal, torch
        torch.set_num_threads(1)
        from posekit.systems import build
        from posekit.training.fit import fit
        from posekit.training.options import TrainingOptions
        from tests.synthetic import TINY, SyntheticPairs
        def on_step(system, stage, step):
            if stage.name == "refinement" and step == 7:
                os.kill(os.getpid(), signal.SIGKILL)
        fit(build("coordinate_inpainting", **TINY), SyntheticPairs(5, 40), {str(tmp_path)!r},
            TrainingOptions(steps=20, log_every=2, device="cpu", progress=False, checkpoint_every=5), on_step=on_step)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, timeout=120)
    assert done.returncode == -signal.SIGKILL
    (tmp_path / "checkpoints" / ".step-00000099.1").mkdir()  # as if killed while writing
    card, _, _ = checkpoint.read_latest(tmp_path / "checkpoints")
    assert (card["stage"], card["step"], card["total_step"]) == (1, 5, 25)
    resumed = tiny(seed=1)
    fit(resumed, DATA, tmp_path, TrainingOptions(steps=20, **OPTIONS))
    assert same_state(whole, resumed)
    assert not list((tmp_path / "checkpoints").glob(".*"))


def test_only_the_parts_of_a_stage_change():
    system = tiny()
    fit(system, DATA, options=TrainingOptions(steps={"inpainting": 2, "refinement": 0}, **OPTIONS))
    f, g = ({k: v.clone() for k, v in net.state_dict().items()} for net in (system.f, system.g))
    fit(system, DATA, options=TrainingOptions(stages=["refinement"], steps=2, **OPTIONS))
    assert all(torch.equal(f[k], v) for k, v in system.f.state_dict().items())  # weights and BatchNorm statistics
    assert not torch.equal(g["last.bias"], system.g.last.bias)
    assert all(p.requires_grad for p in system.parameters())
    assert not any(module.training for module in system.modules())


def test_all_readings_and_variants_train():
    for reading in ("main", "supplementary"):
        log = fit(tiny(reading=reading, features="random"), DATA, options=TrainingOptions(steps=1, **OPTIONS))
        assert [r["stage"] for r in log] == ["inpainting", "refinement"]
    for variant in ("no_deform", "rgb", "no_textures"):
        assert fit(
            build("coordinate_inpainting", variant=variant, **TINY), DATA, options=TrainingOptions(steps=1, **OPTIONS)
        )


def test_loading_in_other_processes_changes_nothing():
    alone, helped = tiny(), tiny()
    fit(alone, DATA, options=TrainingOptions(steps=2, **OPTIONS))
    fit(helped, DATA, options=TrainingOptions(steps=2, workers=1, **OPTIONS))
    assert same_state(alone, helped)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_stops_after_a_step_with_loaders_too(sent, tmp_path):
    """A loader that dies of it would take the run along before anything is kept."""
    script = f"""
        import os, subprocess, time, torch
        torch.set_num_threads(1)
        from posekit.systems import build
        from posekit.training.fit import TrainingInterrupted, fit
        from posekit.training.options import TrainingOptions
        from tests.synthetic import TINY, SyntheticPairs
        def on_step(system, stage, step):
            if step == 3:
                kill = ['kill', '-{int(sent)}', '--', str(-os.getpgrp())]  # by another process, as Slurm does
                subprocess.run(kill, start_new_session=True)
                time.sleep(1)  # until the loaders have had it too
        try:
            fit(build("coordinate_inpainting", **TINY), SyntheticPairs(5, 40), {str(tmp_path)!r},
                TrainingOptions(steps=20, workers=2, device="cpu", progress=False), on_step=on_step)
        except TrainingInterrupted as stopped:
            print(stopped)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, cwd=ROOT, timeout=120, capture_output=True, text=True, start_new_session=True)
    assert "Stopped after step 3" in done.stdout, done.stderr[-1000:]
    assert checkpoint.read_latest(tmp_path / "checkpoints")[0]["step"] == 3


def test_bfloat16_autocast_trains():
    log = fit(tiny(), DATA, options=TrainingOptions(steps=4, precision="bf16-mixed", **OPTIONS))
    assert all(value == value for record in log for value in record["losses"].values())


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(tiny(), DATA, options=TrainingOptions(steps=1, **OPTIONS))
    assert not list(tmp_path.iterdir())


def test_another_run_in_the_folder_is_refused(uninterrupted, tmp_path):
    _, _, folder = uninterrupted
    with pytest.raises(InputError, match="holds a run with another seed \\(0, now 3\\).*--fresh"):
        fit(tiny(), DATA, folder, TrainingOptions(steps=20, seed=3, **OPTIONS))
    with pytest.raises(InputError, match="another config"):
        fit(tiny(g_width=6), DATA, folder, TrainingOptions(steps=20, **OPTIONS))
    with pytest.raises(InputError, match="another data"):
        fit(tiny(), SyntheticPairs(6, 40), folder, TrainingOptions(steps=20, **OPTIONS))
    with pytest.raises(InputError, match="another stages"):
        fit(tiny(), DATA, folder, TrainingOptions(steps=30, **OPTIONS))


def test_starting_over_removes_the_old_run(tmp_path):
    fit(tiny(), DATA, tmp_path, TrainingOptions(steps=3, **OPTIONS))
    fit(tiny(), DATA, tmp_path, TrainingOptions(steps=1, seed=2, resume=False, **OPTIONS))
    card, _, _ = checkpoint.read_latest(tmp_path / "checkpoints")
    assert (card["seed"], card["total_step"]) == (2, 2)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"ema": 1.5}, "from 0 .none. to below 1"),
        ({"tensorboard": True}, r'pip install "posekit\[tensorboard\]"'),
        ({"checkpoint_every": 0}, "1 or more"),
        ({"log_every": 0}, "1 or more"),
        ({"workers": -1}, "0 or more"),
    ],
)
def test_starting_over_with_a_wrong_option_removes_nothing(wrong, words, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    kept = tmp_path / "checkpoints" / "step-00000001"
    kept.mkdir(parents=True)
    with pytest.raises(InputError, match=words):
        fit(tiny(), DATA, tmp_path, TrainingOptions(**{**OPTIONS, "steps": 1, "resume": False, **wrong}))
    assert kept.is_dir()


def test_a_second_run_in_the_same_folder_is_refused(tmp_path):
    """While the first is going on; when it has ended, or was killed, the folder is free again."""
    script = f"""
        import time
        from posekit.util.files import alone_in
        with alone_in({str(tmp_path)!r}):
            print("inside", flush=True)
            time.sleep(100)
    """
    other = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "inside\n"
        with pytest.raises(InputError, match="Another process is writing into"):
            fit(tiny(), DATA, tmp_path, TrainingOptions(steps=1, **OPTIONS))
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    finally:
        other.kill()
        other.communicate()
    fit(tiny(), DATA, tmp_path, TrainingOptions(steps=1, **OPTIONS))
    fit(tiny(), DATA, tmp_path, TrainingOptions(steps=1, **OPTIONS))


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    (tmp_path / ".weights-abc.safetensors").write_bytes(b"half")
    fit(tiny(), DATA, tmp_path, TrainingOptions(steps=1, **OPTIONS))
    assert not list(tmp_path.glob(".weights-*"))
    assert (tmp_path / "weights.safetensors").is_file()


class Poisoned(SyntheticPairs):
    """Pairs whose source is not a number."""

    def __getitem__(self, i):
        pair = super().__getitem__(i)
        return Pair(dataclasses.replace(pair.source, image=pair.source.image * float("nan")), pair.target)


def test_a_loss_that_is_not_finite_stops_before_the_checkpoint(tmp_path):
    with pytest.raises(InputError, match="texture_target of stage inpainting is not finite"):
        fit(tiny(), Poisoned(3, 40), tmp_path, TrainingOptions(steps=4, **OPTIONS))
    assert checkpoint.read_latest(tmp_path / "checkpoints") is None


def test_a_critic_that_is_not_finite_stops_before_the_checkpoint(tmp_path, monkeypatch):
    """Between two records nobody looks at its loss but the checkpoint."""
    monkeypatch.setattr(CoordinateInpainting, "critic_losses", poisoned(CoordinateInpainting.critic_losses))
    options = {**OPTIONS, "log_every": 100, "checkpoint_every": 2, "stages": ["refinement"]}
    with pytest.raises(InputError, match="discriminator of stage refinement is not finite"):
        fit(tiny(), DATA, tmp_path, TrainingOptions(steps=4, **options))
    assert checkpoint.read_latest(tmp_path / "checkpoints") is None


def poisoned(losses):
    """The same losses, not a number in value alone: the gradients stay finite."""

    def found(self, pair, result):
        return {name: value + torch.tensor(float("nan")) for name, value in losses(self, pair, result).items()}

    return found


def test_bad_input():
    with pytest.raises(InputError, match="training data is empty"):
        fit(tiny(), [], options=TrainingOptions(**OPTIONS))
    with pytest.raises(InputError, match="stages inpainting, refinement, not inpaint"):
        fit(tiny(), DATA, options=TrainingOptions(stages=["inpaint"], **OPTIONS))
    with pytest.raises(InputError, match="it learns nothing"):
        fit(build("copy_source"), DATA, options=TrainingOptions(**OPTIONS))
    with pytest.raises(InputError, match="32-true or bf16-mixed; got '8-ish'"):
        fit(tiny(), DATA, options=TrainingOptions(precision="8-ish", **OPTIONS))
    with pytest.raises(InputError, match="from 0 up, got -1"):
        fit(tiny(), DATA, options=TrainingOptions(**{**OPTIONS, "seed": -1}))
    with pytest.raises(InputError, match="cannot be shared by 3 devices"):
        fit(tiny(), DATA, options=TrainingOptions(devices=3, **OPTIONS))
    with pytest.raises(InputError, match="auto, cpu, cuda; got device 'gpux'"):
        fit(tiny(), DATA, options=TrainingOptions(**{**OPTIONS, "device": "gpux"}))


def test_trained_system_makes_pictures(uninterrupted):
    whole, _, folder = uninterrupted
    pair = make_batch(2, 40)
    for loaded in (load_weights(folder / "weights.safetensors"), load_weights(folder)):
        assert torch.equal(loaded(pair).image, whole(pair).image)


def test_one_process_does_not_ask_the_device_whether_to_stop(monkeypatch):
    """Between two records nothing waits for the losses: on a GPU every question would wait for the whole step."""
    asked = []
    monkeypatch.setattr(loop, "mean_over_processes", lambda value: asked.append(value) or value)
    system = tiny()
    fit(system, DATA, options=TrainingOptions(stages=["inpainting"], steps=4, **{**OPTIONS, "log_every": 4}))
    assert len(asked) == len(system.stages()[0].weights)  # the losses of the one record
