"""A margin keeps everything where it is on the body."""

import dataclasses

import pytest
import torch

from posekit.data.margins import add_margin, cut_margin
from posekit.ops.grids import identity_grid, norm_to_points
from posekit.ops.sample import sample
from posekit.person import stack_persons
from posekit.util.errors import InputError
from tests.synthetic import make_person


def narrow(view=0):
    """A person of 40 x 25 pixels whose joints lie on chosen pixels."""
    square = make_person(0, view, 40)
    cut = {name: getattr(square, name)[..., 8:33] for name in ("image", "uv", "mask")}
    points = identity_grid(40, 25)[:, ::5, ::5].reshape(2, -1)[:, :18].T
    return dataclasses.replace(square, **cut, keypoints=points, visibility=torch.full((18,), 2))


def test_the_middle_is_the_photograph_and_the_border_continues():
    person = narrow()
    wide = add_margin(person, (40, 40))
    assert wide.size == (40, 40)
    for name in ("image", "uv", "mask"):
        assert torch.equal(cut_margin(getattr(wide, name), person.size), getattr(person, name))
    assert torch.equal(wide.image[..., :7], person.image[..., :1].expand(3, 40, 7))
    assert torch.equal(wide.image[..., 32:], person.image[..., -1:].expand(3, 40, 8))
    assert wide.mask.sum() == person.mask.sum()


def test_joints_stay_on_the_same_pixels():
    person = narrow()
    wide = add_margin(person, (44, 40))
    before, after = norm_to_points(person.keypoints, (40, 25)), norm_to_points(wide.keypoints, (44, 40))
    assert torch.allclose(after, before + torch.tensor([7, 2]), atol=1e-4)
    at_joints = lambda p: sample(p.image[None], p.keypoints.T[None, :, None])  # noqa: E731
    assert torch.allclose(at_joints(wide), at_joints(person), atol=1e-4)


def test_a_batch_and_no_margin():
    batch = stack_persons([narrow(0), narrow(1)])
    wide = add_margin(batch, (40, 40))
    assert torch.equal(wide.image[1], add_margin(narrow(1), (40, 40)).image)
    same = add_margin(batch, (40, 25))
    assert torch.equal(same.image, batch.image)
    assert torch.allclose(same.keypoints, batch.keypoints)


def test_too_small():
    with pytest.raises(InputError, match="40 x 25 pixels does not fit into 32 x 40"):
        add_margin(narrow(), (32, 40))
