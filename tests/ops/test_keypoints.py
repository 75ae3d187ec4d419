"""Joints and the pictures made of them."""

import math

import pytest
import torch

from posekit.ops.grids import identity_grid, points_to_norm
from posekit.ops.keypoints import (
    BODY_PARTS,
    BONES,
    JOINTS,
    MIRROR_BODY_PARTS,
    MIRROR_JOINTS,
    body_part_corners,
    body_part_regions,
    flip_keypoints,
    heat_maps,
    skeleton_maps,
)

# A person standing upright, facing us, in a picture of 64 x 48: (x, y) pixel indices in the order of JOINTS.
STANDING = torch.tensor(
    [
        *[(24, 8), (24, 14), (18, 14), (15, 22), (14, 30), (30, 14), (33, 22), (34, 30)],
        *[(20, 32), (19, 44), (19, 56), (28, 32), (29, 44), (29, 56), (22, 6), (26, 6), (20, 7), (28, 7)],
    ],
    dtype=torch.float64,
)
SIZE = (64, 48)
KEYPOINTS = points_to_norm(STANDING, SIZE)
ALL = torch.full((18,), 2)


def test_the_order_is_that_of_the_files():
    assert len(JOINTS) == 18
    assert JOINTS[2:8] == tuple(f"{s}_{j}" for s in ("right", "left") for j in ("shoulder", "elbow", "wrist"))
    assert JOINTS[14:] == ("right_eye", "left_eye", "right_ear", "left_ear")  # public lists swap eyes and ears


def test_mirror_joints_swaps_right_and_left():
    assert [MIRROR_JOINTS[j] for j in MIRROR_JOINTS] == list(range(18))
    for j, twin in enumerate(MIRROR_JOINTS):
        assert JOINTS[twin] == JOINTS[j].translate({}).replace("right", "R").replace("left", "right").replace(
            "R", "left"
        )
    assert MIRROR_JOINTS[0] == 0
    assert MIRROR_JOINTS[1] == 1


def test_bones_make_a_tree_that_is_its_own_mirror():
    assert len(BONES) == len(JOINTS) - 1
    reached = {1}
    for a, b in BONES:
        assert a in reached or b in reached
        reached |= {a, b}
    assert reached == set(range(18))
    mirrored = {frozenset((MIRROR_JOINTS[a], MIRROR_JOINTS[b])) for a, b in BONES}
    assert mirrored == {frozenset(bone) for bone in BONES}


def test_heat_maps_against_the_formula():
    maps = heat_maps(KEYPOINTS, ALL, SIZE, sigma=3.0)
    assert maps.shape == (18, 64, 48)
    for j, (x, y) in enumerate(STANDING.tolist()):
        assert maps[j, int(y), int(x)] == pytest.approx(1)
        assert maps[j, int(y), int(x) + 3] == pytest.approx(math.exp(-0.5))
        assert maps[j, int(y) + 1, int(x) + 2] == pytest.approx(math.exp(-5 / 18))


def test_sigma_is_in_pixels_in_both_directions():
    centre = torch.zeros(18, 2, dtype=torch.float64)
    maps = heat_maps(centre, ALL, (101, 51), sigma=4.0)
    assert maps[0, 50 + 4, 25] == pytest.approx(maps[0, 50, 25 + 4].item())


@pytest.mark.parametrize("draw", [heat_maps, skeleton_maps, lambda *a: body_part_regions(*a)[0]])
def test_batches_are_samples_side_by_side(draw):
    torch.manual_seed(0)
    keypoints, visibility = torch.rand(2, 3, 18, 2) * 2 - 1, torch.randint(0, 3, (2, 3, 18))
    together = draw(keypoints, visibility, (20, 30))
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(together[i, j], draw(keypoints[i, j], visibility[i, j], (20, 30)))
    assert draw(keypoints[:0], visibility[:0], (20, 30)).shape == (0, *together.shape[1:])


@pytest.mark.parametrize("how", ["visibility", "nan"])
def test_missing_joints_give_empty_maps(how):
    keypoints, visibility = KEYPOINTS.clone(), ALL.clone()
    elbow = JOINTS.index("right_elbow")
    if how == "visibility":
        visibility[elbow] = 0
    else:
        keypoints[elbow] = torch.nan
    maps = heat_maps(keypoints, visibility, SIZE)
    assert [j for j in range(18) if maps[j].max() == 0] == [elbow]
    bones = skeleton_maps(keypoints, visibility, SIZE)
    empty = [BONES[k] for k in range(17) if bones[k].max() == 0]
    assert empty == [(2, 3), (3, 4)]
    regions, defined = body_part_regions(keypoints, visibility, SIZE)
    lost = [BODY_PARTS[k] for k in range(10) if defined[k] == 0]
    assert lost == ["right_upper_arm", "right_lower_arm"]
    assert [BODY_PARTS[k] for k in range(10) if regions[k].max() == 0] == lost
    assert regions.isfinite().all()


