"""Joint angles mean what their table says; drawn poses are within their ranges, with hands out of the body."""

import re

import numpy as np
import pytest

from posekit.studio.body import joint_angles
from posekit.studio.body.body import load_body
from posekit.studio.body.clearance import GAP, arm_depths, clear_arms
from posekit.studio.body.joint_angles import ANGLES, LIMB_ANGLES, TRUNK_ANGLES, clip_pose, complete, mirror_pose
from posekit.studio.body.key_poses import KEY_POSES, WEIGHTS
from posekit.studio.body.pose import LOWER_BODY, VIEWS, pose_rotations, sample_pose
from posekit.studio.body.skinning import bone_transforms, posed_joints, skin
from posekit.util.errors import InputError


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def rest(body):
    return body.rest(np.zeros(1))


@pytest.fixture(scope="module")
def at(body, rest):
    """at(pose) -> joint name -> where it is."""

    def place(pose):
        joints = posed_joints(rest.joints, bone_transforms(body, rest.joints, pose_rotations(pose, rest.joints, body)))
        return dict(zip(body.bones, joints, strict=True))

    return place


def angle_between(a, b):
    return np.rad2deg(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))


def test_the_table_in_the_docstring_is_the_table_of_the_code():
    rows = {}
    for line in joint_angles.__doc__.splitlines():
        if m := re.match(r"(\w+(?:, \w+)*) +(-?\d+)  .*?(?:(-?\d+) \.\. +(-?\d+)|free)$", line):
            low, high = (float(m[3]), float(m[4])) if m[3] else (-np.inf, np.inf)
            rows |= {name: (float(m[2]), low, high) for name in m[1].split(", ")}
    assert rows == {name: (a.neutral, a.low, a.high) for name, a in (TRUNK_ANGLES | LIMB_ANGLES).items()}


def test_rotations_are_proper(body, rest):
    for name, pose in KEY_POSES.items():
        for turn in pose_rotations(pose, rest.joints, body).values():
            np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9, err_msg=name)
            assert np.linalg.det(turn) > 0


def test_key_poses_are_complete_and_within_their_ranges():
    assert len(KEY_POSES) == 24
    assert WEIGHTS.keys() == KEY_POSES.keys()
    for name, pose in KEY_POSES.items():
        assert clip_pose(pose) == complete(pose), name


def test_mirror_of_mirror():
    for pose in KEY_POSES.values():
        assert mirror_pose(mirror_pose(pose)) == pose
    assert mirror_pose({"left_knee_flex": 30.0, "head_yaw": 20.0, "spine_bend": 5.0}) == {
        "right_knee_flex": 30.0,
        "head_yaw": -20.0,
        "spine_bend": 5.0,
    }


def test_mirrored_pose_gives_mirrored_joints_and_skin(body, rest):
    """The mean body is symmetric, so the mirrored pose looks like the pose in a mirror."""
    other = [body.bone_index[re.sub("_[lr]$", lambda m: {"_l": "_r", "_r": "_l"}[m[0]], b)] for b in body.bones]
    for pose in (KEY_POSES["hand_on_hip"], KEY_POSES["walk_long"], KEY_POSES["over_shoulder"] | {"yaw": 40, "roll": 8}):
        seen = []
        for p in (pose, mirror_pose(pose)):
            transforms = bone_transforms(body, rest.joints, pose_rotations(p, rest.joints, body))
            seen.append((posed_joints(rest.joints, transforms), skin(rest.vertices, body.weights, transforms)))
        (joints, vertices), (mirrored_joints, mirrored_vertices) = seen
        np.testing.assert_allclose(mirrored_joints[other] * [-1, 1, 1], joints, atol=0.02)
        skins = mirrored_vertices[: body.n_skin][body.mirror] * [-1, 1, 1], vertices[: body.n_skin]
        assert np.median(np.linalg.norm(skins[0] - skins[1], axis=1)) < 0.02


def test_neutral_limbs_hang(at):
    joint = at({f"{side}_{n}": 0.0 for side in ("left", "right") for n in LIMB_ANGLES})
    for s in "lr":
        upper = joint[f"lowerarm_{s}"] - joint[f"upperarm_{s}"]
        fore = joint[f"hand_{s}"] - joint[f"lowerarm_{s}"]
        assert angle_between(upper, np.array([0, -1, 0])) < 0.5
        assert angle_between(upper, fore) < 0.5  # straight elbow, although the rest pose is bent
        thigh = joint[f"calf_{s}"] - joint[f"thigh_{s}"]
        assert abs(thigh[0]) < 0.05


@pytest.mark.parametrize("elbow", [0, 30, 90, 140])
def test_elbow_angle_is_the_angle_of_the_elbow(at, elbow):
    joint = at({"left_elbow_flex": elbow, "right_elbow_flex": elbow, "left_shoulder_abduct": 60})
    for s in "lr":
        upper = joint[f"lowerarm_{s}"] - joint[f"upperarm_{s}"]
        fore = joint[f"hand_{s}"] - joint[f"lowerarm_{s}"]
        assert angle_between(upper, fore) == pytest.approx(elbow, abs=0.5)


