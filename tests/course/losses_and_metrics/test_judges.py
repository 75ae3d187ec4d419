"""Notebook 11's failures and judges: what is spoilt, how it is counted, and who must not see what."""

import math

import pytest
import torch
from posekit_course.losses_and_metrics import judges

from posekit.util.errors import InputError

ONE = dict.fromkeys(judges.JUDGES, 1.0)


@pytest.mark.parametrize("failure", judges.SPOILT)
def test_a_failure_grows_from_the_truth(failure, person):
    truth = person.image
    assert torch.equal(judges.spoil_photo(person, failure, 0), truth)
    off = [float((judges.spoil_photo(person, failure, s) - truth).abs().mean()) for s in (0.25, 0.5, 1)]
    assert 0 < off[0] < off[1] < off[2]
    whole = judges.spoil_photo(person, failure)
    assert whole.shape == truth.shape
    assert 0 <= float(whole.min()) <= float(whole.max()) <= 1
    assert torch.equal(whole, judges.spoil_photo(person, failure)), "the same noise every time"


def test_small_failures_stay_where_they_are(person):
    for failure, region in (("hands missing", judges._around(person.hands)), ("face smeared", person.head)):
        changed = (judges.spoil_photo(person, failure) != person.image).any(1, keepdim=True)
        assert not (changed & (region == 0)).any(), failure
        assert changed.any()


def test_unknown_failures_and_strengths_are_refused(person):
    with pytest.raises(InputError, match="failure"):
        judges.spoil_photo(person, "upside down")
    with pytest.raises(InputError, match="between 0 and 1"):
        judges.spoil_photo(person, "noisy", 1.5)


def test_the_truth_is_perfect_to_every_judge(person):
    bad = judges.judge_photo(person.image, person)
    assert tuple(bad) == judges.JUDGES
    assert max(bad.values()) < 1e-5


def test_half_and_double_sharpness_are_alike(person):
    middle = person.image.mean()
    ratio = []
    for factor in (0.5, 2.0):
        made = middle + factor * (person.image - middle)
        ratio.append(judges.judge_photo(made, person)["sharpness"])
    assert ratio == pytest.approx([2, 2], abs=1e-3)  # four times the energy is two doublings


def test_the_blur_is_the_unit(person):
    table = judges.judge_failures(person)
    assert list(table) == list(judges.SPOILT)
    assert table[judges.YARDSTICK] == pytest.approx(ONE)
    assert all(math.isfinite(value) for row in table.values() for value in row.values())
    assert table["shifted by 2 px"]["nearest\nneighbour"] < 0.01  # it looks two pixels around
    assert table["recoloured"]["sharpness"] < 0.01  # exchanged channels have the same edges
    bad = dict.fromkeys(judges.JUDGES, 3.0)
    assert judges.beside_yardstick(bad, dict.fromkeys(judges.JUDGES, 2.0)) == pytest.approx(
        dict.fromkeys(judges.JUDGES, 1.5)
    )
