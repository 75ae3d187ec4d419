"""Differences between arms: paired by seed, with the interval of Student's t."""

import numpy as np
import pytest
import yaml
from posekit_lab import experiments
from posekit_lab.differences import Difference, difference, differences_table
from scipy import stats

from posekit.util.errors import InputError


def rows(**arms):
    """Runs with seeds 0, 1, ...: arm -> values of the metric "score"."""
    return [{"arm": arm, "seed": seed, "score": v} for arm, values in arms.items() for seed, v in enumerate(values)]


def test_seeds_that_would_decide():
    """Half width t s / sqrt(n), s = .01: .0248 for three; below .01 with n = 7, where 2.447 * .01 / sqrt(7) = .0092."""
    even = difference(rows(a=[0.49, 0.50, 0.51], b=[0.5, 0.5, 0.5]), "score", "a", "b")
    assert (even.high - even.low) / 2 == pytest.approx(4.3027 * 0.01 / 3**0.5, rel=1e-3)
    assert even.seeds_for(0.01) == 7  # to lie within the margin
    assert even.seeds_for(1) == 2
    assert even.seeds_for(1e-6) is None
    ahead = difference(rows(a=[0.51, 0.52, 0.53], b=[0.5, 0.5, 0.5]), "score", "a", "b")
    assert ahead.seeds_for(0.01) == 4  # to leave out 0: 3.182 * .01 / 2 = .0159 is below .02


def test_against_scipys_paired_test():
    a, b = np.random.default_rng(0).normal(size=(2, 7))
    found = difference(rows(a=a, b=b), "score", "a", "b")
    test = stats.ttest_rel(a, b)
    expected = test.confidence_interval(0.95)
    assert found.p == pytest.approx(test.pvalue)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx((a - b).mean())
    assert found.seeds == 7


def test_seeds_are_matched_not_lines():
    shuffled = rows(a=[1.0, 2, 3], b=[0.5, 1.5, 2.5])
    shuffled = [shuffled[i] for i in (2, 0, 1, 4, 5, 3)]
    found = difference(shuffled, "score", "a", "b")
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))
    assert found.reading == "higher"


def test_runs_without_a_seed_are_refused():
    with pytest.raises(InputError, match="A run of 'a' has no seed"):
        difference([{"arm": "a", "score": 1.0}], "score", "a", "b")


def test_readings():
    assert Difference("m", -1, -2, -0.5, 3, 0.01).reading == "lower"
    assert Difference("m", 1, -0.1, 2.1, 3, 0.06).reading == "undecided"


def test_the_table_and_too_few_seeds():
    table = differences_table(
        rows(a=[1.0, 2, 3], b=[0.5, 1.5, 2.5]), {"score": "Score"}, {"b": "plain", "a": "new"}, "b"
    )
    assert "| new | +0.500 [+0.500, +0.500] higher |" in table
    assert "Difference from *plain*" in table
    with pytest.raises(InputError, match="share 1 seeds with 'score'; an interval needs two"):
        difference(rows(a=[1.0], b=[1.0, 2.0]), "score", "a", "b")
    with pytest.raises(InputError, match="'a' has several runs of seed 0"):
        difference(rows(a=[1.0, 2]) + rows(a=[1.0, 2]), "score", "a", "b")


def test_a_figure_entry_may_name_the_arm_to_compare_with(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "duel.csv").write_text(
        "arm,seed,score\n" + "".join(f"{r['arm']},{r['seed']},{r['score']}\n" for r in rows(a=[1.0, 2], b=[2.0, 3]))
    )
    entry = {"tables": ["duel"], "arms": {"b": "plain", "a": "new"}, "metrics": {"score": "Score"}, "beside": "b"}
    (tmp_path / "figures.yaml").write_text(yaml.safe_dump({"duel": entry}, sort_keys=False))
    assert experiments.main(["draw", "duel"], tmp_path) == 0
    text = (tmp_path / "results" / "duel.md").read_text()
    assert "| new | 1.500 (1.000 to 2.000) |" in text
    assert "| new | -1.000 [-1.000, -1.000] lower |" in text
