"""Keep forearms and hands out of the body.

Joint angles alone do not know how wide the hips are, so a hand that hangs beside a slim body sinks into a broad
one.  Some points of the forearm and hand are compared with points of the trunk, head and thighs: for an arm
point p, with q the nearest of those and n the outward normal there,

    depth(p) = n . (q - p)        (positive inside)

and the arm makes the smallest of a list of movements after which no point is deeper than `-GAP`.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np

from posekit.studio.body.body import Body
from posekit.studio.body.joint_angles import ANGLES, SIDES, Pose, complete, pose_rotations
from posekit.studio.body.skinning import bone_transforms, skin

GAP = 0.1  # dm of air between hand and skin: clothes are thinner than this
REACH = 1.2  # dm; only trunk points nearer than this say anything about inside and outside
SPACING = 0.35  # dm between the points that are compared
STEPS = (4, 8, 12, 17, 23, 30, 40)  # degrees
# movements of one arm per degree, the least conspicuous first
MOVEMENTS = (
    {"shoulder_abduct": 1.0},
    {"shoulder_abduct": 0.6, "shoulder_twist": -0.8},
    {"shoulder_twist": -1.0},
    {"shoulder_flex": 0.8, "elbow_flex": -0.6},
    {"shoulder_flex": -0.8, "elbow_flex": 0.6},
    {"elbow_flex": -1.0},
    {"elbow_flex": 1.0},
    {"shoulder_abduct": 0.6, "shoulder_flex": 0.8},
    {"shoulder_abduct": 0.6, "shoulder_flex": -0.8},
)


class Shape(Protocol):
    """Whatever has the rest vertices and joints of a person: `RestShape`, `Figure`."""

    vertices: np.ndarray
    joints: np.ndarray


class _Points(NamedTuple):
    """trunk: vertex ids.  triangles: (f, 3) that touch them.  arms: side -> vertex ids."""

    trunk: np.ndarray
    triangles: np.ndarray
    arms: dict[str, np.ndarray]


@cache
def _points(body: Body) -> _Points:
    def followers(*bones: str) -> np.ndarray:
        share = body.weights[: body.n_skin, [body.bone_index[b] for b in bones]].sum(1)
        return _spread(body, np.flatnonzero(share > 0.9))

    trunk = followers("pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head", "thigh_l", "thigh_r")
    triangles = body.triangles["skin"]
    touching = triangles[np.isin(triangles, trunk).any(1)]
    trunk = np.intersect1d(trunk, touching)  # without vertices that no triangle uses
    return _Points(trunk, touching, {side: followers(f"lowerarm_{s}", f"hand_{s}") for side, s, _ in SIDES})


def _spread(body: Body, ids: np.ndarray) -> np.ndarray:
    """One vertex per cell of a grid."""
    cells = np.floor(body.mean_vertices[ids] / SPACING).astype(int)
    return ids[np.unique(cells, axis=0, return_index=True)[1]]


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Outward unit normals where `triangles` touch a vertex, else 0."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    area = np.repeat(np.cross(b - a, c - a), 3, axis=0)
    ids = triangles.ravel()
    total = np.stack([np.bincount(ids, area[:, k], len(vertices)) for k in range(3)], axis=1)
    return (total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)).astype(np.float32)


class _Person:
    def __init__(self, body: Body, shape: Shape):
        self.body, self.shape, self.points = body, shape, _points(body)
        self.normals = _normals(shape.vertices, self.points.triangles)[self.points.trunk]

    def transforms(self, pose: Mapping[str, float]) -> np.ndarray:
        joints = self.shape.joints
        return bone_transforms(self.body, joints, pose_rotations(pose, joints, self.body))

    def place(self, ids: np.ndarray, transforms: np.ndarray) -> np.ndarray:
        return skin(self.shape.vertices[ids], self.body.weights[ids], transforms)

    def trunk(self, pose: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
        """Posed trunk points and their normals."""
        ids, moved = self.points.trunk, self.transforms(pose)
        turned = moved.copy()
        turned[:, :3, 3] = 0
        return self.place(ids, moved), skin(self.normals, self.body.weights[ids], turned)

    def depth(self, pose: Mapping[str, float], side: str, trunk: tuple[np.ndarray, np.ndarray]) -> float:
        """How deep the deepest point of a forearm and hand is, dm; at most `-REACH` if it is far off."""
        q, n = trunk
        p = self.place(self.points.arms[side], self.transforms(pose))
        squared = (p * p).sum(1)[:, None] - 2 * p @ q.T + (q * q).sum(1)
        nearest = squared.argmin(1)
        depth = (n[nearest] * (q[nearest] - p)).sum(1)
        near = squared[np.arange(len(p)), nearest] < REACH**2
        return float(depth[near].max(initial=-REACH))


def arm_depths(pose: Mapping[str, float], body: Body, shape: Shape) -> dict[str, float]:
    """side -> how deep its forearm or hand is in trunk, head or thighs, dm; negative is the air between."""
    person = _Person(body, shape)
    trunk = person.trunk(pose)
    return {side: person.depth(pose, side, trunk) for side, *_ in SIDES}


def clear_arms(pose: Mapping[str, float], body: Body, shape: Shape) -> Pose:
    """The pose with its arms moved, by as little as the list `MOVEMENTS` x `STEPS` allows, until forearms and hands
    are clear of the body; where nothing in the list clears them, the best of the list.  Legs, trunk and head stay."""
    pose = complete(pose)
    person = _Person(body, shape)
    trunk = person.trunk(pose)
    for side, *_ in SIDES:
        best, least = pose, person.depth(pose, side, trunk)
        for moved in _candidates(pose, side):
            if least <= -GAP:
                break
            depth = person.depth(moved, side, trunk)
            if depth < least:
                best, least = moved, depth
        pose = best
    return pose


def _candidates(pose: Pose, side: str):
    for step in STEPS:
        for movement in MOVEMENTS:
            moved = dict(pose)
            for name, rate in movement.items():
                angle = ANGLES[f"{side}_{name}"]
                moved[f"{side}_{name}"] = float(np.clip(pose[f"{side}_{name}"] + rate * step, angle.low, angle.high))
            yield moved
