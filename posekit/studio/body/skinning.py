"""Linear blend skinning: how a mesh follows its skeleton.

A pose gives every bone b a rotation R_b about its joint j_b (in the axes of the rest pose).  Bones hang on
their parents, so the motion of bone b is the parent's motion after its own turn:

    G_b = G_parent(b) L_b,     L_b(x) = R_b (x - j_b) + j_b                                          (1)

G_b moves any point rigidly glued to bone b from the rest pose to the posed body.  Skin is not glued to one
bone: vertex i follows several with weights w_ib that sum to 1, and takes the weighted mean of where they
would carry it,

    x_i' = sum_b w_ib G_b x_i                                                                       (2)

Magnenat-Thalmann, Laperriere, Thalmann (1988), "Joint-dependent local deformations".  The mean of two
rotations is not a rotation, so a strongly twisted or bent joint loses volume; poses here stay moderate.
"""

from collections.abc import Mapping

import numpy as np
from numba import njit

from posekit.studio.body.body import Body
from posekit.util.errors import InputError


def bone_transforms(body: Body, joints: np.ndarray, rotations: Mapping[str, np.ndarray]) -> np.ndarray:
    """The motion G_b of every bone, equation (1).

    joints: (bones, 3) rest joints of this person.  rotations: bone -> (3, 3); a bone that is not named does
    not turn.  Returns (bones, 4, 4) float32, each [[R, t], [0, 1]] acting on rest-pose points.
    """
    unknown = set(rotations) - set(body.bones)
    if unknown:
        raise InputError(f"rotations must name bones of the body; unknown: {', '.join(sorted(unknown))}")
    motions = np.tile(np.eye(4), (len(body.bones), 1, 1))
    for i, bone in enumerate(body.bones):
        if bone in rotations:
            turn = np.asarray(rotations[bone], np.float64)
            motions[i, :3, :3] = turn
            motions[i, :3, 3] = joints[i] - turn @ joints[i]  # L_b x = R_b (x - j_b) + j_b
        if body.parents[i] >= 0:
            motions[i] = motions[body.parents[i]] @ motions[i]  # G_b = G_parent(b) L_b
    return motions.astype(np.float32)


def posed_joints(joints: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Where the pose carries points glued one to each bone: (bones, 3) -> (bones, 3)."""
    return (np.einsum("bij,bj->bi", transforms[:, :3, :3], joints) + transforms[:, :3, 3]).astype(np.float32)


def skin(vertices: np.ndarray, weights: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Carry rest vertices into the pose, equation (2).

    vertices: (n, 3).  weights: (n, bones), rows sum to 1.  transforms: (bones, 4, 4).
    Returns (n, 3) float32.
    """
    if vertices.shape[1:] != (3,) or weights.shape != (len(vertices), len(transforms)):
        raise InputError(
            "skin needs vertices (n, 3), weights (n, bones) and transforms (bones, 4, 4); "
            f"got {vertices.shape}, {weights.shape}, {transforms.shape}"
        )
    return _blend(
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(weights, np.float32),
        np.ascontiguousarray(transforms, np.float32),
    )


@njit(cache=True)
def _blend(vertices, weights, transforms):
    out = np.empty_like(vertices)
    m = np.empty((3, 4), np.float32)
    for i in range(len(vertices)):
        m[:] = 0
        for b in range(weights.shape[1]):
            w = weights[i, b]
            if w != 0:  # a vertex follows at most four of the bones
                for r in range(3):
                    for c in range(4):
                        m[r, c] += w * transforms[b, r, c]
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        for r in range(3):
            out[i, r] = m[r, 0] * x + m[r, 1] * y + m[r, 2] * z + m[r, 3]
    return out
