"""The command that draws every system's error over the noise on what it is given."""

import pytest
import torch
from PIL import Image
from posekit_lab import robustness
from posekit_lab.source import ROOT

from posekit.evaluation.table import Evaluation
from posekit.systems import build
from posekit.training.weights import save_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    return str(save_weights(build("coordinate_inpainting", **TINY), tmp_path / "tiny.safetensors"))


@pytest.mark.usefixtures("people_cache")
def test_it_measures_draws_and_keeps(tmp_path, weights):
    few = ["--pairs", "2", "--people", "10", "--views", "2", "--levels", "0", "3"]
    table = robustness.main(["copy_source", weights, *few, "--out", str(tmp_path)])
    assert Evaluation.load(tmp_path / "robustness.json").rows == table.rows
    lines = robustness.curves(table, "l1")
    assert {system: levels for system, (levels, _) in lines.items()} == {"copy_source": [0, 3], weights: [0, 3]}
    (exact, spoilt), (same, again) = lines[weights][1], lines["copy_source"][1]
    assert spoilt != exact
    assert same == again, "who looks at neither maps nor joints does not notice"
    with Image.open(tmp_path / "robustness.png") as picture:
        assert picture.size[0] > 800


def test_systems_of_two_sizes_are_refused(tmp_path, weights):
    other = save_weights(build("coordinate_inpainting", **{**TINY, "image_size": 44}), tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="of one size; these are made for 40 x 40 and 44 x 44"):
        robustness.main([weights, str(other)])


def test_the_page_of_measurements_says_what_the_kept_curves_say():
    table = Evaluation.load(robustness.OUT / "robustness.json")
    times = {system: means[-1] / means[0] for system, (_, means) in robustness.curves(table, "rest.l1").items()}
    page = " ".join((ROOT / "docs" / "measurements.md").read_text(encoding="utf-8").split())
    words = {
        "coordinate_inpainting-laptop": "{:.1f} times with the coordinate-based system",
        "texel_fill-mirror": "{:.1f} with copied texels",
        "deformable_gan-laptop": "{:.1f} with Deformable GANs",
        "spatial_transformation-laptop": "{:.1f} with one spatial transformation",
        "dense_pose_transfer-laptop": "{:.1f} with Dense Pose Transfer",
        "coordinate_inpainting-laptop-keypoints": "{:.1f} with targets given by joints",
    }
    assert ", ".join(text.format(times[system]) for system, text in words.items()) in page
    for metric in robustness.METRICS:
        sign = 1 if metric == "ssim" else -1
        curves = {system: sign * torch.tensor(means) for system, (_, means) in robustness.curves(table, metric).items()}
        own = "coordinate_inpainting-laptop"
        ours = curves.pop(own)
        assert all((ours > theirs)[:-1].all() for theirs in curves.values()), "ahead up to level 2, says the page"
        caught_up = {system for system, theirs in curves.items() if theirs[-1] >= ours[-1]}
        assert metric != "rest.l1" or caught_up == {"dense_pose_transfer-laptop", f"{own}-keypoints"}
