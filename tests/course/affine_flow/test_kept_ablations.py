"""The kept results say what the text of notebook 05, section 8, says of them."""

import pytest
from posekit_course.affine_flow import figures


@pytest.fixture(scope="module")
def ablations():
    found = figures.recorded("spatial_ablations", ["warped.l1", "warped.ssim", "l1", "ssim"])
    if found is None:
        pytest.skip("no results of the sweep are kept here")
    return found


def test_without_the_affine_task_the_warped_source_is_worse(ablations):
    full, without = (ablations.values[arm]["warped.l1"] for arm in ("full", "no_affine"))
    assert ablations.difference("warped.ssim", "full", "no_affine").reading == "higher"
    assert ablations.difference("warped.l1", "full", "no_affine").reading == "undecided"  # three seeds, one far off:
    assert max(full) < min(without)
    assert ablations.mean("no_affine", "warped.l1") > 1.5 * ablations.mean("full", "warped.l1")
    assert min(without) > ablations.mean("source copied", "l1")


@pytest.mark.parametrize("other", ["no_refinement", "with_skips"])
def test_without_refinement_and_with_skips_the_photograph_is_better(ablations, other):
    assert ablations.difference("l1", "full", other).reading == "higher"
    assert max(ablations.values["full"]["ssim"]) < min(ablations.values[other]["ssim"])
    assert ablations.difference("ssim", "full", other).reading == ("lower" if other == "with_skips" else "undecided")
