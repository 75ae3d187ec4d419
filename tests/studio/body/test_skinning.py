"""Linear blend skinning against a naive twin, and what rigid motions must do."""

import numpy as np
import pytest

from posekit.studio.body.body import load_body
from posekit.studio.body.joint_angles import pose_rotations, rotate_about
from posekit.studio.body.key_poses import KEY_POSES
from posekit.studio.body.skinning import bone_transforms, posed_joints, skin
from posekit.util.errors import InputError


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def rest(body):
    return body.rest(body.bank[5])


def random_turns(rng, bones):
    return {b: rotate_about(rng.normal(size=3), rng.uniform(-1, 1)) for b in bones}


def naive_skin(vertices, weights, transforms):
    """Equation (2) word by word: where each bone would carry the vertex, then the weighted mean."""
    out = np.zeros_like(vertices, dtype=np.float64)
    for i, x in enumerate(vertices):
        for w, g in zip(weights[i], transforms, strict=True):
            out[i] += w * (g[:3, :3] @ x + g[:3, 3])
    return out


def naive_transforms(body, joints, rotations):
    """Equation (1): a point is carried by its bone, then by every ancestor."""

    def carry(bone, x):
        while bone >= 0:
            turn = rotations.get(body.bones[bone], np.eye(3))
            x = turn @ (x - joints[bone]) + joints[bone]
            bone = body.parents[bone]
        return x

    out = np.tile(np.eye(4), (len(body.bones), 1, 1))
    for b in range(len(body.bones)):
        out[b, :3, 3] = carry(b, np.zeros(3))
        for k in range(3):
            out[b, :3, k] = carry(b, np.eye(3)[k]) - out[b, :3, 3]
    return out


def test_skin_equals_naive_twin(body, rest):
    rng = np.random.default_rng(0)
    transforms = bone_transforms(body, rest.joints, random_turns(rng, body.bones))
    ids = rng.choice(body.n_vertices, 300, replace=False)
    ours = skin(rest.vertices[ids], body.weights[ids], transforms)
    np.testing.assert_allclose(ours, naive_skin(rest.vertices[ids], body.weights[ids], transforms), atol=1e-4)


def test_transforms_equal_naive_twin(body, rest):
    turns = random_turns(np.random.default_rng(1), body.bones)
    ours = bone_transforms(body, rest.joints, turns)
    np.testing.assert_allclose(ours, naive_transforms(body, rest.joints, turns), atol=1e-4)


def test_identity_returns_the_rest_shape(body, rest):
    for turns in ({}, {b: np.eye(3) for b in body.bones}):
        transforms = bone_transforms(body, rest.joints, turns)
        np.testing.assert_allclose(skin(rest.vertices, body.weights, transforms), rest.vertices, atol=2e-5)
        np.testing.assert_allclose(posed_joints(rest.joints, transforms), rest.joints, atol=2e-5)


def test_turning_the_root_turns_the_whole_mesh(body, rest):
    pose = KEY_POSES["walk_long"]
    turns = pose_rotations(pose, rest.joints, body)
    before = skin(rest.vertices, body.weights, bone_transforms(body, rest.joints, turns))
    turn = rotate_about(np.array([0.3, 1.0, -0.2]), 1.1)
    turned = turns | {"Root": turn @ turns["Root"]}
    after = skin(rest.vertices, body.weights, bone_transforms(body, rest.joints, turned))
    root = rest.joints[body.bone_index["Root"]]
    np.testing.assert_allclose(after, (before - root) @ turn.T + root, atol=1e-4)


def test_bones_keep_their_lengths(body, rest):
    transforms = bone_transforms(body, rest.joints, random_turns(np.random.default_rng(2), body.bones))
    joints = posed_joints(rest.joints, transforms)
    child = np.arange(1, len(body.bones))
    parent = body.parents[child]
    lengths = [np.linalg.norm(j[child] - j[parent], axis=1) for j in (rest.joints, joints)]
    np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-4)


def test_a_turned_bone_moves_its_descendants_and_nobody_else(body, rest):
    transforms = bone_transforms(body, rest.joints, {"upperarm_l": rotate_about(np.array([0, 0, 1.0]), 0.5)})
    moved = {b for b, t in zip(body.bones, transforms, strict=True) if not np.allclose(t, np.eye(4))}
    assert moved == {"upperarm_l", "lowerarm_l", "hand_l"}


def test_skin_of_nothing(body, rest):
    transforms = bone_transforms(body, rest.joints, {})
    assert skin(np.zeros((0, 3)), np.zeros((0, 23)), transforms).shape == (0, 3)


def test_bad_input(body, rest):
    with pytest.raises(InputError, match="unknown: elbow"):
        bone_transforms(body, rest.joints, {"elbow": np.eye(3)})
    transforms = bone_transforms(body, rest.joints, {})
    with pytest.raises(InputError, match=r"weights \(n, bones\)"):
        skin(rest.vertices, body.weights[:-1], transforms)
    with pytest.raises(InputError, match=r"vertices \(n, 3\)"):
        skin(rest.vertices[:, :2], body.weights, transforms)
