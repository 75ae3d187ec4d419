"""Kept results of sweeps as notebooks show them."""

import numpy as np
import pytest
from posekit_lab import recorded_figures as figures
from posekit_lab.differences import difference
from posekit_lab.experiments import figure_of

from posekit.util.errors import InputError


@pytest.fixture
def kept(tmp_path):
    """A folder of experiments with one small table."""
    (tmp_path / "results").mkdir()
    (tmp_path / "figures.yaml").write_text(
        "toy: {tables: [toy], arms: {'s': full, 's, a=1': less, copy: copied}, metrics: {ssim: SSIM, l1: error}}\n"
    )
    rows = ["arm,seed,ssim,l1", "s,0,0.5,0.1", "s,1,0.7,0.2", '"s, a=1",0,0.6,0.3', '"s, a=1",1,0.8,0.4', "copy,0,0.2,"]
    (tmp_path / "results" / "toy.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_recorded_results(kept):
    found = figures.recorded("toy", ["l1", "ssim"], kept)
    assert found.values["full"] == {"l1": [0.1, 0.2], "ssim": [0.5, 0.7]}
    assert found.values["copied"] == {"ssim": [0.2]}
    assert found.mean("less", "l1") == pytest.approx(0.35)
    said = "error: full 0.150, less 0.350; difference -0.200 [-0.200, -0.200]: as in the paper"
    assert found.direction("l1", "full", "less") == said
    assert found.direction("l1", "less", "full").endswith("against the paper")
    assert found.direction("ssim", "full", "less").endswith("as in the paper")  # seed by seed; the arms overlap
    assert found.direction("ssim", "full", "less", higher=True).endswith("against the paper")
    figure = found.draw({"l1": {"full": 15.5, "less": 42.1}})
    assert figure.axes[0].lines[0].get_ydata().tolist() == [0.1, 0.2]
    assert figure.axes[2].lines[0].get_ydata().tolist() == [15.5, 42.1]
    assert list(figures.recorded("toy", folder=kept).titles) == ["ssim", "l1"]
    assert found.difference("l1", "less", "full") == difference(found.rows, "l1", "s, a=1", "s")
    assert found.difference("l1", "less", "full").reading == "higher"
    (kept / "results" / "toy.csv").write_text("arm,seed,ssim,l1\ns,0,0.5,0.1\n")
    with pytest.raises(InputError, match="a=1"):  # an arm that was never run
        figures.recorded("toy", ["l1"], kept)
    (kept / "results" / "toy.csv").unlink()
    assert figures.recorded("toy", ["l1"], kept) is None


@pytest.mark.parametrize(
    ("name", "arms", "metrics"),
    [
        ("skips", 4, {"l1", "ssim"}),
        ("refinement_variants", 4, {"l1", "ssim", "ms_ssim"}),
        ("spatial_depth", 7, {"warped.l1", "warped.body_l1", "l1"}),
        ("spatial_ablations", 5, {"warped.l1", "warped.ssim", "l1", "ssim"}),
    ],
)
def test_the_sweeps_of_the_notebooks_are_described(name, arms, metrics):
    entry = figure_of(name)
    assert len(entry["arms"]) == arms
    assert metrics <= set(entry["metrics"])


def test_recorded_results_are_drawn_when_they_are_there(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "figures.yaml").write_text(
        "toy: {tables: [toy], title: t, arms: {'s, a=1': one, 's, a=2': two}, metrics: {ssim: SSIM, l1: l1}}\n"
    )
    assert figures.draw_recorded("toy", folder=tmp_path) is None
    rows = ["arm,seed,ssim,l1", '"s, a=1",0,0.5,0.1', '"s, a=1",1,0.7,0.1', '"s, a=2",0,0.8,0.2']
    (tmp_path / "results" / "toy.csv").write_text("\n".join(rows) + "\n")
    figure = figures.draw_recorded("toy", {"ssim": (0.79, 0.8)}, folder=tmp_path)
    ssim, l1, paper = figure.axes
    assert [label.get_text() for label in ssim.get_xticklabels()] == ["one", "two"]
    assert ssim.lines[0].get_ydata().tolist() == [0.5, 0.7]
    assert ssim.lines[1].get_ydata() == pytest.approx([0.6, 0.6])
    assert paper.lines[0].get_ydata() == pytest.approx([0.79, 0.8])
    assert l1.get_title() == "l1"


def test_ssim_has_the_same_span_here_and_in_the_paper_and_l1_its_own():
    values = {"one": {"ssim": [0.5, 0.7], "l1": [0.1]}, "two": {"ssim": [0.6], "l1": [0.2]}}
    recorded = figures.Recorded({"ssim": "SSIM", "l1": "l1"}, values, [], {})
    printed = {"ssim": {"one": 0.79, "two": 0.80}, "l1": {"one": 15.0, "two": 42.0}}
    ssim, l1, paper_ssim, paper_l1 = recorded.draw(printed).axes
    spans = [np.ptp(axis.get_ylim()) for axis in (ssim, paper_ssim)]
    assert spans[0] == pytest.approx(spans[1])
    assert spans[0] > 0.2
    assert np.mean(ssim.get_ylim()) == pytest.approx(0.6)
    assert np.mean(paper_ssim.get_ylim()) == pytest.approx(0.795)
    assert np.diff(ssim.get_yticks())[0] == pytest.approx(np.diff(paper_ssim.get_yticks())[0])
    assert np.ptp(l1.get_ylim()) < 0.2
    assert np.ptp(paper_l1.get_ylim()) > 27
    printed["ssim"]["two"] = 0.2  # the paper's values lie further apart than ours
    ssim, _, paper_ssim, _ = recorded.draw(printed).axes
    spans = [np.ptp(axis.get_ylim()) for axis in (ssim, paper_ssim)]
    assert spans[0] == pytest.approx(spans[1])
    assert spans[0] > 0.59
    assert len(ssim.get_yticks()) < 12
