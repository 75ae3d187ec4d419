"""Hair that hangs: a curtain around the head and shoulders, and tails, buns and braids.

Both are meshes with texture coordinates of their own: u across the strands, v along them from root to tip.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from posekit.studio.drape import RadiusMap
from posekit.studio.hairstyles import HairStyle
from posekit.studio.model import Layer, Texture
from posekit.studio.palette import to_linear
from posekit.studio.ramps import smoothstep, soft_mask
from posekit.studio.skirt import closed_grid_triangles
from posekit.studio.wearer import Wearer

EYE_HEIGHT = 8.914  # of the mean body, dm
TOP = 9.97  # height where the curtain leaves the cap
COLUMNS, ROWS = 56, 26
GLOSS = 24.0

# angle from straight ahead, in degrees, where the curtain's two front edges run, by height on the mean body
_HEIGHTS = [5, 6.6, 7.2, 7.9, 8.6, 9.0, 9.35, 9.72, 9.97]
_BEHIND = [120, 114, 94, 76, 68, 62, 48, 28, 20]
_IN_FRONT = [112, 106, 84, 64, 60, 57, 46, 28, 20]
# lowest point: from, to (heights on the mean body)
_ENDS = {"bob": (7.35, 7.95), "medium": (7.8, 8.2), "shoulder": (6.5, 7.1), "long": (4.6, 6.2), "half-up": (5.2, 6.6)}


class HeadFrame:
    """Where the mean head's heights lie on this person's head.  depth: z of the vertical axis through the skull."""

    def __init__(self, wearer: Wearer) -> None:
        eyes = wearer.eyes
        mean_top = wearer.atlas.vertices.y.max()
        tail = wearer.tails[wearer.body.bone_index["head"]][1]
        self.scale = float(tail - wearer.joint("neck_01")[1]) / float(mean_top - 7.43)
        self.eye, self.depth = float(eyes[:, 1].mean()), float(eyes[:, 2].mean()) - 0.88

    def height(self, mean_height):
        """Height on this person, dm."""
        return self.eye + (mean_height - EYE_HEIGHT) * self.scale

    def mean_height(self, height):
        """Inverse of `height`."""
        return EYE_HEIGHT + (height - self.eye) / self.scale


def _outline(wearer: Wearer, head: HeadFrame, low: float, high: float) -> RadiusMap:
    """How far head, shoulders and clothes reach from the vertical axis through the skull."""
    at = wearer.atlas.vertices
    surface = wearer.skin.copy()
    for layer in wearer.layers[1:]:
        if layer.on_surface and layer.edge is not None and layer.name != "hair":
            surface[layer.edge > 0] = layer.vertices[layer.edge > 0]
    points = surface[(np.abs(wearer.skin[:, 0]) < 1.92) & ~at.arm & ~at.leg]
    angle = np.arctan2(points[:, 0], points[:, 2] - head.depth)
    radius = np.hypot(points[:, 0], points[:, 2] - head.depth)
    outline = RadiusMap.of_points(angle, points[:, 1], radius, 48, 70, low, high)
    outline.blur(1.2, 1.2)
    return outline


def _fall(outline: RadiusMap, head: HeadFrame) -> None:
    """Hair falls from the widest ring of the head, closes in below the chin, and rests on the shoulders."""
    body = outline.radius
    fallen = np.zeros_like(body)
    reach = np.zeros(len(body))
    for row in range(body.shape[1] - 1, -1, -1):
        reach = np.maximum(body[:, row], reach - 0.05 * outline.step)
        fallen[:, row] = reach
    height = outline.low + (np.arange(body.shape[1]) + 0.5) * outline.step
    below = smoothstep(head.height(7.9) - height, 0, 0.8)[None]
    outline.radius = fallen * (1 - below) + np.maximum(body, 0.88 * fallen) * below
    outline.blur(1.0, 1.5)


def add_curtain(wearer: Wearer, rng: np.random.Generator, style: HairStyle, color: np.ndarray) -> Layer:
    """Append a curtain of hair from the crown down to the style's length, open in front of the face."""
    head = HeadFrame(wearer)
    low, high = _ENDS[style.name]
    top, end = head.height(TOP), head.height(low + style.length * (high - low))
    if style.name == "half-up":
        top = head.height(9.5)
    across = np.linspace(-1, 1, COLUMNS)
    heights = top + (end - top) * np.linspace(0, 1, ROWS) ** 1.25
    mean_heights = head.mean_height(heights)
    in_front = style.name in ("long", "shoulder") and rng.random() < 0.5
    edge = np.interp(mean_heights, _HEIGHTS, _IN_FRONT if in_front else _BEHIND)
    if style.name == "medium":
        edge = np.maximum(edge, np.interp(mean_heights, [7, 8.6, 9.0, 9.4], [112, 100, 74, 48]))
    if style.name == "half-up":
        edge = np.maximum(edge, np.interp(mean_heights, [7.2, 8.6, 9.1, 9.5], [100, 92, 104, 150]))
    angle = np.deg2rad(edge[:, None] + (180 - edge[:, None]) * (1 - np.abs(across))) * np.sign(across)

    outline = _outline(wearer, head, end - 0.3, wearer.skin[:, 1].max())
    _fall(outline, head)
    rows = np.broadcast_to(heights[:, None], angle.shape)
    t = ((heights - top) / (end - top))[:, None]
    wave = (0.005 + 0.075 * max(style.wave - 0.4, 0)) * np.sin(t * (2 + 3 * style.wave) * 6.3 + 5 * across)
    locks = 0.025 * np.sin(31 * across + 3 * t) + 0.02 * np.sin(57 * across + 5 * t)
    out = style.thickness * np.interp(t, [0, 0.06, 0.25, 1], [0.2, 1.25, 1.3, 1.1])
    out = out + 0.10 * style.volume * np.sin(np.pi * t) + (wave + locks) * smoothstep(t, 0.1, 0.5)
    out = out - (0.12 * smoothstep(t, 0.75, 1.0) if style.name == "bob" else 0)  # a bob curves in at the chin
    clothed = smoothstep(head.height(7.6) - rows, 0, 0.5)
    radius = outline(angle, rows) + np.maximum(out, 0.16 * clothed)  # clear of collars
    sway = 0.06 * np.sin(17 * across) * t
    points = np.stack([radius * np.sin(angle), rows + sway, head.depth + radius * np.cos(angle)], axis=-1)

    ids = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    a, b, c, d = ids[:-1, :-1].ravel(), ids[:-1, 1:].ravel(), ids[1:, 1:].ravel(), ids[1:, :-1].ravel()
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int32)
    u = np.broadcast_to(across / 2 + 0.5, angle.shape).ravel()
    v = np.broadcast_to(t, angle.shape).ravel()
    texture, alpha = _curtain_texture(rng, style, color)
    layer = Layer(
        name="curtain",
        vertices=points.reshape(-1, 3).astype(np.float32),
        triangles=triangles,
        uv=np.stack([u[triangles], v[triangles]], axis=-1).astype(np.float32),
        texture=texture,
        weights=_hanging_weights(wearer, head, points.reshape(-1, 3)[:, 1]),
        alpha=alpha,
    )
    wearer.layers.append(layer)
    return layer


