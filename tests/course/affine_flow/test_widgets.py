"""The live figures of notebook 05: drawn over their grid, with the right numbers; and the canvas for poses."""

import re

import ipywidgets as W
import numpy as np
import pytest
import torch
from posekit_course.affine_flow import draw_pose, probes
from posekit_course.affine_flow import widgets as flow
from posekit_course.live import Live, ends, settings, to_png

from posekit.ops.affine import AffineRanges
from posekit.ops.correlation import matching
from posekit.ops.keypoints import BONES, JOINTS, MIRROR_JOINTS
from posekit.person import Pair
from posekit.studio.generate import make_person
from posekit.systems import build
from posekit.util.errors import InputError
from tests.synthetic import TINY
from tests.synthetic import disc_person as person


@pytest.fixture(scope="module")
def scenes():
    pair = Pair(person(1), person(2))
    features = {
        f"sigma {s:.0f}": tuple(probes.joint_features(p, 6, s) for p in (pair.source, pair.target)) for s in (1.0, 2.0)
    }
    return {"pair": flow.Scene(pair, features)}


def shown(axis) -> np.ndarray:
    return np.asarray(axis.images[0].get_array())


# ------------------------------------------------------------------------------------------------ a slice of Q


def test_slices_over_their_grid(scenes):
    grid = settings(**flow.slice_controls(scenes, 2, 3))
    assert len(grid) == 2 * 6 * 6 * 2  # sets of features; every x and y; filter on and off
    for values in grid:
        figure = flow.render_slice("pair", scenes=scenes, **values)
        z_s, z_t = scenes["pair"].features[values["features"]]
        Q = matching(z_s, z_t, filtered=values["filtered"])[0, :, values["y"], values["x"]]
        marker = figure.axes[1].lines[0].get_xydata()[0]
        row, column = divmod(int(Q.argmax()), 6)
        np.testing.assert_allclose(marker, [(column + 0.5) * 32 / 6 - 0.5, (row + 0.5) * 32 / 6 - 0.5], atol=1e-4)
        assert f"{float(Q.max()):.2f}" in figure.axes[2].get_title()


def test_a_choice_of_one_is_not_shown(scenes):
    assert set(flow.slice_controls(scenes)) == {"features", "x", "y", "filtered"}


def test_the_panels_move(scenes):
    panel = flow.slices(scenes, 2, 3)
    start = panel.values()
    panel.move()
    assert panel.values() == start


# ------------------------------------------------------------------------------------------------ the affine task


def test_affine_controls_reach_the_ranges():
    controls, r = flow.affine_controls(), AffineRanges()
    assert len(controls) == 8
    assert ends(controls["angle"])[:2] == [-11, 11]
    assert ends(controls["right"])[:2] == pytest.approx([-r.translation, r.translation])
    assert controls["scale_x"].min == pytest.approx(1 / (1 + r.scale))


def test_the_inverse_undoes_every_corner_of_the_ranges_and_the_map_itself_does_not():
    sliders = flow.affine_controls()
    sliders.pop("flow")
    random = np.random.default_rng(0)
    for _ in range(8):
        values = {name: random.choice(ends(control)[:2]) for name, control in sliders.items()}
        right, wrong = (
            float(
                re.search(r"off by ([\d.]+)", flow.render_affine(f, person=person(), **values).axes[3].get_title())[1]
            )
            for f in flow.FLOWS
        )
        assert right < 0.03
        assert wrong > 5 * right


def test_without_a_map_both_flows_are_the_identity():
    still = {"angle": 0, "scale_x": 1, "scale_y": 1, "shear_x": 0, "shear_y": 0, "right": 0, "down": 0}
    p_t, p_st, A = flow.affine_task(person(), still)
    torch.testing.assert_close(p_st, p_t)
    for name in flow.FLOWS:
        torch.testing.assert_close(flow.undone(p_st, A, name), p_t, atol=1e-5, rtol=0)


def test_the_affine_panel_moves():
    flow.affine(person()).move()


# ------------------------------------------------------------------------------------------------ poses as text


def test_poses_survive_writing_and_reading():
    one = person()
    visibility = one.visibility[0].clone()
    visibility[4] = 0
    text = draw_pose.write_pose(one.keypoints[0], visibility)
    keypoints, seen = draw_pose.read_pose(text)
    assert seen.tolist() == visibility.tolist()
    there = seen > 0
    torch.testing.assert_close(keypoints[there], one.keypoints[0][there], atol=6e-4, rtol=0)
    assert draw_pose.write_pose(keypoints, seen) == text


