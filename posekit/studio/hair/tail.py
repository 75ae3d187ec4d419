"""Tied hair: pony tails, pigtails, buns and braids, as tubes around a curve.

Their texture coordinates are their own: u around the tube, v along it from the tie to the tip.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from posekit.studio.base.layers import Layer, Texture
from posekit.studio.base.palette import to_linear
from posekit.studio.body.wearer import Wearer
from posekit.studio.clothes.skirt import closed_grid_triangles
from posekit.studio.hair.hairstyles import HairStyle
from posekit.studio.hair.hanging import GLOSS, HeadFrame, hanging_weights, lengthwise_strands


def _tube(path: np.ndarray, radius: np.ndarray, sides: int, ripple) -> tuple[np.ndarray, np.ndarray]:
    """A tube around a path: points (n, sides, 3) and the angles (sides,) of its columns."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    first = np.array([1.0, 0, 0]) - along * along[:, :1]
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    ring = np.cos(angle)[None, :, None] * first[:, None] + 0.85 * np.sin(angle)[None, :, None] * second[:, None]
    return path[:, None] + (radius[:, None] * ripple(np.arange(len(path))[:, None], angle))[..., None] * ring, angle


def _plaited(ring: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Relative radius of a braid: bulges that alternate between its two sides."""
    return 1 + 0.18 * np.abs(np.sin(0.55 * ring + np.sign(np.sin(angle))))


def _bundled(ring: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Relative radius of loose strands: shallow grooves that wind a little."""
    return 1 + 0.05 * np.sin(5 * angle + 0.3 * ring)


def _tail_paths(rng, style, head, wearer) -> list[tuple[np.ndarray, np.ndarray]]:
    """Centre lines (n, 3) and radii (n,) of what is tied together, in the person's own space."""
    back = wearer.skin[wearer.atlas.vertices.head][:, 2].min()
    name, s = style.name, style.length
    if name in ("bun", "top-knot"):
        out = np.array([0.10, 0.62, 0.0]) if name == "top-knot" else np.array([0.0, 0.18, -0.5])
        start = {
            "bun": np.array([0.0, head.height(8.95 + 0.5 * s), back + 0.26]),
            "top-knot": np.array([0.0, head.height(10.0), head.depth - 0.35]),
        }[name]
        t = np.linspace(0, 1, 9)
        size = 0.36 + 0.12 * style.volume
        return [(start + t[:, None] * out, size * np.sqrt(np.maximum(1 - (2 * t - 1) ** 2, 0.004)))]
    t = np.linspace(0, 1, 14)
    if name == "pigtails":
        paths = []
        for side in (-1.0, 1.0):
            drop = (1.2 + 1.2 * s) * np.maximum(0, t - 0.1) ** 1.15
            x = side * (0.78 + 0.30 * np.sin(np.minimum(t * 4, np.pi / 2)) - 0.1 * t)
            path = np.stack([x, head.height(9.0) + 0.08 * np.sin(np.minimum(5 * t, np.pi)) - drop, 0 * t], axis=1)
            path[:, 2] = head.depth - 0.25 - 0.1 * t
            paths.append((path, np.interp(t, [0, 0.1, 0.35, 0.8, 1], [0.06, 0.15, 0.20, 0.14, 0.02])))
        return paths
    tie = {"pony": 9.0 + 0.5 * s, "braid": 8.45, "half-up": 9.25}[name]
    length = {"pony": 1.6 + 1.6 * s, "braid": 2.2 + 1.2 * s, "half-up": 1.3 + 0.6 * s}[name]
    start = np.array([0.0, head.height(tie), back + 0.17])
    sway = 0.1 * np.sin(3 * t) * rng.normal()
    drop = 0.12 * np.sin(np.minimum(5 * t, np.pi)) - length * np.maximum(0, t - 0.08) ** 1.15
    away = -0.42 * np.minimum(1, 3.5 * t) ** 0.7 - 0.05 * t
    path = start + np.stack([sway, drop, away + 0.1], axis=1)
    widths = {"pony": [0.10, 0.20, 0.30, 0.22, 0.03], "braid": [0.12, 0.17, 0.17, 0.13, 0.03]}
    radius = np.interp(t, [0, 0.12, 0.35, 0.8, 1], widths.get(name, [0.08, 0.14, 0.18, 0.14, 0.02]))
    return [(path, radius)]


def add_tails(wearer: Wearer, rng: np.random.Generator, style: HairStyle, color: np.ndarray) -> None:
    """Append one layer "tail" per pony tail, pigtail, bun or braid."""
    head = HeadFrame(wearer)
    braided = style.name == "braid" or (style.name == "pigtails" and style.wave > 0.5)
    texture = _tail_texture(rng, style, color, braided)
    for path, radius in _tail_paths(rng, style, head, wearer):
        steps = 4 if braided else 2  # refine, so that the plaits have room
        fine = np.linspace(0, len(path) - 1, steps * len(path))
        path = np.stack([np.interp(fine, np.arange(len(path)), path[:, k]) for k in range(3)], axis=1)
        radius = np.interp(fine, np.arange(len(radius)), radius)
        if braided:
            points, angle = _tube(path, radius, 18, _plaited)
        else:
            points, angle = _tube(path, radius, 18, _bundled)
        triangles = closed_grid_triangles(len(path), len(angle))
        u = np.broadcast_to(angle / (2 * np.pi), points.shape[:2]).ravel()
        v = np.broadcast_to(np.linspace(0, 1, len(path))[:, None], points.shape[:2]).ravel()
        uv = np.stack([u[triangles], v[triangles]], axis=-1)
        uv[..., 0] -= np.round(uv[..., 0] - uv[:, :1, 0])
        wearer.layers.append(
            Layer(
                name="tail",
                vertices=points.reshape(-1, 3).astype(np.float32),
                triangles=triangles,
                uv=uv.astype(np.float32),
                texture=texture,
                weights=hanging_weights(wearer, head, points.reshape(-1, 3)[:, 1] + 0.8),
            )
        )


def _tail_texture(rng, style, color, braided: bool) -> Texture:
    """Strands along the tail, the shade between the plaits of a braid, and the elastic band at the tie."""
    rows, columns = 128, 256
    shade = lengthwise_strands(rng, rows, columns)
    wound = style.name in ("bun", "top-knot")
    if wound:  # strands run around the bun, so the locks vary from row to row
        locks = gaussian_filter(rng.random((rows, 1)), (1.5, 0), mode="nearest")
        shade = 0.2 * shade + 1.2 * locks - 0.1
    if braided:
        u, v = (np.arange(columns) + 0.5) / columns, ((np.arange(rows) + 0.5) / rows)[:, None]
        plait = np.abs(np.sin(0.55 * 14 * 4 * v + np.sign(np.sin(2 * np.pi * u))[None]))
        shade = 0.35 * shade + 0.65 * plait**0.5
    full = color * (0.62 + 0.66 * np.clip(shade, -0.2, 1.2))[..., None]
    band = ((np.arange(rows) + 0.5) / rows < 0.05)[:, None, None]  # the elastic band
    if not wound:
        full = np.where(band, np.array([0.12, 0.10, 0.12]), full)
    return Texture(
        to_linear(full),
        np.full((rows, columns), 0.35, np.float32),
        (0.02 * shade).astype(np.float32),
        GLOSS,
        "hair",
        wrap=True,
    )
