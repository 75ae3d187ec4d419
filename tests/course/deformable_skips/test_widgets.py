"""The live figures of the notebook on deformable skips: drawn over their whole grid, and with the right numbers."""

import itertools

import ipywidgets as W
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from posekit_course.deformable_skips import figures, probes
from posekit_course.deformable_skips import widgets as skips
from posekit_course.deformable_skips.edge_alignment import edge_strength
from posekit_course.live import Live, settings, to_png

from posekit.nets.deformable_hourglass import warp_activations
from posekit.ops.grids import norm_to_points
from posekit.ops.keypoints import BODY_PARTS, JOINTS
from posekit.ops.part_affine import warp_by_parts
from posekit.util.errors import InputError

SIZE = 64
STRIPES, JUMPER = (0, 28, (1, 3)), (0, 149, (3, 5))
ALL_ON = dict.fromkeys(skips.GROUPS, True)


def shown(axis) -> np.ndarray:
    return np.asarray(axis.images[0].get_array())


# ----------------------------------------------------------------------------------------------- a channel of a layer


@pytest.mark.parametrize("level", skips.LEVELS)
def test_channel_over_its_whole_grid(level):
    grid = [s for s in settings(most=1000, **skips.channel_controls()) if s["level"] == level]
    assert len(grid) == skips.CHANNELS * len(probes.MOVES)
    nth = skips.LEVELS.index(level)
    for setting in grid:
        source, before, after, target = skips.render_channel(**setting, who=STRIPES, size=SIZE).axes
        assert shown(before).shape == shown(after).shape == (SIZE >> nth, SIZE >> nth, 3)
        assert setting["kind"] in after.get_title()
        assert np.array_equal(shown(before), shown(after)) == (setting["kind"] == "plain")
    np.testing.assert_array_equal(shown(source), figures.picture(probes.pair_of(*STRIPES, SIZE).source.image))
    np.testing.assert_array_equal(shown(target), figures.picture(probes.pair_of(*STRIPES, SIZE).target.image))


def test_channels_come_strongest_first_and_are_warped_as_the_network_warps_them():
    activations, E = probes.encoded(*STRIPES, SIZE)
    pair = probes.pair_of(*STRIPES, SIZE)
    for level in range(3):
        order = skips.strongest(STRIPES, level, SIZE)
        spread = activations[level][0].flatten(1).std(1)
        assert len(set(order)) == skips.CHANNELS
        assert spread[list(order)].diff().max() <= 0
        assert spread[order[0]] == spread.max()
        before, after = skips.moved_channel(STRIPES, level, 2, "E", SIZE)
        size = tuple(activations[level].shape[-2:])
        whole = warp_activations(activations[level], E, pair.target.mask, size)
        torch.testing.assert_close(before, activations[level][0, order[1]])
        torch.testing.assert_close(after, whole[0, order[1]], rtol=0, atol=1e-6)


def test_encoded_is_what_the_network_uses():
    """The three activations are those of the source encoder at three scales, and E is the forward pass's."""
    activations, E = probes.encoded(*STRIPES, SIZE)
    assert [tuple(a.shape) for a in activations] == [(1, 48, SIZE >> n, SIZE >> n) for n in range(3)]
    with torch.no_grad():
        assert torch.equal(E, probes.refiner()(probes.pair_of(*STRIPES, SIZE)).E)


# ------------------------------------------------------------------------------------------------------ parts on, off


def test_parts_over_their_whole_grid():
    grid = settings(most=1000, **skips.parts_controls())
    assert len(grid) == 2 ** len(skips.GROUPS)
    for setting in grid:
        source, target, fused = skips.render_parts(JUMPER, SIZE, **setting).axes
        names = skips.chosen_parts(**setting)
        assert len(source.patches) == len(target.patches) == len(names)
        assert f"{len(names)} parts" in fused.get_title()
        assert (np.ptp(shown(fused), axis=(0, 1)).max() > 0) == bool(names)  # without parts, one colour


