"""Differences between arms: paired by seed, with the interval of Student's t."""

import csv
import json

import numpy as np
import pytest
import yaml
from posekit_lab import experiments
from posekit_lab.differences import Difference, difference, differences_table, two_way_interval
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


def people_rows(arms, people=("a", "b", "c", "d")):
    """Runs that recorded a mean for each person: arm -> lines of seeds, columns of people."""
    made = []
    for arm, lines in arms.items():
        for seed, line in enumerate(np.asarray(lines)):
            text = json.dumps({"people": list(people)[: len(line)], "means": {"score": line.tolist()}})
            made.append({"arm": arm, "seed": seed, "score": line.mean(), "by_person": text})
    return made


def test_over_seeds_and_people_against_an_analysis_of_variance():
    """Mean squares by sums of squares, as a book on two-way tables has them."""
    d = np.random.default_rng(1).normal(0.3, 1, (3, 4)) + np.arange(4)
    found = difference(people_rows({"a": d, "b": np.zeros((3, 4))}), "score", "a", "b")
    m, total = d.mean(), ((d - d.mean()) ** 2).sum()
    of_seeds = 4 * ((d.mean(1) - m) ** 2).sum()
    of_people = 3 * ((d.mean(0) - m) ** 2).sum()
    seeds, people, rest = of_seeds / 2, of_people / 3, (total - of_seeds - of_people) / 6
    q = max(seeds + people - rest, seeds, people)
    freedom = q**2 / (seeds**2 / 2 + people**2 / 3 + rest**2 / 6)
    half = stats.t.ppf(0.975, freedom) * (q / 12) ** 0.5
    assert found.mean == pytest.approx(m)
    assert (found.low, found.high) == pytest.approx((m - half, m + half))
    assert found.counted == "3 seeds, 4 people"


def test_people_who_are_alike_leave_the_interval_of_the_seeds():
    """Differences that depend on the seed alone: Q = MS_s, S - 1 degrees of freedom."""
    d = np.repeat([[0.1], [0.3], [0.5]], 4, 1)
    both = difference(people_rows({"a": d, "b": 0 * d}), "score", "a", "b")
    alone = difference(rows(a=[0.1, 0.3, 0.5], b=[0.0, 0, 0]), "score", "a", "b")
    assert (both.low, both.high, both.p) == pytest.approx((alone.low, alone.high, alone.p))
    assert both.seeds_for(0.01) == alone.seeds_for(0.01)


def test_seeds_that_are_alike_leave_the_interval_of_the_people():
    d = np.tile([0.1, 0.2, 0.4, 0.9], (3, 1))
    both = difference(people_rows({"a": d, "b": 0 * d}), "score", "a", "b")
    expected = stats.ttest_1samp(d[0], 0).confidence_interval(0.95)
    assert (both.low, both.high) == pytest.approx((expected.low, expected.high))
    assert both.seeds_for(1e-3) is None  # more seeds bring no other people


@pytest.mark.parametrize(("of_seeds", "of_people"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_the_interval_over_both_holds_the_truth_as_often_as_it_says(of_seeds, of_people):
    """Whatever varies, in 2,000 tables of 5 seeds and 20 people: 95 of 100, or more where little varies."""
    dice, held = np.random.default_rng(2), 0
    for _ in range(2000):
        d = dice.normal(size=(5, 20)) * 0.5 + dice.normal(size=(5, 1)) * of_seeds + dice.normal(size=20) * of_people
        found = two_way_interval("score", d)
        held += found.low <= 0 <= found.high
    assert 0.93 <= held / 2000 <= 0.99


def test_who_was_not_measured_in_every_run_is_left_out():
    d = np.random.default_rng(3).normal(size=(3, 4))
    lacking = d.copy()
    lacking[1, 2] = np.nan
    runs = people_rows({"a": lacking, "b": 0 * d})
    for run in runs:
        run["by_person"] = run["by_person"].replace("NaN", "null")
    found = difference(runs, "score", "a", "b")
    assert found.people == 3
    assert found.mean == pytest.approx(np.delete(d, 2, 1).mean())


def test_other_people_are_refused():
    d = np.zeros((3, 4))
    runs = people_rows({"a": d}) + people_rows({"b": d}, ("a", "b", "c", "e"))
    with pytest.raises(InputError, match="'score' were measured on different people"):
        difference(runs, "score", "a", "b")


def test_a_kept_table_has_the_people_of_what_is_judged(tmp_path):
    (tmp_path / "results").mkdir()
    entry = {"tables": ["duel"], "arms": {"b": "plain", "a": "new"}, "metrics": {"score": "Score"}, "beside": "b"}
    (tmp_path / "figures.yaml").write_text(yaml.safe_dump({"duel": entry}, sort_keys=False))
    made = people_rows({"a": [[1.0, 2, 3, 4], [2, 3, 4, 6]], "b": np.zeros((2, 4))})
    out = tmp_path / "out" / "duel"
    out.mkdir(parents=True)
    with (out / "table.csv").open("w", newline="") as file:
        lines = csv.DictWriter(file, ["run", "status", "error", *made[0]])
        lines.writeheader()
        for run in made:
            own = run["by_person"].replace('"means": {', '"means": {"nobody_asks": [1, 1, 1, 1], ')
            lines.writerow({"run": "r", "status": "ok", "error": "", **run, "by_person": own})
    assert experiments.main(["keep", "duel"], tmp_path, tmp_path / "out") == 0
    assert "nobody_asks" not in (tmp_path / "results" / "duel.csv").read_text()
    assert experiments.main(["draw", "duel"], tmp_path) == 0
    text = (tmp_path / "results" / "duel.md").read_text()
    assert "interval over 2 seeds, 4 people]" in text
