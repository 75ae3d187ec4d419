"""Z-buffer rasterisation of triangles: which triangle does each pixel see, and where inside it?

A pixel (row y, column x) is a point, its centre (x + 0.5, y + 0.5).  For every triangle the pixels of its
bounding box are tested with barycentric coordinates l0 + l1 + l2 = 1; inside, all three are >= 0.  The
coordinates are linear on the *screen*; on the surface they are not, because a far corner is seen smaller.
With w = 1 / depth, which is linear on the screen, the coordinates on the surface are

    w = l0 w0 + l1 w1 + l2 w2          b_k = l_k w_k / w

(perspective-correct interpolation).  The largest w is nearest to the camera and wins; of equals, the one
drawn first stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np

from posekit.util.errors import InputError

_EDGE = 1e-9  # a centre that lies on a shared edge up to rounding belongs to both neighbours, never to none
_NO_ALPHA = np.ones((2, 2), np.float32)
_NO_UV = np.zeros((1, 3, 2), np.float32)


@dataclass
class Buffers:
    """What each pixel sees.

    nearness: (h, w) float32, 1 / depth of the nearest surface, 0 where there is none.
    triangle: (h, w) int32, its number counted over all meshes drawn (``first`` + row), -1 where there is none.
    b1, b2: (h, w) float32, surface barycentrics of the triangle's second and third corner; the first corner's
    is 1 - b1 - b2.
    """

    nearness: np.ndarray
    triangle: np.ndarray
    b1: np.ndarray
    b2: np.ndarray

    @classmethod
    def empty(cls, h: int, w: int) -> Buffers:
        """Buffers of h x w pixels that see nothing yet."""
        return cls(
            np.zeros((h, w), np.float32),
            np.full((h, w), -1, np.int32),
            np.zeros((h, w), np.float32),
            np.zeros((h, w), np.float32),
        )


def rasterize(
    screen: np.ndarray,
    triangles: np.ndarray,
    buffers: Buffers,
    uv: np.ndarray | None = None,
    alpha: np.ndarray | None = None,
    *,
    first: int = 0,
    cull: bool = False,
) -> None:
    """Draw one mesh into ``buffers`` (in place).

    Args:
        screen: (n, 3) x in pixels (right), y in pixels (down), w = 1 / depth > 0.  A flat picture, for example
            triangles in texture space, takes w = 1.
        triangles: (f, 3) vertex numbers.
        buffers: see `Buffers`; call again with the same buffers to draw the next mesh.
        uv: (f, 3, 2) texture coordinates of the corners in [0, 1], v down; needed with ``alpha``.
        alpha: (a, b) cut-out mask, looked up bilinearly; where it is below 0.5 the surface has a hole.
        first: number of this mesh's first triangle in ``buffers.triangle``.
        cull: skip triangles that show their back (clockwise corners when y points down are backs).
    """
    if alpha is not None and uv is None:
        raise InputError("rasterize needs the corners' uv to look up alpha; pass uv with shape (f, 3, 2).")
    _rasterize(
        np.ascontiguousarray(screen, np.float32),
        np.ascontiguousarray(triangles, np.int32),
        buffers.nearness,
        buffers.triangle,
        buffers.b1,
        buffers.b2,
        np.int32(first),
        _NO_UV if uv is None else np.ascontiguousarray(uv, np.float32),
        _NO_ALPHA if alpha is None else np.ascontiguousarray(alpha, np.float32),
        alpha is not None,
        bool(cull),
    )


@numba.njit(cache=True, nogil=True)
def _rasterize(screen, triangles, nearness, number, b1, b2, first, uv, alpha, use_alpha, cull):
    h, w = nearness.shape
    for f in range(triangles.shape[0]):
        i, j, k = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        x0, y0, w0 = float(screen[i, 0]), float(screen[i, 1]), float(screen[i, 2])
        x1, y1, w1 = float(screen[j, 0]), float(screen[j, 1]), float(screen[j, 2])
        x2, y2, w2 = float(screen[k, 0]), float(screen[k, 1]), float(screen[k, 2])
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)  # twice the area; negative = front, as y points down
        if abs(area) < 1e-12 or (cull and area >= 0.0):
            continue
        left, right = max(0, math.ceil(min(x0, x1, x2) - 0.5)), min(w - 1, math.floor(max(x0, x1, x2) - 0.5))
        top, bottom = max(0, math.ceil(min(y0, y1, y2) - 0.5)), min(h - 1, math.floor(max(y0, y1, y2) - 0.5))
        # l1 = ((p - p0) x (p2 - p0)) / area and l2 = ((p1 - p0) x (p - p0)) / area are linear in p
        dx1, dy1 = (y2 - y0) / area, (x0 - x2) / area
        dx2, dy2 = (y0 - y1) / area, (x1 - x0) / area
        for y in range(top, bottom + 1):
            py = y + 0.5 - y0
            for x in range(left, right + 1):
                px = x + 0.5 - x0
                l1 = px * dx1 + py * dy1
                l2 = px * dx2 + py * dy2
                l0 = 1.0 - l1 - l2
                if l0 < -_EDGE or l1 < -_EDGE or l2 < -_EDGE:
                    continue
                near = l0 * w0 + l1 * w1 + l2 * w2
                if near <= nearness[y, x]:
                    continue
                a1, a2 = l1 * w1 / near, l2 * w2 / near
                if use_alpha:
                    a0 = 1.0 - a1 - a2
                    u = a0 * uv[f, 0, 0] + a1 * uv[f, 1, 0] + a2 * uv[f, 2, 0]
                    v = a0 * uv[f, 0, 1] + a1 * uv[f, 1, 1] + a2 * uv[f, 2, 1]
                    if _lookup(alpha, u, v) < 0.5:
                        continue
                nearness[y, x] = near
                number[y, x] = first + f
                b1[y, x] = a1
                b2[y, x] = a2


@numba.njit(cache=True, nogil=True, inline="always")
def _lookup(picture, u, v):
    """Bilinear value of a (rows, columns) picture at (u, v) in [0, 1]; the border texels go on outside."""
    rows, columns = picture.shape
    x = min(max(u * columns - 0.5, 0.0), columns - 1.0)
    y = min(max(v * rows - 0.5, 0.0), rows - 1.0)
    ix, iy = min(int(x), columns - 2), min(int(y), rows - 2)
    fx, fy = x - ix, y - iy
    above = picture[iy, ix] * (1 - fx) + picture[iy, ix + 1] * fx
    below = picture[iy + 1, ix] * (1 - fx) + picture[iy + 1, ix + 1] * fx
    return above * (1 - fy) + below * fy


def interpolate(buffers: Buffers, corners: np.ndarray, first: int = 0) -> np.ndarray:
    """Values at the seen points of one mesh: b0 c0 + b1 c1 + b2 c2.

    Args:
        buffers: filled by `rasterize`.
        corners: (f, 3, c) values at the corners of the mesh's triangles.
        first: number of the mesh's first triangle.

    Returns:
        (h, w, c) float32; 0 where the pixel sees another mesh or nothing.
    """
    inside = (buffers.triangle >= first) & (buffers.triangle < first + len(corners))
    values = np.zeros((*buffers.triangle.shape, corners.shape[-1]), np.float32)
    c = corners[buffers.triangle[inside] - first]
    b1, b2 = buffers.b1[inside, None], buffers.b2[inside, None]
    values[inside] = c[:, 0] * (1 - b1 - b2) + c[:, 1] * b1 + c[:, 2] * b2
    return values
