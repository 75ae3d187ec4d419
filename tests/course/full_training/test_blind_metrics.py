"""What notebook 06, section 7, says that metrics see and do not see, on its own photographs."""

import pytest
from posekit_course.full_training import failures, figures, probes

from posekit.person import collate_pairs
from posekit.reference import load_reference

SIX = ("l1", "l1_32", "ssim", "ms_ssim", "gradient_energy_ratio", "sliced_wasserstein")
TRAINED = "coordinate-based"


@pytest.fixture(scope="module")
def score():
    """Failure -> metric -> badness in units of the shift by one pixel, over 24 pairs of 12 people."""
    pairs = figures.held_out_pairs(128, people=12)[::2]
    made = probes.made_photographs(load_reference("coordinate_inpainting"), pairs)
    bad = failures.bad_by_metric(failures.Failures(collate_pairs(pairs)), {TRAINED: made})
    names, kinds, table = failures.beside_harmless(bad)
    return {name: dict(zip(kinds, line, strict=True)) for name, line in zip(names, table, strict=True)}


def test_missing_hands_escape_every_metric_and_nothing_else_does(score):
    assert all(score["hands missing"][kind] < 0.8 for kind in SIX)
    for name in set(score) - {"hands missing", failures.HARMLESS}:
        assert any(score[name][kind] > 2 for kind in SIX), name


@pytest.mark.parametrize("kind", ["ssim", "ms_ssim", "gradient_energy_ratio"])
def test_a_colour_cast_is_seen_by_l1_alone(score, kind):
    assert score["colour cast"][kind] < 0.2 < 2 < score["colour cast"]["l1_32"]


def test_ssim_is_afraid_of_noise_and_l1_at_32_is_not(score):
    for name in ("checkerboard", "noise"):
        assert score[name]["ssim"] > score["source returned"]["ssim"]
    assert score["checkerboard"]["l1_32"] < 0.3


def test_a_blur_costs_the_usual_three_as_much_as_a_shift(score):
    for kind in ("l1", "l1_32", "ssim", "ms_ssim"):
        assert 0.8 < score["blurred"][kind] < 1.6
    assert min(score["blurred"]["gradient_energy_ratio"], score["blurred"]["sliced_wasserstein"]) > 2.5


def test_to_ssim_the_trained_system_is_about_as_good_as_the_truth_moved_by_a_pixel(score):
    others = min(score[TRAINED][kind] for kind in ("ms_ssim", "sliced_wasserstein"))
    assert score[TRAINED]["ssim"] < 1.5 < 2 < others


def test_the_sharpness_ratio_is_content_with_a_wrong_pose(score):
    for name in ("another photo behind", "source returned", "mirrored"):
        assert score[name]["gradient_energy_ratio"] < 2 < 3 < score[name]["ms_ssim"]
    assert score["mirrored"]["gradient_energy_ratio"] < 1
