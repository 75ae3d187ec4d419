"""The reference weights do what the page of measurements says, on people that were never seen."""

import json
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from posekit_lab.results import RESULTS
from posekit_lab.source import ROOT

from posekit.cli.demo import demo_command
from posekit.data.studio import StudioPeople
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.table import Evaluation
from posekit.metrics.image import gradient_energy_ratio, l1
from posekit.metrics.interval import interval_over_people
from posekit.person import collate_pairs
from posekit.reference import load_reference, reference_weights, training_of
from posekit.studio.generate import split_of
from posekit.systems import build
from posekit.systems.baselines import beside_baselines
from posekit.training.weights import read_weight_card

PEOPLE, VIEWS = 170, 4  # 17 of them are held out: 204 pairs


@pytest.fixture(scope="module")
def system():
    return load_reference()


@pytest.mark.usefixtures("people_cache")
def test_reference_beats_copying_and_filling_on_held_out_people(system):
    held_out = StudioPeople(PEOPLE, VIEWS, system.config.image_size, split="test", jobs=1, progress=False)
    assert {split_of(number) for number in held_out.numbers} == {"test"}
    assert len(held_out) >= 200
    every = len(held_out)  # the perceptual distance is not asked for here
    table = evaluate(beside_baselines(system), held_out, batch_size=12, perceptual_every=every)
    for baseline in ("source copied", "nearest texel"):
        for metric, sign in (("ssim", 1), ("ms_ssim", 1), ("l1", -1), ("sliced_wasserstein", -1)):
            ours, theirs = (np.array(table.values[name][metric]) for name in (system.name, baseline))
            low, _ = interval_over_people(sign * (ours - theirs), table.people)
            assert low > 0, f"{metric}: pair by pair, over people, better than {baseline}"
    assert table.row(system.name, "gradient_energy_ratio").mean > 0.5
    page = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    order = (system.name, "nearest texel", "source copied")
    said = [float(x) for x in re.findall(r"0\.\d{3}", readme.partition("- On 204 pairs of people")[2])[:6]]
    means = [table.row(name, metric).mean for metric in ("ssim", "sliced_wasserstein") for name in order]
    np.testing.assert_allclose(said, means, rtol=0, atol=0.002, err_msg="README")
    shown = {"source copied": "source copied", "nearest texel": "nearest texel, no learning"}
    for name in table.values:
        title = shown.get(name, "coordinate-based inpainting, laptop")
        (line,) = re.findall(rf"^\| {title} \|(.*)$", page.partition("### 256 pixels")[0], re.MULTILINE)
        numbers = [float(number) for number in re.findall(r"\d+\.\d+", line)]
        columns = {
            "ssim": 0.002,
            "ms_ssim": 0.002,
            "l1": 0.002,
            "sliced_wasserstein": 0.0006,
            "gradient_energy_ratio": 0.01,
        }
        for n, (metric, exact) in enumerate(columns.items()):
            row = table.row(name, metric)
            measured = (row.mean, row.low, row.high)
            np.testing.assert_allclose(
                numbers[3 * n : 3 * n + 3], measured, rtol=0, atol=exact, err_msg=f"{name} {metric}"
            )


def test_the_kept_table_of_256_pixels():
    """Pair by pair, over people, ahead of both baselines by what it was trained with and by what it was not; as sharp
    as asked; the page prints these numbers."""
    table = Evaluation.load(RESULTS / "coordinate_inpainting-laptop256.json")
    ours = "coordinate_inpainting"
    for baseline in ("source copied", "nearest texel"):
        for metric, sign in (("ssim", 1), ("ms_ssim", 1), ("l1", -1), ("sliced_wasserstein", -1), ("perceptual", -1)):
            values = [np.array(table.values[name][metric], float) for name in (ours, baseline)]
            known = np.isfinite(values[0])
            people = [who for who, there in zip(table.people, known, strict=True) if there]
            low, _ = interval_over_people(sign * (values[0] - values[1])[known], people)
            assert low > 0, f"{metric}: pair by pair, over people, better than {baseline}"
    assert 0.7 < table.row(ours, "gradient_energy_ratio").mean < 1.1
    page = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    titles = {ours: "coordinate-based inpainting, laptop256", "source copied": "source copied"}
    titles["nearest texel"] = "nearest texel, no learning"
    digits = {"ssim": 3, "ms_ssim": 3, "l1": 3, "sliced_wasserstein": 4, "gradient_energy_ratio": 2, "perceptual": 3}
    for name, title in titles.items():
        rows = [(table.row(name, metric), d) for metric, d in (digits | {"head.l1": 3}).items()]
        cells = [f"{row.mean:.{d}f} [{row.low:.{d}f}, {row.high:.{d}f}]" for row, d in rows]
        assert f"| {title} | {' | '.join(cells)} |" in page
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    ssim, patches = ([table.row(name, metric).mean for name in (ours, "nearest texel")]
                     for metric in ("ssim", "sliced_wasserstein"))  # fmt: skip
    sharpness = table.row(ours, "gradient_energy_ratio").mean
    assert f"{patches[1]:.4f}; sharpness {sharpness:.2f} of the truth's" in readme
    minutes = [training_of(f"{ours}-laptop{more}")[1] for more in ("", "256", "256-keypoints")]
    before, further, photographs = minutes[0], minutes[1] - minutes[0], minutes[2] - minutes[1]
    assert (
        f"{before:.0f} minutes of one processor core. Weights for 256 pixels (`laptop256`, {further:.0f} more)"
        in readme
    )
    assert f"of one pair, {further:.0f} minutes of a core" in " ".join(page.split())
    assert f"1,000 steps more, {photographs:.0f} minutes" in " ".join(page.split())
    assert f"SSIM {ssim[0]:.3f}, copied texels {ssim[1]:.3f}; sliced Wasserstein {patches[0]:.4f}" in readme


