"""One flow from ten affine maps: a naive twin, weights that sum to one, and what is where no part is."""

import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from posekit.ops.affine import affine_flow
from posekit.ops.grids import identity_grid
from posekit.ops.keypoints import BODY_PARTS
from posekit.ops.part_affine import PartMaps, part_maps
from posekit.ops.part_flow import part_flow
from posekit.studio.generate import make_person
from posekit.util.errors import InputError

SIZE = (40, 40)


@pytest.fixture(scope="module")
def maps():
    s, t = (make_person(0, 3, view, SIZE).batched() for view in (0, 1))
    return part_maps(s.keypoints, s.visibility, t.keypoints, t.visibility, SIZE)


def test_naive_twin(maps):
    """A pixel at a time: blurred masks of head and limbs, the body where they leave room, a weighted mean of places."""
    flow = part_flow(maps, 1.5)[0]
    masks = maps.mask[0].numpy()
    blurred = masks.copy()
    for axis in (1, 2):
        blurred = gaussian_filter1d(blurred, 1.5, axis=axis, mode="nearest", radius=5)
    grid = identity_grid(*SIZE)
    for row, column in ((3, 20), (12, 18), (20, 20), (30, 15), (35, 22)):
        weights = [float(blurred[k, row, column]) for k in range(len(BODY_PARTS))]
        limbs = sum(weights[1:])
        weights[0] = max(0.0, 1 - limbs) * bool(maps.defined[0, 0])
        total = max(limbs, 1.0)
        p = grid[:, row, column]
        moved = sum(w / total * (maps.matrix[0, k, :, :2] @ p + maps.matrix[0, k, :, 2]) for k, w in enumerate(weights))
        moved = moved + (1 - sum(weights) / total) * p
        torch.testing.assert_close(flow[:, row, column], moved, rtol=0, atol=1e-4)


def test_one_movement_of_all_parts_is_that_movement():
    turn = torch.tensor([[0.8, -0.2, 0.1], [0.1, 0.9, -0.3]]).expand(1, 10, 2, 3)
    masks = (torch.rand(1, 10, *SIZE, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    maps = PartMaps(turn, masks, torch.ones(1, 10, dtype=torch.bool), torch.zeros(1, 10, dtype=torch.bool))
    for sigma in (0.0, 2.0):
        torch.testing.assert_close(part_flow(maps, sigma), affine_flow(turn[:, 0], SIZE), rtol=0, atol=1e-5)


def test_without_any_part_nothing_moves():
    no = torch.zeros(1, 10, dtype=torch.bool)
    matrix = torch.eye(2, 3).expand(1, 10, 2, 3)
    torch.testing.assert_close(part_flow(PartMaps(matrix, torch.zeros(1, 10, *SIZE), no, no))[0], identity_grid(*SIZE))


def test_inside_a_limb_its_own_map_decides():
    """Far from its border, without blur."""
    matrix = torch.eye(2, 3).repeat(1, 10, 1, 1)
    matrix[:, 5, 0, 2] = 0.25
    masks = torch.zeros(1, 10, *SIZE)
    masks[:, 5, 10:20, 10:20] = 1
    yes = torch.ones(1, 10, dtype=torch.bool)
    moved = part_flow(PartMaps(matrix, masks, yes, ~yes), 0.0)[0, 0] - identity_grid(*SIZE)[0]
    torch.testing.assert_close(moved, 0.25 * masks[0, 5])


def test_gradients_reach_the_maps(maps):
    matrix = maps.matrix.double().requires_grad_()
    small = PartMaps(matrix, maps.mask.double()[..., ::8, ::8], maps.defined, maps.twin)
    assert torch.autograd.gradcheck(
        lambda m: part_flow(PartMaps(m, small.mask, small.defined, small.twin), 1.0), (matrix,)
    )


def test_bad_blur(maps):
    for sigma in (-1.0, float("nan")):
        with pytest.raises(InputError, match="0 or more"):
            part_flow(maps, sigma)
