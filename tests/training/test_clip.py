"""Gradients that are too long: what a clipped step does, that short ones are left alone, and what is written down."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from posekit.systems.base import Result, Stage, System, describe
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.training.plan import stage_card
from posekit.training.step import _update, freeze_and_optimize
from posekit.util.errors import InputError
from tests.synthetic import SyntheticPairs

DATA = SyntheticPairs(3, 16)
ONE_PROCESS = SimpleNamespace(world_size=1)


@dataclasses.dataclass(frozen=True)
class Config:
    variant: str = "full"
    clip: float | None = 2.0
    steep: float = 1.0


class Slope(System):
    """Three numbers on a slope: the gradient is ``steep`` times (2, 3 | 6), as long as 7."""

    name = "slope"
    PRESETS = {"laptop": Config()}

    def __init__(self, config=None, preset="laptop"):
        super().__init__(config or Config(), preset)
        self.a, self.b, self.critic = nn.Linear(2, 1, bias=False), nn.Linear(1, 1, bias=False), nn.Linear(1, 1)

    def stages(self):
        return [
            Stage(
                name="down", parts=("a", "b"), critics=("critic",), weights={"slope": 1.0}, steps=3, batch_size=1,
                lr=1e-2, clip=self.config.clip,
            )
        ]  # fmt: skip

    def stage_forward(self, pair, stage):
        return Result()

    def losses(self, pair, result, names=None):
        a, b = self.a.weight.flatten(), self.b.weight.flatten()
        return {"slope": self.config.steep * (2 * a[0] + 3 * a[1] + 6 * b[0])}

    def critic_losses(self, pair, result):
        return {"critic": 100 * self.critic.weight.sum()}


def gradients(system, stage, optimizers):
    """The gradients that Adam was given in one step: those of the parts, and those of the critic."""
    system.critic.requires_grad_(True)
    loss, critic = system.losses(None, None)["slope"], system.critic_losses(None, None)["critic"]
    (loss + critic).backward()
    for optimizer in optimizers.values():
        _update(optimizer, stage, 1.0, ONE_PROCESS)
    parts = torch.cat([system.a.weight.grad.flatten(), system.b.weight.grad.flatten()])
    return parts, system.critic.weight.grad.flatten()


@pytest.mark.parametrize(("clip", "length"), [(None, 7.0), (2.0, 2.0), (7.5, 7.0), (1e9, 7.0)])
def test_a_gradient_is_scaled_as_a_whole(clip, length):
    """All parts together have one length, and the direction stays; the critics have a length of their own."""
    system = Slope(Config(clip=clip))
    stage = system.stages()[0]
    parts, critic = gradients(system, stage, freeze_and_optimize(system, stage))
    torch.testing.assert_close(parts, torch.tensor([2.0, 3.0, 6.0]) / 7 * length)
    torch.testing.assert_close(critic, torch.tensor([min(100.0, clip or 100.0)]))


def test_one_steep_step_does_not_decide_the_next_ones():
    """Why it is there: Adam remembers a steep gradient's direction long after it is gone.

    One step a thousand times as steep, and uphill: without the clip the following ten steps still go its way.
    """
    ends = {}
    for clip in (None, 10.0):
        system = Slope(Config(clip=clip))
        stage = system.stages()[0]
        optimizer = freeze_and_optimize(system, stage)["parts"]
        begin = system.b.weight.item()
        for steep in [1.0] * 20 + [-1000.0] + [1.0] * 10:
            optimizer.zero_grad()
            (steep * system.losses(None, None)["slope"]).backward()
            _update(optimizer, stage, 1.0, ONE_PROCESS)
            if steep < 0:
                before = system.b.weight.item()
        ends[clip] = system.b.weight.item() - before
        assert before < begin, "twenty steps down"
    assert ends[None] > 0 > ends[10.0], "uphill without the clip, downhill with it"


@pytest.mark.parametrize("batches", [1, 2])
def test_the_whole_training_clips(batches):
    """Also where a batch comes in parts: it is the mean over them that is clipped."""
    moved = {}
    for steep in (1.0, 100.0):
        torch.manual_seed(0)
        system = Slope(Config(clip=1e-9, steep=steep))  # Adam divides by |g| + 1e-8: shorter gradients move it less
        before = system.b.weight.item()
        options = TrainingOptions(device="cpu", progress=False, log_every=1, accumulate=batches, batch_size=2)
        fit(system, DATA, options=options)
        moved[steep] = before - system.b.weight.item()
    assert 0 < moved[1.0] < 0.1 * 3 * 1e-2
    assert moved[1.0] == pytest.approx(moved[100.0], rel=1e-3)


def test_the_table_and_the_card_say_so():
    stage = Slope().stages()[0]
    assert stage_card(stage)["clip"] == 2.0
    assert "gradients no longer than 2" in str(describe(Slope()))
    without = Slope(Config(clip=None))
    assert "clip" not in stage_card(without.stages()[0]), "cards of other systems stay as they were"
    assert "no longer than" not in str(describe(without))


@pytest.mark.parametrize("clip", [0.0, -1.0, float("nan")])
def test_a_length_is_above_zero(clip):
    with pytest.raises(InputError, match="clip of stage 's' is a length above 0, or None"):
        Stage(name="s", parts=("a",), weights={"x": 1.0}, steps=1, batch_size=1, clip=clip)
