"""Joints as an estimator gives them: in pixels, whatever the size of the photograph; the rest stays."""

import dataclasses

import numpy as np
import pytest
import torch

from posekit.data.joint_noise import JointNoise
from posekit.util.errors import InputError
from tests.synthetic import disc_person


def test_joints_move_by_pixels_and_nothing_else_changes():
    person = disc_person()[0]
    shifts = []
    for draw in range(200):
        spoilt = JointNoise(jitter=2.0, dropout=0.0)(person, np.random.default_rng(draw))
        shifts.append((spoilt.keypoints - person.keypoints) * torch.tensor(person.size[::-1]) / 2)
    assert torch.stack(shifts).std().item() == pytest.approx(2.0, rel=0.03)
    assert torch.equal(spoilt.visibility, person.visibility)
    for field in dataclasses.fields(person):
        if field.name not in ("keypoints", "visibility"):
            assert getattr(spoilt, field.name) is getattr(person, field.name)


def test_no_noise_and_nothing_left():
    person, rng = disc_person()[0], np.random.default_rng(0)
    assert torch.equal(JointNoise(0.0, 0.0)(person, rng).keypoints, person.keypoints)
    assert not JointNoise(0.0, 1.0)(person, rng).visibility.any()


@pytest.mark.parametrize("given", [{"jitter": -1.0}, {"dropout": 1.5}, {"jitter": float("nan")}])
def test_noise_that_is_none_is_refused(given):
    with pytest.raises(InputError, match="jitter is a number of pixels from 0 up"):
        JointNoise(**given)


def test_a_batch_is_refused():
    with pytest.raises(InputError, match="a single photograph with its joints"):
        JointNoise()(disc_person(), np.random.default_rng(0))
