"""The pose model as a judge: what it finds in pictures, how far off, and what is said where it cannot be asked."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.data.result_files import match_results
from posekit.data.studio import StudioPeople
from posekit.evaluation import pose_judge
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.pose_judge import WORDS, PoseJudge
from posekit.evaluation.score import score_results
from posekit.ops.grids import norm_to_points
from posekit.photo.find_person import find_person
from posekit.systems.base import Result, System
from posekit.systems.baselines import CopySource
from posekit.util.errors import InputError

pytest.importorskip("ai_edge_litert")


class Made(System):
    """Hands back the target, or a picture of nobody."""

    def __init__(self, picture):
        super().__init__(None)
        self.picture = picture

    def forward(self, pair):
        return Result(image=self.picture(pair.target.image))


@pytest.fixture(scope="module")
def pairs():
    people = StudioPeople([9, 19], views=2, size=128, split="test", progress=False)
    return [people[i] for i in range(len(people))]


@pytest.fixture(scope="module")
def table(pairs):
    arms = {"truth": Made(lambda x: x), "nobody": Made(torch.zeros_like), "copy": CopySource()}
    return evaluate(arms, pairs, pose_every=1)


def test_the_truth_is_found_and_nobody_is_not(table, pairs):
    assert table.row("truth", "pose_found").mean == 1
    assert table.row("nobody", "pose_found").mean == 0
    assert table.row("nobody", "pose_error").mean is None
    assert table.row("copy", "pose_error").mean > table.row("truth", "pose_error").mean


def test_the_error_by_hand(table, pairs):
    target = pairs[0].target
    found = find_person(target.image)
    both = (found.visibility == 2) & (target.visibility == 2)
    apart = norm_to_points(found.keypoints, target.size) - norm_to_points(target.keypoints, target.size)
    by_hand = np.mean([np.hypot(*one) for one in apart[both].tolist()]) / 128 * 100
    assert table.values["truth"]["pose_error"][0] == pytest.approx(by_hand, rel=1e-4)


def test_true_pictures_stand_beside(table):
    """The truth as an arm gets what the notes say of the true pictures."""
    error = np.mean(table.values["truth"]["pose_error"])
    assert f"pose_found of the {len(table.names)} true pictures: 1.000; pose_error of them: {error:.2f}" in table.notes
    assert all(name in table.protocol.words() for name in WORDS)


def test_one_pair_in_so_many(pairs):
    table = evaluate({"copy": CopySource()}, pairs, pose_every=2, batch_size=3)
    judged = [n for n, value in enumerate(table.values["copy"]["pose_found"]) if np.isfinite(value)]
    assert judged == list(range(0, len(pairs), 2))
    assert "pose_found" not in evaluate({"copy": CopySource()}, pairs[:1]).values["copy"]
    with pytest.raises(InputError, match="none \\(0\\); got -1"):
        PoseJudge(-1)


def test_without_the_package_it_is_missing_and_said(pairs, monkeypatch):
    def refuse(*_):
        raise InputError("needs the package ai-edge-litert")

    monkeypatch.setattr(pose_judge, "run_model", refuse)
    table = evaluate({"copy": CopySource()}, pairs[:1], pose_every=1)
    assert table.row("copy", "pose_found").mean is None
    assert "pose_found and pose_error are missing: needs the package ai-edge-litert" in table.notes


def test_a_folder_is_judged_against_its_photographs(pairs, tmp_path):
    for folder in ("truth", "made"):
        (tmp_path / folder).mkdir()
        for n, pair in enumerate(pairs[:2]):
            picture = pair.target.image if folder == "truth" or n == 0 else torch.zeros_like(pair.target.image)
            pixels = (255 * picture).round().byte().permute(1, 2, 0).numpy()
            Image.fromarray(pixels).save(tmp_path / folder / f"{n}.png")
    table = score_results(match_results(tmp_path / "truth", tmp_path / "made"), "plain", label="made", pose_pairs=2)
    assert table.values["made"]["pose_found"] == [1, 0]
    assert table.values["made"]["pose_error"][0] == 0  # the same picture
    assert table.row("made", "pose_error").mean == 0
    assert "pose_found of the 2 true pictures: 1.000" in table.notes


def test_joints_that_nobody_shows_give_no_number(pairs):
    target = pairs[0].target.batched()
    hidden = dataclasses.replace(target, visibility=torch.zeros_like(target.visibility))
    values = PoseJudge(1)("one", target.image, target.image, hidden.keypoints, hidden.visibility)
    assert values["pose_found"].tolist() == [1]
    assert values["pose_error"].isnan().all()
