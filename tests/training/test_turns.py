"""Losses that take turns, parts with rates of their own: what is computed when, resumed bit for bit."""

import dataclasses
import os
import signal

import pytest
import torch
from torch import nn

from posekit.systems.base import Result, Stage, System, describe
from posekit.training.checkpoint import read_latest
from posekit.training.fit import TrainingInterrupted, fit
from posekit.training.options import TrainingOptions
from posekit.training.plan import stage_card
from posekit.training.step import freeze_and_optimize
from posekit.util.errors import InputError
from tests.synthetic import SyntheticPairs

DATA = SyntheticPairs(5, 16)
OPTIONS = {"device": "cpu", "progress": False, "log_every": 2}


@dataclasses.dataclass(frozen=True)
class Config:
    variant: str = "full"


class Toy(System):
    """Two numbers and a critic: ``noise`` pulls one to a random number, ``picture`` the other to the data."""

    name = "toy"
    PRESETS = {"laptop": Config()}

    def __init__(self, config=None, preset="laptop"):
        super().__init__(config or Config(), preset)
        self.a, self.b, self.critic = nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1)
        self.calls = []

    def stages(self):
        return [
            Stage(
                name="both", parts=("a", "b"), critics=("critic",), weights={"noise": 1.0, "picture": 2.0}, steps=8,
                batch_size=2, lr=1e-2, part_lr={"b": 1e-3}, critic_lr=3e-2, turns=(("noise",), ("picture",)),
            )
        ]  # fmt: skip

    def stage_forward(self, pair, stage):
        self.calls.append(tuple(stage.weights))
        image = None if "noise" in stage.weights else pair.source.image * self.b.weight
        return Result(image=image)

    def losses(self, pair, result, names=None):
        if "noise" in names:
            return {"noise": (self.a.weight - torch.randn(1)).square().sum()}
        return {"picture": (result.image - pair.target.image).abs().mean()}

    def critic_losses(self, pair, result):
        if result.image is None:
            return {}
        return {"critic": (self.critic.weight * result.image.detach().mean() - 1).square().sum()}


def toy(seed=0):
    torch.manual_seed(seed)
    return Toy()


def stop_at(total):
    def on_step(system, stage, step):
        if step == total:
            os.kill(os.getpid(), signal.SIGTERM)

    return on_step


def test_losses_take_turns():
    system = toy()
    log = fit(system, DATA, options=TrainingOptions(**OPTIONS))
    assert system.calls == [("noise",), ("picture",)] * 4
    assert all(set(record["losses"]) == {"noise", "picture", "critic"} for record in log)


def test_a_turn_leaves_the_other_parts_alone():
    """Not even Adam's momentum moves what no loss of the turn looks at, and the critic waits for a photograph."""
    system = toy()
    before = {k: v.clone() for k, v in system.state_dict().items()}
    fit(system, DATA, options=TrainingOptions(steps=1, **OPTIONS))
    after = system.state_dict()
    assert not torch.equal(before["a.weight"], after["a.weight"])
    assert all(torch.equal(before[k], after[k]) for k in before if not k.startswith("a."))
    middle = []

    def on_step(s, stage, step):
        if step in (2, 3):
            middle.append((s.b.weight.item(), s.critic.weight.item()))

    fit(system, DATA, options=TrainingOptions(steps=3, **OPTIONS), on_step=on_step)
    assert middle[0] == middle[1]  # the third step is noise again


@pytest.mark.parametrize("stop", [2, 5])
def test_resumed_bit_for_bit(stop, tmp_path):
    """After either task; its random numbers are those of the uninterrupted run."""
    whole = toy()
    log = fit(whole, DATA, tmp_path / "whole", TrainingOptions(**OPTIONS))
    with pytest.raises(TrainingInterrupted):
        fit(toy(), DATA, tmp_path / "cut", TrainingOptions(**OPTIONS), on_step=stop_at(stop))
    torch.manual_seed(99)
    resumed = toy(seed=1)
    again = fit(resumed, DATA, tmp_path / "cut", TrainingOptions(**OPTIONS))
    assert all(torch.equal(v, resumed.state_dict()[k]) for k, v in whole.state_dict().items())
    assert [record["losses"] for record in again] == [record["losses"] for record in log]


def test_rates_of_parts():
    """Adam's first step moves every number by its learning rate."""
    system = toy()
    optimizers = freeze_and_optimize(system, system.stages()[0])
    rates = {name: [group["stage_lr"] for group in optimizer.param_groups] for name, optimizer in optimizers.items()}
    assert rates == {"parts": [1e-2, 1e-3], "critics": [3e-2]}
    before = {k: v.clone() for k, v in system.state_dict().items()}
    fit(system, DATA, options=TrainingOptions(steps=2, **OPTIONS))
    moved = {k: (v - before[k]).abs().max().item() for k, v in system.state_dict().items() if k.endswith("weight")}
    assert moved["b.weight"] == pytest.approx(1e-3, rel=1e-2)
    assert moved["critic.weight"] == pytest.approx(3e-2, rel=1e-2)


def test_the_table_and_the_card_say_so():
    system = toy()
    text = str(describe(system))
    assert "noise; picture" in text
    assert "lr 0.01, b 0.001" in text
    card = stage_card(system.stages()[0])
    assert card["turns"] == [["noise"], ["picture"]]
    assert card["part_lr"] == {"b": 1e-3}
    plain = dataclasses.replace(system.stages()[0], turns=(), part_lr={})
    assert not {"turns", "part_lr"} & set(stage_card(plain))  # cards of other systems stay as they were


def test_bad_turns():
    settings = {"name": "s", "parts": ("a",), "steps": 1, "batch_size": 1}
    with pytest.raises(InputError, match=r"should name each of its losses \(x, y\)"):
        Stage(**settings, weights={"x": 1.0, "y": 1.0}, turns=(("x",),))
    with pytest.raises(InputError, match="does not train b, which part_lr names"):
        Stage(**settings, weights={"x": 1.0}, part_lr={"b": 1.0})


class Cliff(Toy):
    """A finite loss whose gradient is not, at the third step."""

    def stages(self):
        return [Stage(name="s", parts=("a",), weights={"l": 1.0}, steps=6, batch_size=2, lr=1e-2)]

    def stage_forward(self, pair, stage):
        return Result()

    def losses(self, pair, result, names=None):
        self.calls.append(names)
        w = self.a.weight.sum()
        return {"l": (w - w.detach()).sqrt() + 1.0 if len(self.calls) == 3 else w.square()}


def test_weights_that_are_not_finite_are_not_kept(tmp_path):
    """The loss was finite when they were made; the run goes on from the step before."""
    torch.manual_seed(0)
    with pytest.raises(InputError, match="weights a.weight .* are not finite.*the last checkpoint is intact"):
        fit(Cliff(), DATA, tmp_path, TrainingOptions(checkpoint_every=1, **OPTIONS))
    card, model, _ = read_latest(tmp_path / "checkpoints")
    assert card["total_step"] == 2
    assert all(bool(tensor.isfinite().all()) for tensor in model.values())
