"""Micro-batches, moving average, TensorBoard, memory layout: what each promises."""

import os
import signal

import pytest
import torch
from safetensors.torch import load_file

from posekit.systems import build
from posekit.training.device import make_fabric, tune
from posekit.training.fit import TrainingInterrupted, fit
from posekit.training.options import TrainingOptions
from posekit.training.step import freeze_and_optimize, train_step
from posekit.training.weights import load_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs, make_batch

OPTIONS = {"device": "cpu", "progress": False, "log_every": 1, "stages": ["inpainting"], "steps": 6}


def tiny(**overrides):
    return build("coordinate_inpainting", **{**TINY, **overrides})


@pytest.mark.parametrize("number", [0, 1])
def test_micro_batches_average_their_gradients(number):
    """Two micro-batches of one pair each, the same pair, are that pair: losses, gradients and Adam's moments."""
    moments, losses = [], []
    for n in (1, 2):
        system = tiny()
        stage = system.stages()[number]
        optimizers = freeze_and_optimize(system, stage)
        pair = make_batch(2, 40)
        losses.append(train_step(system, [pair] * n, stage, optimizers, make_fabric("cpu", 1, "32-true")))
        moments.append([s["exp_avg"] for s in optimizers["parts"].state_dict()["state"].values()])
    assert list(losses[0]) == list(losses[1])
    for name in losses[0]:
        torch.testing.assert_close(losses[0][name], losses[1][name], rtol=2e-2 if number else 1e-5, atol=1e-6)
    if number == 0:  # in the second, the critic's spectral norm has been iterated once more
        for once, twice in zip(*moments, strict=True):
            torch.testing.assert_close(twice, once, rtol=1e-4, atol=1e-7)
    else:
        share = [float(b.norm() / a.norm()) for a, b in zip(*moments, strict=True) if a.norm() > 1e-6]
        assert 0.8 < sum(share) / len(share) < 1.25  # a sum instead of a mean gives 2


def test_micro_batches_split_the_batch(tmp_path):
    log = fit(tiny(batch_size=4), SyntheticPairs(4, 40), options=TrainingOptions(accumulate=2, **OPTIONS))
    whole = fit(tiny(batch_size=4), SyntheticPairs(4, 40), options=TrainingOptions(**OPTIONS))
    assert log[0]["losses"]["identity"] == pytest.approx(whole[0]["losses"]["identity"], rel=0.05)
    assert log[0]["losses"] != whole[0]["losses"]


def test_the_average_is_the_written_one():
    decay, average, names = 0.7, {}, [name for name, _ in tiny().f.named_parameters()]

    def on_step(system, stage, step):
        for name, p in system.f.named_parameters():
            average[name] = p.detach().clone() if step == 1 else decay * average[name] + (1 - decay) * p.detach()

    system = tiny()
    fit(system, SyntheticPairs(4, 40), options=TrainingOptions(ema=decay, **OPTIONS), on_step=on_step)
    ours = dict(system.f.named_parameters())
    assert set(ours) == set(names)
    for name in names:
        torch.testing.assert_close(ours[name].detach(), average[name], rtol=1e-5, atol=1e-7)


def test_the_average_survives_a_stop_bit_for_bit(tmp_path):
    def stop(system, stage, step):
        if step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    options = {**OPTIONS, "ema": 0.9}
    fit(tiny(), SyntheticPairs(4, 40), tmp_path / "whole", TrainingOptions(**options))
    with pytest.raises(TrainingInterrupted):
        fit(tiny(), SyntheticPairs(4, 40), tmp_path / "cut", TrainingOptions(**options), on_step=stop)
    fit(tiny(seed=5), SyntheticPairs(4, 40), tmp_path / "cut", TrainingOptions(**options))
    whole, cut = (load_file(tmp_path / run / "weights.safetensors") for run in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    with pytest.raises(InputError, match="another ema"):
        fit(tiny(), SyntheticPairs(4, 40), tmp_path / "cut", TrainingOptions(**{**options, "ema": 0.5}))


def test_the_folder_of_a_run_gives_the_average_as_its_weight_file_does(tmp_path):
    fit(tiny(), SyntheticPairs(4, 40), tmp_path, TrainingOptions(ema=0.9, **OPTIONS))
    file, folder = (load_weights(path).f.state_dict() for path in (tmp_path / "weights.safetensors", tmp_path))
    assert all(torch.equal(file[name], folder[name]) for name in file)


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_out_of_range_is_refused(decay):
    with pytest.raises(InputError, match="from 0"):
        fit(tiny(), SyntheticPairs(4, 40), options=TrainingOptions(ema=decay, **OPTIONS))


def test_channels_last_changes_the_layout_and_not_the_losses():
    plain, system = fit(tiny(), SyntheticPairs(4, 40), options=TrainingOptions(**OPTIONS)), tiny()
    log = fit(system, SyntheticPairs(4, 40), options=TrainingOptions(channels_last=True, **OPTIONS))
    weight = next(p for p in system.f.parameters() if p.ndim == 4 and p.shape[1] > 1)
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert log[-1]["losses"] == pytest.approx(plain[-1]["losses"], rel=1e-3)
    assert system.f.last.weight.is_contiguous(memory_format=torch.channels_last)


def test_on_the_cpu_networks_with_instance_norm_keep_their_layout():
    """Its g would be copied back and forth; f and the discriminator have BatchNorm and change."""
    system = tiny()
    tune(system, system.stages(), True, False)
    moved = {
        part: {p.is_contiguous(memory_format=torch.channels_last) for p in wide_kernels(system.get_submodule(part))}
        for part in ("f", "g", "discriminator")
    }
    assert moved == {"f": {True}, "g": {False}, "discriminator": {True}}


def wide_kernels(network):
    """Weights of convolutions for which the two layouts differ."""
    return [p for p in network.parameters() if p.ndim == 4 and min(p.shape[1:]) > 1]


def test_bfloat16_learns_what_float32_learns():
    """On the way the losses differ, as they do between two layouts of float32; at the end both have fallen alike."""
    options = {**OPTIONS, "steps": 80, "log_every": 10}
    (first, *_, plain), (*_, rounded) = (
        [
            record["losses"]["identity"]
            for record in fit(tiny(), SyntheticPairs(4, 40), options=TrainingOptions(**chosen, **options))
        ]
        for chosen in ({}, {"precision": "bf16-mixed", "channels_last": True})
    )
    assert plain < 0.25 * first
    assert 2 / 3 < rounded / plain < 3 / 2


def test_tensorboard_holds_every_logged_loss(tmp_path):
    from tensorboardX.event_file_writer import EventsWriter  # noqa: F401  # the package is there
    from tensorboardX.proto.event_pb2 import Event

    log = fit(tiny(), SyntheticPairs(4, 40), tmp_path, TrainingOptions(tensorboard=True, **OPTIONS))
    (file,) = (tmp_path / "tensorboard").iterdir()
    found, data = {}, file.read_bytes()
    while data:  # records of TFRecord: length (8 bytes), its checksum (4), the event, its checksum (4)
        size = int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12 : 12 + size])
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
        data = data[12 + size + 4 :]
    for record in log:
        for name, value in record["losses"].items():
            assert found["inpainting/" + name, record["total_step"]] == pytest.approx(value, rel=1e-6)
