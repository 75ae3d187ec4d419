"""Files of joints as OpenPose writes them: both kinds, several people, hostile ones."""

import json

import pytest
import torch

from posekit.data.openpose import read_openpose, write_openpose
from posekit.ops.grids import norm_to_points
from posekit.ops.keypoints import JOINTS
from posekit.util.errors import InputError

SIZE = (100, 80)
# Names of BODY_25 in the order of its documentation.
BODY_25 = [
    "nose",
    "neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "mid_hip",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_eye",
    "left_eye",
    "right_ear",
    "left_ear",
    "left_big_toe",
    "left_small_toe",
    "left_heel",
    "right_big_toe",
    "right_small_toe",
    "right_heel",
]


def written(path, *people):
    path.write_text(json.dumps({"people": [{"pose_keypoints_2d": person} for person in people]}))
    return path


def numbers(count, first=1.0):
    """x = first + i, y = first + 2 i of joint i, all found."""
    return [v for i in range(count) for v in (first + i, first + 2 * i, 0.9)]


def test_eighteen_joints(tmp_path):
    person = numbers(18)
    person[3 * 4 + 2] = 0  # the right wrist was not found
    keypoints, visibility = read_openpose(written(tmp_path / "a.json", person), SIZE)
    pixels = norm_to_points(keypoints, SIZE)
    assert visibility.tolist() == [0 if name == "right_wrist" else 2 for name in JOINTS]
    for i in range(18):
        expected = [0, 0] if i == 4 else [1 + i, 1 + 2 * i]
        assert (keypoints[i] if i == 4 else pixels[i]).tolist() == pytest.approx(expected, abs=1e-4)


def test_twenty_five_joints_by_their_names(tmp_path):
    keypoints, _ = read_openpose(written(tmp_path / "a.json", numbers(25)), SIZE)
    pixels = norm_to_points(keypoints, SIZE)
    for i, name in enumerate(JOINTS):
        assert pixels[i, 0].item() == pytest.approx(1 + BODY_25.index(name), abs=1e-4), name


def test_the_tallest_of_several(tmp_path):
    small = [v for i in range(18) for v in (10 + i, 20 + i, 1)]
    nobody = [0.0] * 54
    keypoints, _ = read_openpose(written(tmp_path / "a.json", nobody, small, numbers(18)), SIZE)
    assert norm_to_points(keypoints, SIZE)[0].tolist() == pytest.approx([1, 1], abs=1e-4)


def test_what_was_written_is_read(tmp_path):
    generator = torch.Generator().manual_seed(0)
    keypoints = 2 * torch.rand(18, 2, generator=generator) - 1
    visibility = torch.tensor([2, 1, 0] * 6)
    read, seen = read_openpose(write_openpose(tmp_path / "a.json", keypoints, visibility, SIZE), SIZE)
    there = visibility > 0
    torch.testing.assert_close(read[there], keypoints[there], atol=1e-4, rtol=0)
    assert (read[~there] == 0).all()
    assert seen.tolist() == [2 if v else 0 for v in visibility.tolist()]


@pytest.mark.parametrize("empty", [None, float("nan")])
def test_a_joint_without_numbers_is_missing_and_nobody_spoils_the_file(tmp_path, empty):
    person = numbers(18)
    person[0:3] = [empty, empty, 0]
    _, visibility = read_openpose(written(tmp_path / "a.json", [], person), SIZE)
    assert visibility.tolist() == [0] + [2] * 17


@pytest.mark.parametrize(
    ("scale", "shift"), [(4.0, 0.0), (1.0, -300.0), (0.01, 0.2)], ids=["large", "left", "from 0 to 1"]
)
def test_joints_of_another_photograph_are_framed(tmp_path, scale, shift):
    """Larger, beyond the left border, or in shares of the photograph: the same pose in the middle of this one."""
    person = [v * scale + shift if k % 3 < 2 else v for k, v in enumerate(numbers(18))]
    path = written(tmp_path / "a.json", person)
    pixels = norm_to_points(read_openpose(path, SIZE, frame=True)[0], SIZE)
    height = pixels[:, 1].max() - pixels[:, 1].min()
    assert height == pytest.approx(0.8 * SIZE[0], rel=1e-3)
    assert pixels.amin(0).tolist() > [0, 0]
    assert ((pixels.amax(0) + pixels.amin(0)) / 2).tolist() == pytest.approx([SIZE[1] / 2, SIZE[0] / 2], abs=0.1)
    as_they_are = norm_to_points(read_openpose(written(path, numbers(18)), SIZE, frame=True)[0], SIZE)
    assert as_they_are[0].tolist() == pytest.approx([1, 1], abs=1e-4), "what fits stays"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", 'has no list "people"'),
        ('{"people": []}', "holds the joints of nobody"),
        ('{"people": [{"pose_keypoints_2d": []}]}', "holds the joints of nobody"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "should be a list of 54 numbers"),
        ('{"people": [7]}', "should be a list of 54 numbers"),
        (json.dumps({"people": [{"pose_keypoints_2d": [True] * 54}]}), "should be a list of 54 numbers"),
        (json.dumps({"people": [{"pose_keypoints_2d": [1e9] * 54}]}), "should be a list of 54 numbers"),
        (json.dumps({"people": [{"pose_keypoints_2d": [0.0] * 54}]}), "holds the joints of nobody"),
        (json.dumps({"people": [{"pose_keypoints_2d": [900.0, 5, 1] * 18}]}), "scale the joints to its size"),
    ],
)
def test_other_files(tmp_path, text, expected):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match=expected):
        read_openpose(path, SIZE)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="could not be read"):
        read_openpose(tmp_path / "a.json", SIZE)
    with pytest.raises(InputError, match="could not be read \\(it is a folder\\)"):
        read_openpose(tmp_path, SIZE)
