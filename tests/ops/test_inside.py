"""The nearest pixel of the body: by trying them all, and by a library; positions that miss the body go there."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from posekit.ops import inside
from posekit.ops.grids import identity_grid
from posekit.ops.inside import at_nearest_pixel, nearest_inside, pull_inside


def random_masks(seed, share, h, w, n=2):
    return torch.rand(n, h, w, generator=torch.Generator().manual_seed(seed)) < share


def squared_distance(nearest):
    _, _, h, w = nearest.shape
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    return (nearest[:, 0] - x) ** 2 + (nearest[:, 1] - y) ** 2


@given(st.integers(0, 10**6), st.sampled_from([0.02, 0.1, 0.5, 1.0]), st.integers(1, 9), st.integers(1, 9))
def test_no_pixel_of_the_body_is_nearer(seed, share, h, w):
    masks = random_masks(seed, share, h, w)
    nearest = nearest_inside(masks)
    for mask, there, distance in zip(masks, nearest, squared_distance(nearest), strict=True):
        rows, columns = mask.nonzero().unbind(1)
        if len(rows) == 0:
            assert (there == -1).all(), "nobody is there"
            continue
        assert mask[there[1], there[0]].all(), "a pixel of the body"
        for y in range(h):
            for x in range(w):  # every pixel of the body is tried
                assert distance[y, x] == ((rows - y) ** 2 + (columns - x) ** 2).min()


@pytest.mark.parametrize("held", [1, 40_000, 1 << 24])
def test_as_far_as_the_distance_transform_of_scipy_says(held, monkeypatch):
    """However many rows are looked at together."""
    monkeypatch.setattr(inside, "_MOST_HELD", held)
    mask = random_masks(3, 0.01, 60, 45, 1)
    away = torch.from_numpy(distance_transform_edt(~mask[0].numpy()))
    torch.testing.assert_close(squared_distance(nearest_inside(mask))[0].double().sqrt(), away)


def test_positions_on_the_body_stay_and_pass_gradients_on():
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 2:6, 2:6] = 1
    positions = (1.5 * identity_grid(11, 11)[None]).requires_grad_()
    pulled = pull_inside(positions, mask)
    within = positions.abs().amax(1, keepdim=True) < 0.5  # the outer edges of the square
    kept = within.expand_as(positions)
    assert torch.equal(pulled[kept], positions[kept])
    assert torch.equal(pulled[~kept].abs().amax(), torch.tensor(0.375)), "at the centre of a pixel at the rim"
    assert torch.equal(pull_inside(pulled, mask), pulled), "once is enough"
    pulled.sum().backward()
    assert torch.equal(positions.grad, kept.float())


def test_the_loss_is_the_way_to_the_body():
    """What the system minimises: gradient 1 towards the body where a position misses it, 0 where it does not."""
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 0, 3] = 1  # centre (0.75, -0.75)
    positions = torch.tensor([[-0.2, 0.8], [0.1, -0.9]]).view(1, 2, 1, 2).requires_grad_()  # x row, y row
    (positions - pull_inside(positions, mask).detach()).abs().sum().backward()
    assert positions.grad.view(2, 2).tolist() == [[-1, 0], [1, 0]]


@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 7))
def test_the_nearest_pixel_by_looking_at_all(seed, h, w):
    generator = torch.Generator().manual_seed(seed)
    picture = torch.arange(2 * h * w).view(1, 2, h, w)
    positions = 3 * torch.rand(1, 2, 2, 3, generator=generator) - 1.5
    found = at_nearest_pixel(picture, positions)
    away = (identity_grid(h, w)[None, :, None, None] - positions[..., None, None]).abs() * torch.tensor([w, h]).view(
        1, 2, 1, 1, 1, 1
    )  # in pixels
    expected = picture[0].flatten(1)[:, away.square().sum(1).flatten(3).argmin(3)].movedim(0, 1)
    assert torch.equal(found, expected)


def test_positions_that_are_no_numbers_stay_so():
    """A training that went wrong is told by its loss, not by an index out of range."""
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 1:3, 1:3] = 1
    positions = torch.full((1, 2, 1, 1), torch.nan)
    assert torch.isnan(pull_inside(positions, mask)).all()
    assert torch.isnan(positions - pull_inside(positions, 1 - mask)).all(), "what the loss is made of"


def test_outside_the_picture_and_without_a_body():
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, 0, 1, 1] = 1
    positions = torch.tensor([[7.0, -7.0]]).view(1, 2, 1, 1).expand(2, 2, 1, 1)
    pulled = pull_inside(positions, mask)
    assert pulled[0].flatten().tolist() == [-0.25, -0.25]
    assert torch.equal(pulled[1], positions[1]), "there is nowhere to go"
