"""Garment transfer: what is kept of the target, the white background, cloning, and that N' is used."""

import dataclasses

import pytest
import torch

from posekit.evaluation.evaluate import evaluate
from posekit.person import Pair
from posekit.systems import build
from posekit.systems.cut_out import kept_of, laid_on_white, silhouette
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs, make_batch, with_charts


def tiny(variant="garments", **overrides):
    return build("coordinate_inpainting", variant=variant, **{**TINY, **overrides})


def with_head(person):
    """The upper fifth of the body is the head, its right edge a hand, some hair above."""
    mask = person.mask
    rows = torch.arange(mask.shape[-2])[:, None] / mask.shape[-2]
    columns = torch.arange(mask.shape[-1])[None] / mask.shape[-1]
    head, hands = mask * (rows < 0.35), mask * (columns > 0.7)
    hair = (1 - mask) * ((rows < 0.2) & (columns > 0.4) & (columns < 0.6))
    return dataclasses.replace(person, head=head, hands=hands, hair=hair)


def dressed_batch(n=2, size=40):
    pair = make_batch(n, size)
    return Pair(with_head(pair.source), with_head(pair.target))


class Dressed(SyntheticPairs):
    def __getitem__(self, i):
        pair = super().__getitem__(i)
        return Pair(with_head(pair.source), with_head(pair.target))


def test_what_is_kept():
    person = dressed_batch().target
    expected = ((person.head + person.hair + person.hands) > 0).float()
    assert torch.equal(kept_of(person), expected)
    assert 0 < expected.mean() < 0.5


def test_of_a_map_with_parts_head_and_hands_are_kept():
    person = with_charts(make_batch().target)
    for part, stays in ((3, 1), (4, 1), (23, 1), (24, 1), (2, 0), (5, 0), (22, 0)):
        own = dataclasses.replace(person, part=part * (person.part > 0))
        assert torch.equal(kept_of(own), stays * person.mask), part
    with pytest.raises(InputError, match="keeps head and hands of the target: give masks of them, or a map with parts"):
        kept_of(make_batch().target)


def test_the_truth_is_the_person_on_white():
    person = dressed_batch().target
    truth, shown = laid_on_white(person), silhouette(person)
    assert (shown >= person.hair).all()
    assert torch.equal(truth * shown, person.image * shown)
    assert (truth[(shown == 0).expand_as(truth)] == 1).all()
    pair = dressed_batch()
    assert torch.equal(tiny().wanted(pair), truth)
    assert torch.equal(tiny("full").wanted(pair), pair.target.image)


def test_losses_look_at_the_truth_on_white():
    system, pair = tiny(), dressed_batch()
    result = system(pair)
    l1 = system.losses(pair, result, ["l1"])["l1"]
    torch.testing.assert_close(l1, (result.image - laid_on_white(pair.target)).abs().mean())
    hidden = silhouette(pair.target) == 0
    other = torch.where(hidden, torch.rand_like(pair.target.image), pair.target.image)
    moved = Pair(pair.source, dataclasses.replace(pair.target, image=other))
    for name, value in system.critic_losses(pair, result).items():
        torch.testing.assert_close(system.critic_losses(moved, result)[name], value)
    table = evaluate({"ours": system.eval()}, [pair[0], pair[1]])
    row = next(row for row in table.rows if row.metric == "l1")
    assert row.mean == pytest.approx((system(pair).image - laid_on_white(pair.target)).abs().mean().item(), rel=1e-4)


def test_of_the_target_only_map_head_and_hands_are_seen():
    system, pair = tiny().eval(), dressed_batch()
    kept = kept_of(pair.target)
    clothes = torch.where(kept > 0, pair.target.image, torch.rand_like(pair.target.image))
    head = torch.where(kept > 0, torch.rand_like(pair.target.image), pair.target.image)
    as_it_is = system(pair).image
    assert torch.equal(system(Pair(pair.source, dataclasses.replace(pair.target, image=clothes))).image, as_it_is)
    assert not torch.equal(system(Pair(pair.source, dataclasses.replace(pair.target, image=head))).image, as_it_is)


def test_a_clone_makes_what_the_whole_system_makes():
    """The new planes begin without weight: right after cloning, N' changes nothing, nor does spectral norm."""
    whole, pair = tiny("full", seed=1).eval(), dressed_batch()
    system = tiny(seed=2).eval()
    assert not torch.equal(system(pair).image, whole(pair).image)
    system.clone(whole)
    torch.testing.assert_close(system(pair).image, whole(pair).image, atol=1e-6, rtol=0)
    assert system.g.target[0].conv.in_channels == whole.g.target[0].conv.in_channels + 4


def test_it_learns_to_copy_what_it_is_shown():
    """After some steps on pairs of one person, N' matters, and its pixels come out nearer than at the start."""
    torch.manual_seed(0)
    system, pair = tiny(g_width=8, g_lr=5e-3, reading="laptop_random"), dressed_batch(4)
    kept = kept_of(pair.target).expand(-1, 3, -1, -1) > 0

    def error():
        return (system.eval()(pair).image - pair.target.image).abs()[kept].mean().item()

    before = error()
    fit(system, Dressed(4, 40), options=TrainingOptions(stages=["refinement"], steps=40, device="cpu", progress=False))
    assert error() < 0.7 * before
