"""The atlas: the body's skin laid out flat, and what is known about every texel of it.

The skin's texture coordinates put every triangle somewhere into the unit square.  Rasterising the flat triangles
tells for each texel which triangle it lies in and where, so anything known at vertices can be interpolated to
texels.  Garments, skin and hair are painted on the list of valid texels (`Atlas.texels`) and then spread over
the square (`Atlas.image`): texels beside an island repeat the nearest valid one, so that bilinear lookups and
coarser copies never mix in a void.
"""

from functools import cache, cached_property

import numpy as np
from scipy.ndimage import distance_transform_edt

from posekit.studio.base.raster import Buffers, rasterize
from posekit.studio.body.body import Body, load_body, load_masks
from posekit.studio.body.limbs import ARMS, GROUPS, Places, densepose_parts, group_weights, limb_coordinates

#: The mouth cavity is charted in this corner of the atlas: u from, v from.
MOUTH_CAVITY = (0.745, 0.855)


class Atlas:
    """Fields of the mean body over a square of ``size`` x ``size`` texels, and the same at its vertices.

    valid: (size, size) bool, texels whose centre lies in a triangle.  near: valid or within 6 / 512 of the square.
    part: (size, size) uint8, DensePose part 1..24 of every texel; beside the islands that of the nearest one.
    texels: `Places` of the valid texels, arrays of length `n_texels` in row-major order.
    vertices: `Places` of the skin's vertices.  vertex_group_weights: (n_skin, groups).
    masks: name -> (n_texels,) float32 (lips, eyelids, fingernails, ears).  cavity: (n_texels,) inside the mouth.
    arm_weight: (n_texels,) share of the arm groups, for raglan sleeves.
    arm, leg: (upper, lower) lengths in the mean body.  eye: (3,) centre of the left eyeball there.
    """

    def __init__(self, body: Body, size: int) -> None:
        self.body, self.size = body, size
        uv, uv_triangles = body.uv["skin"], body.uv_triangles["skin"]
        buffers = Buffers.empty(size, size)
        screen = np.concatenate([uv * size, np.ones((len(uv), 1), np.float32)], axis=1)
        rasterize(screen, uv_triangles, buffers)
        self.valid = buffers.triangle >= 0
        distance, nearest = distance_transform_edt(~self.valid, return_indices=True)
        self.near = distance < 6 * size / 512
        rank = np.cumsum(self.valid.ravel()) - 1  # row-major number of each valid texel
        self._nearest = rank.reshape(size, size)[nearest[0], nearest[1]]
        self.triangle = buffers.triangle[self.valid]
        self.corners = body.triangles["skin"][self.triangle]
        b1, b2 = buffers.b1[self.valid], buffers.b2[self.valid]
        self.barycentric = np.stack([1 - b1 - b2, b1, b2], axis=1).astype(np.float32)

        weights = group_weights(body)
        limbs = limb_coordinates(body, weights)
        self.vertex_group_weights, self.arm, self.leg = weights, limbs.arm, limbs.leg
        skin = body.mean_vertices[: body.n_skin]
        group = weights.argmax(1)
        every = np.arange(body.n_skin)
        self.vertices = Places(skin, limbs.angle[group, every], limbs.along[group, every], group.astype(np.uint8))
        self.texels = self._bake_places(skin, weights, limbs.angle, limbs.along)
        self.part = self.image(densepose_parts(self.texels))

        self.masks = {name: mask[self.valid] for name, mask in load_masks(size).items()}
        row, column = np.nonzero(self.valid)
        u, v = (column + 0.5) / size, (row + 0.5) / size
        self.cavity = (u > MOUTH_CAVITY[0]) & (v > MOUTH_CAVITY[1]) & self.texels.head
        arms = [i for i, name in enumerate(GROUPS) if name[:-2] in ARMS]
        self.arm_weight = self.from_vertices(weights[:, arms].sum(1))
        eyes = body.mean_vertices[body.triangles["eye"]].reshape(-1, 3)
        self.eye = eyes[eyes[:, 0] > 0].mean(0)

    def _bake_places(self, skin, weights, angle, along) -> Places:
        """Interpolate per texel, within the group that the texel's interpolated weights favour."""
        group = self.from_vertices(weights).argmax(1)
        corner_angle = angle[group[:, None], self.corners]
        turn = corner_angle - corner_angle[:, :1]  # unwrap, or an angle of 179 and one of -179 would average to 0
        corner_angle = corner_angle[:, :1] + (turn + np.pi) % (2 * np.pi) - np.pi
        theta = (corner_angle * self.barycentric).sum(1)
        theta = (theta + np.pi) % (2 * np.pi) - np.pi
        t = (along[group[:, None], self.corners] * self.barycentric).sum(1)
        return Places(self.from_vertices(skin), theta.astype(np.float32), t.astype(np.float32), group.astype(np.uint8))

    @property
    def n_texels(self) -> int:
        """Number of valid texels."""
        return len(self.triangle)

    @property
    def texel_size(self) -> float:
        """Edge of a texel on the mean torso, dm (a decimetre spans about 0.052 of the square)."""
        return 1 / (0.052 * self.size)

    def from_vertices(self, values: np.ndarray) -> np.ndarray:
        """Values at the skin's vertices (n_skin, ...) interpolated to the valid texels (n_texels, ...)."""
        weights = self.barycentric.reshape(*self.barycentric.shape, *([1] * (values.ndim - 1)))
        total = values[self.corners[:, 0]] * weights[:, 0]
        total += values[self.corners[:, 1]] * weights[:, 1]
        total += values[self.corners[:, 2]] * weights[:, 2]
        return total

    def image(self, values: np.ndarray) -> np.ndarray:
        """Values at the valid texels (n_texels, ...) as a picture (size, size, ...); voids repeat the nearest texel."""
        return values[self._nearest]

    def cut_out(self, mask: np.ndarray) -> np.ndarray:
        """A mask at the valid texels as a picture that is 0 away from the islands, float32."""
        return np.where(self.near, self.image(mask), 0).astype(np.float32)

    @cached_property
    def triangle_group(self) -> np.ndarray:
        """Group that each skin triangle belongs to, (f,)."""
        return self.vertex_group_weights[self.body.triangles["skin"]].mean(1).argmax(1)


@cache
def load_atlas(size: int = 512) -> Atlas:
    """The atlas of the package's body at ``size`` x ``size`` texels, baked once per process."""
    return Atlas(load_body(), size)
