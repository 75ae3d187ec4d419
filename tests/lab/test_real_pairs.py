"""The command that measures on real pairs, on two photographs in the public domain that are no pair."""

import json
import shutil
from importlib.resources import files

import pytest
import torch
from posekit_lab import real_pairs
from posekit_lab.source import ROOT

from posekit.systems import build
from posekit.training.weights import save_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY


@pytest.fixture
def folder(tmp_path):
    """The astronaut twice, as source and as target."""
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    for end in ("source", "target"):
        shutil.copy(str(files("skimage") / "data" / "astronaut.png"), tmp_path / f"1_{end}.png")
    return tmp_path


@pytest.fixture
def weights(tmp_path):
    """A tiny network that has not learnt; it reads a body into every picture."""
    torch.manual_seed(0)
    system = build("coordinate_inpainting", variant="keypoints", **{**TINY, "image_size": 64})
    system.surface.last.bias.data[2] = 9.0
    return str(save_weights(system, tmp_path / "w.safetensors"))


def test_it_measures_and_keeps(folder, weights, tmp_path, capsys):
    table = real_pairs.main([str(folder), "--weights", weights, "--out", str(tmp_path / "out.json")])
    assert set(table) == {"source", "nearest", "mirror", "W", "image"}
    assert table["source"]["l1"] == [0.0], "here the target is the source"
    assert table["nearest"]["l1"][0] > 0
    kept = json.loads((tmp_path / "out.json").read_text())
    assert kept["pairs"] == 1
    assert kept["means"]["W"]["ssim"] == table["W"]["ssim"][0]
    assert "nearer than the nearest texel on" in capsys.readouterr().out


def test_a_folder_without_pairs(tmp_path):
    with pytest.raises(InputError, match="holds no pairs NAME_source.png and NAME_target.png"):
        real_pairs.main([str(tmp_path)])


@pytest.mark.parametrize("name", ["real_pairs.json", "real_pairs256.json"])
def test_the_page_of_measurements_says_what_is_kept(name):
    kept = json.loads(real_pairs.OUT.with_name(name).read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    for who, title in (
        ("source", "the source as it is"), ("nearest", "nearest texel"), ("mirror", "mirrored, then nearest texel"),
        ("W", "f's texture, W"), ("image", "g's photograph"),
    ):  # fmt: skip
        row = kept["means"][who]
        line = f"| {title} | {row['perceptual']:.3f} | {row['ssim']:.3f} | {row['l1']:.3f} |"
        assert line in page, line
    best = {metric: min(kept["means"], key=lambda who: sign * kept["means"][who][metric])
            for metric, sign in (("perceptual", 1), ("ssim", -1), ("l1", 1))}  # fmt: skip
    assert set(best.values()) == {"image"}, "the page says that g's photograph is ahead by all three"
    assert f"on {kept['W nearer than nearest, perceptual']} of {kept['pairs']} pairs" in page
