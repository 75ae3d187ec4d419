"""The noise of an estimator: what it removes, how far it moves, and what it leaves alone."""

import numpy as np
import pytest
import torch

from posekit.data.estimator_noise import EstimatorNoise, displacement
from posekit.person import stack_persons
from posekit.studio.generate import make_person
from posekit.util.errors import InputError


@pytest.fixture(scope="module")
def person():
    return make_person(0, 2, 0, 96)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_no_noise_changes_nothing(person):
    same = EstimatorNoise(part_dropout=0.0, missing_hands=0.0, jitter=0.0)(person, rng())
    torch.testing.assert_close(same.uv, person.uv, atol=1e-6, rtol=0)
    torch.testing.assert_close(same.chart, person.chart, atol=1e-6, rtol=0)
    assert torch.equal(same.part, person.part)
    assert torch.equal(same.mask, person.mask)


def test_only_the_map_changes(person):
    noisy = EstimatorNoise(part_dropout=0.3)(person, rng())
    for name in ("image", "keypoints", "visibility", "head", "hair", "hands"):
        assert torch.equal(getattr(noisy, name), getattr(person, name))
    assert noisy.name == person.name
    assert not torch.equal(noisy.uv, person.uv)


def test_missing_hands_and_parts(person):
    hands = EstimatorNoise(part_dropout=0.0, missing_hands=1.0, jitter=0.0)(person, rng())
    was_hand = (person.part == 3) | (person.part == 4)
    assert was_hand.any()
    assert (hands.part[was_hand] == 0).all()
    assert torch.equal(hands.part[~was_hand], person.part[~was_hand])
    nothing = EstimatorNoise(part_dropout=1.0, missing_hands=1.0)(person, rng())
    assert not nothing.mask.any()
    assert not nothing.uv.any()


def test_parts_go_missing_as_often_as_asked(person):
    noise = EstimatorNoise(part_dropout=0.25, missing_hands=0.0, jitter=0.0)
    parts = [p for p in person.part.unique().tolist() if p not in (0, 3, 4)]
    kept = [np.isin(parts, noise(person, rng(s)).part.numpy()) for s in range(60)]
    assert abs(1 - np.mean(kept) - 0.25) < 0.06


def test_maps_stay_consistent(person):
    noisy = EstimatorNoise()(person, rng(3))
    on = noisy.mask > 0
    assert torch.equal(on, noisy.part > 0)
    assert (noisy.uv[:, ~on[0]] == 0).all()
    assert (noisy.chart[:, ~on[0]] == 0).all()
    assert noisy.chart.min() >= 0
    assert noisy.chart.max() <= 1


def test_displacements_are_smooth_and_bounded():
    for seed in range(5):
        field = displacement(rng(seed), (60, 80), 2.0, 12.0)
        length = np.sqrt((field**2).sum(0))
        assert 1 - 1e-9 <= length.max() <= 2 + 1e-9
        assert np.abs(np.diff(field, axis=-1)).max() < 0.5


def test_positions_move_by_pixels_and_never_across_a_seam(person):
    """Every position of the moved map is found in the exact map at most a few pixels away."""
    noisy = EstimatorNoise(part_dropout=0.0, missing_hands=0.0, jitter=2.0)(person, rng(1))
    rows, columns = np.nonzero(noisy.mask[0].numpy())
    h, w = person.size
    moved = 0
    for y, x in list(zip(rows, columns, strict=True))[::5]:
        window = np.s_[..., max(0, y - 3) : min(h, y + 4), max(0, x - 3) : min(w, x + 4)]
        same = person.part[window] == noisy.part[0, y, x]
        assert same.any()
        distance = (person.uv[window] - noisy.uv[:, y, x, None, None]).norm(dim=0)[same[0]]
        assert distance.min() < 0.06
        moved += bool((person.uv[:, y, x] - noisy.uv[:, y, x]).norm() > 1e-4)
    assert moved > 50


def test_the_same_generator_gives_the_same_noise(person):
    noise = EstimatorNoise()
    assert torch.equal(noise(person, rng(5)).uv, noise(person, rng(5)).uv)
    assert not torch.equal(noise(person, rng(5)).uv, noise(person, rng(6)).uv)


def test_bad_input(person):
    with pytest.raises(InputError, match="probabilities from 0 to 1"):
        EstimatorNoise(part_dropout=1.5)
    with pytest.raises(InputError, match="jitter is from 0 up"):
        EstimatorNoise(jitter=-1.0)
    with pytest.raises(InputError, match="single photograph"):
        EstimatorNoise()(stack_persons([person, person]), rng())