def _hanging_weights(wearer: Wearer, head: HeadFrame, height: np.ndarray) -> np.ndarray:
    """Hair follows the head, further down the neck, and on the back the upper spine; (n, bones) float32."""
    weights = np.zeros((len(height), len(wearer.body.bones)), np.float32)
    bone = wearer.body.bone_index
    on_head = smoothstep(height, head.height(6.6), head.height(8.2))
    on_neck = (1 - on_head) * smoothstep(height, head.height(5.8), head.height(7.4))
    weights[:, bone["head"]], weights[:, bone["neck_01"]] = on_head, on_neck
    weights[:, bone["spine_03"]] = 1 - on_head - on_neck
    return weights


def _lengthwise_strands(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Brightness of strands running down a texture, about 0.5 in the mean, locks and single hairs together."""
    hairs = gaussian_filter(rng.random((8, columns)), (0, 0.7), mode="wrap") - 0.5
    locks = gaussian_filter(rng.random((8, columns)), (0, 4), mode="wrap") - 0.5
    return zoom(0.5 + 1.6 * hairs + 4 * locks, (rows / 8, 1), order=1).astype(np.float32)


def _curtain_texture(rng, style, color) -> tuple[Texture, np.ndarray]:
    """Colour and cut-out of the curtain: ends thin out strand by strand, edges are ragged."""
    rows, columns = 256, 512
    shade = _lengthwise_strands(rng, rows, columns)
    t = ((np.arange(rows) + 0.5) / rows)[:, None]
    full = color * (0.66 + 0.62 * np.clip(shade, -0.2, 1.2))[..., None] * (1.0 - 0.06 * t + 0.10 * t**3)[..., None]
    hairs = gaussian_filter(rng.random(columns), 1.0, mode="wrap")
    locks = gaussian_filter(rng.random(columns), 7, mode="wrap") - 0.5
    hairs = (hairs - 0.5) / 0.18  # about -1 .. 1
    layered = 0.25 if style.name in ("bob", "half-up") else 1.0
    length = 0.955 + 0.028 * hairs + layered * 0.5 * locks
    gap = 0.55 - smoothstep(t, 0.80, 1.0) * 0.5 - (0.5 - np.clip(shade, 0, 1)) * smoothstep(t, 0.72, 0.98)
    alpha = np.minimum(soft_mask(length[None] - t, 0.05), soft_mask(gap, 0.3) if layered == 1 else 1.0)
    side = np.minimum(np.arange(columns), columns - 1 - np.arange(columns)) / columns
    ragged = gaussian_filter(rng.random((16, columns)), (0.7, 0.8), mode="wrap")
    ragged = zoom(ragged, (rows / 16, 1), order=1) - 0.5
    alpha = np.minimum(alpha, soft_mask(side[None] - 0.014 - 0.03 * ragged, 0.02))
    texture = Texture(
        to_linear(full),
        np.full((rows, columns), 0.35, np.float32),
        (0.02 * shade).astype(np.float32),
        GLOSS,
        "hair",
    )
    return texture, alpha.astype(np.float32)


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
                weights=_hanging_weights(wearer, head, points.reshape(-1, 3)[:, 1] + 0.8),
            )
        )


def _tail_texture(rng, style, color, braided: bool) -> Texture:
    rows, columns = 128, 256
    shade = _lengthwise_strands(rng, rows, columns)
    if style.name in ("bun", "top-knot"):  # wound around: strands run across
        shade = np.ascontiguousarray(np.resize(shade.T[:rows], (rows, columns)))
        shade = gaussian_filter(rng.random((rows, 1)), (1.5, 0)) * np.ones((1, columns)) * 1.2 - 0.1 + 0.2 * shade
    if braided:
        u, v = (np.arange(columns) + 0.5) / columns, ((np.arange(rows) + 0.5) / rows)[:, None]
        plait = np.abs(np.sin(0.55 * 14 * 4 * v + np.sign(np.sin(2 * np.pi * u))[None]))
        shade = 0.35 * shade + 0.65 * plait**0.5
    full = color * (0.62 + 0.66 * np.clip(shade, -0.2, 1.2))[..., None]
    band = ((np.arange(rows) + 0.5) / rows < 0.05)[:, None, None]  # the elastic band
    if style.name not in ("bun", "top-knot"):
        full = np.where(band, np.array([0.12, 0.10, 0.12]), full)
    return Texture(
        to_linear(full),
        np.full((rows, columns), 0.35, np.float32),
        (0.02 * shade).astype(np.float32),
        GLOSS,
        "hair",
        wrap=True,
    )
