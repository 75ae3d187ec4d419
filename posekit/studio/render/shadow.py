"""Shadow map: the scene as the key lamp sees it.

A parallel lamp sees the scene without perspective: an affine map q = A [p, 1] turns a point p into the map's
(column, row) and its nearness to the lamp.  A point is in the shadow when the map holds something nearer
to the lamp than the point.
"""

from dataclasses import dataclass

import numpy as np

from posekit.studio.base.raster import Buffers, rasterize


@dataclass(frozen=True)
class ShadowMap:
    """nearness: (s, s) float32, largest nearness to the lamp, 0 where there is nothing.
    frame: (3, 4) float32, world point -> (column, row, nearness)."""

    nearness: np.ndarray
    frame: np.ndarray


def shadow_map(layers, vertices: list[np.ndarray], direction: np.ndarray, size: int = 256) -> ShadowMap:
    """The scene seen from the lamp.

    Args:
        layers: the figure's layers.
        vertices: their posed vertices, one (n, 3) array per layer.
        direction: (3,) unit vector towards the lamp, not vertical.
        size: rows and columns of the map.
    """
    right = np.cross([0.0, 1.0, 0.0], direction)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, -np.cross(direction, right), direction])
    lamp = [v @ rotation.T.astype(np.float32) for v in vertices]
    low = np.min([p.min(0) for p in lamp], 0)
    high = np.max([p.max(0) for p in lamp], 0)
    scale = (size - 4) / max(high[0] - low[0], high[1] - low[1])
    # nearness starts at 100 so that its ratio inside a triangle is nearly 1, as a parallel view wants
    stretch = np.array([scale, scale, 1.0])
    offset = np.array([2 - low[0] * scale, 2 - low[1] * scale, 100 - low[2]])
    buffers = Buffers.empty(size, size)
    for layer, points in zip(layers, lamp, strict=True):
        if layer.texture.kind != "eye":
            rasterize(points * stretch + offset, layer.triangles, buffers, layer.uv, layer.alpha)
    frame = np.concatenate([rotation * stretch[:, None], offset[:, None]], 1)
    return ShadowMap(buffers.nearness, frame.astype(np.float32))
