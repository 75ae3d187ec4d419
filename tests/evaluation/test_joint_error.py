"""Where a system looks for a joint: exact for exact maps, by hand for flows, missing where nothing is looked up."""

import dataclasses

import pytest
import torch
from torch import nn

from posekit.data.studio import StudioPeople
from posekit.evaluation.joint_error import joint_error
from posekit.ops.grids import identity_grid, norm_to_points
from posekit.ops.keypoints import JOINTS
from posekit.person import Pair
from posekit.systems import build
from posekit.systems.base import System
from posekit.systems.baselines import baseline
from posekit.systems.spatial_transformation import SpatialResult
from tests.synthetic import TINY_DENSE_POSE


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("people")
    data = StudioPeople(10, views=3, size=64, split="test", root=root, progress=False)
    return [data[i] for i in range(len(data))]


def by_hand(pairs, where):
    """The mean over elbows, wrists and ankles that both show; where(pair, n) -> pixels of the looked-up place."""
    distances = []
    for pair in pairs:
        for name in ("right_elbow", "left_elbow", "right_wrist", "left_wrist", "right_ankle", "left_ankle"):
            n = JOINTS.index(name)
            if pair.source.visibility[n] == pair.target.visibility[n] == 2 and pair.target.keypoints[n].abs().max() < 1:
                there = norm_to_points(pair.source.keypoints[n], pair.source.size)
                distances.append(float((where(pair, n) - there).norm()))
    return sum(distances) / len(distances)


def test_a_copied_source_looks_where_it_is(pairs):
    copied = joint_error(baseline("copy_source"), pairs)
    assert copied == pytest.approx(
        by_hand(pairs, lambda pair, n: norm_to_points(pair.target.keypoints[n], pair.target.size)), abs=0.05
    )
    assert copied > 5


def test_exact_maps_look_at_the_joint(pairs):
    """Texels are copied from where the source shows that skin: nearly the joint, which lies inside the limb."""
    assert joint_error(baseline("nearest", 128), pairs) < 0.35 * joint_error(baseline("copy_source"), pairs)


class Shifted(System):
    """Looks two pixels to the right of every place, on a flow of a quarter of the size."""

    name = "shifted"
    PRESETS: dict = {}

    def __init__(self):
        nn.Module.__init__(self)

    def forward(self, pair):
        h, w = pair.source.size
        flow = identity_grid(h // 4, w // 4)[None].repeat(len(pair.source.image), 1, 1, 1)
        flow[:, 0] += 2 * 2 / w
        return SpatialResult(image=pair.source.image, flow=flow)


def test_flows_are_enlarged(pairs):
    same = [Pair(p.source, p.source) for p in pairs]
    assert joint_error(Shifted(), same) == pytest.approx(2, abs=0.2)  # coarse rims repeat their outermost place


def test_missing_where_colours_move(pairs):
    assert joint_error(build("dense_pose_transfer", **{**TINY_DENSE_POSE, "image_size": 64}), pairs[:2]) is None


def test_missing_where_no_joint_is_shown_twice(pairs):
    hidden = [
        Pair(dataclasses.replace(p.source, visibility=torch.zeros(18, dtype=torch.long)), p.target) for p in pairs
    ]
    assert joint_error(baseline("copy_source"), hidden[:2]) is None


def test_batches_do_not_matter(pairs):
    system = baseline("nearest", 64)
    assert joint_error(system, pairs, batch=2) == pytest.approx(joint_error(system, pairs, batch=5), abs=1e-5)
