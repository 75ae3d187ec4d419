"""Eyes and teeth: small meshes with textures of their own, without a place on the body's surface map."""

import numpy as np

from posekit.studio.base.layers import Layer, Texture
from posekit.studio.base.palette import to_linear
from posekit.studio.base.ramps import mix, smoothstep
from posekit.studio.body.wearer import Wearer

SIZE = 128
PUPIL, IRIS = 0.20, 0.46  # radii as shares of the eyeball's, seen from the front


def _eye_texture(rng: np.random.Generator, iris: np.ndarray) -> Texture:
    """White, iris with radial fibres and a dark rim, pupil; ``iris`` is its sRGB colour.  Seen from the front."""
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE * 2 - 1
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    white = to_linear((0.93, 0.91, 0.89)) * (1 - 0.25 * smoothstep(radius, 0.5, 1.0))[..., None]
    fibres = rng.random(60)
    fibre = 0.75 + 0.5 * np.interp(angle, np.linspace(-np.pi, np.pi, 61), np.r_[fibres, fibres[:1]])
    rim = 1.15 - 0.65 * smoothstep(radius, 0.30, IRIS)
    color = mix(white, to_linear(iris) * (fibre * rim)[..., None], smoothstep(IRIS - radius, -0.03, 0.03))
    color = mix(color, np.full(3, 0.005), smoothstep(PUPIL - radius, -0.03, 0.03))
    lid_shadow = smoothstep(-0.1 - y * 0.5 - 0.05, 0.0, 0.35)  # the upper lid shades the eyeball
    color = color * (1 - 0.45 * lid_shadow)[..., None]
    flat = np.zeros((SIZE, SIZE), np.float32)
    return Texture(color.astype(np.float32), flat + np.float32(1.2), flat, gloss=90.0, kind="eye")


def add_eyes(wearer: Wearer, rng: np.random.Generator, iris: np.ndarray) -> None:
    """Append the layer of both eyeballs; u, v of a corner is its direction from the eye's centre, seen from ahead."""
    body = wearer.body
    triangles = body.triangles["eye"]
    corners = wearer.vertices[triangles]
    uv = np.zeros((*triangles.shape, 2), np.float32)
    left = corners[:, 0, 0] > 0
    for side in (left, ~left):
        points = corners[side].reshape(-1, 3)
        low, high = points.min(0), points.max(0)
        direction = (corners[side] - (low + high) / 2) / ((high - low).max() / 2)
        uv[side] = 0.5 + 0.5 * direction[..., :2] * np.array([1, -1], np.float32)
    wearer.layers.append(
        Layer("eye", wearer.vertices, triangles, uv, _eye_texture(rng, iris), body.weights, alpha=None, cull=True)
    )


def add_teeth(wearer: Wearer) -> None:
    """Append the layer of the teeth, all of one ivory colour."""
    triangles = wearer.body.triangles["teeth"]
    flat = np.zeros((8, 8), np.float32)
    color = np.broadcast_to(to_linear((0.93, 0.91, 0.86)), (8, 8, 3)).copy()
    texture = Texture(color, flat + np.float32(0.5), flat, gloss=40.0, kind="teeth")
    uv = np.broadcast_to(np.array([[0.5, 0.5], [0.51, 0.5], [0.5, 0.51]], np.float32), (len(triangles), 3, 2)).copy()
    wearer.layers.append(Layer("teeth", wearer.vertices, triangles, uv, texture, wearer.body.weights))