@pytest.mark.parametrize("abduct", [0, 45, 90, 150])
def test_abducted_arm(at, abduct):
    """The arm's angle to the trunk is right although the collar bone takes a share above 60 degrees."""
    joint = at({"left_shoulder_abduct": abduct, "left_elbow_flex": 0})
    arm = joint["lowerarm_l"] - joint["upperarm_l"]
    assert angle_between(arm, np.array([0, -1, 0])) == pytest.approx(abduct, abs=0.5)
    assert arm[0] > -1e-3  # towards the person's left


# angle, amount, joint, axis, sign: what moves where (x to the person's left, y up, z forward)
MOVES = [
    ("yaw", 20, "foot_l", 2, -1),  # their left side goes back
    ("pitch", 20, "head", 2, +1),
    ("roll", 20, "head", 0, -1),
    ("pelvis_bend", 20, "head", 2, +1),
    ("pelvis_side", 10, "head", 0, -1),
    ("pelvis_twist", 20, "upperarm_l", 2, -1),
    ("spine_bend", 20, "head", 2, +1),
    ("spine_side", 20, "head", 0, +1),
    ("spine_twist", 20, "upperarm_l", 2, -1),
    ("left_clavicle_raise", 20, "upperarm_l", 1, +1),
    ("right_clavicle_raise", 20, "upperarm_r", 1, +1),
    ("left_shoulder_abduct", 20, "hand_l", 0, +1),
    ("right_shoulder_abduct", 20, "hand_r", 0, -1),
    ("left_shoulder_flex", 20, "hand_l", 2, +1),
    ("right_shoulder_flex", 20, "hand_r", 2, +1),
    ("left_shoulder_twist", 40, "hand_l", 0, -1),
    ("right_shoulder_twist", 40, "hand_r", 0, +1),
    ("left_elbow_flex", 40, "hand_l", 2, +1),
    ("left_hip_flex", 30, "calf_l", 2, +1),
    ("left_hip_abduct", 20, "foot_l", 0, +1),
    ("right_hip_abduct", 20, "foot_r", 0, -1),
    ("left_hip_twist", 20, "ball_l", 0, +1),
    ("right_hip_twist", 20, "ball_r", 0, -1),
    ("left_knee_flex", 30, "foot_l", 2, -1),
    ("left_ankle_flex", 15, "ball_l", 1, +1),
]


@pytest.mark.parametrize(("angle", "amount", "joint", "axis", "sign"), MOVES)
def test_positive_angles_move_where_the_table_says(at, angle, amount, joint, axis, sign):
    neutral = complete({"left_elbow_flex": 40.0, "right_elbow_flex": 40.0})
    moved = at(neutral | {angle: neutral[angle] + amount})[joint] - at(neutral)[joint]
    assert sign * moved[axis] > 0.1


@pytest.mark.parametrize(
    ("angle", "amount", "axis", "sign"), [("head_pitch", 20, 1, -1), ("head_yaw", 30, 0, +1), ("head_roll", 20, 0, -1)]
)
def test_head_angles(body, rest, angle, amount, axis, sign):
    """The tip of the nose goes down, to the left; with the head leant to the left the nose, below the crown and
    in front, is compared with the crown: the crown goes left of it."""
    turned = pose_rotations({angle: amount}, rest.joints, body)
    vertices = skin(rest.vertices, body.weights, bone_transforms(body, rest.joints, turned))
    head = body.head_vertices
    nose = head[rest.vertices[head, 2].argmax()]
    crown = head[rest.vertices[head, 1].argmax()]
    point = vertices[nose] - (vertices[crown] if angle == "head_roll" else rest.vertices[nose])
    assert sign * point[axis] > 0.1


def test_palm_of_a_hanging_hand_turns_inwards_and_wrist_bends_to_it(body, rest):
    """Closing the fist moves the fingers to the palm: that tells which way the palm looks."""
    hand = body.bone_index["hand_l"]
    left = rest.vertices[body.fist_index, 0] > 0

    def palm_and_fingers(pose):
        turn = bone_transforms(body, rest.joints, pose_rotations(pose, rest.joints, body))[hand, :3, :3]
        fingers = turn @ (rest.tails[hand] - rest.joints[hand])
        fingers /= np.linalg.norm(fingers)
        palm = turn @ body.fist[left].mean(0)
        palm -= palm @ fingers * fingers
        return palm / np.linalg.norm(palm), fingers

    palm, fingers = palm_and_fingers({"left_forearm_pronate": 60})
    assert palm[0] < -0.9  # the left hand's palm looks to the right: to the thigh
    assert palm_and_fingers({"left_forearm_pronate": -20})[0][2] > 0.8  # to the front
    bent = palm_and_fingers({"left_forearm_pronate": 60, "left_wrist_flex": 40})[1]
    assert (bent - fingers) @ palm > 0.4


