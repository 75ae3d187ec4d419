"""Affine maps of body parts: against naive twins, on people moved by known maps, with missing joints."""

import dataclasses

import numpy as np
import pytest
import torch

from posekit.ops.affine import apply
from posekit.ops.grids import identity_grid, index_to_norm, norm_to_index
from posekit.ops.keypoints import BODY_PARTS, JOINTS, body_part_corners, body_part_regions
from posekit.ops.part_affine import fuse_parts, part_maps, warp_by_parts, warp_parts
from posekit.util.errors import InputError

SIZE = (32, 32)
HEAD = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")
SHOULDERS = ("right_shoulder", "left_shoulder")
# A person facing the camera: x, y in [-1, 1], in the order of JOINTS.
STANDING = torch.tensor(
    [
        [0.02, -0.72], [0.0, -0.5],
        [-0.22, -0.48], [-0.36, -0.22], [-0.42, 0.04],
        [0.22, -0.48], [0.37, -0.24], [0.4, 0.02],
        [-0.14, 0.05], [-0.16, 0.42], [-0.17, 0.78],
        [0.14, 0.05], [0.17, 0.42], [0.2, 0.78],
        [-0.03, -0.76], [0.07, -0.76], [-0.08, -0.73], [0.12, -0.73],
    ],
    dtype=torch.float64,
)  # fmt: skip


