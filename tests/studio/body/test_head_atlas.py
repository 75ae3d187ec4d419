"""The atlas of the head: a rectangle of the body's, upright, and its mirror."""

import numpy as np
import pytest
import torch

from posekit.data.atlases import mirror_of
from posekit.ops.grids import identity_grid
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.studio.body.atlas import MOUTH_CAVITY
from posekit.studio.body.head_atlas import CHIN, CROWN, LEFT, RIGHT, head_mirror, onto_head
from posekit.studio.generate import face_direction, make_person, make_shot


def test_corners_of_the_rectangle_are_corners_of_the_atlas():
    """The crown is at the top; what is on the left in a photograph from the front is on the left."""
    u = torch.tensor([[CROWN, CROWN], [CHIN, CHIN]]) * 2 - 1
    v = torch.tensor([[RIGHT, LEFT], [RIGHT, LEFT]]) * 2 - 1
    part = torch.tensor([[[23, 24], [23, 2]]])
    uv, kept = onto_head(torch.stack([u, v]) * 0.9999 + 0.0001 * torch.tensor([0.64, 0.026])[:, None, None], part)
    assert uv == pytest.approx(torch.tensor([[[-1, 1], [-1, 1]], [[-1.0, -1], [1, 1]]]), abs=1e-3)
    assert kept.tolist() == [[[23, 24], [23, 0]]]


def test_arrays_and_tensors_agree():
    rng = np.random.default_rng(0)
    uv, part = rng.uniform(-1, 1, (2, 30, 30)).astype(np.float32), rng.integers(0, 25, (1, 30, 30))
    places, parts = onto_head(uv, part)
    same, too = onto_head(torch.from_numpy(uv), torch.from_numpy(part))
    assert torch.equal(torch.from_numpy(places), same)
    assert torch.equal(torch.from_numpy(parts), too)
    outside = (np.abs(places) > 1).any(0)
    assert (parts[0][outside] == 0).all()
    assert (parts[0][~outside] > 0).any()
    assert 2 * MOUTH_CAVITY[1] - 1 >= uv[1][parts[0] > 0].max(), "the inside of the mouth is no skin of the face"


def test_a_face_from_the_front_stands_upright_in_the_texture():
    """Forehead above chin, and its right cheek on the left, as in the photograph."""
    view = max(range(12), key=lambda view: face_direction(0, 3, view)[2])
    person = make_person(0, 3, view, 128, kind="face")
    nose = person.keypoints[0]
    beside = torch.tensor([[0, 0], [0, -0.3], [0, 0.2], [-0.15, 0], [0.15, 0]])  # above, below, its right, its left
    at = (nose + beside).T[None, :, :, None]
    assert sample(person.mask[None], at).min() == 1
    here, forehead, chin, right, left = sample(person.uv[None], at)[0, :, :, 0].T
    assert forehead[1] < here[1] < chin[1]
    assert right[0] < here[0] < left[0]
    assert abs(here[0]) < 0.05, "the nose is in the middle"


def test_a_close_up_finds_four_times_the_texels():
    """As many texels as pixels: what the photograph shows fills this atlas, and a corner of the body's."""
    person, shot = make_person(0, 3, 1, 128, kind="face"), make_shot(0, 3, 1, 128, kind="face")
    body = torch.from_numpy(shot.uv.transpose(2, 0, 1) / np.float32(32767.5) - 1)
    known = [splat(torch.ones(1, 1, 128, 128), uv[None].float(), (128, 128), person.mask[None]).known.sum()
             for uv in (person.uv, body)]  # fmt: skip
    assert known[0] > 4 * known[1]


def test_mirror():
    mirror = head_mirror(256)
    on = ~mirror.isnan().any(0)
    assert 0.6 < on.float().mean() < 0.95
    grid = identity_grid(256, 256)
    assert (mirror[1] - grid[1])[on].abs().mean() < 0.02, "the face is nearly symmetric about the middle column"
    assert (mirror[0] + grid[0])[on].abs().mean() < 0.05
    twice = sample(mirror.nan_to_num()[None], mirror.nan_to_num()[None])[0]
    inner = torch.nn.functional.avg_pool2d(on[None].float(), 9, 1, 4)[0] == 1
    assert (twice - grid)[:, inner].abs().quantile(0.99) < 3 * 2 / 256
    torch.testing.assert_close(mirror_of("head", 128), head_mirror(), rtol=0, atol=0, equal_nan=True)
