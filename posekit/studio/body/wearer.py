"""Who is being dressed: one person's body at rest and the layers put on so far."""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from scipy.sparse import csr_matrix

from posekit.studio.base.layers import Layer
from posekit.studio.base.mesh import neighbour_mean, vertex_normals
from posekit.studio.base.noise import Noise
from posekit.studio.body.atlas import Atlas
from posekit.studio.body.body import Body


@dataclass
class Wearer:
    """A person at rest, and what they wear.

    vertices: (n, 3) float32 of the whole body asset.  joints, tails: (bones, 3).  female: which wardrobe.
    age: 0 (about 25 years) .. 1 (about 90).  ancestry: (african, asian, caucasian), sum 1.
    noise: the random functions this person's textures are made of.  layers: inner ones first.
    """

    body: Body
    atlas: Atlas
    vertices: np.ndarray
    joints: np.ndarray
    tails: np.ndarray
    noise: Noise
    female: bool
    age: float
    ancestry: tuple[float, float, float]
    layers: list[Layer] = field(default_factory=list)

    @property
    def skin(self) -> np.ndarray:
        """Vertices of the skin, (n_skin, 3)."""
        return self.vertices[: self.body.n_skin]

    @property
    def skin_weights(self) -> np.ndarray:
        """Skinning weights of the skin, (n_skin, bones)."""
        return self.body.weights[: self.body.n_skin]

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """Unit normals of a copy of the skin, (n_skin, 3)."""
        return vertex_normals(np.ascontiguousarray(vertices, np.float32), self.body.triangles["skin"])

    def joint(self, name: str) -> np.ndarray:
        """Rest position of a joint, (3,)."""
        return self.joints[self.body.bone_index[name]]

    @property
    def eyes(self) -> np.ndarray:
        """Vertices of both eyeballs, (m, 3)."""
        return self.vertices[self.body.triangles["eye"]].reshape(-1, 3)


@cache
def skin_neighbours(body: Body) -> csr_matrix:
    """`neighbour_mean` of the body's skin."""
    return neighbour_mean(body.triangles["skin"], body.n_skin)
