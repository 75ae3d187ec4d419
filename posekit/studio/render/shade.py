"""Shading: what colour does the seen point of a surface send to the camera?

For each pixel the triangle's corners are mixed by the barycentrics that the z-buffer left behind: position p,
normal n, texture coordinates.  The texture gives the albedo c, the strength of the highlight s and the slope
of a height field h, which tilts the normal (bump mapping, Blinn 1978):

    n' = n + (h_u (n x p_v) - h_v (n x p_u)) / (n . (p_u x p_v))

Each lamp l adds wrapped diffuse light and the key lamp a highlight (Blinn-Phong; along the strand for hair,
Kajiya and Kay 1989), with v towards the camera and the half vector h = (l + v) / |l + v|:

    diffuse  = clip((n . l + a) / (1 + a), 0, 1)      a = 0.30 on skin, 0.12 elsewhere
    specular = s (n . h)^gloss

The sum goes through a soft shoulder, x / (1 + 0.12 x), and stays linear RGB; `posekit.studio.render.render` averages
the samples of a pixel and only then applies the gamma.
"""

import math
from dataclasses import dataclass

import numpy as np

from posekit.studio.base.layers import Texture
from posekit.studio.base.raster import Buffers
from posekit.studio.render.light import Light
from posekit.studio.render.shade_kernel import HAIR, SKIN, shade_pixels
from posekit.studio.render.shadow import ShadowMap

_KINDS = {"cloth": 0, "skin": SKIN, "hair": HAIR, "eye": 3, "teeth": 4}
_TAPS = np.random.default_rng(1).normal(0, 1, (8, 2)).astype(np.float32)  # offsets of the soft shadow's samples


@dataclass(frozen=True)
class Material:
    """A texture made ready for lookups: ``levels[i]`` is (h, w, 6) at 1 / 2^i of the size, channels colour (3),
    highlight, dh/du, dh/dv (decimetres per unit of u and v)."""

    levels: tuple[np.ndarray, ...]
    gloss: float
    kind: int
    wrap: bool


def as_material(texture: Texture, levels: int = 4) -> Material:
    """Slopes and smaller copies of a texture."""
    h, w = texture.bump.shape
    down, across = np.gradient(texture.bump) if min(h, w) > 1 else (np.zeros((h, w)), np.zeros((h, w)))
    specular = np.broadcast_to(texture.specular, (h, w))
    packed = np.concatenate([texture.color, np.stack([specular, across * w, down * h], -1)], -1).astype(np.float32)
    pyramid = [packed]
    while len(pyramid) < levels and min(pyramid[-1].shape[:2]) >= 16:
        p = pyramid[-1]
        p = p[: p.shape[0] // 2 * 2, : p.shape[1] // 2 * 2]
        pyramid.append(0.25 * (p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2]))
    return Material(
        tuple(np.ascontiguousarray(p) for p in pyramid), float(texture.gloss), _KINDS[texture.kind], texture.wrap
    )


@dataclass(frozen=True)
class Mesh:
    """One posed layer on the screen.

    vertices, normals: (n, 3) float32 in the studio.  screen: (n, 3) from `project`, in samples of the picture.
    triangles: (f, 3) int32.  uv: (f, 3, 2) float32.  first: number of its first triangle in the buffers.
    two_sided: normals turn towards the camera where the mesh shows its back.
    """

    vertices: np.ndarray
    normals: np.ndarray
    screen: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    first: int
    material: Material
    two_sided: bool


def shade(
    image: np.ndarray,
    buffers: Buffers,
    mesh: Mesh,
    camera_position: np.ndarray,
    occlusion: np.ndarray,
    shadow: ShadowMap,
    light: Light,
) -> None:
    """Colour the pixels of ``image`` (h, w, 3; float32 linear RGB; in place) that see one mesh.

    Args:
        buffers: what each pixel sees, filled by the z-buffer.
        camera_position: (3,).
        occlusion: (h, w) from `ambient_occlusion`.
        shadow: of the key lamp, from `shadow_map`.
    """
    material = mesh.material
    number = buffers.triangle - mesh.first
    rows, columns = np.nonzero((number >= 0) & (number < len(mesh.triangles)))
    if len(rows) == 0:
        return
    shade_pixels(
        image,
        rows,
        columns,
        number,
        buffers.b1,
        buffers.b2,
        mesh.vertices,
        mesh.normals,
        mesh.triangles,
        mesh.uv,
        _level(mesh, number[rows[::37], columns[::37]]),
        material.wrap,
        mesh.two_sided,
        material.kind,
        np.float32(material.gloss),
        np.asarray(camera_position, np.float32),
        occlusion,
        shadow.nearness,
        shadow.frame,
        _TAPS * np.float32(light.softness * shadow.nearness.shape[0] / 256),
        light.directions,
        light.colors,
        light.ambient,
        np.float32(light.exposure),
    )


def _level(mesh: Mesh, seen: np.ndarray) -> np.ndarray:
    """The copy of the texture whose texels are about as large as the picture's samples, which keeps patterns
    from flickering: compare the areas that the seen triangles take in the texture and on the screen."""
    h, w = mesh.material.levels[0].shape[:2]
    texels = _twice_area(mesh.uv[seen] * np.float32([w, h]))
    samples = _twice_area(mesh.screen[mesh.triangles[seen], :2])
    ratio = np.sqrt(np.median(texels / np.maximum(samples, 1e-6)))
    level = round(math.log2(max(float(ratio), 1.0)))
    return mesh.material.levels[min(level, len(mesh.material.levels) - 1)]


def _twice_area(corners: np.ndarray) -> np.ndarray:
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