def test_groups_hold_every_part_once():
    alone = [skips.chosen_parts(**{g: g == group for g in skips.GROUPS}) for group in skips.GROUPS]
    assert sorted(name for names in alone for name in names) == sorted(BODY_PARTS)
    assert skips.chosen_parts(**ALL_ON) == list(BODY_PARTS)
    assert skips.chosen_parts(**(dict.fromkeys(skips.GROUPS, False) | {"upper_arm": True})) == [
        "right_upper_arm",
        "left_upper_arm",
    ]


def test_fused_picture_is_the_librarys():
    pair = probes.pair_of(*JUMPER, SIZE)
    wanted = warp_by_parts(pair.source.image * pair.source.mask, probes.joint_maps(pair))
    np.testing.assert_array_equal(shown(skips.render_parts(JUMPER, SIZE, **ALL_ON).axes[2]), figures.lit(wanted))


# ------------------------------------------------------------------------------------------------------ a joint to move


def test_joint_over_its_whole_grid():
    grid = settings(most=1000, **skips.joint_controls())
    assert len(grid) == 5 * 5 * 5
    for setting in grid:
        _, target, fused = skips.render_joint(**setting, who=JUMPER, size=SIZE).axes
        marker = target.lines[-1].get_xydata()[0]
        start = skips.with_joint(probes.pair_of(*JUMPER, SIZE), setting["joint"], 0, 0).target.keypoints[0]
        start = figures.norm_to_points(start[JOINTS.index(setting["joint"])], (SIZE, SIZE)).numpy()
        np.testing.assert_allclose(marker - start, (setting["right"], setting["down"]), atol=1e-3)
        assert shown(fused).shape == (SIZE, SIZE, 3)


def test_moving_a_wrist_changes_one_map_alone():
    pair = probes.pair_of(*JUMPER, SIZE)
    before = probes.joint_maps(pair).matrix[0]
    after = probes.joint_maps(skips.with_joint(pair, "right_wrist", 6, 4)).matrix[0]
    changed = (before - after).abs().amax((1, 2)) > 1e-4
    assert [name for name, c in zip(BODY_PARTS, changed, strict=True) if c] == ["right_lower_arm"]
    elbow = probes.joint_maps(skips.with_joint(pair, "left_elbow", 6, 4)).matrix[0]
    changed = (before - elbow).abs().amax((1, 2)) > 1e-4
    assert [n for n, c in zip(BODY_PARTS, changed, strict=True) if c] == ["left_upper_arm", "left_lower_arm"]
    shoulder = probes.joint_maps(skips.with_joint(pair, "right_shoulder", 6, 4)).matrix[0]
    assert ((before - shoulder).abs().amax((1, 2)) > 1e-4).all()  # it sets the width of all limbs


def test_words_of_a_map():
    pair = probes.pair_of(*JUMPER, SIZE)
    same = probes.joint_maps(type(pair)(pair.source, pair.source))
    assert skips.in_words(same, "head") == "turn +0\N{DEGREE SIGN}, stretch 1.00 and 1.00"
    assert skips.in_words(same.without("head"), "head") == "dropped"


# ------------------------------------------------------------------------------------------------------- all of them


def test_drawing_is_pure():
    for draw in (
        lambda: skips.render_channel("half", 2, "parts", STRIPES, SIZE),
        lambda: skips.render_parts(JUMPER, SIZE, **ALL_ON),
        lambda: skips.render_joint("left_knee", 8, -8, JUMPER, SIZE),
    ):
        before = plt.get_fignums()
        assert to_png(draw()) == to_png(draw())
        assert plt.get_fignums() == before


def test_every_control_changes_the_picture():
    for panel in (skips.channel(STRIPES, SIZE), skips.parts(JUMPER, SIZE), skips.joint(JUMPER, SIZE)):
        assert isinstance(panel, Live)
        start = panel.values()
        panel.move()
        assert panel.values() == start


def test_controls_have_names():
    for controls in (skips.channel_controls(), skips.parts_controls(), skips.joint_controls()):
        assert all(isinstance(c, W.ValueWidget) and c.description for c in controls.values())


# ------------------------------------------------------------------------------------------------- probes and pictures


def test_plain_skip_moves_nothing_and_unknown_limb_is_said():
    pair = probes.pair_of(*JUMPER, SIZE)
    a = torch.rand(1, 2, 16, 16)
    assert probes.move(a, "plain", pair, torch.zeros(1, 2, SIZE, SIZE)) is a
    with pytest.raises(InputError, match="Unknown body part"):
        probes.joint_maps(pair).without("tail")


