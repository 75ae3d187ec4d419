"""The 18 OpenPose joints of a posed figure, where they land in the picture, and whether they are seen."""

from functools import cache

import numpy as np

from posekit.studio.body.body import Body, load_body
from posekit.studio.render.camera import Camera, project
from posekit.studio.render.render import PosedFigure

#: Depth of each joint below the skin and clothes, dm: a joint counts as visible when no surface lies further in
#: front of it than this.  Order of `posekit.ops.keypoints.JOINTS`.
DEPTHS = np.array([0.15, 1.4, 0.9, 0.75, 0.6, 0.9, 0.75, 0.6, 1.7, 0.9, 0.8, 1.7, 0.9, 0.8, 0.25, 0.25, 0.35, 0.35])


@cache
def _face_vertices() -> dict[str, np.ndarray]:
    """Vertices of the mean body whose mean is the tip of the nose, an eye, an ear."""
    body = load_body()
    eyes = np.unique(body.triangles["eye"])
    head = body.head_vertices
    x, y, z = body.mean_vertices[head].T
    ear = (y > 8.4) & (y < 8.95) & (z > 0.35) & (z < 0.7)
    side = body.mean_vertices[eyes, 0]
    return {
        "nose": head[[np.where(np.abs(x) < 0.2, z, -np.inf).argmax()]],
        "right_eye": eyes[side < 0],
        "left_eye": eyes[side > 0],
        "right_ear": head[ear & (x < -0.75)],
        "left_ear": head[ear & (x > 0.75)],
    }


def joint_positions(body: Body, posed: PosedFigure) -> np.ndarray:
    """(18, 3) positions in the studio, dm, in the order of `posekit.ops.keypoints.JOINTS`."""
    at = {name: posed.joints[i] for name, i in body.bone_index.items()}
    face = {name: posed.body[ids].mean(0) for name, ids in _face_vertices().items()}
    points = [face["nose"], (at["upperarm_l"] + at["upperarm_r"]) / 2]
    points += [at[f"{bone}_{side}"] for side in "rl" for bone in ("upperarm", "lowerarm", "hand")]
    points += [at[f"{bone}_{side}"] for side in "rl" for bone in ("thigh", "calf", "foot")]
    points += [face[name] for name in ("right_eye", "left_eye", "right_ear", "left_ear")]
    return np.stack(points).astype(np.float32)


def keypoints(body: Body, posed: PosedFigure, camera: Camera, nearness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints in the picture.

    Args:
        nearness: (h, w) 1 / depth of what each pixel sees, from `surface_maps`.

    Returns:
        (18, 2) float32 (x, y) in pixels, the centre of pixel i at i + 0.5, and (18,) int64 visibility:
        0 outside the picture, 1 occluded, 2 visible.
    """
    screen = project(joint_positions(body, posed), camera)
    h, w = camera.size
    column, row = np.floor(screen[:, 0]).astype(int), np.floor(screen[:, 1]).astype(int)
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    seen = nearness[np.clip(row, 0, h - 1), np.clip(column, 0, w - 1)]
    surface = np.where(seen > 0, 1 / np.maximum(seen, 1e-9), -np.inf)  # no surface: not visible
    visible = inside & (surface > 1 / screen[:, 2] - DEPTHS)
    return screen[:, :2].copy(), inside.astype(np.int64) + visible
