"""Random squares: inside the photograph, around the head as often as asked, the same numbers for everybody."""

import pytest
import torch

from posekit.ops.crops import cut_squares, random_corners
from posekit.ops.grids import norm_to_index

N, SIZE, SIDE = 4000, (40, 24), 16


def joints(x, y, visible=2):
    keypoints = torch.full((N, 18, 2), 9.0)
    keypoints[:, 0] = torch.tensor([x, y])
    visibility = torch.zeros(N, 18, dtype=torch.long)
    visibility[:, 0] = visible
    return keypoints, visibility


def test_squares_lie_anywhere_inside_and_reach_every_corner():
    corners = random_corners(N, SIZE, SIDE)
    assert corners.amin(0).tolist() == [0, 0]
    assert corners.amax(0).tolist() == [24, 8]
    counts = torch.bincount(corners[:, 1], minlength=9) / N
    assert (counts - 1 / 9).abs().max() < 0.03, "equally often"


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_share_around_the_head(share):
    """The head is at row 30: a square that is drawn around it has its middle within 4 pixels of that."""
    corners = random_corners(N, SIZE, SIDE, *joints(0.0, 0.53), head_share=share)
    row = norm_to_index(torch.tensor(0.53), 40).item()
    near = ((corners[:, 0] + SIDE / 2 - row).abs() <= SIDE / 4 + 0.5).float().mean().item()
    by_chance = (random_corners(N, SIZE, SIDE)[:, 0] + SIDE / 2 - row).abs().le(SIDE / 4 + 0.5).float().mean().item()
    assert near == pytest.approx(share + (1 - share) * by_chance, abs=0.04)


def test_missing_joints_and_heads_outside():
    torch.manual_seed(0)
    plain = random_corners(N, SIZE, SIDE)
    torch.manual_seed(0)
    missing = random_corners(N, SIZE, SIDE, *joints(0.0, 0.0, visible=0), head_share=1.0)
    assert torch.equal(plain, missing), "where no joint of the head is known, anywhere"
    outside = random_corners(N, SIZE, SIDE, *joints(-3.0, 5.0), head_share=1.0)
    assert outside.unique(dim=0).tolist() == [[24, 0]], "as near as the photograph reaches"


def test_as_many_numbers_are_drawn_whatever_is_shown():
    following = []
    for given in ((), joints(0.0, 0.0), joints(0.0, 0.0, visible=0)):
        torch.manual_seed(7)
        random_corners(N, SIZE, SIDE, *given)
        following.append(torch.rand(1).item())
    assert len(set(following)) == 1


def test_cut_and_its_gradient():
    images = torch.rand(2, 3, 8, 9, requires_grad=True)
    squares = cut_squares(images, torch.tensor([[1, 2], [4, 5]]), 4)
    assert torch.equal(squares[1], images[1, :, 4:8, 5:9])
    squares.sum().backward()
    assert images.grad.sum().item() == 2 * 3 * 16
    assert images.grad[0, :, 1:5, 2:6].min().item() == 1
