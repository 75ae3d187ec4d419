"""Key poses of a fashion photograph as data: joint angles in degrees, see the table in `pose`.

Angles that a pose does not name keep their neutral value.  `WEIGHTS` says how often each is drawn; both the
poses and the weights were chosen by eye after the look of catalogue photographs.
"""


def _pose(*, left: dict[str, float] | None = None, right: dict[str, float] | None = None, **central: float):
    """Angles of the left limbs, of the right limbs, and of head and trunk -> one flat pose."""
    sides = {"left": left or {}, "right": right or {}}
    limbs = {f"{side}_{name}": float(angle) for side, angles in sides.items() for name, angle in angles.items()}
    return limbs | {name: float(angle) for name, angle in central.items()}


def _arm(
    abduct: float, flex: float, twist: float, elbow: float, pronate: float, wrist: float = 0.0
) -> dict[str, float]:
    return {
        "shoulder_abduct": abduct,
        "shoulder_flex": flex,
        "shoulder_twist": twist,
        "elbow_flex": elbow,
        "forearm_pronate": pronate,
        "wrist_flex": wrist,
    }


def _hang(abduct: float = 10, elbow: float = 12, flex: float = 0) -> dict[str, float]:
    """An arm that hangs at the side, its palm turned to the thigh."""
    return _arm(abduct, flex, 0, elbow, pronate=50)


def _leg(hip: float, knee: float, ankle: float = 0, toes: float = 0, abduct: float = 2, twist: float = 4):
    return {
        "hip_flex": hip,
        "hip_abduct": abduct,
        "hip_twist": twist,
        "knee_flex": knee,
        "ankle_flex": ankle,
        "toes_flex": toes,
    }


_ON_HIP = _arm(abduct=52, flex=-10, twist=86, elbow=88, pronate=10, wrist=10)
_POCKET = _arm(abduct=12, flex=-4, twist=48, elbow=16, pronate=60, wrist=-8)
_BEHIND = _arm(abduct=8, flex=-22, twist=84, elbow=38, pronate=70, wrist=-15)
_HOLD = _arm(abduct=6, flex=14, twist=24, elbow=72, pronate=50, wrist=-20)

KEY_POSES: dict[str, dict[str, float]] = {
    "stand": _pose(left=_hang(9, 10), right=_hang(9, 10)),
    "weight_on_one_leg": _pose(
        left=_hang(10, 15) | _leg(0, 2, abduct=2),
        right=_hang(14, 18) | _leg(8, 14, abduct=8),
        pelvis_side=4,
        spine_side=-5,
        head_roll=4,
    ),
    "hand_on_hip": _pose(left=_hang(9), right=_ON_HIP, pelvis_side=4, spine_side=-4),
    "hands_on_hips": _pose(left=_ON_HIP, right=_ON_HIP),
    "walk_long": _pose(
        left=_hang(12, 14, flex=-20) | _leg(24, 6, ankle=4),
        right=_hang(12, 26, flex=20) | _leg(-14, 22, ankle=-18, toes=22),
        pelvis_twist=-6,
        spine_twist=8,
    ),
    "walk_short": _pose(
        left=_hang(12, 14, flex=-10) | _leg(10, 4), right=_hang(12, 18, flex=10) | _leg(-6, 30, ankle=-14, toes=16)
    ),
    "arms_folded": _pose(left=_arm(2, 42, 84, 90, pronate=60), right=_arm(2, 34, 86, 92, pronate=60)),
    "hands_in_pockets": _pose(left=_POCKET, right=_POCKET),
    "touch_hair": _pose(left=_hang(10, 14), right=_arm(124, 8, -80, 128, pronate=38), head_roll=6, head_yaw=10),
    "wave": _pose(left=_hang(12), right=_arm(92, 6, -82, 90, pronate=70, wrist=-15)),
    "arms_up": _pose(left=_arm(150, 0, 10, 34, pronate=20), right=_arm(142, 0, 0, 44, pronate=20)),
    "arms_out": _pose(left=_arm(58, 0, 0, 18, pronate=50), right=_arm(52, 0, 0, 22, pronate=50)),
    "reach_forward": _pose(left=_hang(12, 14), right=_arm(14, 58, 0, 22, pronate=40)),
    "hands_behind": _pose(left=_BEHIND, right=_BEHIND),
    "hand_at_chin": _pose(left=_arm(4, 26, 74, 84, pronate=60), right=_arm(14, 62, 33, 130, pronate=45), head_pitch=4),
    "hold_parcel": _pose(left=_HOLD, right=_HOLD),
    "lean_forward": _pose(
        left=_hang(12) | _leg(10, 2), right=_hang(12) | _leg(10, 2), spine_bend=12, pelvis_bend=6, head_pitch=-8
    ),
    "legs_crossed": _pose(left=_hang(10) | _leg(8, 12, abduct=-7, twist=6), right=_hang(12) | _leg(-2, 4, abduct=-5)),
    "step_up": _pose(left=_hang(14, 26) | _leg(32, 34, ankle=2), right=_hang(14, 20) | _leg(-4, 2)),
    "look_aside": _pose(left=_hang(10), right=_hang(10), head_yaw=38, head_pitch=-3, spine_twist=14),
    "over_shoulder": _pose(left=_hang(10), right=_hang(14, 26), head_yaw=48, spine_twist=26, pelvis_twist=8),
    "half_seated": _pose(
        left=_arm(10, 30, 20, 30, pronate=75) | _leg(46, 58, abduct=9),
        right=_arm(10, 30, 20, 30, pronate=75) | _leg(42, 54, abduct=9),
        spine_bend=6,
    ),
    "shoulder_bag": _pose(left=_hang(10), right=_arm(10, 8, 18, 140, pronate=15)),
    "hat_brim": _pose(left=_hang(12), right=_arm(32, 106, -20, 101, pronate=52, wrist=6)),
}

WEIGHTS: dict[str, float] = {
    "stand": 16,
    "weight_on_one_leg": 12,
    "hand_on_hip": 8,
    "hands_on_hips": 4,
    "walk_long": 12,
    "walk_short": 8,
    "arms_folded": 3,
    "hands_in_pockets": 6,
    "touch_hair": 5,
    "wave": 2,
    "arms_up": 1.5,
    "arms_out": 4,
    "reach_forward": 3,
    "hands_behind": 4,
    "hand_at_chin": 3,
    "hold_parcel": 3,
    "lean_forward": 2,
    "legs_crossed": 5,
    "step_up": 4,
    "look_aside": 5,
    "over_shoulder": 4,
    "half_seated": 1,
    "shoulder_bag": 2,
    "hat_brim": 1.5,
}
