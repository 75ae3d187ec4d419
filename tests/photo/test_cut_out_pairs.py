"""Rendered people as photographs of strangers come: on a plain ground, with maps that were read."""

import pytest
import torch

from posekit.data.studio import StudioPeople
from posekit.photo.cut_out_pairs import CutOutPairs
from posekit.photo.photographed import GROUND
from posekit.reference import load_reference
from posekit.systems.cut_out import silhouette

pytestmark = pytest.mark.usefixtures("people_cache")


@pytest.fixture(scope="module")
def people():
    return StudioPeople(20, 4, 128, split="test", jobs=1, progress=False)


def test_the_room_is_gone_and_the_person_stays(people):
    pair, plain = CutOutPairs(people)[0], people[0]
    for made, given in ((pair.source, plain.source), (pair.target, plain.target)):
        shown = silhouette(given.batched())[0] > 0
        assert torch.equal(made.image[:, shown[0]], given.image[:, shown[0]])
        assert torch.equal(made.image[:, ~shown[0]], torch.full_like(given.image[:, ~shown[0]], GROUND))
        assert torch.equal(made.uv, given.uv)
        assert torch.equal(made.mask, given.mask)
    assert len(CutOutPairs(people)) == len(people)


def test_maps_are_read_from_joints_and_silhouette(people):
    """Near the true ones, not they; the source's lies within the silhouette's inner pixels, as a photograph's does."""
    reader = load_reference(variant="keypoints").train()
    pair, plain = CutOutPairs(people, reader)[0], people[0]
    assert reader.training, "the reader is left as it was"
    for made, given in ((pair.source, plain.source), (pair.target, plain.target)):
        both = (made.mask * given.mask)[0] > 0
        assert both.sum() > 0.6 * given.mask.sum()
        assert not torch.equal(made.uv, given.uv)
        assert (made.uv - given.uv)[:, both].abs().median() < 0.05
    outside = silhouette(plain.source.batched())[0] == 0
    assert (pair.source.mask[outside] == 0).all()


def test_the_card_says_what_was_done(people):
    facts = CutOutPairs(people, load_reference(variant="keypoints")).describe()
    assert facts["dataset"] == "StudioPeople"
    assert facts["cut out"] is True
    assert facts["maps"] == "read from joints and silhouette"
    assert CutOutPairs(people).describe()["maps"] == "true"
