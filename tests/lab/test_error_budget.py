"""The command that measures where the error is made: it runs, keeps its table, and corrects what it is told to."""

import re
from pathlib import Path

import pytest
import torch
from posekit_lab import error_budget

from posekit.evaluation.budget import ARMS
from posekit.evaluation.table import Evaluation
from posekit.systems import build
from posekit.training.weights import save_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY


@pytest.mark.usefixtures("people_cache")
def test_it_measures_every_arm_and_keeps_the_table(tmp_path):
    torch.manual_seed(0)
    few = ["--pairs", "2", "--people", "10", "--views", "2"]
    tables = {}
    for name, corrections in (("plain", {}), ("corrected", {"paste_known": True, "on_body": True})):
        torch.manual_seed(0)
        weights = save_weights(
            build("coordinate_inpainting", **{**TINY, **corrections}), tmp_path / f"{name}.safetensors"
        )
        tables[name] = error_budget.main([*few, "--weights", str(weights), "--out", str(tmp_path / f"{name}.json")])
    plain, corrected = tables["plain"], tables["corrected"]
    assert tuple(plain.values) == ARMS
    assert Evaluation.load(tmp_path / "plain.json").names == plain.names
    assert len(plain.names) == 2
    assert plain.values["D of f"]["l1"] == plain.values["as it is"]["l1"], "this system corrects nothing"
    assert corrected.values["D of f"]["l1"] == pytest.approx(plain.values["D of f"]["l1"])
    assert corrected.values["as it is"]["l1"] != plain.values["as it is"]["l1"]
    assert corrected.row("W of true T", "l1").mean < corrected.row("W of T", "l1").mean


def test_the_page_shows_what_was_measured():
    table = Evaluation.load(error_budget.OUT)
    page = (Path(__file__).parents[2] / "docs" / "measurements.md").read_text(encoding="utf-8")
    _, _, section = page.partition("## Where the error is made")
    lines = re.findall(r"^\| ([^|]+) \|((?: \.\d+ \|)+)$", section.partition("## ")[0], re.MULTILINE)
    arms = ("D of f", "as it is", "T of the truth", "W of the truth", "W of T", "W of true T")
    columns = ("ssim", "perceptual", "head.l1", "hands.l1", "rest.l1", "seen.l1", "unseen.l1")
    assert len(lines) == len(arms)
    for arm, (_, numbers) in zip(arms, lines, strict=True):
        shown = [float(number) for number in re.findall(r"\.\d+", numbers)]
        assert shown == pytest.approx([table.row(arm, metric).mean for metric in columns], abs=6e-4), arm


def test_other_systems_are_refused_before_people_are_rendered(tmp_path):
    weights = save_weights(build("copy_source"), tmp_path / "copy.safetensors")
    with pytest.raises(InputError, match="the coordinate-based system with coordinates.*got copy_source"):
        error_budget.main(["--weights", str(weights)])
