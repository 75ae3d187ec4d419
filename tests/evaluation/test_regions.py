"""Head, hands and the rest; what the source shows and what it hides: which pixels, and the numbers of each."""

import dataclasses

import numpy as np
import pytest
import torch

from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.regions import FEWEST, regions_of, source_shows
from posekit.metrics.perceptual import Perceptual
from posekit.ops.grids import identity_grid
from posekit.person import Pair, collate_pairs
from posekit.studio.generate import make_person
from posekit.systems.base import Result, System
from tests.synthetic import SyntheticPairs, make_batch, make_pair


@pytest.fixture(scope="module")
def studio_pair():
    return Pair(make_person(0, 1, 0, 64), make_person(0, 1, 1, 64)).batched()


def test_the_regions_of_a_rendered_person(studio_pair):
    masks = regions_of(studio_pair)
    assert list(masks) == ["head", "hands", "rest", "seen", "unseen"]
    body = studio_pair.target.mask
    assert all(((m == 0) | (m == 1)).all() for m in masks.values())
    assert torch.equal(masks["seen"] + masks["unseen"], body)
    assert (masks["rest"] * (masks["head"] + masks["hands"])).max() == 0
    assert ((masks["head"] + masks["hands"] + masks["rest"])[body > 0] >= 1).all()


def test_what_the_source_shows_is_what_its_pixels_touch():
    """Of the synthetic people the surface is flat: a pixel of the target is seen where some pixel of the source has
    nearly its position."""
    pair = make_batch(1, 32)
    seen = (source_shows(pair) * pair.target.mask)[0, 0] > 0
    places = pair.source.uv[0].flatten(1).T[pair.source.mask.flatten() > 0]
    texel = 2 / 32
    for y, x in (pair.target.mask[0, 0] > 0).nonzero().tolist():
        away = (places - pair.target.uv[0, :, y, x]).abs().amax(1).min()
        if away < 0.25 * texel:
            assert seen[y, x]
        if away > 2 * texel:
            assert not seen[y, x]
    assert 0 < seen.sum() < pair.target.mask.sum()


def test_regions_need_their_maps():
    pair = make_batch(1, 32)
    assert list(regions_of(pair)) == ["seen", "unseen"], "synthetic people have no head"
    other = dataclasses.replace(pair, source=dataclasses.replace(pair.source, atlas=("smpl",)))
    assert regions_of(other) == {}, "positions in two atlases cannot be compared"
    bare = dataclasses.replace(pair, source=dataclasses.replace(pair.source, uv=None))
    assert regions_of(bare) == {}


class WrongWhereUnseen(System):
    """The truth where the source shows it, and 0.1 more where it does not."""

    name = "half"

    def __init__(self):
        super().__init__(None)

    def forward(self, pair):
        return Result(image=0.9 * pair.target.image + 0.1 * regions_of(pair)["unseen"])


def test_the_table_tells_the_regions_apart():
    class WithHead(SyntheticPairs):
        def __getitem__(self, i):
            pair = super().__getitem__(i)
            top = pair.target.mask * (identity_grid(48, 48)[1:] < -0.3).float()
            hands = torch.zeros_like(top)
            hands[:, 24, 24] = 1  # too few pixels to say anything
            target = dataclasses.replace(pair.target, head=top, hands=hands)
            return dataclasses.replace(pair, target=target)

    data = WithHead(3, 48)
    table = evaluate({"half": WrongWhereUnseen()}, data, batch_size=2)
    values = table.values["half"]
    batch = collate_pairs([data[i] for i in range(3)])
    masks, truth = regions_of(batch), batch.target.image
    made = WrongWhereUnseen()(batch).image
    assert FEWEST > 1
    assert table.row("half", "hands.l1").mean is None
    for name in ("head", "rest", "seen", "unseen"):
        difference = ((made - truth).abs().mean(1, keepdim=True) * masks[name]).sum((1, 2, 3))
        expected = difference / masks[name].sum((1, 2, 3))
        np.testing.assert_allclose(values[f"{name}.l1"], expected.numpy(), rtol=1e-4)
        looked = Perceptual()(made, truth, masks[name], black=False).numpy()
        np.testing.assert_allclose(values[f"{name}.perceptual"], looked, rtol=1e-4, atol=1e-7)
        ratio = np.array(values[f"{name}.gradient_energy_ratio"])
        if name == "seen":
            np.testing.assert_allclose(ratio, 0.81, rtol=1e-3)


def test_whole_photographs_weighed_by_a_mask_are_not_black_off_it():
    """A mask of everything is no mask; off the mask the network still sees what is there."""
    pair = make_pair(0, 48).batched()
    image, truth, everything = pair.source.image, pair.target.image, torch.ones(1, 1, 48, 48)
    look = Perceptual()
    assert look(image, truth, everything, black=False).item() == pytest.approx(look(image, truth).item(), rel=1e-5)
    left = everything.clone()
    left[..., 24:] = 0
    halves = look(image, truth, left, black=False) + look(image, truth, 1 - left, black=False)
    assert halves.item() / 2 == pytest.approx(look(image, truth).item(), rel=0.05)
    assert look(image, truth, left, black=False).item() != pytest.approx(look(image, truth, left).item(), rel=0.05)
