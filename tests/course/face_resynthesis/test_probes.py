"""What notebook 09 computes: turns, errors on the head, the mirrored half, real faces."""

import numpy as np
import pytest
import torch
from posekit_course.face_resynthesis import figures, probes

from posekit.ops.grids import identity_grid
from posekit.studio.body.head_atlas import head_mirror


def test_turns_and_yaws():
    ahead, right, up = np.eye(3)[[2, 0, 1]]
    assert probes.turn_between(ahead, right) == pytest.approx(90)
    assert probes.turn_between(ahead, ahead) == pytest.approx(0, abs=1e-6)
    assert probes.turn_between(ahead, -ahead) == pytest.approx(180)
    assert (probes.yaw(ahead), probes.yaw(right), probes.yaw(-right)) == pytest.approx((0, 90, -90))
    assert probes.yaw(0.6 * up + 0.8 * ahead) == pytest.approx(0)


def test_looks_are_those_of_the_photographs(faces):
    looks = probes.looks_of(faces)
    assert looks.shape == (2, 3, 3)
    assert np.linalg.norm(looks, axis=-1) == pytest.approx(1)


def test_jaws(faces):
    opened = [[probes.opened(0, n, view) for view in range(20)] for n in faces.numbers]
    assert 0 in np.array(opened)
    assert np.array(opened).max() > 0.2


def test_errors_count_on_the_head(faces):
    pair = faces[0].batched()
    assert probes.on_head(pair.target.image, pair) == 0
    assert probes.on_head(pair.target.image + 0.1, pair) == pytest.approx(0.1, rel=1e-4)
    elsewhere = pair.target.image + 0.5 * (1 - figures.head_of(pair))
    assert probes.on_head(elsewhere, pair) == pytest.approx(0)
    corner = torch.zeros_like(pair.target.mask)
    corner[..., 0, 0] = 1
    assert probes.on_head(pair.target.image + 0.5 * corner, pair, corner) == pytest.approx(0.5, rel=1e-4)


def test_pairs_from_one_side_to_the_other(faces):
    looks = probes.looks_of(faces)
    chosen = probes.across(faces, 10.0)
    for n in range(len(faces)):
        i, s, t = faces.where(n)
        one, other = probes.yaw(looks[i, s]), probes.yaw(looks[i, t])
        assert (n in chosen) == (abs(one) > 10 and np.sign(one) != np.sign(other))


def test_share_to_complete(faces):
    """Of a photograph itself next to nothing; of another one more, and never more than all."""
    shares = [probes.share_to_complete(faces[n].batched()) for n in range(len(faces))]
    same = [type(faces[n])(faces[n].source, faces[n].source).batched() for n in (0, 3)]
    assert max(map(probes.share_to_complete, same)) < min(0.02, *shares)
    assert max(shares) < 1


def test_a_texture_filled_from_its_mirror():
    """Half of a texture that equals its mirror image gives the other half."""
    mirror = head_mirror(64)
    on = ~mirror.isnan().any(0)
    grid = identity_grid(64, 64)
    whole = torch.stack([grid[0].abs(), grid[1], grid[1] ** 2])[None]  # right and left are alike
    known = (on & (grid[0] < 0)).float()[None, None]
    filled, now = probes.mirrored_fill(whole * known, known, mirror)
    new = (now - known)[0, 0] > 0
    assert new.sum() > 0.8 * (on & (grid[0] > 0)).sum()
    assert (now <= 1).all()
    assert (filled - whole)[0, :, new].abs().mean() < 0.05
    torch.testing.assert_close(filled * known, whole * known)


def test_bins():
    turns, values = np.repeat([5.0, 15.0, 25.0], [20, 5, 20]), np.repeat([1.0, 2.0, 3.0], [20, 5, 20])
    centres, means, halves = figures.binned(turns, values, [0, 10, 20, 30])
    assert centres.tolist() == [5, 25]
    assert means.tolist() == [1, 3]
    assert halves.tolist() == [0, 0]


@pytest.mark.parametrize("name", list(probes.PORTRAITS))
def test_portraits(name):
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    person, looks = probes.portrait(name, 64)
    assert (person.name, person.size) == (name, (64, 64))
    assert person.mask.mean() > 0.3
    assert looks[2] > 0.95, "both look into the camera"
