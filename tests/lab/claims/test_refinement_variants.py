"""Table 2 of coordinate-based texture inpainting on rendered people, from the committed sweep: every seed."""

import pytest
from posekit_lab.experiments import figure_of
from posekit_lab.results import read_results, values_of

ROWS = read_results("refinement_variants")
ARMS = {name: arm for arm, name in figure_of("refinement_variants")["arms"].items()}


def of(metric):
    found = {name: values_of(ROWS, metric, arm=arm) for name, arm in ARMS.items()}
    assert {len(seeds) for seeds in found.values()} == {3}
    return found


@pytest.mark.parametrize("metric", ["ssim", "ms_ssim"])
def test_full_is_best_and_without_textures_worst(metric):
    found = of(metric)
    full, worst = found.pop("full"), found.pop("no_textures")
    between = [value for seeds in found.values() for value in seeds]
    assert max(worst) < min(between)
    assert max(between) < min(full)


def test_skips_cost_nothing_in_l1_and_textures_gain():
    l1 = of("l1")
    assert max(l1["full"]) < min(l1["rgb"])
    assert max(l1["rgb"]) < min(l1["no_textures"])
    assert sum(l1["full"]) < sum(l1["no_deform"])


def test_none_is_crisp_yet():
    assert max(max(seeds) for seeds in of("gradient_energy_ratio").values()) < 0.6
