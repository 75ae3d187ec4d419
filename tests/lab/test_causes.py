"""The five causes of failure: each is what it says, is measured by hand once, and stands in the pages as kept."""

import dataclasses
import json

import pytest
import torch
from PIL import Image
from posekit_lab import causes
from posekit_lab.results import RESULTS
from posekit_lab.source import ROOT

from posekit.data.studio import StudioPeople
from posekit.person import Pair
from posekit.studio.generate import body_turn, make_person
from posekit.systems.baselines import CopySource
from posekit.util.errors import InputError

pytest.importorskip("ai_edge_litert")
NAMES = ["pose estimation", "depth", "rare poses", "rare objects", "narrow surfaces"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSEKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        people = StudioPeople(30, 6, 64, 0, split="test", progress=False)
        return {cause.name: cause for cause in causes.causes(people)}


def test_every_cause_is_provoked(made):
    assert list(made) == NAMES
    exact, found = made["pose estimation"].plain[0], made["pose estimation"].spoilt[0]
    assert found.target.image is exact.target.image
    assert not torch.equal(found.target.keypoints, exact.target.keypoints)
    dress, trousers = (made["rare objects"].spoilt[0], made["rare objects"].plain[0])
    torch.testing.assert_close(dress.target.keypoints, trousers.target.keypoints)  # the same pose and camera
    assert (dress.target.image - trousers.target.image).abs().mean() > 0.01
    for pair, (low, high) in ((made["rare poses"].spoilt[0], (120, 165)), (made["rare poses"].plain[0], (170, 181))):
        seed, person, view = map(int, pair.target.name.split("-")[1:])
        assert low <= abs(body_turn(seed, person, view)) < high
    wide = [causes._shoulders(pair.source) for pair in made["narrow surfaces"].plain]
    narrow = [causes._shoulders(pair.source) for pair in made["narrow surfaces"].spoilt]
    assert max(narrow) < 1.25 * min(wide)


def test_the_turn_of_a_body():
    """Right shoulder on the left of the picture: seen from the front."""
    for view in range(6):
        person = make_person(0, 9, view, 32)
        across = float(person.keypoints[5, 0] - person.keypoints[2, 0])
        turn = body_turn(0, 9, view)
        if abs(turn) < 60 or abs(turn) > 120:
            assert (across > 0) == (abs(turn) < 60)


def test_discs_lie_around_hidden_and_seen_joints(made):
    person = made["depth"].spoilt[0].target
    hidden, seen = (region(person) for region in made["depth"].regions)
    for mask, visibility in ((hidden, 1), (seen, 2)):
        assert bool(mask.any()) == bool((person.visibility[causes._ENDS] == visibility).any())
        assert (mask <= person.mask).all()


def test_the_effect_by_hand(made):
    """Copying the source: the error of a pair is that of its two photographs, and of each person the mean counts."""
    cause = dataclasses.replace(made["rare objects"])
    effect = causes.measure_cause(CopySource(), cause)

    def error(pair: Pair) -> float:
        mask = pair.target.mask
        return float(((pair.source.image - pair.target.image).abs() * mask).sum() / (3 * mask.sum()))

    apart = [error(a) - error(b) for a, b in zip(cause.spoilt, cause.plain, strict=True)]
    assert effect.difference.mean == pytest.approx(sum(apart) / len(apart), abs=1e-6)
    assert (effect.difference.seeds, effect.difference.over) == (len(apart), "people")
    with pytest.raises(InputError, match="Only 1 people"):
        causes.measure_cause(CopySource(), dataclasses.replace(cause, spoilt=cause.spoilt[:1]))


def test_the_figure_shows_every_cause(made):
    figure = causes._draw(CopySource(), list(made.values()))
    assert [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()] == NAMES
    assert all(axis.images for axis in figure.axes)
    assert [axis.get_title() for axis in figure.axes[:4]] == [
        "source, with", "made, with", "truth, with", "source, without",
    ]  # fmt: skip


def test_pages_say_what_was_kept():
    kept = json.loads((RESULTS / "causes.json").read_text(encoding="utf-8"))["causes"]
    assert list(kept) == NAMES
    page = " ".join((ROOT / "docs" / "measurements.md").read_text(encoding="utf-8").split())
    for name, one in kept.items():
        row = f"| {name} | {one['l1 without']:.3f} | {one['l1 with']:.3f} | "
        assert row + f"{one['difference']:+.3f} [{one['low']:+.3f}, {one['high']:+.3f}] |" in page, name
    with Image.open(RESULTS / "causes.png") as picture:
        assert picture.size[0] > 600
