"""The camera: projection, and what each crop shows."""

import numpy as np
import pytest

from posekit.studio.body.body import load_body
from posekit.studio.body.joint_angles import pose_rotations
from posekit.studio.body.key_poses import KEY_POSES
from posekit.studio.body.pose import sample_pose
from posekit.studio.body.skinning import bone_transforms, posed_joints, skin
from posekit.studio.render.camera import CROP_SHARES, CROPS, Camera, frame, project
from posekit.util.errors import InputError


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def posed(body):
    """posed(pose, row) -> vertices, joints"""

    def place(pose, row=0):
        rest = body.rest(body.bank[row])
        transforms = bone_transforms(body, rest.joints, pose_rotations(pose, rest.joints, body))
        return skin(rest.vertices, body.weights, transforms), posed_joints(rest.joints, transforms)

    return place


def test_project_by_hand():
    """A camera at (0, 0, 10) that looks back along z with focal length 100 px: 1 dm aside at 10 dm is 10 px."""
    camera = Camera(np.diag([1.0, -1, -1]), np.array([0, 0, 10.0]), 100.0, np.array([32.0, 16.0]), (32, 64), 10.0)
    out = project(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 5]], np.float32), camera)
    np.testing.assert_allclose(out, [[32, 16, 0.1], [42, 16, 0.1], [32, 6, 0.1], [52, -4, 0.2]], atol=1e-5)
    np.testing.assert_allclose(camera.position, [0, 0, 10])
    assert camera.pixels_per_dm == 10


def test_project_keeps_lines_straight_and_nearer_things_larger(body, posed):
    vertices, joints = posed(KEY_POSES["stand"])
    camera = frame(body, vertices, joints, (64, 64), elevation=5.0)
    a, b = np.array([-2.0, 0, 1]), np.array([2.0, 3, -4])
    line = project(a + np.linspace(0, 1, 5)[:, None] * (b - a), camera)[:, :2].astype(float)
    d = line - line[0]
    np.testing.assert_allclose(d[:, 0] * d[-1, 1] - d[:, 1] * d[-1, 0], 0, atol=2e-3)
    assert project(np.array([[0.0, 0, 3]]), camera)[0, 2] > project(np.array([[0.0, 0, -3]]), camera)[0, 2]


@pytest.mark.parametrize("size", [(128, 128), (256, 176), (96, 200)])
def test_full_crop_has_everyone_inside_the_picture(body, posed, size):
    rng = np.random.default_rng(0)
    for row, elevation in ((0, 0.0), (40, -3.0), (80, 6.0)):
        for pose in (sample_pose(rng), KEY_POSES["arms_out"], KEY_POSES["arms_up"]):
            vertices, joints = posed(pose, row)
            camera = frame(body, vertices, joints, size, "full", elevation=elevation)
            xy = project(vertices[: body.n_skin], camera)[:, :2]
            low, high = xy.min(0), xy.max(0)
            assert low.min() > 0
            assert high[0] < size[1]
            assert high[1] < size[0]
            np.testing.assert_allclose((low + high) / 2, [size[1] / 2, size[0] / 2], atol=0.01)
            share = (high - low) / [size[1], size[0]]
            assert share[1] == pytest.approx(0.92, abs=1e-3) or share[0] == pytest.approx(0.98, abs=1e-3)


def test_crops_show_their_part(body, posed):
    vertices, joints = posed(KEY_POSES["stand"] | {"yaw": 30.0})
    where = {}
    for crop in CROPS:
        camera = frame(body, vertices, joints, (200, 200), crop, fill=0.9)
        top = project(vertices[: body.n_skin][vertices[: body.n_skin, 1].argmax()][None], camera)[0, 1]
        assert top == pytest.approx(10, abs=2.5), crop  # (1 - 0.9) / 2 of the height above the head
        rows = project(joints, camera)[:, 1]
        where[crop] = {b: rows[i] for b, i in body.bone_index.items()}
    assert where["full"]["ball_l"] < 200
    assert where["knee"]["calf_l"] == pytest.approx(190, abs=8)
    assert where["knee"]["foot_l"] > 200
    assert where["upper"]["thigh_l"] < 190
    assert where["upper"]["calf_l"] > 200
    assert where["head"]["spine_03"] > 200
    assert where["head"]["head"] < 190


def test_a_closer_crop_is_a_larger_picture_of_the_same_person(body, posed):
    vertices, joints = posed(KEY_POSES["stand"])
    scale = [frame(body, vertices, joints, (128, 128), crop).pixels_per_dm for crop in CROPS]
    assert scale == sorted(scale)
    double = frame(body, vertices, joints, (256, 256))
    assert double.pixels_per_dm == pytest.approx(2 * scale[0])


def test_left_and_right(body, posed):
    """Someone who faces the camera has their left hand on the right of the picture."""
    for yaw, sign in ((0.0, 1), (180.0, -1)):
        vertices, joints = posed(KEY_POSES["arms_out"] | {"yaw": yaw})
        xy = project(joints, frame(body, vertices, joints, (128, 128)))
        assert sign * (xy[body.bone_index["hand_l"], 0] - xy[body.bone_index["hand_r"], 0]) > 40


def test_elevation_lifts_the_camera(body, posed):
    vertices, joints = posed(KEY_POSES["stand"])
    heights = [frame(body, vertices, joints, (64, 64), elevation=e).position[1] for e in (-3.0, 0.0, 6.0)]
    middle = vertices[: body.n_skin, 1].min() / 2 + vertices[: body.n_skin, 1].max() / 2
    assert heights[0] < heights[1] < heights[2]
    assert heights[1] == pytest.approx(middle, abs=1e-3)
    assert heights[2] - middle == pytest.approx(45 * np.sin(np.deg2rad(6)), abs=1e-3)


def test_crop_shares_are_shares():
    assert sum(CROP_SHARES.values()) == pytest.approx(1)
    assert set(CROP_SHARES) < set(CROPS)


def test_bad_input(body, posed):
    vertices, joints = posed(KEY_POSES["stand"])
    with pytest.raises(InputError, match="crop must be one of full, knee, upper, head; got 'foot'"):
        frame(body, vertices, joints, (64, 64), "foot")