def test_limb_error_sees_the_limb_and_nothing_else():
    pair = probes.pair_of(*JUMPER, SIZE)
    maps = probes.joint_maps(pair)
    assert probes.limb_error(pair, maps.without("right_lower_arm"), "right_lower_arm") > probes.limb_error(
        pair, maps, "right_lower_arm"
    )
    away = maps.without("left_lower_leg")  # far from the arm
    assert probes.limb_error(pair, away, "right_lower_arm") == pytest.approx(
        probes.limb_error(pair, maps, "right_lower_arm")
    )


def test_a_hidden_joint_calls_the_twin():
    hidden = probes.without_joint(probes.pair_of(*JUMPER, SIZE), "right_wrist", "left_knee")
    twin = probes.joint_maps(hidden).twin[0].tolist()
    assert [name for name, t in zip(BODY_PARTS, twin, strict=True) if t] == [
        "left_upper_leg",
        "left_lower_leg",
        "right_lower_arm",
    ]


def test_body_errors_by_hand():
    made, truth, mask = torch.zeros(2, 3, 2, 2), torch.ones(2, 3, 2, 2), torch.ones(2, 1, 2, 2)
    truth[1] = 0.5
    mask[1, :, 0] = 0
    made[1, :, 0] = 9  # off the body
    np.testing.assert_allclose(probes.body_errors(made, truth, mask), [1, 0.5])


def test_signed_colours():
    image = figures.signed(torch.tensor([[-2.0, 0.0, 2.0]]), 1.0)
    np.testing.assert_allclose(image[0, 1], 1)  # 0 is white
    assert image[0, 0, 0] > image[0, 0, 2]  # negative: orange
    assert image[0, 2, 2] > image[0, 2, 1]  # positive: purple
    assert np.isfinite(figures.signed(torch.zeros(3, 3))).all()


def test_edges_over_each_other():
    first, second = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    first[..., :, 4:], second[..., 4:, :] = 1, 1
    image = figures.edges_over(edge_strength(first), edge_strength(second))
    np.testing.assert_allclose(image[0, 0], 1)
    np.testing.assert_allclose(image[0, 4], [1, 0, 0])
    np.testing.assert_allclose(image[4, 0], [0, 0, 1])


def test_inside_is_the_body_without_its_rim():
    person = probes.pair_of(*JUMPER, SIZE).source
    inner = probes.inner_mask(person, 1)
    assert 0 < inner.sum() < person.mask.sum()
    y, x = inner[0, 0].nonzero().T
    for dy, dx in itertools.product((-1, 0, 1), repeat=2):
        assert person.mask[0, 0, (y + dy).clamp(0, SIZE - 1), (x + dx).clamp(0, SIZE - 1)].all()


@pytest.mark.parametrize(
    ("joint", "maps"),
    [("right_wrist", 1), ("left_elbow", 2), ("left_knee", 2), ("right_hip", 9), ("right_shoulder", 10)],
)
def test_how_many_maps_a_joint_changes(joint, maps):
    pair = probes.pair_of(*JUMPER, SIZE)
    before, after = probes.joint_maps(pair), probes.joint_maps(skips.with_joint(pair, joint, 5, 5))
    assert (skips.changed_maps(before, before), skips.changed_maps(before, after)) == (0, maps)


def test_bodies_moved_by_parts_stand_on_blue():
    body = torch.zeros(1, 3, 2, 2)
    body[..., 0, 0] = 0.02  # nearly black, and still the body
    shown = figures.lit(body)
    assert shown[0, 0].max() < 0.05
    assert shown[1, 1, 2] > 0.3


def test_skeleton_is_drawn_where_the_joints_are():
    target = probes.pair_of(*JUMPER, SIZE).target
    drawn = figures.skeleton(target)
    assert drawn.shape == target.image.shape
    x, y = norm_to_points(target.keypoints[0, JOINTS.index("neck")], target.size).round().long().tolist()
    assert drawn[0, :, y, x].max() < 0.5 < drawn.mean()
