"""The command that measures where the error is made: it runs, keeps its table, and corrects what it is told to."""

import pytest
import torch
from posekit_lab import error_budget

from posekit.evaluation.budget import ARMS
from posekit.evaluation.table import Evaluation
from posekit.systems import build
from posekit.training.weights import save_weights
from tests.synthetic import TINY


@pytest.mark.usefixtures("cache")
def test_it_measures_every_arm_and_keeps_the_table(tmp_path):
    torch.manual_seed(0)
    weights = save_weights(build("coordinate_inpainting", **TINY), tmp_path / "tiny.safetensors")
    few = ["--weights", str(weights), "--pairs", "2", "--people", "10", "--views", "2"]
    plain = error_budget.main([*few, "--out", str(tmp_path / "plain.json")])
    assert tuple(plain.values) == ARMS
    assert Evaluation.load(tmp_path / "plain.json").names == plain.names
    assert len(plain.names) == 2
    assert plain.values["D of f"]["l1"] == plain.values["as it is"]["l1"], "this system corrects nothing"
    corrected = error_budget.main([*few, "--correct", "--out", str(tmp_path / "corrected.json")])
    assert corrected.values["D of f"]["l1"] == pytest.approx(plain.values["D of f"]["l1"])
    assert corrected.values["as it is"]["l1"] != plain.values["as it is"]["l1"]
    assert corrected.row("W of true T", "l1").mean < corrected.row("W of T", "l1").mean
