"""Exact surface maps: which point of the body's surface does each pixel's centre see?

The triangles are drawn once more at the picture's own resolution, so every value belongs to a pixel's centre.
A map must never be averaged: the mean of two atlas positions on both sides of a seam is a third place that the
pixel does not see.

Skin, garments and the hair cap lie on the body's surface and carry the map.  Loose hair, eyes and teeth do not,
nor does the inside of a garment (a visible face that shows its back).  For skirts there are two readings:

    skirts="legs"    the map of the body under the skirt, as if the skirt were not there.  Human annotators of
                     DensePose were asked for the body under the clothes, and detectors learnt it from them.
    skirts="cloth"   no map where a skirt is seen.
"""

from dataclasses import dataclass

import numpy as np

from posekit.studio.base.raster import Buffers, interpolate, rasterize
from posekit.studio.render.camera import Camera, project
from posekit.studio.render.render import PosedFigure
from posekit.util.errors import InputError

SKIRTS = ("legs", "cloth")
#: Parts that a skirt can cover: torso, feet, upper and lower legs (not the hands of hanging arms).
UNDER_SKIRT = (1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)


@dataclass(frozen=True)
class SurfaceMaps:
    """All maps are for pixel centres.

    uv: (h, w, 2) float32, atlas position in [0, 1], v down; 0 off the map.
    mask: (h, w) bool, where ``uv`` is defined.
    part: (h, w) uint8, DensePose part 1..24, 0 off the map.
    head, hair, hands: (h, w) bool.  head: skin of the head, hair, eyes and teeth.
    silhouette: (h, w) bool, anything of the person, with or without a map.
    nearness: (h, w) float32, 1 / depth (1 / dm), 0 on the background.
    """

    uv: np.ndarray
    mask: np.ndarray
    part: np.ndarray
    head: np.ndarray
    hair: np.ndarray
    hands: np.ndarray
    silhouette: np.ndarray
    nearness: np.ndarray


def surface_maps(posed: PosedFigure, camera: Camera, labels: np.ndarray, skirts: str = "legs") -> SurfaceMaps:
    """Maps of a posed figure.

    Args:
        labels: (a, a) uint8, DensePose part of every texel of the atlas.
        skirts: "legs" or "cloth", see above.
    """
    if skirts not in SKIRTS:
        raise InputError(f"skirts must be one of {', '.join(SKIRTS)}; got {skirts!r}")
    screens = [project(v, camera) for v in posed.vertices]
    every = range(len(posed.layers))
    buffers, layer = _draw(posed, screens, camera.size, every)
    uv, mask = _surface(posed, screens, buffers, layer)

    cloth = [i for i in every if posed.layers[i].texture.kind == "cloth" and not posed.layers[i].on_surface]
    under = np.isin(layer, cloth)
    if skirts == "legs" and under.any():
        below, below_layer = _draw(posed, screens, camera.size, [i for i in every if i not in cloth])
        below_uv, below_mask = _surface(posed, screens, below, below_layer)
        below_mask &= under & np.isin(part_of(below_uv, below_mask, labels), UNDER_SKIRT)
        uv[below_mask], mask = below_uv[below_mask], mask | below_mask
    part = part_of(uv, mask, labels)

    kind = np.array([lay.texture.kind for lay in posed.layers] + ["none"])[layer]  # layer -1 is the background
    hair = kind == "hair"
    face = (kind == "skin") & (part >= 23)
    return SurfaceMaps(
        uv=uv,
        mask=mask,
        part=part,
        head=hair | face | (kind == "eye") | (kind == "teeth"),
        hair=hair,
        hands=(part == 3) | (part == 4),
        silhouette=layer >= 0,
        nearness=buffers.nearness,
    )


def part_of(uv: np.ndarray, mask: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """DensePose part of atlas positions: the label of the texel that (u, v) falls into, 0 off the mask."""
    size = labels.shape[0]
    texel = np.clip((uv * size).astype(np.int64), 0, size - 1)
    return np.where(mask, labels[texel[..., 1], texel[..., 0]], 0).astype(np.uint8)


def _draw(posed: PosedFigure, screens, size: tuple[int, int], chosen) -> tuple[Buffers, np.ndarray]:
    """Z-buffer of the chosen layers, and which layer each pixel sees (-1: none)."""
    buffers = Buffers.empty(*size)
    firsts = _firsts(posed)
    for i in chosen:
        lay = posed.layers[i]
        rasterize(screens[i], lay.triangles, buffers, lay.uv, lay.alpha, first=firsts[i], cull=lay.cull)
    layer = np.searchsorted(firsts, buffers.triangle, side="right") - 1
    return buffers, np.where(buffers.triangle >= 0, layer, -1)


def _firsts(posed: PosedFigure) -> np.ndarray:
    return np.cumsum([0] + [len(lay.triangles) for lay in posed.layers[:-1]])


def _surface(posed: PosedFigure, screens, buffers: Buffers, layer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Atlas position of each pixel that sees the front of a layer on the surface, and where that is."""
    uv = np.zeros((*layer.shape, 2), np.float32)
    mask = np.zeros(layer.shape, bool)
    for i, first in enumerate(_firsts(posed)):
        lay = posed.layers[i]
        seen = layer == i
        if not lay.on_surface or not seen.any():
            continue
        corners = screens[i][lay.triangles[buffers.triangle[seen] - first], :2]
        a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        front = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] < 0  # anticlockwise, with y pointing down
        uv += interpolate(buffers, lay.uv, first)
        mask[seen] = front
    uv[~mask] = 0
    return uv, mask
