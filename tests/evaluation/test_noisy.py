"""Noise on what a system is given: none at level 0, the same for a photograph wherever it comes, none on the truth."""

import dataclasses

import numpy as np
import pytest
import torch

from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.noisy import Noisy
from posekit.person import Pair, collate_pairs
from posekit.systems.base import Result, System
from posekit.systems.baselines import baseline
from posekit.util.errors import InputError
from tests.synthetic import SyntheticPairs, disc_person, make_person, with_charts


class Shown(System):
    """Keeps what it is shown."""

    name = "shown"

    def __init__(self):
        super().__init__(None)

    def forward(self, pair):
        self.pair = pair
        return Result(image=pair.source.image)


def pair_of(*names: str) -> Pair:
    joints = disc_person()[0]
    known = {"keypoints": joints.keypoints, "visibility": joints.visibility}
    people = [
        dataclasses.replace(with_charts(make_person(0, view, 40)), **known, name=name)
        for view, name in enumerate(names)
    ]
    return Pair(people[0], people[1])


def test_level_0_is_the_system_itself():
    seen, pair = Shown(), pair_of("a", "b").batched()
    Noisy(seen, 0.0)(pair)
    assert seen.pair is pair


def test_a_photograph_is_spoilt_alike_in_every_batch_and_not_its_colours():
    seen = Shown()
    noisy = Noisy(seen, 1.0)
    noisy(collate_pairs([pair_of("x", "y"), pair_of("a", "b")]))
    first = seen.pair
    noisy(pair_of("a", "b").batched())
    alone = seen.pair
    for field in ("uv", "chart", "keypoints", "visibility", "part", "mask"):
        assert torch.equal(getattr(first.target, field)[1], getattr(alone.target, field)[0]), field
        assert not torch.equal(getattr(first.target, field)[1], getattr(pair_of("a", "b").target, field)) or field in (
            "part",
            "mask",
            "visibility",
        )
    assert torch.equal(alone.target.image[0], pair_of("a", "b").target.image)
    Noisy(seen, 1.0, seed=1)(pair_of("a", "b").batched())
    assert not torch.equal(seen.pair.target.uv, alone.target.uv)


def test_the_truth_that_it_is_measured_against_is_exact():
    pairs = [
        dataclasses.replace(p, source=with_charts(p.source), target=with_charts(p.target))
        for p in SyntheticPairs(3, 48)
    ]
    nearest = baseline("nearest", 48)
    table = evaluate({"0": nearest, "2": Noisy(nearest, 2.0)}, pairs, perceptual_every=3)
    alone = evaluate({"0": nearest}, pairs, perceptual_every=3)
    np.testing.assert_equal(table.values["0"], alone.values["0"])  # the other system is not touched
    assert table.row("2", "l1").mean > 1.05 * table.row("0", "l1").mean


def test_a_negative_level_is_refused():
    with pytest.raises(InputError, match="level of noise is 0 or more, got -1"):
        Noisy(Shown(), -1.0)
