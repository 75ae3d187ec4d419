"""The script of the long duel: milestones measured side by side, f alone shipped, the log thinned."""

import json
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch

from posekit.systems import build
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.training.weights import load_weights, read_weight_card, save_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs, make_batch

STEPS = 2


@pytest.fixture(scope="module")
def script():
    """data_scripts/train_duel.py as a module."""
    folder = str(Path(__file__).parents[2] / "data_scripts")
    sys.path.insert(0, folder)
    yield import_module("train_duel")
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory, script):
    """A finished run of both networks, tiny."""
    folder = tmp_path_factory.mktemp("duel")
    for what, variant in script.VARIANTS.items():
        system = build("coordinate_inpainting", variant=variant, **TINY)

        def keep(system, _, step, folder=folder / what):
            save_weights(system, folder / f"f-{step:06d}.safetensors", seed=0)

        options = {"stages": ["inpainting"], "steps": STEPS, "device": "cpu", "log_every": 1, "progress": False}
        fit(system, SyntheticPairs(4, 40), folder / what, TrainingOptions(**options), on_step=keep)
    return folder


@pytest.fixture(scope="module")
def shipped(run, script, tmp_path_factory):
    out = tmp_path_factory.mktemp("weights")
    script.LOG_EVERY = 2
    script.ship(run, out, [SyntheticPairs(6, 40)[i] for i in range(6)], out)
    return out


def test_f_alone_is_shipped_in_half_precision(shipped, run):
    assert len(list(shipped.iterdir())) == 5
    for name, what in (("coordinate_inpainting-duel", "coordinates"), ("coordinate_inpainting-duel-rgb", "colours")):
        path = shipped / f"{name}.safetensors"
        card = read_weight_card(path)
        assert card["parts"] == ["f"]
        assert card["stages"][0]["steps"] == STEPS
        assert card["data"]["dataset"] == "SyntheticPairs"
        batch = make_batch(1, 40)
        ours, whole = (load_weights(p)(batch, image=False).T for p in (path, run / what / "weights.safetensors"))
        assert 0 < (ours - whole).abs().max() < 0.02
        assert torch.isfinite(torch.tensor(card["metrics"]["atlas.seen.l1"]))


def test_every_milestone_of_both_is_in_the_table(shipped):
    rows = json.loads((shipped / "coordinate_inpainting-duel.json").read_text())["rows"]
    found = {(row["system"], row["step"]) for row in rows}
    assert found == {(what, step) for what in ("coordinates", "colours") for step in (1, 2)} | {
        ("nearest", None), ("mirror", None),
    }  # fmt: skip
    (final,) = [r for r in rows if (r["system"], r["step"], r["metric"]) == ("colours", 2, "atlas.seen.l1")]
    assert final["low"] <= final["mean"] <= final["high"]
    assert (
        read_weight_card(shipped / "coordinate_inpainting-duel-rgb.safetensors")["metrics"]["atlas.seen.l1"]
        == final["mean"]
    )
    (colour,) = [r for r in rows if (r["system"], r["step"], r["metric"]) == ("colours", 2, "background_share")]
    assert colour["mean"] is None


def test_log_is_thinned(shipped):
    lines = [json.loads(x) for x in (shipped / "coordinate_inpainting-duel.log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2]


def test_pairs_are_spread_over_everyone(script):
    picked = script.spread(list(range(1200)), 120)
    assert (picked[0], picked[-1], len(set(picked))) == (0, 1199, 120)
    assert len({i // 30 for i in picked}) == 40


def test_nothing_is_shipped_before_both_are_trained(script, tmp_path):
    with pytest.raises(InputError, match="holds no milestones of both networks"):
        script.ship(tmp_path, tmp_path / "out", [], tmp_path)
    assert not (tmp_path / "out").exists()
