"""The command that draws every system's error over the noise on what it is given."""

import pytest
import torch
from PIL import Image
from posekit_lab import robustness

from posekit.evaluation.table import Evaluation
from posekit.systems import build
from posekit.training.weights import save_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    return str(save_weights(build("coordinate_inpainting", **TINY), tmp_path / "tiny.safetensors"))


@pytest.mark.usefixtures("cache")
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
