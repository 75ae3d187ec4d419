"""Places on the body: the coordinates in which garments are cut, patterns laid out and body parts told apart.

Every point of the skin belongs to a *group* (torso, head, upper arm, ...), the bones it follows most.  Within its
group it has an *angle* around the limb's axis (0 in front, positive towards the person's left on the torso and
outwards on the limbs) and a position *along* the limb:

    torso, head    along = height y                          (dm)
    arms           along = distance from the shoulder joint  (dm, through the elbow to the fingers)
    legs           along = distance from the hip joint       (dm, through the knee to the toes)

All of it is measured once, on the mean body, so a sleeve length means the same share of the arm on every person.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from posekit.studio.body.body import Body

GROUPS = (
    "torso",
    "head",
    "upper_arm_l",
    "upper_arm_r",
    "lower_arm_l",
    "lower_arm_r",
    "hand_l",
    "hand_r",
    "thigh_l",
    "thigh_r",
    "calf_l",
    "calf_r",
    "foot_l",
    "foot_r",
)
GROUP = {name: i for i, name in enumerate(GROUPS)}
_BONE_PREFIXES = {
    "upperarm": "upper_arm",
    "lowerarm": "lower_arm",
    "hand": "hand",
    "thigh": "thigh",
    "calf": "calf",
    "foot": "foot",
    "ball": "foot",
}
ARMS = ("upper_arm", "lower_arm", "hand")
LEGS = ("thigh", "calf", "foot")

#: DensePose part of each group: (front, back) for |angle| below and above 90 degrees, or one part for all of it.
PARTS = {
    "torso": (2, 1),
    "hand_r": (3, 3),
    "hand_l": (4, 4),
    "foot_l": (5, 5),
    "foot_r": (6, 6),
    "thigh_r": (9, 7),
    "thigh_l": (10, 8),
    "calf_r": (13, 11),
    "calf_l": (14, 12),
    "upper_arm_l": (15, 17),
    "upper_arm_r": (16, 18),
    "lower_arm_l": (19, 21),
    "lower_arm_r": (20, 22),
}
HEAD_PARTS = {"r": 23, "l": 24}


@dataclass(frozen=True)
class Places:
    """Points of the body surface and their garment coordinates; every array has the same leading shape.

    position: (..., 3) float32 in the mean body at rest, dm.  angle: (...) in [-pi, pi].  along: (...) dm.
    group: (...) uint8, index into `GROUPS`.
    """

    position: np.ndarray
    angle: np.ndarray
    along: np.ndarray
    group: np.ndarray

    @cached_property
    def x(self) -> np.ndarray:
        return np.ascontiguousarray(self.position[..., 0])

    @cached_property
    def y(self) -> np.ndarray:
        return np.ascontiguousarray(self.position[..., 1])

    @cached_property
    def z(self) -> np.ndarray:
        return np.ascontiguousarray(self.position[..., 2])

    @cached_property
    def torso(self) -> np.ndarray:
        return self.group == GROUP["torso"]

    @cached_property
    def head(self) -> np.ndarray:
        return self.group == GROUP["head"]

    @cached_property
    def arm(self) -> np.ndarray:
        return (self.group >= GROUP["upper_arm_l"]) & (self.group <= GROUP["hand_r"])

    @cached_property
    def leg(self) -> np.ndarray:
        return self.group >= GROUP["thigh_l"]


def _group_of_bone(bone: str) -> int:
    """Index into `GROUPS` of the body group that moves with a bone."""
    if bone in ("head", "neck_01"):
        return GROUP["head"]
    for prefix, group in _BONE_PREFIXES.items():
        if bone.startswith(prefix):
            return GROUP[f"{group}_{bone[-1]}"]
    return GROUP["torso"]


def group_weights(body: Body) -> np.ndarray:
    """How much each skin vertex follows each group: (n_skin, groups) float32, rows sum to 1."""
    weights = np.zeros((body.n_skin, len(GROUPS)), np.float32)
    for bone, name in enumerate(body.bones):
        weights[:, _group_of_bone(name)] += body.weights[: body.n_skin, bone]
    return weights


def torso_axis(height: np.ndarray) -> np.ndarray:
    """z of the trunk's axis at ``height`` in the mean body (it bends back a little between hips and neck)."""
    return np.interp(height, [0.0, 2.5, 5.5, 7.0], [0.15, 0.10, 0.0, 0.10])


