"""Poses as named joint angles, and the rotations of the bones that they stand for.

A `Pose` is a dict of angles in degrees; what it does not name keeps its neutral value.  Each limb angle has a
``left_`` and a ``right_`` form with the same sense on both sides, so a mirrored pose swaps the names.

angle             neutral  positive means                                       range
yaw                     0  the whole person turns to their left                 free
pitch, roll             0  bows forward; topples to their right                 free
pelvis_bend             0  pelvis tips forward                                  -20 ..  30
pelvis_side             0  pelvis leans to the person's right                   -15 ..  15
pelvis_twist            0  pelvis turns to their left                           -25 ..  25
spine_bend              0  trunk bends forward                                  -20 ..  45
spine_side              0  trunk leans to the person's left                     -25 ..  25
spine_twist             0  trunk turns to their left                            -45 ..  45
head_pitch              0  looks down                                           -35 ..  40
head_yaw                0  looks to their left                                  -75 ..  75
head_roll               0  head leans to the person's left                      -30 ..  30
clavicle_raise          0  shrugs                                               -10 ..  30
shoulder_abduct        10  arm away from the side; 0 hangs, 90 points aside      -2 .. 165
shoulder_flex           0  arm swings forward                                   -40 .. 120
shoulder_twist          0  arm turns about itself, a bent forearm goes inwards  -90 ..  90
elbow_flex             12  bends; 0 is straight                                   0 .. 145
forearm_pronate        50  palm of a hanging arm turns from forwards to inwards -60 ..  80
wrist_flex              0  hand bends towards the palm                          -50 ..  50
hip_flex                0  thigh swings forward                                 -30 .. 100
hip_abduct              2  thigh away from the other                            -12 ..  40
hip_twist               4  toes point outwards                                  -30 ..  40
knee_flex               2  bends; 0 is straight                                   0 .. 120
ankle_flex              0  toes go up                                           -40 ..  25
toes_flex               0  toes bend up                                         -20 ..  40

The trunk's angles are shared by three bones of the spine, the head's by neck and head.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from posekit.studio.body.body import Body
from posekit.util.errors import InputError

Pose = dict[str, float]

PALM = np.deg2rad(27)  # between where the elbow bends to and where the palm looks to, in the rest pose

SIDES = (("left", "l", 1.0), ("right", "r", -1.0))  # name, suffix of the bones, sign of x


class Angle(NamedTuple):
    """neutral, low, high: degrees.  jitter: standard deviation added to a drawn pose.  odd: changes sign in
    the mirror."""

    neutral: float
    low: float
    high: float
    jitter: float
    odd: bool = False


TRUNK_ANGLES = {
    "yaw": Angle(0, -np.inf, np.inf, 0, odd=True),
    "pitch": Angle(0, -np.inf, np.inf, 0),
    "roll": Angle(0, -np.inf, np.inf, 0, odd=True),
    "pelvis_bend": Angle(0, -20, 30, 0),
    "pelvis_side": Angle(0, -15, 15, 0, odd=True),
    "pelvis_twist": Angle(0, -25, 25, 3, odd=True),
    "spine_bend": Angle(0, -20, 45, 2.5),
    "spine_side": Angle(0, -25, 25, 2, odd=True),
    "spine_twist": Angle(0, -45, 45, 5, odd=True),
    "head_pitch": Angle(0, -35, 40, 4),
    "head_yaw": Angle(0, -75, 75, 9, odd=True),
    "head_roll": Angle(0, -30, 30, 3, odd=True),
}
LIMB_ANGLES = {
    "clavicle_raise": Angle(0, -10, 30, 0),
    "shoulder_abduct": Angle(10, -2, 165, 4),
    "shoulder_flex": Angle(0, -40, 120, 6),
    "shoulder_twist": Angle(0, -90, 90, 8),
    "elbow_flex": Angle(12, 0, 145, 6),
    "forearm_pronate": Angle(50, -60, 80, 12),
    "wrist_flex": Angle(0, -50, 50, 0),
    "hip_flex": Angle(0, -30, 100, 2.5),
    "hip_abduct": Angle(2, -12, 40, 1.5),
    "hip_twist": Angle(4, -30, 40, 0),
    "knee_flex": Angle(2, 0, 120, 2),
    "ankle_flex": Angle(0, -40, 25, 0),
    "toes_flex": Angle(0, -20, 40, 0),
}
ANGLES = TRUNK_ANGLES | {f"{side}_{name}": angle for side, *_ in SIDES for name, angle in LIMB_ANGLES.items()}


def complete(pose: Mapping[str, float]) -> Pose:
    """The pose with every angle named."""
    unknown = set(pose) - set(ANGLES)
    if unknown:
        raise InputError(f"a pose names angles of joint_angles.ANGLES; unknown: {', '.join(sorted(unknown))}")
    return {name: float(pose.get(name, angle.neutral)) for name, angle in ANGLES.items()}


def clip_pose(pose: Mapping[str, float]) -> Pose:
    """The completed pose with every angle moved into its range."""
    return {name: float(np.clip(v, ANGLES[name].low, ANGLES[name].high)) for name, v in complete(pose).items()}


def mirror_pose(pose: Mapping[str, float]) -> Pose:
    """The pose that a mirror shows: left and right change places, turns and leans change sign."""
    swap = {"left_": "right_", "right_": "left_"}
    mirrored = {}
    for name, v in pose.items():
        side = next((s for s in swap if name.startswith(s)), None)
        mirrored[swap[side] + name[len(side) :] if side else name] = -v if ANGLES[name].odd else v
    return mirrored


def _rotate_x(a: float) -> np.ndarray:
    c, s = np.cos(a), np.sin(a)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _rotate_y(a: float) -> np.ndarray:
    c, s = np.cos(a), np.sin(a)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _rotate_z(a: float) -> np.ndarray:
    c, s = np.cos(a), np.sin(a)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def rotate_about(axis: np.ndarray, a: float) -> np.ndarray:
    """Rodrigues' formula: R = I + sin a K + (1 - cos a) K^2 with K x = axis x x for the unit axis."""
    x, y, z = axis / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(a) * k + (1 - np.cos(a)) * k @ k


