"""Tables 2 to 4 and appendix E of pose transfer by one spatial transformation, from the committed sweeps."""

import pytest
from posekit_lab.experiments import figure_of
from posekit_lab.results import read_results, values_of


def of(name, metric):
    """Name of the arm -> the metric at three seeds."""
    entry = figure_of(name)
    rows = read_results(*entry["tables"])
    found = {
        title: values_of(rows, metric, arm=arm) for arm, title in entry["arms"].items() if title != "source copied"
    }
    assert {len(seeds) for seeds in found.values()} == {3}
    return found


@pytest.mark.parametrize("metric", ["warped.l1", "warped.body_l1", "warped.l1_32"])
def test_without_the_affine_task_the_flow_is_lost(metric):
    found = of("spatial_ablations", metric)
    assert min(found["no_affine"]) > 1.4 * max(found["full"])


def test_refinement_does_not_make_the_flow_better_here():
    """Table 3 prints the opposite; its four numbers are those of Table 4."""
    l1, ssim = of("spatial_ablations", "warped.l1"), of("spatial_ablations", "warped.ssim")
    assert max(l1["no_refinement"]) < min(l1["full"])
    assert min(ssim["no_refinement"]) > max(ssim["full"])


def test_skips_do_not_fail_in_so_short_a_training():
    """Appendix E prints a failure."""
    for metric, sign in (("l1", -1), ("ssim", 1)):
        found = of("spatial_ablations", metric)
        assert min(sign * value for value in found["with_skips"]) > max(sign * value for value in found["full"])


def test_all_do_better_than_handing_back_the_source():
    copied = values_of(read_results("spatial_baseline"), "l1", arm="copy_source")
    assert all(max(seeds) < 0.85 * copied[0] for seeds in of("spatial_ablations", "l1").values())


def test_depth_hardly_matters_here():
    """Table 2 prints 33.31 for one layer and 15.52 for six."""
    means = [sum(seeds) / 3 for seeds in of("spatial_depth", "warped.l1").values()]
    assert len(means) == 6
    assert max(means) < 1.06 * min(means)
