"""The studio's atlas in the library's words: its 24 charts, and its left-right symmetry.

The studio does not need the charts of DensePose: a chart here is the smallest box of the atlas that encloses a
part, stretched to the unit square.  That is exact and invertible, and spells every map as (I, U, V) too.
"""

from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial import cKDTree
from torch import Tensor

from posekit.ops.grids import index_to_norm
from posekit.ops.surface import ChartTable
from posekit.studio.body.atlas import load_atlas
from posekit.studio.body.body import Body

ATLAS_SIZE = 512  # labels and mirror map are kept on an atlas of this many texels along an edge


@cache
def part_labels(size: int = ATLAS_SIZE) -> np.ndarray:
    """(size, size) uint8: DensePose part 1..24 of each texel in or beside an island of the atlas, else 0."""
    atlas = load_atlas(size)
    return np.where(atlas.near, atlas.part, 0).astype(np.uint8)


@cache
def surface_table(size: int = ATLAS_SIZE) -> ChartTable:
    """The charts of the studio's atlas, for ``posekit.ops.surface``."""
    labels = part_labels(size)
    boxes = np.full((24, 4), np.nan, np.float32)
    for part in range(1, 25):
        rows, columns = np.nonzero(labels == part)
        edges = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        boxes[part - 1] = index_to_norm(torch.from_numpy(edges - 0.5), size)  # edges, not centres
    return ChartTable.from_boxes(torch.from_numpy(boxes), torch.from_numpy(labels.astype(np.int64)))


@cache
def mirror_table(size: int = ATLAS_SIZE) -> Float[Tensor, "2 a a"]:
    """For each texel of the atlas, the (u, v) in [-1, 1] of the same place on the body's other side.

    The body's mesh is symmetric but for about one triangle in a hundred (quads cut along the other diagonal).  A
    texel at barycentrics b of triangle (i, j, k) goes to the same b of the triangle of the twin vertices; where
    there is none, to the nearest point of the triangles around them, on the mean body.  Texels beside an island
    continue the nearest triangle linearly, so that bilinear lookups are right up to the island's border.
    NaN further away, where the atlas shows no skin.
    """
    atlas = load_atlas(size)
    body = atlas.body
    rows, columns = np.nonzero(atlas.near)
    uv = np.stack([columns + 0.5, rows + 0.5], 1) / size
    triangle = atlas.image(atlas.triangle)[rows, columns]
    barycentric = _barycentric(uv, body.corner_uv["skin"][triangle])

    twin_triangle, order = _twins(body)
    mirrored = np.empty((len(uv), 2))
    has_twin = twin_triangle[triangle] >= 0
    corners = body.corner_uv["skin"][twin_triangle[triangle[has_twin]]]
    corners = np.take_along_axis(corners, order[triangle[has_twin]][..., None], 1)
    mirrored[has_twin] = (corners * barycentric[has_twin, :, None]).sum(1)
    mirrored[~has_twin] = _nearest_uv(body, triangle[~has_twin], barycentric[~has_twin])

    table = np.full((2, size, size), np.nan, np.float32)
    table[:, rows, columns] = np.clip(2 * mirrored.T - 1, -1, 1)
    return torch.from_numpy(table)


def _twin_vertices(body: Body) -> np.ndarray:
    """(n_skin,) the vertex nearest to each vertex's mirror image."""
    skin = body.mean_vertices[: body.n_skin]
    used = np.unique(body.triangles["skin"])
    _, nearest = cKDTree(skin[used]).query(skin * np.float32([-1, 1, 1]))
    return used[nearest]


def _twins(body: Body) -> tuple[np.ndarray, np.ndarray]:
    """For each skin triangle the one made of its corners' twins, -1 if there is none, and (f, 3) which corner of
    that triangle is the twin of corner 0, 1, 2."""
    triangles = body.triangles["skin"]
    number = {tuple(sorted(t)): i for i, t in enumerate(triangles.tolist())}
    image = _twin_vertices(body)[triangles]
    twin = np.array([number.get(tuple(sorted(t)), -1) for t in image.tolist()])
    order = (image[:, :, None] == triangles[twin][:, None, :]).argmax(2)
    return twin, order


def _barycentric(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(n, 3) weights, possibly negative, with sum_k b_k corner_k = the point nearest to ``points`` in the plane of
    the corners (n, 3, d); d = 2 or 3."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = points - corners[:, 0]
    aa, ab, bb = (a * a).sum(1), (a * b).sum(1), (b * b).sum(1)
    pa, pb = (p * a).sum(1), (p * b).sum(1)
    det = np.maximum(aa * bb - ab * ab, 1e-20)
    b1, b2 = (bb * pa - ab * pb) / det, (aa * pb - ab * pa) / det
    return np.stack([1 - b1 - b2, b1, b2], 1)


def _nearest_uv(body: Body, triangle: np.ndarray, barycentric: np.ndarray) -> np.ndarray:
    """Atlas position of the surface point nearest to the mirror image of a point of a triangle, searched among
    the triangles around the twins of its corners."""
    triangles, skin = body.triangles["skin"], body.mean_vertices.astype(np.float64)
    twin = _twin_vertices(body)
    around: dict[int, list[int]] = {}
    for f, corners in enumerate(triangles.tolist()):
        for v in corners:
            around.setdefault(v, []).append(f)
    result = np.empty((len(triangle), 2))
    for f in np.unique(triangle):
        here = triangle == f
        points = (skin[triangles[f]] * barycentric[here][..., None]).sum(1) * [-1, 1, 1]
        best = np.full(len(points), np.inf)
        for candidate in sorted({g for v in twin[triangles[f]] for g in around[int(v)]}):
            weights = _barycentric(points, np.repeat(skin[triangles[candidate]][None], len(points), 0))
            inside = np.clip(weights, 0, None)
            inside /= inside.sum(1, keepdims=True)
            distance = np.linalg.norm(inside @ skin[triangles[candidate]] - points, axis=1)
            nearer = distance < best - 1e-9
            best = np.where(nearer, distance, best)
            uv = weights @ body.corner_uv["skin"][candidate]
            rows = np.flatnonzero(here)[nearer]
            result[rows] = uv[nearer]
    return result