def test_occluded_joints_count():
    torch.testing.assert_close(heat_maps(KEYPOINTS, ALL - 1, SIZE), heat_maps(KEYPOINTS, ALL, SIZE))


def test_a_person_without_joints_is_empty():
    nobody = torch.zeros(18, dtype=torch.long)
    unknown = torch.full((18, 2), torch.nan)
    for maps in (heat_maps(unknown, nobody, SIZE), skeleton_maps(unknown, nobody, SIZE)):
        assert maps.eq(0).all()
    regions, defined = body_part_regions(unknown, nobody, SIZE)
    assert regions.eq(0).all()
    assert defined.eq(0).all()


def naive_bone(start, end, size, width):
    """The distance of every pixel to the nearest of many points of the bone, at most 0.01 pixels apart."""
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)[:, None]
    along = start + t * (end - start)
    rows = torch.arange(size[0], dtype=torch.float64)
    columns = torch.arange(size[1], dtype=torch.float64)
    pixels = torch.stack((columns.expand(size), rows[:, None].expand(size)), -1)
    distance = torch.cdist(pixels.reshape(-1, 2), along).amin(1).reshape(size)
    return (width / 2 + 0.5 - distance).clamp(0, 1)


@pytest.mark.parametrize("width", [1.0, 3.0, 5.5])
def test_skeleton_maps_against_the_naive_twin(width):
    maps = skeleton_maps(KEYPOINTS, ALL, SIZE, width=width)
    assert maps.shape == (17, 64, 48)
    for k, (a, b) in enumerate(BONES):
        torch.testing.assert_close(maps[k], naive_bone(STANDING[a], STANDING[b], SIZE, width), atol=5e-3, rtol=0)


def test_a_line_is_as_wide_as_asked():
    keypoints = KEYPOINTS.clone()
    keypoints[1], keypoints[2] = torch.tensor([0.0, -2.0]), torch.tensor([0.0, 2.0])  # a vertical bone, through
    for width in (1.0, 2.0, 4.0):
        rows = skeleton_maps(keypoints, ALL, (20, 21), width=width)[0].sum(-1)
        torch.testing.assert_close(rows, torch.full_like(rows, width))


def test_a_bone_of_no_length_is_a_dot_with_finite_gradients():
    keypoints = torch.zeros(18, 2, requires_grad=True)
    maps = skeleton_maps(keypoints, ALL, (5, 5), width=1.0)
    assert maps[0, 2, 2] == 1
    maps.sum().backward()
    assert keypoints.grad.isfinite().all()


@pytest.mark.parametrize("draw", [lambda *a: heat_maps(*a, sigma=2.0), lambda *a: skeleton_maps(*a, width=2.0)])
def test_gradcheck(draw):
    torch.manual_seed(0)
    keypoints = (torch.rand(18, 2, dtype=torch.float64) * 1.6 - 0.8).requires_grad_()
    visibility = torch.randint(0, 3, (18,))
    assert torch.autograd.gradcheck(lambda k: draw(k, visibility, (6, 7)), keypoints)


def test_regions_of_a_standing_person():
    regions, defined = body_part_regions(KEYPOINTS, ALL, SIZE)
    assert regions.shape == (10, 64, 48)
    assert set(regions.unique().tolist()) == {0, 1}
    assert defined.tolist() == [1] * 10
    assert regions[BODY_PARTS.index("body")].min() == 1
    head = regions[BODY_PARTS.index("head")]
    assert head[8, 24] == head[3, 20] == 1
    assert head[32].max() == 0
    # A limb covers its own middle and both its joints, and not its twin's.
    for part, (a, b) in {"right_upper_leg": (8, 9), "left_lower_arm": (6, 7)}.items():
        region = regions[BODY_PARTS.index(part)]
        middle = ((STANDING[a] + STANDING[b]) / 2).round().long().tolist()
        for x, y in (STANDING[a].long().tolist(), STANDING[b].long().tolist(), middle):
            assert region[y, x] == 1
        twin = JOINTS[b].replace("right", "R").replace("left", "right").replace("R", "left")
        x, y = STANDING[JOINTS.index(twin)].long().tolist()
        assert region[y, x] == 0


