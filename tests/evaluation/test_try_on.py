"""Garment transfer against its truth, its baseline, and the command."""

import pytest
import torch

from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.noisy import Noisy
from posekit.evaluation.try_on import TriedOn, TryOnPairs, try_on_pair
from posekit.person import Pair
from posekit.studio.generate import make_person
from posekit.systems import build
from posekit.systems.base import Result, System
from posekit.systems.cut_out import kept_of, laid_on_white, silhouette
from posekit.util.errors import InputError


@pytest.fixture(scope="module")
def pair():
    """Person 9 in the clothes of person 59, a batch of one."""
    return try_on_pair(0, 9, 59, (0, 0), (64, 64)).batched()


def test_a_pair_is_clothes_truth_and_the_person_as_they_are(pair):
    assert torch.equal(pair.source.image[0], make_person(0, 59, 0, 64).image)
    (own,) = pair.neighbours
    assert torch.equal(own.image[0], make_person(0, 9, 0, 64).image)
    assert torch.equal(own.keypoints, pair.target.keypoints), "pose and camera are the same"
    assert (own.image - pair.target.image).abs().mean() > 0.02, "the clothes are not"


def test_everybody_wears_the_clothes_of_the_next_ones():
    pairs = TryOnPairs([9, 19, 29], owners=2, views=2, size=32)
    assert len(pairs) == 6
    assert [(person, owner) for person, owner, _ in pairs._which] == [
        (9, 19), (9, 29), (19, 29), (19, 9), (29, 9), (29, 19),
    ]  # fmt: skip
    assert pairs[1] is pairs[1]
    assert pairs[1].source.name == "studio-0-29-0"
    assert pairs[1].source.identity == pairs[1].target.identity == "studio-0-9", "intervals are over who is dressed"
    with pytest.raises(IndexError):
        pairs[6]
    with pytest.raises(InputError, match="Of 2 people everyone can wear the clothes of 1 to 1 others"):
        TryOnPairs([9, 19], owners=2)


class Sees(System):
    name = "sees"

    def __init__(self):
        super().__init__(None)

    def forward(self, pair):
        self.pair = pair
        return Result(image=pair.target.image)


def test_a_system_sees_the_person_and_never_the_truth(pair):
    sees = Sees()
    TriedOn(sees)(pair)
    assert sees.pair.target is pair.neighbours[0]
    assert sees.pair.source is pair.source


def test_it_is_measured_against_the_person_in_these_clothes(pair):
    table = evaluate(
        {"as they are": TriedOn(None), "pasted": TriedOn(build("garment_paste", atlas_size=64))}, [pair[0]]
    )
    found = {(row.system, row.metric): row.mean for row in table.rows}
    expected = (laid_on_white(pair.neighbours[0]) - laid_on_white(pair.target)).abs().mean().item()
    assert found["as they are", "l1"] == pytest.approx(expected, rel=1e-4)
    assert found["pasted", "rest.l1"] < found["as they are", "rest.l1"], "the clothes arrive"
    assert found["pasted", "head.l1"] < 0.02, "the head is pasted; the clothes change its light a little"


def test_pasting_by_hand(pair):
    own = Pair(pair.source, pair.neighbours[0])
    result = build("garment_paste", atlas_size=64)(own)
    kept = kept_of(own.target).expand(-1, 3, -1, -1) > 0
    assert torch.equal(result.image[kept], own.target.image[kept])
    body = (own.target.mask.expand_as(result.image) > 0) & ~kept
    assert torch.equal(result.image[body], result.W[body])
    off = (silhouette(own.target).expand_as(result.image) == 0) & ~kept
    assert (result.image[off] == 1).all()


def test_noise_on_what_is_given_leaves_the_truth(pair):
    system = build("garment_paste", atlas_size=64)
    assert torch.equal(Noisy(system, 1.0).wanted(pair), laid_on_white(pair.target))
