"""The error budget: each arm replaces what it says and nothing else."""

import pytest
import torch

from posekit.evaluation.budget import ARMS, budget
from posekit.ops.sample import sample
from posekit.systems import build
from posekit.util.errors import InputError
from tests.synthetic import TINY, make_batch


@pytest.fixture(scope="module")
def case():
    torch.manual_seed(1)
    system = build("coordinate_inpainting", **{**TINY, "paste_known": True, "on_body": True}).eval()
    pair = make_batch(2, 40)
    with torch.inference_mode():
        images = {name: arm(pair).image for name, arm in budget(system).items()}
        return system, pair, system(pair), system(pair, correct=False), images


def test_arms_in_order(case):
    assert tuple(case[-1]) == ARMS


def test_nothing_replaced_is_the_system_itself(case):
    _, _, corrected, raw, images = case
    assert torch.equal(images["as it is"], corrected.image)
    assert torch.equal(images["D of f"], raw.image)
    assert not torch.equal(raw.D, corrected.D)


def test_before_g_the_view_is_W_on_the_true_background(case):
    _, pair, result, _, images = case
    body = pair.target.mask.bool().expand_as(pair.target.image)
    assert torch.equal(images["W of T"][body], result.W[body])
    for name in ("W of T", "W of true T"):
        assert torch.equal(images[name][~body], pair.target.image[~body])


def test_the_true_texture_leaves_resampling_alone(case):
    """What the target shows goes into the atlas and comes back: nearly the target, and far nearer than W of f."""
    _, pair, _, _, images = case
    far = (images["W of T"] - pair.target.image).abs().mean()
    assert (images["W of true T"] - pair.target.image).abs().mean() < 0.2 * far


def test_the_true_view_goes_through_g_with_the_coordinates_of_f(case):
    system, pair, result, _, images = case
    with torch.inference_mode():
        expected = system.refine(pair, W=pair.target.image * pair.target.mask, E=result.E)
    assert torch.equal(images["W of the truth"], expected)
    assert torch.equal(result.E, sample(result.D, pair.target.uv, padding="border") * pair.target.mask)


@pytest.mark.parametrize("system", [("coordinate_inpainting", "rgb"), ("coordinate_inpainting", "no_textures")])
def test_variants_without_coordinates_have_none(system):
    name, variant = system
    with pytest.raises(InputError, match=f"with coordinates.*got {name}, {variant}"):
        budget(build(name, variant=variant, **TINY))
    with pytest.raises(InputError, match="got copy_source, full"):
        budget(build("copy_source"))