def test_a_limb_is_a_rectangle_of_the_stated_size():
    corners, _ = body_part_corners(KEYPOINTS, ALL, SIZE)
    corners = (corners + 1) * torch.tensor([24.0, 32.0]).double()  # pixels
    torso = (math.hypot(2, 18) + math.hypot(2, 18)) / 2
    limb = corners[BODY_PARTS.index("right_upper_leg")]
    sides = (limb.roll(-1, 0) - limb).norm(dim=-1)
    length = math.hypot(1, 12) * 1.1 * 1.1
    assert sides.tolist() == pytest.approx([0.4 * torso, length, 0.4 * torso, length])
    shin = corners[BODY_PARTS.index("right_lower_leg")]  # the straight lower leg reaches over the foot
    assert shin[:, 1].tolist() == pytest.approx([44 - 1.2 + 0.5] * 2 + [56 + 0.5 * 13.2 + 0.5] * 2)
    head = corners[BODY_PARTS.index("head")]
    assert (head[2] - head[0]).tolist() == pytest.approx([0.8 * torso] * 2)


def test_corners_follow_the_body():
    """Moving and turning the person moves the corners the same way: they can be matched between two pictures."""
    turn = torch.tensor([[0.8, -0.6], [0.6, 0.8]], dtype=torch.float64)
    corners, _ = body_part_corners(KEYPOINTS, ALL, (50, 50))
    moved, _ = body_part_corners(KEYPOINTS @ turn.T + 0.1, ALL, (50, 50))
    limbs = [k for k, part in enumerate(BODY_PARTS) if part != "head"]  # the head's square stays upright
    torch.testing.assert_close(moved[limbs], corners[limbs] @ turn.T + 0.1)


def test_without_a_torso_nothing_but_its_scale_is_lost():
    visibility = ALL.clone()
    visibility[[JOINTS.index("left_hip")]] = 0
    _, defined = body_part_regions(KEYPOINTS, visibility, SIZE)
    lost = [BODY_PARTS[k] for k in range(10) if defined[k] == 0]
    assert lost == ["body", "left_upper_leg"]  # the right side still gives the scale
    visibility[JOINTS.index("right_shoulder")] = 0
    assert body_part_regions(KEYPOINTS, visibility, SIZE)[1].sum() == 0


def test_flipping_the_joints_is_flipping_the_picture():
    visibility = torch.arange(18) % 3
    flipped, seen = flip_keypoints(KEYPOINTS, visibility)
    maps = heat_maps(KEYPOINTS, visibility, SIZE)
    torch.testing.assert_close(heat_maps(flipped, seen, SIZE), maps[list(MIRROR_JOINTS)].flip(-1))
    regions, _ = body_part_regions(KEYPOINTS + 1e-4, ALL, SIZE)
    flipped_regions, _ = body_part_regions(*flip_keypoints(KEYPOINTS + 1e-4, ALL), SIZE)
    torch.testing.assert_close(flipped_regions, regions[list(MIRROR_BODY_PARTS)].flip(-1))


def test_flipping_twice_changes_nothing():
    visibility = torch.arange(18) % 3
    keypoints, seen = flip_keypoints(*flip_keypoints(KEYPOINTS, visibility))
    assert torch.equal(keypoints, KEYPOINTS)
    assert torch.equal(seen, visibility)


def test_a_region_is_what_lies_inside_its_corners():
    """Against the winding of every pixel centre around the quadrilateral."""
    regions, _ = body_part_regions(KEYPOINTS, ALL, SIZE)
    corners, _ = body_part_corners(KEYPOINTS, ALL, SIZE)
    pixels = identity_grid(*SIZE, dtype=torch.float64).movedim(0, -1)
    for part in range(1, 10):
        arms = corners[part] - pixels[..., None, :]  # h w 4 2
        angle = torch.atan2(arms[..., 1], arms[..., 0])
        steps = (angle.roll(-1, -1) - angle + math.pi) % (2 * math.pi) - math.pi
        inside = steps.sum(-1).abs() > math.pi
        assert torch.equal(regions[part] > 0, inside)


@pytest.mark.usefixtures("unchecked")
def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"keypoints \(..., 18, 2\) and visibility \(..., 18\), got \(17, 2\)"):
        heat_maps(torch.zeros(17, 2), torch.ones(17), SIZE)
    with pytest.raises(ValueError, match=r"got \(2, 18, 2\) and \(18,\)"):
        flip_keypoints(torch.zeros(2, 18, 2), ALL)
    with pytest.raises(ValueError, match="points_to_norm"):
        heat_maps(torch.zeros(18, 2, dtype=torch.long), ALL, SIZE)
    with pytest.raises(ValueError, match="sigma above 0"):
        heat_maps(KEYPOINTS, ALL, SIZE, sigma=0.0)
    with pytest.raises(ValueError, match="width above 0"):
        skeleton_maps(KEYPOINTS, ALL, SIZE, width=-1.0)