def pose_rotations(pose: Mapping[str, float], joints: np.ndarray, body: Body) -> dict[str, np.ndarray]:
    """Angles -> rotations for `skinning.bone_transforms`: bone -> (3, 3) in the axes of the rest pose.

    joints: (bones, 3) rest joints of this person.  The rest pose is not the neutral pose (its arms stand off
    and its elbows are bent by about 45 degrees), so limbs are first brought to hang straight down.
    """
    a = {name: np.deg2rad(v) for name, v in complete(pose).items()}
    rotations = {
        "Root": _rotate_y(a["yaw"]) @ _rotate_x(a["pitch"]) @ _rotate_z(a["roll"]),
        "pelvis": _rotate_z(a["pelvis_side"]) @ _rotate_y(a["pelvis_twist"]) @ _rotate_x(a["pelvis_bend"]),
    }
    for bone, share in (("spine_01", 0.3), ("spine_02", 0.35), ("spine_03", 0.35)):
        rotations[bone] = (
            _rotate_y(share * a["spine_twist"])
            @ _rotate_x(share * a["spine_bend"])
            @ _rotate_z(-share * a["spine_side"])
        )
    for bone, share in (("neck_01", 0.4), ("head", 0.6)):
        rotations[bone] = (
            _rotate_y(share * a["head_yaw"]) @ _rotate_x(share * a["head_pitch"]) @ _rotate_z(-share * a["head_roll"])
        )
    for side, suffix, sign in SIDES:
        limb = {name: a[f"{side}_{name}"] for name in LIMB_ANGLES}
        at = {bone: joints[body.bone_index[f"{bone}_{suffix}"]].astype(np.float64) for bone in _LIMB_BONES}
        turns = _arm_rotations(limb, at, sign) | _leg_rotations(limb, at, sign)
        rotations |= {f"{bone}_{suffix}": turn for bone, turn in turns.items()}
    return rotations


_LIMB_BONES = ("upperarm", "lowerarm", "hand", "thigh", "calf", "foot")


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)


def _arm_rotations(limb: Mapping[str, float], at: Mapping[str, np.ndarray], sign: float) -> dict[str, np.ndarray]:
    upper, fore = _unit(at["lowerarm"] - at["upperarm"]), _unit(at["hand"] - at["lowerarm"])
    abduct, flex = limb["shoulder_abduct"], limb["shoulder_flex"]

    # The elbow is a hinge: its axis stands on upper arm and forearm, and the rest pose is bent about it.
    hinge = np.cross(upper, fore)
    rest_flex = np.arctan2(np.linalg.norm(hinge), upper @ fore)

    # Bring the upper arm to hang: into the plane z = 0, then down; then turn it until the elbow bends forwards.
    rest_abduct = np.arctan2(sign * upper[0], -upper[1])
    rest_forward = np.arctan2(upper[2], np.hypot(upper[0], upper[1]))
    hang = _rotate_z(-sign * rest_abduct) @ rotate_about(np.cross(upper, [0, 0, 1]), -rest_forward)
    x, _, z = hang @ (fore - (fore @ upper) * upper)
    hang = _rotate_y(-np.arctan2(x, z)) @ hang

    # Above 60 degrees the collar bone takes a share of the movement, else the shoulder caves in.
    raise_60 = np.deg2rad(60)
    clavicle = limb["clavicle_raise"] + max(0, abduct - raise_60) / 3 + max(0, flex - raise_60) / 5
    shoulder = _rotate_z(sign * (abduct - clavicle)) @ _rotate_x(-flex) @ _rotate_y(-sign * limb["shoulder_twist"])

    # Forearm and hand share the twist: the skeleton has no twist bones, and skinning thins where one turns much.
    half_twist = rotate_about(fore, sign * limb["forearm_pronate"] / 2)
    wrist = rotate_about(fore, sign * PALM) @ hinge  # the axis about which the hand bends towards its palm
    return {
        "clavicle": _rotate_z(sign * clavicle),
        "upperarm": shoulder @ hang,
        "lowerarm": rotate_about(hinge, limb["elbow_flex"] - rest_flex) @ half_twist,
        "hand": half_twist @ rotate_about(wrist, limb["wrist_flex"]),
    }


def _leg_rotations(limb: Mapping[str, float], at: Mapping[str, np.ndarray], sign: float) -> dict[str, np.ndarray]:
    thigh = _unit(at["calf"] - at["thigh"])
    rest_abduct = np.arctan2(sign * thigh[0], -thigh[1])
    turn = _rotate_x(-limb["hip_flex"]) @ _rotate_y(sign * limb["hip_twist"])
    return {
        "thigh": _rotate_z(sign * (limb["hip_abduct"] - rest_abduct)) @ turn,
        "calf": _rotate_x(limb["knee_flex"]),
        "foot": _rotate_x(-limb["ankle_flex"]),
        "ball": _rotate_x(-limb["toes_flex"]),
    }
