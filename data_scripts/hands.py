"""Curl the fingers of the base mesh with MakeHuman's full rig, before the fingers are merged into the hand."""

from __future__ import annotations

import numpy as np
from makehuman import Rig

# bend of the three joints of each finger, degrees
RELAXED = {
    "index": (16, 20, 14),
    "middle": (22, 24, 16),
    "ring": (26, 26, 18),
    "pinky": (28, 26, 18),
    "thumb": (8, 10, 10),
}
FIST = {
    "index": (50, 70, 40),
    "middle": (60, 75, 45),
    "ring": (65, 75, 45),
    "pinky": (70, 75, 45),
    "thumb": (20, 25, 30),
}


def curl(vertices: np.ndarray, rig: Rig, bends: dict[str, tuple[float, float, float]]) -> np.ndarray:
    """How far each vertex moves, (n, 3), when the fingers bend towards the palm."""
    heads = np.stack([vertices[ids].mean(0) for ids in rig.heads])
    tails = np.stack([vertices[ids].mean(0) for ids in rig.tails])
    at = dict(zip(rig.bones, heads, strict=True))
    motions = np.tile(np.eye(4), (len(rig.bones), 1, 1))
    for i, bone in enumerate(rig.bones):
        finger, _, rest = bone.partition("_")
        if finger in bends:
            number, side = rest.split("_")
            wrist = at[f"hand_{side}"]
            palm = np.cross(at[f"index_01_{side}"] - wrist, at[f"pinky_01_{side}"] - wrist)
            palm *= np.sign(palm @ (at[f"thumb_03_{side}"] - wrist))  # the thumb is on the palm's side
            turn = _rotation(np.cross(tails[i] - heads[i], palm), np.deg2rad(bends[finger][int(number) - 1]))
            motions[i, :3, :3] = turn
            motions[i, :3, 3] = heads[i] - turn @ heads[i]
        if rig.parents[i] >= 0:
            motions[i] = motions[rig.parents[i]] @ motions[i]
    blended = np.tensordot(rig.weights, motions, axes=1)
    covered = rig.weights.sum(1) > 0.5
    moved = np.einsum("nij,nj->ni", blended[:, :3, :3], vertices) + blended[:, :3, 3]
    return np.where(covered[:, None], moved - vertices, 0)


def _rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    x, y, z = axis / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k
