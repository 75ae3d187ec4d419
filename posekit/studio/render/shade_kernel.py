"""The inner loop of `posekit.studio.render.shade`, compiled: one pixel after the other, plain scalars.

The equations are in the docstring of `posekit.studio.render.shade`; the slow twin is in
``tests/studio/render/test_render.py``.
"""

import math

import numba
import numpy as np

SKIN, HAIR = 1, 2  # kinds of surface that are lit differently; all others are alike


@numba.njit(inline="always")
def _cross(ax, ay, az, bx, by, bz):
    return ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx


@numba.njit(inline="always")
def _unit(x, y, z):
    s = 1 / (math.sqrt(x * x + y * y + z * z) + 1e-9)
    return x * s, y * s, z * s


@numba.njit(inline="always")
def _edge(points, i, j):
    return points[j, 0] - points[i, 0], points[j, 1] - points[i, 1], points[j, 2] - points[i, 2]


@numba.njit(inline="always")
def _mix(points, i, j, k, w0, w1, w2):
    return (
        points[i, 0] * w0 + points[j, 0] * w1 + points[k, 0] * w2,
        points[i, 1] * w0 + points[j, 1] * w1 + points[k, 1] * w2,
        points[i, 2] * w0 + points[j, 2] * w1 + points[k, 2] * w2,
    )


@numba.njit(inline="always")
def _clip01(x):
    return min(max(x, 0.0), 1.0)


@numba.njit(inline="always")
def _lookup(texture, u, v, wrap, out):
    """Bilinear texel into ``out``; u is periodic with ``wrap``, otherwise the border texels go on outside."""
    h, w = texture.shape[0], texture.shape[1]
    x, y = u * w - 0.5, min(max(v * h - 0.5, 0.0), h - 1.0)
    if not wrap:
        x = min(max(x, 0.0), w - 1.0)
    ix, iy = int(math.floor(x)), int(y)
    fx, fy = x - ix, y - iy
    ix, jx = ix % w, (ix + 1) % w  # without wrap, column w has weight 0
    jy = min(iy + 1, h - 1)
    for c in range(6):
        above = texture[iy, ix, c] * (1 - fx) + texture[iy, jx, c] * fx
        below = texture[jy, ix, c] * (1 - fx) + texture[jy, jx, c] * fx
        out[c] = above * (1 - fy) + below * fy


@numba.njit(inline="always")
def _bump(nx, ny, nz, e1, e2, a1, c1, a2, c2, slope_u, slope_v, sign):
    """Blinn's tilted normal.  e1, e2: edges of the triangle; (a1, c1), (a2, c2): the same edges in (u, v)."""
    det = a1 * c2 - c1 * a2
    if abs(det) < 1e-12:
        return nx, ny, nz
    ux, uy, uz = (e1[0] * c2 - e2[0] * c1) / det, (e1[1] * c2 - e2[1] * c1) / det, (e1[2] * c2 - e2[2] * c1) / det
    vx, vy, vz = (e2[0] * a1 - e1[0] * a2) / det, (e2[1] * a1 - e1[1] * a2) / det, (e2[2] * a1 - e1[2] * a2) / det
    rx, ry, rz = _cross(ux, uy, uz, vx, vy, vz)
    volume = sign * (nx * rx + ny * ry + nz * rz)
    if abs(volume) < 1e-6:
        return nx, ny, nz
    px, py, pz = _cross(nx, ny, nz, vx, vy, vz)
    qx, qy, qz = _cross(nx, ny, nz, ux, uy, uz)
    tx = (slope_u * px - slope_v * qx) / volume
    ty = (slope_u * py - slope_v * qy) / volume
    tz = (slope_u * pz - slope_v * qz) / volume
    s = min(1.0, 0.9 / (math.sqrt(tx * tx + ty * ty + tz * tz) + 1e-6))  # never beyond 42 degrees
    return _unit(nx + s * tx, ny + s * ty, nz + s * tz)


@numba.njit(inline="always")
def _lit(px, py, pz, shadow, frame, taps):
    """Share of the key lamp that reaches p: eight comparisons around its place in the shadow map."""
    s = shadow.shape[0]
    qx = frame[0, 0] * px + frame[0, 1] * py + frame[0, 2] * pz + frame[0, 3]
    qy = frame[1, 0] * px + frame[1, 1] * py + frame[1, 2] * pz + frame[1, 3]
    qz = frame[2, 0] * px + frame[2, 1] * py + frame[2, 2] * pz + frame[2, 3]
    count = 0
    for t in range(taps.shape[0]):
        column = min(max(int(qx + taps[t, 0]), 0), s - 1)
        row = min(max(int(qy + taps[t, 1]), 0), s - 1)
        if shadow[row, column] - qz < 0.22:  # 2 cm nearer to the lamp is the surface itself
            count += 1
    return count / taps.shape[0]


