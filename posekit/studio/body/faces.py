"""Close-ups of faces: expressions as data, and how the head is turned.

An expression is a strength per movement of the face (`Body.expression_names`), 1 being the full movement.
The movements carry the names of the ARKit blend shapes, left and right joined; the twelve presets were
composed by eye.
"""

import numpy as np

from posekit.studio.body.joint_angles import Pose
from posekit.studio.body.key_poses import KEY_POSES

Expression = dict[str, float]

EXPRESSIONS: dict[str, Expression] = {
    "neutral": {},
    "smile": {"mouthSmile": 0.7, "cheekSquint": 0.5},
    "laugh": {"mouthSmile": 0.9, "jawOpen": 0.18, "cheekSquint": 0.6, "mouthUpperUp": 0.35},
    "surprise": {"jawOpen": 0.45, "browInnerUp": 0.6, "eyeWide": 0.5},
    "frown": {"mouthFrown": 0.7, "browDown": 0.6},
    "pucker": {"mouthPucker": 0.8},
    "raised_brows": {"browOuterUp": 0.8, "browInnerUp": 0.6},
    "eyes_closed": {"eyeBlink": 0.9},
    "squint": {"eyeSquint": 0.6, "mouthPress": 0.5},
    "disgust": {"noseSneer": 0.6, "browDown": 0.7},
    "tense": {"mouthStretch": 0.4, "jawOpen": 0.1},
    "oh": {"mouthFunnel": 0.6, "jawOpen": 0.2},
}

STRENGTH = (0.5, 1.0)  # a preset is drawn at this share of its strength
YAW, YAW_LIMIT = 32.0, 80.0  # standard deviation and limit of the turn of the face, degrees
PITCH, PITCH_LIMIT = 9.0, 22.0
ROLL = 4.0
BODY_SHARE = 0.55  # of the turn; the neck makes the rest
HEAD_FILL = (0.80, 0.92)  # share of the picture's height that the head takes


def sample_expression(rng: np.random.Generator) -> Expression:
    """Draw a preset at random strength, with a trace of a smile (a face fully at rest looks grim)."""
    preset = EXPRESSIONS[list(EXPRESSIONS)[rng.integers(len(EXPRESSIONS))]]
    share = rng.uniform(*STRENGTH)
    trace = rng.uniform(0, 0.3)
    return {"mouthSmile": trace} | {name: share * strength for name, strength in preset.items()}


def sample_face_pose(rng: np.random.Generator) -> Pose:
    """Draw a pose for a close-up: someone who stands and looks somewhere within 80 degrees of the camera."""
    yaw = np.clip(rng.normal(0, YAW), -YAW_LIMIT, YAW_LIMIT)
    return KEY_POSES["stand"] | {
        "yaw": float(BODY_SHARE * yaw),
        "head_yaw": float((1 - BODY_SHARE) * yaw + rng.normal(0, 6)),
        "head_pitch": float(np.clip(rng.normal(0, PITCH), -PITCH_LIMIT, PITCH_LIMIT)),
        "head_roll": float(rng.normal(0, ROLL)),
    }
