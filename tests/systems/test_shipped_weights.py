"""The weights in the package: on people of the test split they do better than handing back the source."""

import functools
import importlib.resources

import pytest
import torch

from posekit.data.person import collate_pairs
from posekit.data.studio import StudioPeople
from posekit.training.checkpoint import load_reference, reference_log
from posekit.training.evaluate import Evaluation

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


def test_the_evaluations_beside_them_can_be_read_and_compared():
    folder = importlib.resources.files("posekit") / "weights"
    tables = [Evaluation.load(folder / f"{name}-laptop.json") for name in NAMES]
    together = functools.reduce(lambda a, b: a.beside(b), tables)  # refuses other pairs, or another protocol
    copied = together.row("source copied", "ssim")
    assert copied.mean == pytest.approx(tables[-1].row("source copied", "ssim").mean, abs=1e-6)
    assert all(together.row(name, "ssim").low > copied.high for name in NAMES)
