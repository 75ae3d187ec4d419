"""What notebook 08 computes: poses turned and thinned out, doubt, what is kept, errors of a fitting."""

import math

import pytest
import torch
from posekit_course.garments_and_keypoints import probes

from posekit.ops.keypoints import JOINTS, flip_keypoints
from posekit.ops.part_positions import winning_part
from posekit.systems.cut_out import kept_of, laid_on_white


def test_of_a_pose_only_the_joints_are_left(pairs):
    pose = probes.pose_of(pairs[0].target)
    assert pose.uv is pose.mask is pose.part is None
    assert torch.equal(pose.keypoints, pairs[0].target.keypoints)
    assert pose.image.abs().max() == 0


def test_hidden_joints_are_missing_and_others_are_not(pairs):
    pose = probes.pose_of(pairs[0].target)
    for name, joints in probes.GROUPS.items():
        left = probes.without(pose, joints).visibility[0]
        assert [n for n in range(18) if left[n] != pose.visibility[0, n]] == [
            n for n in joints if pose.visibility[0, n] > 0
        ], name
    assert {JOINTS[n] for n in probes.GROUPS["arms"]} == {
        "right_elbow", "right_wrist", "left_elbow", "left_wrist",
    }  # fmt: skip


def test_turned_all_the_way_is_the_mirror_image_with_its_dots_in_place(pairs):
    """The dots are the same set; names are exchanged, as in the flipped picture, flipped back."""
    pose = probes.pose_of(pairs[0].target)
    whole = probes.turned(pose, 1.0)
    flipped, _ = flip_keypoints(pose.keypoints, pose.visibility)
    torch.testing.assert_close(whole.keypoints, flipped * torch.tensor([-1.0, 1.0]))
    assert torch.equal(probes.turned(pose, 0.0).keypoints, pose.keypoints)
    half = probes.turned(pose, 0.5)
    right, left = (half.keypoints[0, JOINTS.index(f"{side}_shoulder")] for side in ("right", "left"))
    torch.testing.assert_close(right, left)


def test_answers_are_those_behind_the_map(keypoints, pairs):
    person = pairs[0].target
    probability, positions = probes.answers(keypoints, person)
    torch.testing.assert_close(probability.sum(1), torch.ones(1, 64, 64))
    part, uv, _ = winning_part(probability, positions, person.size)
    read = keypoints.read_pose(person)
    assert torch.equal(part, read.part)
    torch.testing.assert_close(uv, read.uv)
    other, _ = probes.answers(keypoints, person, outline=True)
    assert not torch.equal(other, probability)


def test_doubt_and_share():
    sure, torn = torch.zeros(1, 25, 2, 2), torch.zeros(1, 25, 2, 2)
    sure[:, probes.FRONT] = 1
    torn[:, probes.FRONT] = torn[:, probes.BACK] = 0.5
    assert probes.doubt(sure).abs().max() < 1e-6
    torch.testing.assert_close(probes.doubt(torn), torch.ones(1, 1, 2, 2))
    assert (probes.back_share(sure), probes.back_share(torn)) == (0, 0.5)
    torn_half = torn.clone()
    torn_half[..., 0], torn_half[:, 0, :, 0] = 0, 1  # the left column is background for sure: it does not count
    assert probes.body_doubt(torn_half) == pytest.approx(1, rel=1e-5)
    even = torch.full((1, 25, 1, 1), 1 / 25)
    assert probes.doubt(even).item() == pytest.approx(math.log2(25), rel=1e-5)


def test_a_mean_of_positions_lies_between_the_parts():
    positions = torch.zeros(1, 24, 2, 1, 1)
    positions[0, 0], positions[0, 1] = -1.0, 1.0
    probability = torch.zeros(1, 25, 1, 1)
    probability[0, 1], probability[0, 2], probability[0, 0] = 0.3, 0.3, 0.4
    assert probes.averaged(probability, positions).abs().max() < 1e-6
    assert probes.position_errors(positions[:, 0], positions[:, 1], torch.ones(1, 1, 1, 1), 64).item() == pytest.approx(
        64 * math.sqrt(2)
    )


def test_errors_of_a_fitting():
    pair = probes.dressed_pair(9, 59, 48)
    truth = laid_on_white(pair.target)
    assert probes.fitting_errors(truth, pair) == (0, 0)
    kept = kept_of(pair.target)
    inside, outside = probes.fitting_errors((truth + 0.1 * kept).clamp(0, 2), pair)
    assert inside == pytest.approx(0.1, rel=1e-4)
    assert outside == 0
    pasted, _ = probes.fitting_errors(probes.dressed(None, pair), pair)
    assert pasted < 0.02


def test_what_is_not_kept_is_not_seen(garments):
    pair = probes.dressed_pair(9, 59, 64)
    own = pair.neighbours[0]
    assert torch.equal(kept_of(probes.keeping(own, True, True, True)), kept_of(own))
    assert kept_of(probes.keeping(own, False, False, False)).sum() == 0
    hands = kept_of(probes.keeping(own, False, False, True))
    assert torch.equal(hands, own.hands)
    hair = kept_of(probes.keeping(own, False, True, False))
    assert torch.equal(hair, own.hair)
    images = {probes.maps_of(garments, type(pair)(pair.source, probes.keeping(own, *shown))).image.sum().item()
              for shown in ((True,) * 3, (False,) * 3)}  # fmt: skip
    assert len(images) == 2
