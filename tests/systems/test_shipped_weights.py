"""The weights in the package: on people of the test split they do better than handing back the source."""

import functools

import numpy as np
import pytest
import torch
from posekit_lab.results import RESULTS
from posekit_lab.source import ROOT

from posekit.data.studio import StudioPeople
from posekit.evaluation.table import Evaluation
from posekit.metrics.interval import interval_over_people
from posekit.person import collate_pairs
from posekit.reference import load_reference, reference_log
from posekit.training.runlog import logged_minutes

NAMES = ("coordinate_inpainting", "deformable_gan", "spatial_transformation")


@pytest.fixture(scope="module")
def pairs():
    """Twenty pairs of five people whom no training has seen."""
    data = StudioPeople([10 * n + 9 for n in range(5)], views=4, size=128, split="test", pairs="random", progress=False)
    return collate_pairs([data[i] for i in range(20)])


def on_body(made, target):
    return float(((made - target.image).abs().mean(1, keepdim=True) * target.mask).sum() / target.mask.sum())


@pytest.mark.parametrize("name", NAMES)
def test_nearer_to_the_target_than_the_source_is(name, pairs):
    system = load_reference(name)
    with torch.inference_mode():
        made = system(pairs).image
    assert on_body(made, pairs.target) < 0.8 * on_body(pairs.source.image, pairs.target)


def test_the_flow_alone_does_too(pairs):
    with torch.inference_mode():
        warped = load_reference("spatial_transformation")(pairs).warped
    assert on_body(warped, pairs.target) < 0.8 * on_body(pairs.source.image, pairs.target)


@pytest.mark.parametrize("name", NAMES)
def test_the_log_of_the_training_is_beside_them(name):
    log = reference_log(name)
    steps = [entry["total_step"] for entry in log]
    assert steps == sorted(set(steps))
    assert all({"stage", "losses", "seconds"} <= entry.keys() for entry in log)


def test_their_kept_evaluations_can_be_read_and_compared():
    tables = [Evaluation.load(RESULTS / f"{name}-laptop.json") for name in NAMES]
    together = functools.reduce(lambda a, b: a.beside(b), tables)  # refuses other pairs, or another protocol
    copied = together.row("source copied", "ssim")
    assert copied.mean == pytest.approx(tables[-1].row("source copied", "ssim").mean, abs=1e-6)
    assert all(together.row(name, "ssim").low > copied.high for name in NAMES)


def test_the_page_of_measurements_says_how_far_ahead_the_coordinate_based_system_is():
    """Pair by pair, over people, of the kept evaluation."""
    table = Evaluation.load(RESULTS / "coordinate_inpainting-laptop.json")
    page = " ".join((ROOT / "docs" / "measurements.md").read_text(encoding="utf-8").split())
    minutes = round(logged_minutes(reference_log()))
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"The reference weights took {minutes} minutes of one processor core" in page
    assert f"They took {minutes} minutes of one processor core" in readme
    assert f"on {len(table.names)} pairs of {len(set(table.people))} other held-out people" in page
    ahead = {}
    signs = {"ssim": 1, "ms_ssim": 1, "l1": -1, "perceptual": -1, "sliced_wasserstein": -1, "gradient_energy_ratio": 1}
    for metric, sign in signs.items():
        ours, copied = (np.array(table.values[name][metric]) for name in ("coordinate_inpainting", "nearest texel"))
        gain = sign * (ours - copied)
        low, high = interval_over_people(gain, table.people, table.protocol)
        ahead[metric] = (low, f"{gain.mean():.3f} [{low:.3f}, {high:.3f}] in")
    assert f"{ahead['ssim'][1]} SSIM" in page
    assert f"{ahead['ms_ssim'][1]} MS-SSIM" in page
    assert f"{ahead['l1'][1]} l1" in page
    assert f"{ahead['perceptual'][1]} the perceptual distance" in page
    assert f"{ahead['sliced_wasserstein'][1]} the sliced Wasserstein distance" in page
    shown = [f"{table.row(name, f'{region}.l1').mean:.3f}".lstrip("0") for region in ("seen", "unseen", "head", "hands")
             for name in ("coordinate_inpainting", "nearest texel")]  # fmt: skip
    assert (
        "where the source shows the texel (l1 {} against {}), where it hides it ({} and {}), on the head ({} and {}) "
        "and on the hands ({} and {})".format(*shown)
    ) in page
    assert all(ahead[metric][0] > 0 for metric in signs if metric != "gradient_energy_ratio")
    assert ahead["gradient_energy_ratio"][0] < 0  # "in sharpness the two cannot be told apart"
