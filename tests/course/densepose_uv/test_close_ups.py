"""Head and hand, enlarged: where they are, whole, and white where they are not seen."""

import dataclasses

import numpy as np
import torch
from posekit_course.densepose_uv.close_ups import GAP, HANDS, window_on, with_close_ups

from posekit.data.people import HEAD
from posekit.studio.generate import make_person

PERSON = make_person(0, 9, 0, 128)


def test_the_window_holds_the_whole_head():
    window = window_on(PERSON, HEAD, 20)
    inside = torch.zeros(128, 128, dtype=torch.bool)
    inside[window] = True
    assert inside[torch.isin(PERSON.part[0], torch.tensor(HEAD))].all()
    assert window[0].stop - window[0].start == window[1].stop - window[1].start >= 20


def test_a_window_at_the_border_stays_inside():
    part = torch.zeros(1, 1, 40, 30, dtype=torch.long)
    part[..., :5, :5] = HEAD[0]
    person = dataclasses.replace(PERSON.batched(), part=part)
    assert window_on(person, HEAD, 12) == (slice(0, 12), slice(0, 12))
    assert window_on(person, HEAD, 100) == (slice(0, 30), slice(0, 30))


def test_the_photograph_stays_and_its_head_is_beneath_it():
    made = with_close_ups(PERSON.image, PERSON)
    photo = PERSON.image.movedim(0, -1).numpy()
    assert np.array_equal(made[:128], photo)
    strip = made[128 + GAP :]
    assert strip.shape == (63, 128, 3)
    rows, columns = window_on(PERSON, HEAD, 21)
    np.testing.assert_allclose(strip[:, :63].mean((0, 1)), photo[rows, columns].mean((0, 1)), atol=0.02)


def test_what_is_not_seen_is_white():
    part = torch.where(torch.isin(PERSON.part, torch.tensor(HEAD + HANDS)), 0, PERSON.part)
    for person in (None, dataclasses.replace(PERSON, part=part)):
        assert (with_close_ups(PERSON.image, person)[128:] == 1).all()
