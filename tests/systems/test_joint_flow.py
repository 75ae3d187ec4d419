"""Flows from joints without learning: the system around the two operations."""

import dataclasses

import pytest
import torch

from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.joint_error import joint_error
from posekit.ops.sample import sample
from posekit.person import Pair
from posekit.studio.generate import make_person
from posekit.systems import build
from posekit.systems.joint_flow import VARIANTS
from posekit.util.errors import InputError


@pytest.fixture(scope="module")
def pair():
    return Pair(*(make_person(0, 3, view, 64) for view in (0, 1)))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_picture_is_the_source_at_the_flow(variant, pair):
    system = build("joint_flow", variant=variant)
    result = system(pair.batched())
    torch.testing.assert_close(result.image, sample(pair.source.image[None], result.flow, padding="border"))
    assert result.warped is result.image
    assert system.stages() == []
    assert sum(p.numel() for p in system.parameters()) == 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_joints_are_followed_and_colours_play_no_part(variant, pair):
    system = build("joint_flow", variant=variant)
    copied = joint_error(build("copy_source"), [pair])
    assert joint_error(system, [pair]) < 0.5 * copied
    black = dataclasses.replace(pair.source, image=0 * pair.source.image)
    torch.testing.assert_close(system(Pair(black, pair.target).batched()).flow, system(pair.batched()).flow)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_own_pose_gives_the_photograph_back(variant, pair):
    same = Pair(pair.source, pair.source).batched()
    assert (build("joint_flow", variant=variant)(same).image - same.source.image).abs().mean() < 0.01


@pytest.mark.parametrize("variant", VARIANTS)
def test_missing_and_broken_joints(variant, pair):
    """Nobody's joints: nothing moves.  A joint without a place counts as missing."""
    batch = pair.batched()
    none = dataclasses.replace(batch.target, visibility=0 * batch.target.visibility)
    system = build("joint_flow", variant=variant)
    torch.testing.assert_close(system(Pair(batch.source, none)).image, batch.source.image, rtol=0, atol=1e-5)
    points = batch.target.keypoints.clone()
    points[:, 4] = torch.nan
    broken = dataclasses.replace(batch.target, keypoints=points)
    gone = batch.target.visibility.clone()
    gone[:, 4] = 0
    missing = dataclasses.replace(batch.target, visibility=gone)
    torch.testing.assert_close(system(Pair(batch.source, broken)).flow, system(Pair(batch.source, missing)).flow)


def test_it_is_measured_like_any_other(pair):
    table = evaluate({"thin plate": build("joint_flow", variant="thin_plate")}, [pair, pair])
    assert table.row("thin plate", "warped.l1").mean == pytest.approx(table.row("thin plate", "l1").mean)


def test_bad_settings():
    with pytest.raises(InputError, match="parts, thin_plate"):
        build("joint_flow", variant="optical")
    with pytest.raises(InputError, match="0 or more"):
        build("joint_flow", smooth=-1.0)
    person = make_person(0, 3, 0, 48)
    bare = dataclasses.replace(person, keypoints=None, visibility=None)
    with pytest.raises(InputError, match="keypoints"):
        build("joint_flow")(Pair(bare, bare).batched())