@pytest.mark.parametrize("text", ["", "0 0", "; ".join(["0 0"] * 17), "; ".join(["0"] * 18), "; ".join(["a b"] * 18),
                                  "; ".join(["nan 0"] * 18), "; ".join(["0 0", "0"] * 9)])  # fmt: skip
def test_what_is_no_pose_is_refused(text):
    with pytest.raises(InputError, match="A pose is 18 joints"):
        draw_pose.read_pose(text)


def test_editing_a_pose():
    pose = draw_pose.key_pose("wave")
    before = draw_pose.read_pose(pose)[0]
    after = draw_pose.read_pose(draw_pose.pose_with_joint(pose, "left_knee", 0.25, -0.5))[0]
    n = JOINTS.index("left_knee")
    assert after[n].tolist() == [0.25, -0.5]
    assert torch.equal(before[:n], after[:n])
    mirror = draw_pose.read_pose(draw_pose.mirrored(pose))[0]
    torch.testing.assert_close(mirror[:, 0], -before[list(MIRROR_JOINTS), 0])
    assert draw_pose.mirrored(draw_pose.mirrored(pose)) == pose


@pytest.mark.parametrize("name", draw_pose.PRESETS)
def test_key_poses_are_people_in_the_picture(name):
    keypoints, visibility = draw_pose.read_pose(draw_pose.key_pose(name))
    at = dict(zip(JOINTS, keypoints.tolist(), strict=True))
    assert (visibility == 2).all()
    assert keypoints.abs().max() <= 1
    assert at["nose"][1] < at["right_hip"][1] < at["right_ankle"][1]  # y points down
    assert at["right_shoulder"][0] < at["left_shoulder"][0]  # the person's right is on the left of the picture
    if name == "wave":
        assert at["right_wrist"][1] < at["right_elbow"][1] < at["left_wrist"][1]


def test_unknown_key_pose():
    with pytest.raises(InputError, match="not known"):
        draw_pose.key_pose("headstand")


# ------------------------------------------------------------------------------------------------ transfers, the shell


SYSTEMS = {"ten parts": draw_pose.by_ten_parts, "negative": lambda pair: 1 - pair.source.image}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", draw_pose.PRESETS)
def test_transfers_over_poses_and_systems(name, system):
    figure = draw_pose.render_drawn_pose(draw_pose.key_pose(name), system, source=person(), systems=SYSTEMS)
    pair = draw_pose.drawn_pair(draw_pose.key_pose(name), person())
    np.testing.assert_allclose(shown(figure.axes[2]), SYSTEMS[system](pair)[0].movedim(0, -1).clamp(0, 1), atol=1e-6)
    assert to_png(figure)


def test_systems_built_for_smaller_photographs():
    system = build("spatial_transformation", image_size=16, scales=1, pose_width=4, flow_width=8, refine_width=8)
    pair = draw_pose.drawn_pair(draw_pose.key_pose("wave"), person())
    assert draw_pose.by_flow(system, pair).shape == (1, 3, 32, 32)
    assert draw_pose.by_photograph(system, pair).shape == (1, 3, 16, 16)
    assert not system.training


def test_only_shipped_weights_are_offered(monkeypatch):
    def loaded(name, preset, variant):
        if name != "spatial_transformation":
            raise InputError("none are shipped")
        return build(name, preset, variant, image_size=16, scales=1, pose_width=4, flow_width=8, refine_width=8)

    monkeypatch.setattr(draw_pose, "load_reference", loaded)
    offered = draw_pose.shipped()
    assert [draw_pose.SHIPPED[title][0] for title in offered] == ["spatial_transformation"]
    pair = draw_pose.drawn_pair(draw_pose.key_pose("wave"), person())
    assert next(iter(offered.values()))(pair).shape == (1, 3, 16, 16)


def test_a_map_read_from_drawn_joints():
    """The keypoint-guided system takes the source with its map, and of the target the joints alone."""
    source = make_person(0, 9, 0, 40).batched()
    system = build("coordinate_inpainting", variant="keypoints", **TINY)
    made = [draw_pose.by_photograph(system, draw_pose.drawn_pair(draw_pose.key_pose(name), source))
            for name in ("wave", "arms_up")]  # fmt: skip
    assert made[0].shape == (1, 3, 40, 40)
    assert not torch.equal(*made)
    other = make_person(0, 9, 0, 48).batched()
    with pytest.raises(InputError, match="uv"):
        draw_pose.by_photograph(system, draw_pose.drawn_pair(draw_pose.key_pose("wave"), other))


