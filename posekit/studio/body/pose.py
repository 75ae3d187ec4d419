"""How poses of a fashion shoot are drawn: key poses, mixed, mirrored and shaken a little.

The angles themselves, and what they mean, are in `joint_angles`; the key poses in `key_poses`.
"""

import numpy as np

from posekit.studio.body.body import RestShape, load_body
from posekit.studio.body.clearance import Shape, clear_arms
from posekit.studio.body.joint_angles import ANGLES, Pose, clip_pose, complete, mirror_pose, pose_rotations
from posekit.studio.body.key_poses import KEY_POSES, WEIGHTS

__all__ = [
    "ANGLES",
    "KEY_POSES",
    "RAISED",
    "VIEWS",
    "Pose",
    "clip_pose",
    "complete",
    "draw_keys",
    "mirror_pose",
    "pose_rotations",
    "sample_pose",
]

LOWER_BODY = tuple(n for n in ANGLES if any(part in n for part in ("pelvis", "hip", "knee", "ankle", "toes")))

# yaw of the person in the picture, its spread, and how often: front, three-quarter, side, back
VIEWS = (
    (0, 8, 0.42),
    (38, 8, 0.14),
    (-38, 8, 0.14),
    (85, 7, 0.07),
    (-85, 7, 0.07),
    (180, 11, 0.13),
    (145, 8, 0.015),
    (-145, 8, 0.015),
)
# Key poses with a hand or an arm away from the body, raised: what a split by pose holds out.
RAISED = ("touch_hair", "wave", "arms_up", "hat_brim", "arms_out", "reach_forward")
MIX = 0.35  # how often the legs come from another key pose
TOWARDS_KEY = (0.75, 1.1)  # 0 is plain standing, 1 the key pose, above 1 exaggerates it


def draw_keys(rng: np.random.Generator) -> tuple[str, str]:
    """The first thing that `sample_pose` draws: the key poses of arms, head and trunk, and of the legs where mixed."""
    names = list(KEY_POSES)
    chance = np.array([WEIGHTS[n] for n in names])
    upper, lower = rng.choice(len(names), 2, p=chance / chance.sum())
    return names[upper], names[lower]


def sample_pose(rng: np.random.Generator, yaw: float | None = None, shape: Shape | None = None) -> Pose:
    """Draw a pose: a key pose (or its mirror image), sometimes with the legs of another, moved a little towards
    or beyond plain standing, with Gaussian jitter on the joints, inside the ranges, hands out of the body.

    yaw: degrees; drawn from `VIEWS` if not given.  shape: the person who takes the pose (a `RestShape` or a
    `Figure`), whose hands are kept outside this body; the mean body if not given.
    """
    upper, lower = (
        complete(mirror_pose(KEY_POSES[name]) if rng.random() < 0.5 else KEY_POSES[name]) for name in draw_keys(rng)
    )
    key = upper | {name: lower[name] for name in LOWER_BODY} if rng.random() < MIX else upper
    stand = complete(KEY_POSES["stand"])
    w = rng.uniform(*TOWARDS_KEY)
    pose = {n: (1 - w) * stand[n] + w * key[n] + rng.normal() * ANGLES[n].jitter for n in ANGLES}
    if yaw is None:
        share = np.array([v[2] for v in VIEWS])
        centre, spread, _ = VIEWS[rng.choice(len(VIEWS), p=share / share.sum())]
        yaw = rng.normal(centre, spread)
    body = load_body()
    rest = shape or RestShape(body.mean_vertices, body.mean_joints, body.mean_tails)
    return clear_arms(clip_pose(pose), body, rest) | {"yaw": float(yaw)}