@numba.njit(cache=True, nogil=True, fastmath=True)
def shade_pixels(
    image, rows, columns, number, b1, b2, vertices, normals, triangles, uv, texture, wrap, two_sided, kind, gloss,
    camera, occlusion, shadow, frame, taps, directions, colors, ambient, exposure,
):  # fmt: skip
    """Colour the pixels (rows, columns) of ``image`` in place; the arguments are those of `shade.shade`, taken apart.

    number: (h, w) row of ``triangles`` that each pixel sees.  texture: (h, w, 6), see `shade.Material`.
    taps: (k, 2) offsets of the soft shadow's samples, in texels of ``shadow``; ``frame``: see `ShadowMap`.
    """
    texel = np.empty(6, np.float32)
    skin, hair = kind == SKIN, kind == HAIR
    wrapped = 0.30 if skin else 0.12
    for index in range(len(rows)):
        y, x = rows[index], columns[index]
        f = number[y, x]
        i, j, k = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        w1, w2 = b1[y, x], b2[y, x]
        w0 = 1 - w1 - w2
        u = uv[f, 0, 0] * w0 + uv[f, 1, 0] * w1 + uv[f, 2, 0] * w2
        v = uv[f, 0, 1] * w0 + uv[f, 1, 1] * w1 + uv[f, 2, 1] * w2
        _lookup(texture, u, v, wrap, texel)
        px, py, pz = _mix(vertices, i, j, k, w0, w1, w2)
        nx, ny, nz = _mix(normals, i, j, k, w0, w1, w2)
        nx, ny, nz = _unit(nx, ny, nz)
        vx, vy, vz = _unit(camera[0] - px, camera[1] - py, camera[2] - pz)
        sign = 1.0
        if two_sided and nx * vx + ny * vy + nz * vz < 0:
            nx, ny, nz, sign = -nx, -ny, -nz, -1.0
        nx, ny, nz = _bump(
            nx, ny, nz, _edge(vertices, i, j), _edge(vertices, i, k),
            uv[f, 1, 0] - uv[f, 0, 0], uv[f, 1, 1] - uv[f, 0, 1], uv[f, 2, 0] - uv[f, 0, 0], uv[f, 2, 1] - uv[f, 0, 1],
            texel[4], texel[5], sign,
        )  # fmt: skip
        visible = _lit(px, py, pz, shadow, frame, taps)
        open_sky = occlusion[y, x]

        lx, ly, lz = directions[0, 0], directions[0, 1], directions[0, 2]
        facing = nx * lx + ny * ly + nz * lz
        key = _clip01((facing + wrapped) / (1 + wrapped)) * visible
        fill = _clip01(
            (nx * directions[1, 0] + ny * directions[1, 1] + nz * directions[1, 2] + wrapped) / (1 + wrapped)
        )
        rim = _clip01((nx * directions[2, 0] + ny * directions[2, 1] + nz * directions[2, 2] + wrapped) / (1 + wrapped))

        hx, hy, hz = _unit(lx + vx, ly + vy, lz + vz)
        if hair:  # strands hang down: t is "down" along the surface, the highlight a ring where h is across t
            tx, ty, tz = _unit(nx * ny, ny * ny - 1, nz * ny)
            along = tx * hx + ty * hy + tz * hz
            shine = 0.35 * math.sqrt(max(0.0, 1 - along * along)) ** 60
        else:
            shine = max(1e-4, nx * hx + ny * hy + nz * hz) ** gloss
        shine *= 0.35 * texel[3] * visible * _clip01(3 * facing)

        away = 1 - _clip01(nx * vx + ny * vy + nz * vz)
        edge = 0.05 * away * away * away * away * open_sky  # Fresnel: grazing surfaces mirror the room
        sky = (0.72 + 0.28 * ny) * open_sky
        warm = math.exp(-(((facing - 0.05) / 0.25) ** 2)) if skin else 0.0  # light that leaks through skin is red
        for c in range(3):
            tint = 1 + warm * (0.16 if c == 0 else (-0.02 if c == 1 else -0.05))
            lamps = key * tint * colors[0, c] + fill * colors[1, c] + rim * colors[2, c]
            light = lamps * (0.45 + 0.55 * open_sky) + ambient[c] * sky
            value = (texel[c] * light + shine * colors[0, c] + edge * ambient[c]) * exposure
            value = max(value, 0.0)
            image[y, x, c] = min(value / (1 + 0.12 * value), 1.0)
