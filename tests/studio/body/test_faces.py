"""Expressions and the poses of close-ups."""

import numpy as np
import pytest

from posekit.studio.body.body import load_body, load_masks
from posekit.studio.body.faces import EXPRESSIONS, YAW_LIMIT, sample_expression, sample_face_pose
from posekit.studio.body.joint_angles import clip_pose, complete


@pytest.fixture(scope="module")
def body():
    return load_body()


def test_twelve_presets_of_known_movements(body):
    assert len(EXPRESSIONS) == 12
    for name, preset in EXPRESSIONS.items():
        assert set(preset) <= set(body.expression_names), name
        assert all(0 < s <= 1 for s in preset.values())
    looks = [body.expression_delta(p) for p in EXPRESSIONS.values()]
    for i, one in enumerate(looks):
        for other in looks[:i]:
            assert np.abs(one - other).max() > 0.02  # no two look alike


def lips(body):
    """Vertices of the lips, from the mask in the atlas."""
    mask = load_masks(512)["lips"]
    uv = body.corner_uv["skin"]
    on = mask[(uv[..., 1] * 512).astype(int), (uv[..., 0] * 512).astype(int)] > 0.9
    return np.unique(body.triangles["skin"][on])


def test_smile_lifts_the_corners_of_the_mouth_and_frown_drops_them(body):
    ids = lips(body)
    ids = ids[body.mean_vertices[ids, 2] > 1.0]
    left = ids[body.mean_vertices[ids, 0].argmax()]
    assert body.expression_delta(EXPRESSIONS["smile"])[left, 1] > 0.02
    assert body.expression_delta(EXPRESSIONS["frown"])[left, 1] < -0.02


def test_surprise_opens_the_mouth_and_blink_closes_the_eyes(body):
    ids = lips(body)
    for name, more in (("surprise", True), ("pucker", False)):
        moved = body.mean_vertices + body.expression_delta(EXPRESSIONS[name])
        opened = np.ptp(moved[ids, 1]) - np.ptp(body.mean_vertices[ids, 1])
        assert (opened > 0.1) == more, name
    teeth = np.unique(body.triangles["teeth"])
    assert body.expression_delta({"jawOpen": 1.0})[teeth, 1].min() < -0.1  # the lower row follows the jaw
    mask = load_masks(512)["eyelids"]
    uv = body.corner_uv["skin"]
    on = mask[(uv[..., 1] * 512).astype(int), (uv[..., 0] * 512).astype(int)] > 0.9
    lids = np.unique(body.triangles["skin"][on])
    assert body.expression_delta(EXPRESSIONS["eyes_closed"])[lids, 1].min() < -0.05


def test_samples(body):
    rng = np.random.default_rng(0)
    drawn = [sample_expression(rng) for _ in range(200)]
    for e in drawn:
        assert set(e) <= set(body.expression_names)
        assert all(0 <= s <= 1 for s in e.values())
    smiles = np.array([e["mouthSmile"] for e in drawn])
    assert 0 < (smiles > 0.3).mean() < 0.5
    assert np.mean(["jawOpen" in e for e in drawn]) == pytest.approx(4 / 12, abs=0.1)


def test_sampling_is_determined_by_the_generator():
    for draw in (sample_expression, sample_face_pose):
        one, two, other = (draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert one == two
        assert one != other


def test_face_poses_are_within_the_ranges():
    rng = np.random.default_rng(0)
    poses = [sample_face_pose(rng) for _ in range(400)]
    for pose in poses:
        assert clip_pose(pose) == complete(pose)
    turn = np.array([p["yaw"] + p["head_yaw"] for p in poses])
    assert np.abs(turn).max() < YAW_LIMIT + 25  # the neck adds a little of its own
    assert turn.std() == pytest.approx(32, abs=4)