def person(seed=0, b=2):
    """Joints scattered around the standing person, all visible."""
    noise = torch.randn(b, 18, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return STANDING + 0.05 * noise, torch.full((b, 18), 2)


def maps_of(source, target, size=SIZE):
    return part_maps(*source, *target, size)


def hide(joints, *names):
    points, visibility = joints[0], joints[1].clone()
    visibility[:, [JOINTS.index(name) for name in names]] = 0
    return points, visibility


def move(joints, matrix):
    return apply(matrix.expand(len(joints[0]), 2, 3), joints[0]), joints[1]


def similarity(angle, scale, x, y):
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return torch.tensor([[[c, -s, x], [s, c, y]]], dtype=torch.float64)


def naive_read(image, x, y):
    """Bilinear, 0 outside; ``image`` is c h w, x and y in [-1, 1]."""
    h, w = image.shape[-2:]
    i, j = norm_to_index(float(y), h), norm_to_index(float(x), w)
    value = torch.zeros(len(image), dtype=image.dtype)
    for row in (int(np.floor(i)), int(np.floor(i)) + 1):
        for column in (int(np.floor(j)), int(np.floor(j)) + 1):
            if 0 <= row < h and 0 <= column < w:
                value = value + (1 - abs(i - row)) * (1 - abs(j - column)) * image[:, row, column]
    return value


def naive_fusion(activations, maps):
    """The definition, pixel by pixel: the largest of 0 and of what every part that covers the pixel brings."""
    b, c, h, w = activations.shape
    fused = torch.zeros(b, c, h, w, dtype=activations.dtype)
    rows = []
    for n in range(b):
        for i in range(h):
            for j in range(w):
                best = torch.zeros(c, dtype=activations.dtype)
                p = torch.tensor([index_to_norm(j, w), index_to_norm(i, h), 1.0], dtype=torch.float64)
                y0 = int(norm_to_index(float(p[1]), maps.mask.shape[-2]) + 0.5)  # the mask's pixel with this centre
                x0 = int(norm_to_index(float(p[0]), maps.mask.shape[-1]) + 0.5)
                for k in range(len(BODY_PARTS)):
                    if maps.mask[n, k, y0, x0] == 1:
                        x, y = maps.matrix[n, k].detach() @ p
                        best = torch.maximum(best, naive_read(activations[n], x, y))
                rows.append(best)
    return fused + torch.stack(rows).view(b, h, w, c).permute(0, 3, 1, 2)


@pytest.mark.parametrize("level", [0, 1])
def test_fusion_against_the_naive_twin(level):
    maps = maps_of(person(0), person(1), (8, 8))
    size = 8 >> level
    x = torch.randn(
        2, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(2), requires_grad=True
    )
    weight = torch.randn(2, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    results = []
    for function in (naive_fusion, warp_by_parts, lambda a, m: fuse_parts(warp_parts(a, m))):
        out = function(x, maps)
        (gradient,) = torch.autograd.grad((out * weight).sum(), x)
        results.append((out.detach(), gradient))
    assert (results[0][0] > 0).float().mean() > 0.3
    for out, gradient in results[1:]:
        torch.testing.assert_close(out, results[0][0])
        torch.testing.assert_close(gradient, results[0][1])


def test_gradients_reach_activations_and_joints():
    """Finite differences; the joints move the maps, the masks stay as they are."""
    source, target = person(0, 1), person(1, 1)
    mask = maps_of(source, target, (8, 8)).mask
    x = torch.randn(1, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(4), requires_grad=True)

    def fused(x, joints):
        maps = maps_of((joints, source[1]), target, (8, 8))
        return warp_by_parts(x, dataclasses.replace(maps, mask=mask))

    assert torch.autograd.gradcheck(fused, (x, source[0].requires_grad_()), fast_mode=True)


@pytest.mark.parametrize("scale", [1.0, 0.8])
def test_a_person_moved_and_scaled_gives_back_the_map(scale):
    """The map of every part takes the target to the source; regions move along."""
    source = person(0)
    there = similarity(0.0, scale, 0.15, -0.1)
    maps = maps_of(move(source, there), source)
    assert maps.defined.all()
    torch.testing.assert_close(maps.matrix, there[:, None].expand_as(maps.matrix))


def test_a_person_turned_gives_back_the_map():
    source, there = person(0), similarity(0.4, 0.9, 0.1, 0.05)
    maps = maps_of(move(source, there), source)
    torch.testing.assert_close(maps.matrix, there[:, None].expand(2, 10, 2, 3))


@pytest.mark.parametrize(
    ("in_source", "in_target"),
    [
        (("right_ear", "right_eye"), ()),  # the source looks to its right, the target at us
        (("right_ear",), ("left_ear",)),
        (("right_ear", "left_ear", "right_eye"), ("nose",)),  # one joint and the shoulders are enough
        ((), ("right_shoulder",)),
    ],
)
def test_the_head_moves_by_the_joints_that_both_pictures_show(in_source, in_target):
    """Other joints move the square around the head, which is the mask, but not the map."""
    source, there = person(0), similarity(0.1, 0.9, 0.1, 0.05)
    maps = maps_of(hide(move(source, there), *in_source), hide(source, *in_target))
    torch.testing.assert_close(maps.matrix[:, BODY_PARTS.index("head")], there.expand(2, 2, 3))


def test_the_head_s_map_is_the_least_squares_fit():
    source, target = person(0), person(1)
    points = [JOINTS.index(name) for name in HEAD + SHOULDERS]
    for n, matrix in enumerate(maps_of(source, target).matrix[:, BODY_PARTS.index("head")]):
        here = torch.cat((target[0][n, points], torch.ones(7, 1, dtype=torch.float64)), 1)
        best = torch.linalg.lstsq(here, source[0][n, points]).solution.T
        torch.testing.assert_close(matrix, best)


def test_the_whole_body_follows_a_shear():
    """Four corners, six numbers: the torso determines any affine map, the limbs only rotation and scale."""
    there = torch.tensor([[[1.1, 0.2, 0.05], [-0.1, 0.9, 0.1]]], dtype=torch.float64)
    source = person(0)
    maps = maps_of(move(source, there), source)
    torch.testing.assert_close(maps.matrix[:, 0], there.expand(2, 2, 3))


@pytest.mark.parametrize("size", [(32, 32), (16, 16), (4, 4)])
def test_the_same_pose_changes_nothing(size):
    joints = person(0)
    maps = maps_of(joints, joints)
    x = torch.rand(2, 3, *size, dtype=torch.float64)
    torch.testing.assert_close(maps.matrix, torch.eye(2, 3, dtype=torch.float64).expand(2, 10, 2, 3))
    torch.testing.assert_close(warp_by_parts(x, maps), x)
    torch.testing.assert_close(warp_by_parts(x - 1, maps), torch.zeros_like(x))  # 0 competes


def test_moving_both_people_moves_the_result():
    """Source pixels moved with the source's joints: nothing changes (whole pixels, content away from the border)."""
    source, target = person(0), person(1)
    x = torch.zeros(2, 3, *SIZE, dtype=torch.float64)
    x[:, :, 8:24, 8:24] = torch.rand(2, 3, 16, 16, dtype=torch.float64)
    before = warp_by_parts(x, maps_of(source, target))
    shift = similarity(0.0, 1.0, 2 * 3 / 32, -2 * 2 / 32)  # 3 pixels to the right, 2 up
    after = warp_by_parts(x.roll((-2, 3), (2, 3)), maps_of(move(source, shift), target))
    assert before.max() > 0.5
    torch.testing.assert_close(after, before)


def test_a_missing_limb_takes_its_twin():
    source, target = person(0), person(1)
    maps = maps_of(hide(source, "right_wrist"), target)
    right, left = BODY_PARTS.index("right_lower_arm"), BODY_PARTS.index("left_lower_arm")
    assert maps.defined.all()
    assert maps.twin.nonzero().tolist() == [[0, right], [1, right]]
    corners = body_part_corners(*source, SIZE)[0][:, left]
    own = body_part_corners(*target, SIZE)[0][:, right]
    torch.testing.assert_close(apply(maps.matrix[:, right], own), corners, atol=2e-2, rtol=0)  # 6 numbers, 8 equations
    torch.testing.assert_close(apply(maps.matrix[:, right], own).mean(1), corners.mean(1))


@pytest.mark.parametrize(
    ("in_source", "in_target", "lost"),
    [
        (("right_wrist", "left_wrist"), (), {"right_lower_arm", "left_lower_arm"}),
        ((), ("right_wrist",), {"right_lower_arm"}),
        ((), ("left_knee",), {"left_upper_leg", "left_lower_leg"}),
        (("right_hip",), (), {"body"}),
        (HEAD, (), {"head"}),
        (("nose", "right_eye", "right_ear"), ("left_eye", "left_ear"), {"head"}),  # both have one, of other joints
        (JOINTS, (), set(BODY_PARTS)),
    ],
)
def test_what_is_missing_is_dropped(in_source, in_target, lost):
    maps = maps_of(hide(person(0), *in_source), hide(person(1), *in_target))
    assert {name for name, there in zip(BODY_PARTS, maps.defined[0], strict=True) if not there} == lost
    index = [BODY_PARTS.index(name) for name in lost]
    assert maps.mask[:, index].sum() == 0
    assert maps.matrix.isfinite().all()
    if len(lost) == len(BODY_PARTS):
        assert warp_by_parts(torch.rand(2, 3, *SIZE), maps).abs().max() == 0


def test_masks_are_the_regions_of_the_target():
    source, target = person(0), person(1)
    assert torch.equal(maps_of(source, target).mask, body_part_regions(*target, SIZE)[0])


@pytest.mark.parametrize("who", ["source", "target"])
def test_a_body_seen_from_the_side_is_dropped(who):
    """Shoulders and hips on one line determine no map, or one that reads a line; the other item keeps its body."""
    flat, visible = person(0)
    flat[0, [JOINTS.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("shoulder", "hip")], 0] = 0.1
    pair = {"source": person(1), "target": person(2), who: (flat, visible)}
    maps = maps_of(pair["source"], pair["target"])
    assert maps.defined[:, 0].tolist() == [False, True]
    assert maps.matrix.isfinite().all()
    assert maps.defined[:, 1:].all()


def test_parts_by_name():
    maps = maps_of(person(0), person(1))
    less = maps.without("body", "head")
    assert less.mask[:, :2].sum() == 0
    assert torch.equal(less.mask[:, 2:], maps.mask[:, 2:])
    assert not less.defined[:, :2].any()
    with pytest.raises(InputError, match="Unknown body part tail; known: body, head"):
        maps.without("tail")


def test_half_precision_is_sampled_at_exact_places():
    maps = maps_of(person(0), person(1), (64, 64))
    x = torch.rand(2, 3, 64, 64).bfloat16()
    exact = warp_by_parts(x.float(), maps)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = warp_by_parts(x, maps)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out, exact.bfloat16())


def test_warp_reads_backward():
    """A target to the right of the source reads to its left: p in the target, A p in the source."""
    source = person(0, 1)
    target = move(source, similarity(0.0, 1.0, 8 / 32, 0.0))  # 4 of 32 pixels to the right
    x = identity_grid(*SIZE, dtype=torch.float64)[None, :1] + 2  # the x of each pixel, raised above 0
    out = warp_by_parts(x, maps_of(source, target))
    torch.testing.assert_close(out[..., 8:28], x[..., 4:24])
