"""The shoemaker's last: a smooth form with a rounded tip in place of the five toes.

The front of the foot is a sheet of skin, however many toes it is drawn out into, so it can be spread over a disc: fix
the ring of vertices behind the ball of the foot on the unit circle and let every other vertex settle at the mean
of its neighbours (a harmonic map; Tutte 1963, "How to draw a graph").  The disc is then laid over the form,
circle to ring and centre to tip.
"""

from functools import cache

import numpy as np
from scipy.sparse import identity
from scipy.sparse.linalg import spsolve

from posekit.studio.base.mesh import smooth
from posekit.studio.base.ramps import smoothstep
from posekit.studio.body.atlas import Atlas
from posekit.studio.body.limbs import GROUP
from posekit.studio.body.wearer import Wearer, skin_neighbours

BALL = 0.9  # z in the mean body where the form starts, dm
ROUNDNESS = 2.6  # exponent of the super-ellipse that the outline follows towards the tip


@cache
def disc(atlas: Atlas, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertex ids in front of the ball of one foot, and their polar coordinates on the disc.

    The angle is 0 at the top of the foot and grows towards +x; the radius is 1 at the ring and 0 in the middle.
    """
    places = atlas.vertices
    foot = np.flatnonzero(places.group == GROUP[f"foot_{side}"])
    points = places.position[foot].astype(np.float64)
    free = points[:, 2] > BALL
    ring = points[np.abs(points[:, 2] - BALL) < 0.2]
    offset = points[:, :2] - (ring[:, :2].min(0) + ring[:, :2].max(0)) / 2
    on_circle = offset / np.linalg.norm(offset, axis=1, keepdims=True)
    neighbours = skin_neighbours(atlas.body)[foot][:, foot].astype(np.float64)
    system = (identity(len(foot)) - neighbours).tocsr()
    spread = spsolve(system[free][:, free].tocsc(), -(system[free][:, ~free] @ on_circle[~free]))
    return foot[free], np.arctan2(spread[:, 0], spread[:, 1]), np.linalg.norm(spread, axis=1)


def shoe_last(wearer: Wearer, vertices: np.ndarray) -> np.ndarray:
    """Lay the front of both feet of a shell (n_skin, 3) over the last; returns a new array."""
    places = wearer.atlas.vertices
    vertices = vertices.copy()
    for side in "lr":
        ids, angle, radius = disc(wearer.atlas, side)
        points = vertices[ids]
        low, high = points.min(0), points.max(0)
        # forward progress 0 at the ring .. 1 at the tip; the exponent leaves the instep about where it was
        forward = np.clip(1 - radius, 0, 1) ** 0.55
        narrow = (1 - forward**ROUNDNESS) ** (1 / ROUNDNESS)
        middle = (low + high) / 2
        floor, instep, toe = low[1], high[1], low[1] + 0.42
        axis_height = floor + 0.22
        top = (instep - axis_height) * (1 - forward) + (toe - axis_height) * forward
        square = np.maximum(np.abs(np.sin(angle)), np.abs(np.cos(angle))) ** -0.4  # a fuller section than an ellipse
        x = middle[0] + (high[0] - low[0]) / 2 * np.sin(angle) * square * narrow
        up = np.where(np.cos(angle) > 0, top, axis_height - floor) * np.cos(angle) * square * narrow
        z = low[2] + (high[2] - low[2]) * forward
        form = np.stack([x, axis_height + up, z], axis=1)
        amount = smoothstep(1 - radius, 0.0, 0.18)[:, None]
        vertices[ids] = points * (1 - amount) + form * amount
    front = 0.5 * (smoothstep(places.z, 0.5, 0.9) * (places.group >= GROUP["foot_l"]))[:, None]
    return smooth(skin_neighbours(wearer.body), vertices, 6, front)
