"""The curtain: long hair that falls around the head and lies on shoulders and back.

A mesh with texture coordinates of its own: u across the strands, v along them from root to tip.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from posekit.studio.base.layers import Layer, Texture
from posekit.studio.base.palette import to_linear
from posekit.studio.base.ramps import smoothstep, soft_mask
from posekit.studio.body.wearer import Wearer
from posekit.studio.clothes.drape import RadiusMap
from posekit.studio.hair.hairstyles import HairStyle
from posekit.studio.hair.hanging import GLOSS, HeadFrame, hanging_weights, lengthwise_strands

TOP = 9.97  # height where the curtain leaves the cap, dm on the mean body
COLUMNS, ROWS = 56, 26

# angle from straight ahead, in degrees, where the curtain's two front edges run, by height on the mean body
_HEIGHTS = [5, 6.6, 7.2, 7.9, 8.6, 9.0, 9.35, 9.72, 9.97]
_BEHIND = [120, 114, 94, 76, 68, 62, 48, 28, 20]
_IN_FRONT = [112, 106, 84, 64, 60, 57, 46, 28, 20]
# lowest point: from, to (heights on the mean body)
_ENDS = {"bob": (7.35, 7.95), "medium": (7.8, 8.2), "shoulder": (6.5, 7.1), "long": (4.6, 6.2), "half-up": (5.2, 6.6)}


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
        weights=hanging_weights(wearer, head, points.reshape(-1, 3)[:, 1]),
        alpha=alpha,
    )
    wearer.layers.append(layer)
    return layer


def _curtain_texture(rng, style, color) -> tuple[Texture, np.ndarray]:
    """Colour and cut-out of the curtain: ends thin out strand by strand, edges are ragged."""
    rows, columns = 256, 512
    shade = lengthwise_strands(rng, rows, columns)
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
        to_linear(full), np.full((rows, columns), 0.35, np.float32), (0.02 * shade).astype(np.float32), GLOSS, "hair"
    )
    return texture, alpha.astype(np.float32)
