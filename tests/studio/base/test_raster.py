"""The z-buffer beside a slow twin that asks every pixel about every triangle."""

import numpy as np
import pytest

from posekit.studio.base.raster import Buffers, interpolate, rasterize


def naive(screen, triangles, h, w, uv=None, alpha=None, cull=False):
    """For each pixel: nearest triangle whose three edge functions agree, with its surface barycentrics."""
    near, number = np.zeros((h, w)), np.full((h, w), -1)
    bary = np.zeros((h, w, 3))
    ys, xs = np.mgrid[0:h, 0:w] + 0.5
    for f, corners in enumerate(screen[triangles].astype(np.float64)):
        (x0, y0, w0), (x1, y1, w1), (x2, y2, w2) = corners
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area == 0 or (cull and area > 0):
            continue
        l0 = ((x1 - xs) * (y2 - ys) - (x2 - xs) * (y1 - ys)) / area
        l1 = ((x2 - xs) * (y0 - ys) - (x0 - xs) * (y2 - ys)) / area
        l2 = ((x0 - xs) * (y1 - ys) - (x1 - xs) * (y0 - ys)) / area
        inside = (l0 >= 0) & (l1 >= 0) & (l2 >= 0)
        n = l0 * w0 + l1 * w1 + l2 * w2
        with np.errstate(divide="ignore", invalid="ignore"):
            b = np.stack([l0 * w0, l1 * w1, l2 * w2], -1) / n[..., None]
        for y, x in np.argwhere(inside & (n > near)):
            if alpha is not None:
                u, v = b[y, x] @ uv[f]
                rows, columns = alpha.shape
                total = 0.0
                for r in range(rows):  # a bilinear lookup is a sum of tent functions around the texel centres
                    for c in range(columns):
                        total += (
                            alpha[r, c]
                            * max(0.0, 1 - abs(np.clip(u * columns - 0.5, 0, columns - 1) - c))
                            * max(0.0, 1 - abs(np.clip(v * rows - 0.5, 0, rows - 1) - r))
                        )
                if total < 0.5:
                    continue
            near[y, x], number[y, x], bary[y, x] = n[y, x], f, b[y, x]
    return near, number, bary


def soup(rng, faces, h, w):
    """Random triangles, some partly outside the picture, of different depths."""
    screen = np.concatenate([rng.uniform(-5, [w + 5, h + 5], (3 * faces, 2)), rng.uniform(0.1, 1, (3 * faces, 1))], 1)
    return screen.astype(np.float32), rng.permutation(3 * faces).reshape(faces, 3).astype(np.int32)


@pytest.mark.parametrize("cull", [False, True])
@pytest.mark.parametrize("size", [(17, 23), (1, 1), (30, 8)])
def test_equals_the_naive_twin(size, cull):
    rng = np.random.default_rng(3)
    screen, triangles = soup(rng, 14, *size)
    buffers = Buffers.empty(*size)
    rasterize(screen, triangles, buffers, cull=cull, first=100)
    near, number, bary = naive(screen, triangles, *size, cull=cull)
    assert (buffers.triangle == np.where(number >= 0, number + 100, -1)).all()
    np.testing.assert_allclose(buffers.nearness, near, rtol=1e-5)
    seen = number >= 0
    assert seen.any()
    np.testing.assert_allclose(buffers.b1[seen], bary[seen, 1], atol=1e-5)
    np.testing.assert_allclose(buffers.b2[seen], bary[seen, 2], atol=1e-5)


def test_alpha_holes_equal_the_naive_twin():
    rng = np.random.default_rng(5)
    h, w = 20, 24
    screen, triangles = soup(rng, 8, h, w)
    uv = rng.uniform(-0.1, 1.1, (8, 3, 2)).astype(np.float32)
    alpha = rng.uniform(0, 1, (5, 7)).astype(np.float32)
    buffers = Buffers.empty(h, w)
    rasterize(screen, triangles, buffers, uv, alpha)
    _, number, _ = naive(screen, triangles, h, w, uv, alpha)
    _, without, _ = naive(screen, triangles, h, w)
    assert (buffers.triangle == number).mean() > 0.995  # a lookup of exactly 0.5 may round either way
    assert (number != without).any()


def test_several_meshes_are_one_scene_in_any_split():
    rng = np.random.default_rng(7)
    screen, triangles = soup(rng, 12, 32, 32)
    whole, parts = Buffers.empty(32, 32), Buffers.empty(32, 32)
    rasterize(screen, triangles, whole)
    rasterize(screen, triangles[:5], parts)
    rasterize(screen, triangles[5:], parts, first=5)
    assert (whole.triangle == parts.triangle).all()
    assert (whole.b1 == parts.b1).all()


def test_neighbours_leave_no_crack_and_cover_each_centre():
    """A fan of thin triangles over a square whose edges run through pixel centres."""
    h = w = 21
    angle = np.linspace(0, 2 * np.pi, 41)[:-1]
    rim = np.stack([10.5 + 40 * np.cos(angle), 10.5 + 40 * np.sin(angle), np.ones(40)], 1)
    screen = np.concatenate([[[10.5, 10.5, 1.0]], rim])
    triangles = np.array([[0, 1 + i, 1 + (i + 1) % 40] for i in range(40)])
    buffers = Buffers.empty(h, w)
    rasterize(screen, triangles, buffers)
    assert (buffers.triangle >= 0).all()


def test_interpolation_is_perspective_correct():
    """The 3-D point found through the barycentrics projects back onto the pixel's centre."""
    rng = np.random.default_rng(11)
    h, w, focal = 40, 40, 50.0
    points = np.concatenate([rng.uniform(-1, 1, (30, 2)), rng.uniform(2, 6, (30, 1))], 1)
    screen = np.stack([focal * points[:, 0] / points[:, 2] + 20, focal * points[:, 1] / points[:, 2] + 20], 1)
    screen = np.concatenate([screen, 1 / points[:, 2:]], 1)
    triangles = np.arange(30).reshape(10, 3)
    buffers = Buffers.empty(h, w)
    rasterize(screen, triangles, buffers)
    seen = buffers.triangle >= 0
    found = interpolate(buffers, points[triangles])[seen]
    centre = np.argwhere(seen)[:, ::-1] + 0.5
    np.testing.assert_allclose(focal * found[:, :2] / found[:, 2:] + 20, centre, atol=2e-4)
    np.testing.assert_allclose(1 / found[:, 2], buffers.nearness[seen], rtol=1e-5)


def test_interpolate_leaves_other_meshes_at_zero():
    screen = np.array([[0, 0, 1], [8, 0, 1], [0, 8, 1], [8, 8, 2], [8, 4, 2], [4, 8, 2]], np.float32)
    buffers = Buffers.empty(8, 8)
    rasterize(screen, np.array([[0, 1, 2]]), buffers)
    rasterize(screen, np.array([[3, 4, 5]]), buffers, first=1)
    values = interpolate(buffers, np.full((1, 3, 1), 2.0), first=1)[..., 0]
    assert (values[buffers.triangle == 1] == 2).all()
    assert (values[buffers.triangle == 1]).size > 0
    assert (values[buffers.triangle != 1] == 0).all()


def test_alpha_without_uv_is_refused():
    with pytest.raises(ValueError, match="pass uv"):
        rasterize(np.zeros((3, 3)), np.array([[0, 1, 2]]), Buffers.empty(2, 2), alpha=np.ones((2, 2)))
