"""Loading ahead: refusals come in one sentence, a killed loader is said, and no process stays behind."""

import dataclasses
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import torch

from posekit.training.loading import loaded_batches
from posekit.training.options import TrainingOptions
from posekit.training.order import Batches
from posekit.util.errors import InputError
from tests.synthetic import make_pair


class People:
    """Five pairs; number 3 is refused, or kills the process that loads it."""

    def __init__(self, deadly: bool = False):
        self.deadly = deadly

    def __len__(self):
        return 5

    def __getitem__(self, index):
        if index == 3:
            if self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            raise InputError("Pair 3 is damaged; render it again.")
        return make_pair(index, 16)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_refusal_is_one_sentence_and_loaders_end(workers):
    others = set(multiprocessing.active_children())
    with pytest.raises(InputError) as refused:
        _read(People(), Batches(5, 2, 50), workers=workers)
    assert str(refused.value) == "Pair 3 is damaged; render it again."
    assert set(multiprocessing.active_children()) == others


def test_a_killed_loader_is_said_and_the_others_end():
    others = set(multiprocessing.active_children())
    with pytest.raises(InputError, match="loads pairs was killed.*fewer --workers"):
        _read(People(deadly=True), Batches(5, 2, 50), workers=2)
    assert set(multiprocessing.active_children()) == others


def test_loaders_that_ignore_sigterm_end_with_the_loop():
    """Left in the middle by an error of somebody else."""
    others = set(multiprocessing.active_children())
    with pytest.raises(ZeroDivisionError):
        _read(People(), Batches(3, 1, 50), workers=2, then=lambda _: 1 / 0)
    assert set(multiprocessing.active_children()) == others


def test_ahead_and_here_give_the_same_batches():
    here, ahead = (
        [pair.target.image for batch in _read(People(), Batches(3, 2, 4), parts=2, workers=workers) for pair in batch]
        for workers in (0, 2)
    )
    assert len(here) == 8
    for a, b in zip(here, ahead, strict=True):
        assert torch.equal(a, b)


def _read(*data_and_order, then=lambda batch: batch, **how):
    with loaded_batches(*data_and_order, **how) as batches:
        return [then(batch) for batch in batches]


def test_a_checkpoint_by_time(tmp_path: Path):
    from posekit.systems import build
    from posekit.training.fit import fit
    from tests.synthetic import TINY

    class Stop(Exception):
        pass

    def stop(system, stage, step):
        if step == 3:
            raise Stop

    options = TrainingOptions(steps=5, batch_size=1, progress=False, device="cpu", checkpoint_minutes=1e-9)
    with pytest.raises(Stop):
        fit(build("coordinate_inpainting", **TINY), [make_pair(0, 40)], tmp_path, options, on_step=stop)
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == ["step-00000001", "step-00000002"]
    options = dataclasses.replace(options, checkpoint_minutes=60, resume=False)
    with pytest.raises(Stop):
        fit(build("coordinate_inpainting", **TINY), [make_pair(0, 40)], tmp_path, options, on_step=stop)
    assert not (tmp_path / "checkpoints").exists()  # neither the hour nor 500 steps have passed
    with pytest.raises(InputError, match="checkpoint_minutes is above 0"):
        TrainingOptions(checkpoint_minutes=0)