@pytest.mark.usefixtures("people_cache")
def test_colours_sampled_once_are_sharper_and_no_farther():
    system = load_reference(preset="laptop256")
    assert system.config.sample_once
    held_out = StudioPeople(20, 4, 256, split="val", jobs=1, progress=False)
    pairs = collate_pairs([held_out[i] for i in range(0, len(held_out), 3)])
    twice = build("coordinate_inpainting", "laptop256", sample_once=False).eval()
    twice.f.load_state_dict(system.f.state_dict())
    mask, truth = pairs.target.mask, pairs.target.image
    with torch.no_grad():
        once, before = (one(pairs, image=False).W for one in (system, twice))
    sharpness = [gradient_energy_ratio(W, truth, mask).mean().item() for W in (before, once)]
    distance = [l1(W, truth, mask).mean().item() for W in (before, once)]
    assert sharpness[1] > 1.1 * sharpness[0]
    assert distance[1] < 1.02 * distance[0]


@pytest.mark.usefixtures("people_cache")
def test_demo_writes_a_picture_and_a_table(tmp_path, capsys):
    demo_command(tmp_path / "new" / "demo.png", preset="laptop", pairs=24, rows=2)
    said = capsys.readouterr().out
    assert "source copied" in said
    assert "coordinate_inpainting" in said
    assert "24 pairs" in said
    with Image.open(tmp_path / "new" / "demo.png") as picture:
        pixels = np.asarray(picture.convert("RGB"), float)
    assert pixels.shape[1] > 2 * pixels.shape[0]  # six columns, two rows
    assert pixels.std() > 20


@pytest.mark.usefixtures("people_cache")
def test_demo_of_a_photograph(tmp_path, capsys):
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    photo = Path(str(files("skimage") / "data" / "astronaut.png"))
    demo_command(tmp_path / "me.png", photo=[photo])
    assert capsys.readouterr().out.strip().endswith("me.png")
    with Image.open(tmp_path / "me.png") as picture:
        pixels = np.asarray(picture.convert("RGB"), float)
    assert pixels.shape[1] > 2 * pixels.shape[0]  # six columns, two rows
    red, green, blue = pixels[pixels.shape[0] // 2 :, pixels.shape[1] // 3 :].reshape(-1, 3).T
    assert ((red > 1.3 * green) & (red > 1.5 * blue)).mean() > 0.02, "the orange suit is in all four poses"


def test_shipped_weights_are_small_and_say_where_they_come_from(system):
    weights = reference_weights()
    assert sum(path.stat().st_size for path in weights) < 26e6
    assert all(read_weight_card(path)["data"]["dataset"] == "StudioPeople" for path in weights)
    (file,) = (path for path in weights if path.stem == "coordinate_inpainting-laptop")
    card = read_weight_card(file)
    assert card["config"]["g_width"] == system.config.g_width
    assert card["loss_features"].startswith("edge_vgg16"), "a network must say what its losses looked through"
    log = [json.loads(line) for line in file.with_suffix(".log.jsonl").read_text().splitlines()]
    assert log[-1]["stage"] == card["stages"][-1]["name"]
    l1 = [record["losses"]["l1"] for record in log if record["stage"] == "refinement"]  # not when it was trained again
    assert np.mean(l1[-10:]) < 0.5 * np.mean(l1[:10]), "the log is that of a run that learnt"