def test_the_own_pose_gives_the_photograph_back():
    one = person()
    pair = draw_pose.drawn_pair(draw_pose.write_pose(one.keypoints[0], one.visibility[0]), one)
    made = draw_pose.by_ten_parts(pair)
    assert (made - one.image).abs().mean() < 0.03  # joints are written in steps of 1/1000


def test_missing_joints_may_stay_missing():
    nobody = "; ".join(["-"] * 18)
    assert to_png(draw_pose.render_drawn_pose(nobody, "ten parts", source=person(), systems=SYSTEMS))
    assert draw_pose.canvas(nobody).count("data-missing") == 18


def test_canvas_shows_every_joint_and_bone():
    svg = draw_pose.canvas(draw_pose.key_pose("wave"))
    assert len(re.findall("<circle ", svg)) == 18
    assert len(re.findall("<line ", svg)) == len(BONES)
    keypoints, _ = draw_pose.read_pose(draw_pose.key_pose("wave"))
    x, y = keypoints[JOINTS.index("right_wrist")].tolist()
    assert f'data-joint="{JOINTS.index("right_wrist")}" cx="{x:.3f}" cy="{y:.3f}"' in svg
    assert "http" not in svg  # nothing is loaded from anywhere


def test_pad_follows_its_text_as_the_canvas_writes_it():
    pad = draw_pose.draw_pose(person(), SYSTEMS)
    first, picture = pad.pose, pad.image.value
    moved = draw_pose.pose_with_joint(first, "right_wrist", -0.5, 0.5)
    pad.controls["pose"].value = moved
    assert pad.image.value != picture
    assert pad.canvas.value == draw_pose.canvas(moved)
    assert (pad.x.value, pad.y.value) == pytest.approx((-0.5, 0.5))
    pad.buttons["undo"].click()
    assert pad.pose == first
    assert pad.image.value == picture
    pad.buttons["undo"].click()  # nothing before the first
    assert pad.pose == first


def test_pad_by_keyboard():
    pad = draw_pose.draw_pose(person(), SYSTEMS)
    pad.joint.value = "left_ankle"
    before = draw_pose.read_pose(pad.pose)[0]
    assert len(pad.history) == 1  # choosing a joint moves nothing
    pad.x.value = 0.3
    after = draw_pose.read_pose(pad.pose)[0]
    n = JOINTS.index("left_ankle")
    assert after[n, 0] == pytest.approx(0.3)
    assert after[n, 1] == pytest.approx(float(before[n, 1]), abs=draw_pose.STEP)
    pad.preset.value = "arms_up"
    assert pad.pose == draw_pose.key_pose("arms_up")
    pad.buttons["mirror"].click()
    assert pad.pose == draw_pose.mirrored(draw_pose.key_pose("arms_up"))
    assert pad.preset.value == ""
    pad.buttons["start again"].click()
    assert pad.pose == pad.start


def test_a_broken_pose_is_said_in_place_and_raised():
    pad = draw_pose.draw_pose(person(), SYSTEMS)
    with pytest.raises(InputError, match="A pose is 18 joints"):
        pad.controls["pose"].value = "0 0"
    assert "A pose is 18 joints" in pad.message.value
    assert pad.history == [pad.start]
    pad.buttons["start again"].click()
    assert pad.message.value == ""


def test_the_canvas_does_not_wait_for_the_photograph():
    pad, seen = draw_pose.draw_pose(person(), SYSTEMS), []
    pad.canvas.observe(lambda _: seen.append("canvas"), "value")
    pad.image.observe(lambda _: seen.append("photograph"), "value")
    pad.controls["pose"].value = draw_pose.key_pose("arms_up")
    assert seen == ["canvas", "photograph"]


def test_pad_moves_and_comes_back():
    pad = draw_pose.draw_pose(person(), SYSTEMS)
    assert isinstance(pad, Live)
    start = pad.values()
    pad.move()
    assert pad.values() == start
    dead = draw_pose.draw_pose(person(), {"ten parts": draw_pose.by_ten_parts, "other": SYSTEMS["negative"]})
    dead.draw = lambda **_: np.zeros((4, 4, 3))
    dead.update()
    with pytest.raises(AssertionError, match="changes nothing"):
        dead.move()


def test_controls_have_names(scenes):
    for controls in (flow.slice_controls(scenes), flow.affine_controls()):
        assert all(isinstance(c, W.ValueWidget) and c.description for c in controls.values())
