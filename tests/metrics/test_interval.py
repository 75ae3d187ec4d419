"""Intervals over people: the ordinary bootstrap where each is seen once, honest ones where pairs are alike."""

import numpy as np
import pytest

from posekit.metrics.interval import interval_over_people
from posekit.metrics.protocol import STANDARD, Protocol
from posekit.util.errors import InputError


def test_by_hand():
    """All resamples of three people, weighted by how often they come: the quantiles of their means."""
    values, people = [0.0, 0.2, 0.4, 1.0], ["a", "b", "b", "c"]
    total, count = np.array([0.0, 0.6, 1.0]), np.array([1, 2, 1])
    drawn = np.array(np.meshgrid(*[range(3)] * 3)).reshape(3, -1).T
    means = total[drawn].sum(1) / count[drawn].sum(1)
    low, high = interval_over_people(values, people, Protocol(resamples=9999, confidence=0.8))
    assert low == pytest.approx(np.quantile(means, 0.1, method="inverted_cdf"), abs=1e-9)
    assert high == pytest.approx(np.quantile(means, 0.9, method="inverted_cdf"), abs=1e-9)


def test_intervals_cover_the_mean_of_the_population():
    """Of 100 samples from a known distribution, about 95 intervals hold its mean."""
    rng, people = np.random.default_rng(0), [str(i) for i in range(60)]
    found = [interval_over_people(rng.exponential(1.0, 60), people, Protocol(seed=seed)) for seed in range(100)]
    assert 85 <= sum(low < 1.0 < high for low, high in found) <= 99


def test_pairs_of_one_person_are_not_independent():
    """40 people with 15 pairs each that differ little: over pairs, hardly half of the intervals hold the mean."""
    rng, who = np.random.default_rng(1), np.repeat(np.arange(40), 15).astype(str)
    held = {"people": 0, "pairs": 0}
    for seed in range(100):
        values = np.repeat(rng.normal(0, 1, 40), 15) + rng.normal(0, 0.3, 600)
        for name, groups in (("people", who), ("pairs", np.arange(600).astype(str))):
            low, high = interval_over_people(values, groups, Protocol(seed=seed, resamples=500))
            held[name] += low < 0 < high
    assert held["people"] >= 85
    assert held["pairs"] <= 60


def test_few_people_or_equal_values():
    assert interval_over_people([0.1, 0.2, 0.3], ["a", "a", "a"]) is None
    assert interval_over_people([0.5, 0.5], ["a", "b"]) == (0.5, 0.5)
    assert interval_over_people([0.5, float("nan")], ["a", "b"]) is None
    assert interval_over_people([], []) is None


def test_the_seed_decides_and_the_names_do_not():
    values, people = np.random.default_rng(0).normal(size=40), [str(i // 2) for i in range(40)]
    first = interval_over_people(values, people)
    assert first == interval_over_people(values, people, STANDARD)
    assert first == interval_over_people(values, [f"person {name}" for name in people])
    assert first != interval_over_people(values, people, Protocol(seed=5))


def test_one_person_for_each_value():
    with pytest.raises(InputError, match=r"one person for each value, got \(2,\) and \(1,\)"):
        interval_over_people([1.0, 2.0], ["a"])