def test_sampling_is_determined_by_the_generator():
    one, two, other = (sample_pose(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert one == two
    assert one != other


def test_samples_are_within_the_ranges_and_vary(body):
    rng = np.random.default_rng(0)
    poses = [sample_pose(rng) for _ in range(60)]
    for pose in poses:
        assert pose.keys() == ANGLES.keys()
        for name, v in pose.items():
            assert ANGLES[name].low <= v <= ANGLES[name].high, name
    for name in ("left_elbow_flex", "right_shoulder_abduct", "left_hip_flex", "head_yaw", "yaw"):
        assert np.std([p[name] for p in poses]) > 4, name


def test_given_yaw_is_kept():
    assert sample_pose(np.random.default_rng(0), yaw=37.5)["yaw"] == 37.5


def test_views_are_drawn_as_often_as_they_say(monkeypatch):
    monkeypatch.setattr("posekit.studio.body.pose.clear_arms", lambda pose, body, shape: dict(pose))
    rng = np.random.default_rng(0)
    yaw = np.array([sample_pose(rng)["yaw"] for _ in range(1500)])
    assert sum(share for *_, share in VIEWS) == pytest.approx(1)
    back = np.abs((yaw - 180 + 180) % 360 - 180) < 25
    assert (np.abs(yaw) < 19).mean() == pytest.approx(0.42, abs=0.06)
    assert back.mean() == pytest.approx(0.14, abs=0.04)


def test_legs_alone_are_the_lower_body():
    assert "left_knee_flex" in LOWER_BODY
    assert "pelvis_twist" in LOWER_BODY
    assert not [n for n in LOWER_BODY if "shoulder" in n or "head" in n or "spine" in n]


def test_a_hand_in_the_body_is_seen_and_moved_out(body, rest):
    pose = {"right_shoulder_twist": 80.0, "right_elbow_flex": 70.0, "right_shoulder_flex": -10.0, "left_knee_flex": 9.0}
    depth = arm_depths(pose, body, rest)
    assert depth["right"] > 0.3
    cleared = clear_arms(pose, body, rest)
    assert arm_depths(cleared, body, rest)["right"] <= -GAP
    changed = {name for name, v in complete(pose).items() if cleared[name] != v}
    assert changed
    assert all("_shoulder_" in n or "_elbow_" in n for n in changed)


def test_a_clear_arm_stays(body, rest):
    pose = complete(KEY_POSES["arms_out"])
    assert clear_arms(pose, body, rest) == pose


@pytest.mark.parametrize(
    ("pose", "sunk"),
    [
        ({"right_shoulder_twist": 80.0, "right_elbow_flex": 70.0, "right_shoulder_abduct": 0.0}, True),
        (KEY_POSES["arms_out"], False),
        (KEY_POSES["hold_parcel"], False),
    ],
)
def test_depth_agrees_with_counting_crossings(body, rest, pose, sunk):
    """A ray from a point inside a closed surface crosses it an odd number of times."""
    transforms = bone_transforms(body, rest.joints, pose_rotations(pose, rest.joints, body))
    vertices = skin(rest.vertices, body.weights, transforms).astype(np.float64)
    hand = np.flatnonzero(body.weights[: body.n_skin, body.bone_index["hand_r"]] > 0.99)[::20]
    t = body.triangles["skin"]
    arm = [body.bone_index[f"{b}_{s}"] for b in ("upperarm", "lowerarm", "hand") for s in "lr"]
    t = t[body.weights[t][..., arm].sum((1, 2)) < 0.5]  # the body without arms
    a, b, c = (vertices[t[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    ray = np.array([0.03, 0.02, -1.0])  # to the back, which is closed
    inside = 0
    for p in vertices[hand]:
        s = ((a - p) * normal).sum(1) / (normal @ ray)
        hit = p + s[:, None] * ray
        within = [(np.cross(v - u, hit - u) * normal).sum(1) >= 0 for u, v in ((a, b), (b, c), (c, a))]
        inside += np.logical_and.reduce([s > 0, *within]).sum() % 2
    assert (inside > 0) == sunk
    assert (arm_depths(pose, body, rest)["right"] > 0) == sunk


def test_hands_stay_out_of_broad_and_slim_bodies(body):
    """Of the drawn poses at most a few touch."""
    rng = np.random.default_rng(1)
    depths = []
    for row in range(0, 256, 8):
        shape = body.rest(body.bank[row])
        depths.append(max(arm_depths(sample_pose(rng, 0.0, shape), body, shape).values()))
    assert np.mean(np.array(depths) > -GAP) < 0.1
    assert max(depths) < 0.3


def test_bad_input(body, rest):
    with pytest.raises(InputError, match="unknown: elbow"):
        pose_rotations({"elbow": 3.0}, rest.joints, body)
