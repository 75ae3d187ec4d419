"""Pairs of faces by the turn of the head: the published count, a loop beside it, what is near and far, bad input."""

import numpy as np
import pytest

from posekit.data.face_protocol import LEVELS, face_pairs, pose_cosines, quantile_targets
from posekit.data.studio import StudioPeople
from posekit.data.studio_faces import StudioFacePairs
from posekit.studio.generate import face_direction, make_person
from posekit.util.errors import InputError


def random_looks(frames, seed=0):
    rng = np.random.default_rng(seed)
    yaw, pitch = rng.normal(0, 0.5, frames), rng.normal(0, 0.15, frames)
    return np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], 1)


def test_every_120th_frame_is_a_source_with_four_targets():
    """The published 1,356 pairs are therefore 339 sources; how long the 23 videos are is not printed."""
    videos = {"a": random_looks(119), "b": random_looks(121, 1), "c": random_looks(361, 2)}
    pairs = list(face_pairs(videos))
    sources = sorted({(video, source) for video, source, _ in pairs})
    assert sources == [("a", 0), ("b", 0), ("b", 120), ("c", 0), ("c", 120), ("c", 240), ("c", 360)]
    assert len(pairs) == 4 * len(sources)


def test_against_a_loop():
    looks = random_looks(50)
    angles = [np.degrees(np.arccos(np.clip(looks[7] @ look, -1, 1))) for look in looks]
    np.testing.assert_allclose(np.degrees(np.arccos(pose_cosines(looks, 7))), angles, atol=1e-5)
    others = sorted((np.cos(np.radians(a)), i) for i, a in enumerate(angles) if i != 7)
    expected = []
    for level in LEVELS:
        place = level * (len(others) - 1)
        low, high = others[int(np.floor(place))][0], others[int(np.ceil(place))][0]
        wanted = low + (place - np.floor(place)) * (high - low)
        expected.append(min((abs(c - wanted), i) for c, i in others if i not in expected)[1])
    assert quantile_targets(looks, 7) == expected


def test_from_far_to_near_and_never_the_source():
    looks = random_looks(300, 3)
    for source in (0, 120, 299):
        targets = quantile_targets(looks, source)
        cosines = pose_cosines(looks, source)[targets]
        assert source not in targets
        assert len(set(targets)) == 4
        assert (np.diff(cosines) > 0).all()
        assert cosines[-1] == np.delete(pose_cosines(looks, source), source).max()


def test_lengths_do_not_matter():
    looks = random_looks(20)
    stretched = looks * np.linspace(0.1, 9, 20)[:, None]
    assert quantile_targets(looks, 4) == quantile_targets(stretched, 4)


def test_equal_poses_give_four_targets():
    assert sorted(quantile_targets(np.ones((5, 3)), 2)) == [0, 1, 3, 4]


def test_bad_input():
    with pytest.raises(InputError, match="4 targets need a video of 5 frames or more, got 4"):
        quantile_targets(random_looks(4), 0)
    with pytest.raises(InputError, match="leave frames without a face out"):
        quantile_targets(np.zeros((9, 3)), 0)
    with pytest.raises(InputError, match="every so many frames, 1 or more; got 0"):
        list(face_pairs({"a": random_looks(9)}, 0))


def test_directions_of_rendered_faces():
    """The nose lies on the side to which the face looks, and moves up where it looks up."""
    heights = []
    for view in range(6):
        look, person = face_direction(0, 9, view), make_person(0, 9, view, 64, kind="face")
        nose, left_ear, right_ear = (person.keypoints[j, 0].item() for j in (0, 17, 16))
        assert np.linalg.norm(look) == pytest.approx(1)
        if abs(look[0]) > 0.25:
            middle = (left_ear + right_ear) / 2
            assert np.sign(nose - middle) == np.sign(look[0]), view
    for number in range(0, 60, 3):
        look = face_direction(0, number, 0)
        if abs(look[1]) > 0.2 and look[2] > 0.8:
            person = make_person(0, number, 0, 48, kind="face")
            heights.append((look[1], (person.keypoints[16:18, 1].mean() - person.keypoints[0, 1]).item()))
    assert len(heights) >= 2
    assert np.corrcoef(np.array(heights).T)[0, 1] > 0.9


@pytest.mark.usefixtures("people_cache")
def test_pairs_of_rendered_faces():
    faces = StudioPeople(20, 6, 48, split="test", kind="face", jobs=1, progress=False)
    pairs = StudioFacePairs(faces, every=3)
    assert len(pairs) == 2 * 2 * 4
    first = pairs[0]
    assert first.source.identity == first.target.identity
    assert first.source.name != first.target.name
    with pytest.raises(InputError, match="chosen among faces"):
        StudioFacePairs(StudioPeople(20, 2, 48, split="test", jobs=1, progress=False))
