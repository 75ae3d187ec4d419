"""The published variants of Deformable GANs on rendered people, from the committed sweep: every seed."""

import pytest
from posekit_lab.experiments import figure_of
from posekit_lab.results import read_results, values_of

ROWS = read_results("deformable_gan")
ARMS = {name: arm for arm, name in figure_of("deformable_gan")["arms"].items()}


def of(metric):
    found = {name: values_of(ROWS, metric, arm=arm) for name, arm in ARMS.items()}
    assert {len(seeds) for seeds in found.values()} == {3}
    return found


@pytest.mark.parametrize("metric", ["ssim", "ms_ssim"])
def test_deformable_skips_help_at_every_seed(metric):
    found = of(metric)
    assert all(dsc > baseline for dsc, baseline in zip(found["DSC"], found["Baseline"], strict=True))


def test_nearest_neighbours_bring_details_that_l1_does_not():
    sharpness = of("gradient_energy_ratio")
    assert max(sharpness["DSC"]) < min(sharpness["Full"]) < max(sharpness["Full"]) < 1


def test_the_content_loss_on_random_features_gives_artefacts():
    """Its pictures are full of checks: sharper than the truth, and farther from it."""
    found = of("gradient_energy_ratio")
    assert min(found.pop("PercLoss")) > 1.5 > max(max(seeds) for seeds in found.values())
    assert max(of("ssim")["PercLoss"]) < min(min(of("ssim")[name]) for name in found)
