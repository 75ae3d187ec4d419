"""Several people in one map: with an index picture, and without."""

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.data.load import load_person
from posekit.data.people import index_picture, one_person, read_index_picture
from posekit.util.errors import InputError

H, W = 40, 60


def part_map(*boxes):
    """A part map with (part, top, bottom, left, right) painted in order."""
    part = torch.zeros(1, H, W, dtype=torch.long)
    for i, top, bottom, left, right in boxes:
        part[:, top:bottom, left:right] = i
    return part


WHOLE = ((2, 5, 30, 5, 20), (23, 2, 5, 8, 16))  # torso and head, 375 + 24 pixels
SMALLER = ((1, 10, 30, 40, 50), (24, 7, 10, 42, 48))


def test_the_largest_of_two_is_taken():
    mask, people = one_person(part_map(*WHOLE, *SMALLER))
    assert people == 2
    assert torch.equal(mask, (part_map(*WHOLE) > 0).float())


def test_a_cut_off_hand_belongs_to_its_person():
    alone = part_map(*WHOLE, (3, 10, 16, 30, 36), (12, 32, 39, 6, 12))  # a hand, and a shin below a table
    mask, people = one_person(alone)
    assert people == 1
    assert torch.equal(mask, (alone > 0).float())
    noise = part_map(*WHOLE, (1, 10, 12, 30, 32))  # four pixels of torso are no person
    assert one_person(noise)[1] == 1
    assert one_person(part_map())[1] == 0


def test_an_index_picture_parts_people_that_touch():
    part = part_map((2, 5, 30, 5, 20), (2, 5, 35, 20, 40))
    assert one_person(part)[1] == 1  # one patch
    persons = torch.ones(1, H, W, dtype=torch.long)
    persons[..., 20:] = 2
    mask, people = one_person(part, persons)
    assert people == 2
    assert torch.equal(mask > 0, (part > 0) & (persons == 2))
    assert one_person(part, (part > 0).long())[1] == 1


@pytest.fixture
def files(tmp_path):
    part = part_map((2, 5, 30, 5, 20), (2, 5, 35, 20, 40))[0].numpy()
    Image.fromarray(np.stack([(part > 0) * 150, (part > 0) * 90, part], 2).astype(np.uint8)).save(
        tmp_path / "a_IUV.png"
    )
    persons = np.where(np.arange(W)[None] < 20, 1, 2) * (part > 0)
    Image.fromarray(persons.astype(np.uint8)).save(tmp_path / "a_INDS.png")
    return tmp_path


def test_files_say_which_person_is_taken(files, caplog):
    person = load_person(None, files / "a_IUV.png", atlas="tiles")
    assert int(person.mask.sum()) == 30 * 20
    assert "shows 2 people; the one with most pixels is taken" in caplog.text
    assert not bool(person.part[..., :20].any())
    (files / "a_INDS.png").unlink()
    caplog.clear()
    assert int(load_person(None, files / "a_IUV.png", atlas="tiles").mask.sum()) == 30 * 20 + 25 * 15
    assert not caplog.text


def test_index_pictures_are_found_and_checked(files):
    assert index_picture(files / "a_IUV.png") == files / "a_INDS.png"
    assert index_picture(files / "b_IUV.png") is None
    assert index_picture(files / "photo.png") is None
    with pytest.raises(InputError, match=r"is 40 x 60 pixels .* and its IUV picture 20 x 60"):
        read_index_picture(files / "a_INDS.png", (20, W))
    Image.new("RGB", (W, H)).save(files / "a_INDS.png")
    with pytest.raises(InputError, match="one channel of numbers"):
        load_person(None, files / "a_IUV.png", atlas="tiles")