@dataclass(frozen=True)
class LimbCoordinates:
    """angle, along: (groups, n_skin), the coordinates of every skin vertex with respect to every group.

    arm: lengths (shoulder-elbow, elbow-wrist); leg: (hip-knee, knee-ankle), dm.
    """

    angle: np.ndarray
    along: np.ndarray
    arm: tuple[float, float]
    leg: tuple[float, float]


def _around(points: np.ndarray, start: np.ndarray, end: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
    """Angle around and distance along the segment; angle 0 faces forward, ``side`` (+1 left) faces outwards."""
    axis = (end - start) / np.linalg.norm(end - start)
    forward = np.array([0.0, 0.0, 1.0]) - axis[2] * axis
    forward /= np.linalg.norm(forward)
    outward = np.cross(axis, forward)
    outward *= np.sign(outward[0]) * side
    r = points - start
    return np.arctan2(r @ outward, r @ forward), r @ axis


def limb_coordinates(body: Body, weights: np.ndarray) -> LimbCoordinates:
    """Coordinates of the mean body's skin vertices in every group; ``weights`` from `group_weights`."""
    points = body.mean_vertices[: body.n_skin].astype(np.float64)
    joint = {name: body.mean_joints[i].astype(np.float64) for name, i in body.bone_index.items()}
    angle = np.zeros((len(GROUPS), len(points)))
    along = np.zeros_like(angle)
    height = points[:, 1]
    angle[GROUP["torso"]] = np.arctan2(points[:, 0], points[:, 2] - torso_axis(height))
    angle[GROUP["head"]] = np.arctan2(points[:, 0], points[:, 2] - 0.35)
    along[GROUP["torso"]] = along[GROUP["head"]] = height
    lengths = {}
    for groups, bones in ((ARMS, ("upperarm", "lowerarm", "hand")), (LEGS, ("thigh", "calf", "foot"))):
        for suffix, side in (("l", 1.0), ("r", -1.0)):
            a, b, c = (joint[f"{bone}_{suffix}"] for bone in bones)
            first, second, third = (GROUP[f"{g}_{suffix}"] for g in groups)
            upper_length = np.linalg.norm(b - a)
            angle[first], upper = _around(points, a, b, side)
            angle[second], lower = _around(points, b, c, side)
            angle[third] = angle[second]
            lower = lower + upper_length
            # the two halves of the limb meet in a bend: blend by the skinning weights so that `along` has no step
            share = weights[:, second] + weights[:, third]
            share = share / (weights[:, first] + share + 1e-6)
            along[first] = along[second] = upper * (1 - share) + lower * share
            along[third] = lower
            lengths[groups] = (float(upper_length), float(np.linalg.norm(c - b)))
    return LimbCoordinates(angle.astype(np.float32), along.astype(np.float32), lengths[ARMS], lengths[LEGS])


def densepose_parts(places: Places) -> np.ndarray:
    """Part label 1..24 of every place, uint8, in DensePose's numbering."""
    front = np.abs(places.angle) < np.pi / 2
    part = np.zeros(places.group.shape, np.uint8)
    for name, (in_front, behind) in PARTS.items():
        here = places.group == GROUP[name]
        part[here] = np.where(front[here], in_front, behind)
    part[places.head] = np.where(places.x[places.head] < 0, HEAD_PARTS["r"], HEAD_PARTS["l"])
    return part
