"""The claim of notebook 04, section 5, from the committed sweep: the order of four kinds of skips, at every seed."""

import itertools

import pytest
from posekit_lab.experiments import figure_of
from posekit_lab.results import read_results, values_of

ROWS = read_results("skips")
ARMS = {kind: arm for arm, kind in figure_of("skips")["arms"].items()}


def of(metric):
    """Kind of skips -> the metric at three seeds, from the worst kind to the best."""
    found = {kind: values_of(ROWS, metric, arm=ARMS[kind]) for kind in ("none", "plain", "parts", "surface")}
    assert {len(seeds) for seeds in found.values()} == {3}
    return found


@pytest.mark.parametrize("metric", ["ssim", "ms_ssim"])
def test_none_then_plain_then_parts_then_surface_whatever_the_seed(metric):
    for worse, better in itertools.pairwise(of(metric).values()):
        assert max(worse) + 0.01 < min(better)


def test_l1_puts_them_in_the_same_order_but_hardly_parts_plain_and_parts():
    l1 = of("l1")
    assert max(l1["surface"]) < 0.85 * min(l1["parts"])
    assert max(l1["plain"]) < 0.9 * min(l1["none"])
    assert sum(l1["parts"]) < sum(l1["plain"])
    assert min(l1["plain"]) < 1.02 * max(l1["parts"])


def test_no_skip_makes_crisp_pictures_at_this_length_of_training():
    sharpness = of("gradient_energy_ratio")
    assert max(max(seeds) for seeds in sharpness.values()) < 0.5
    means = [sum(seeds) / 3 for seeds in sharpness.values()]
    assert max(means) - min(means) < 0.03
