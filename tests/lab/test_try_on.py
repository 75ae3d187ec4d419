"""The command that measures garment transfer."""

import pytest
import torch
from PIL import Image
from posekit_lab import try_on

from posekit.evaluation.table import Evaluation
from posekit.systems import build
from posekit.training.weights import save_weights
from tests.synthetic import TINY


def test_it_measures_draws_and_keeps(tmp_path):
    torch.manual_seed(0)
    system = build("coordinate_inpainting", variant="garments", **TINY)
    weights = str(save_weights(system, tmp_path / "tiny.safetensors"))
    few = ["--people", "2", "--owners", "1", "--shown", "2"]
    table = try_on.main(["--weights", weights, *few, "--out", str(tmp_path)])
    assert Evaluation.load(tmp_path / "try_on.json").rows == table.rows
    found = {(row.system, row.metric): row.mean for row in table.rows}
    assert {system for system, _ in found} == {"as they are", "pasted", "garments"}
    assert found["as they are", "head.l1"] == pytest.approx(found["pasted", "head.l1"], abs=0.02)
    assert found["pasted", "rest.l1"] < found["as they are", "rest.l1"]
    with Image.open(tmp_path / "try_on.png") as picture:
        width, height = picture.size
    assert height > 1.3 * width, "a head of clothes, and two rows for each person"
