"""Photograph a figure: pose it, find what each pixel sees, light it, develop the picture.

Pose and skinning -> z-buffer -> ambient occlusion and shadow map -> shading -> averaging -> gamma.
The picture is sampled twice as finely as it is stored and averaged (anti-aliasing); averaging happens in
linear RGB, as the sensor does it, and the gamma 1/2.2 and rounding to 8 bits come last.  Surface maps must
not be averaged: they have a pass of their own in `posekit.studio.render.surface_maps`.
"""

from dataclasses import dataclass

import numpy as np

from posekit.studio.base.layers import Figure, Layer
from posekit.studio.base.mesh import vertex_normals
from posekit.studio.base.raster import Buffers, rasterize
from posekit.studio.body.body import Body
from posekit.studio.body.pose import Pose, pose_rotations
from posekit.studio.body.skinning import bone_transforms, posed_joints, skin
from posekit.studio.render.ambient_occlusion import ambient_occlusion
from posekit.studio.render.camera import Camera, project
from posekit.studio.render.light import Background, Light
from posekit.studio.render.shade import Material, Mesh, as_material, shade
from posekit.studio.render.shadow import shadow_map

GAMMA = 2.2


@dataclass(frozen=True)
class PosedFigure:
    """A figure in a pose.

    layers: as in the figure.  vertices: one (n, 3) float32 array per layer.  normals: the same, unit vectors.
    body: (n, 3) posed vertices of the whole body asset.  joints: (bones, 3).  materials: one per layer.
    """

    layers: list[Layer]
    vertices: list[np.ndarray]
    normals: list[np.ndarray]
    body: np.ndarray
    joints: np.ndarray
    materials: list[Material]


def prepare_materials(figure: Figure) -> list[Material]:
    """The figure's textures made ready; do it once per figure and pass it to `pose_figure`."""
    ready: dict[int, Material] = {}
    for layer in figure.layers:
        if id(layer.texture) not in ready:
            ready[id(layer.texture)] = as_material(layer.texture)
    return [ready[id(layer.texture)] for layer in figure.layers]


def pose_figure(
    body: Body,
    figure: Figure,
    pose: Pose,
    materials: list[Material] | None = None,
    expression_delta: np.ndarray | None = None,
) -> PosedFigure:
    """Bend a figure into a pose.

    Args:
        expression_delta: (n, 3) from ``Body.expression_delta``, added to the rest vertices of the body and of
            the layers that are indexed like it (skin, garments, hair cap, eyes, teeth).
    """
    transforms = bone_transforms(body, figure.joints, pose_rotations(pose, figure.joints, body))
    skin_triangles = body.triangles["skin"]
    rest = figure.vertices if expression_delta is None else figure.vertices + expression_delta
    vertices, normals = [], []
    for layer in figure.layers:
        points = layer.vertices
        if expression_delta is not None and len(points) in (body.n_skin, len(figure.vertices)):
            points = points + expression_delta[: len(points)]
        posed = skin(points, layer.weights, transforms)
        # a garment keeps only some triangles of the body; its normals need all neighbours, also at hems
        normals.append(vertex_normals(posed, skin_triangles if layer.on_surface else layer.triangles))
        vertices.append(posed)
    return PosedFigure(
        figure.layers,
        vertices,
        normals,
        skin(rest, body.weights, transforms),
        posed_joints(figure.joints, transforms),
        prepare_materials(figure) if materials is None else materials,
    )


def photograph(
    posed: PosedFigure,
    camera: Camera,
    light: Light,
    background: Background,
    *,
    supersample: int = 2,
    shadow_size: int = 256,
) -> np.ndarray:
    """The picture that the camera takes, (h, w, 3) uint8 sRGB of ``camera.size``."""
    h, w = camera.size
    n = supersample
    buffers = Buffers.empty(h * n, w * n)
    meshes, first = [], 0
    for layer, vertices, normals, material in zip(
        posed.layers, posed.vertices, posed.normals, posed.materials, strict=True
    ):
        screen = project(vertices, camera) * np.float32([n, n, 1])
        meshes.append(
            Mesh(vertices, normals, screen, layer.triangles, layer.uv, first, material, two_sided=not layer.cull)
        )
        rasterize(screen, layer.triangles, buffers, layer.uv, layer.alpha, first=first, cull=layer.cull)
        first += len(layer.triangles)

    occlusion = ambient_occlusion(buffers.nearness, camera.pixels_per_dm * n)
    shadow = shadow_map(posed.layers, posed.vertices, light.directions[0], shadow_size)
    backdrop = background.picture(h, w) ** np.float32(GAMMA)
    backdrop *= _floor_shade(posed, camera)[..., None]
    image = np.repeat(np.repeat(backdrop, n, 0), n, 1)
    for mesh in meshes:
        shade(image, buffers, mesh, camera.position, occlusion, shadow, light)
    linear = sum(image[i::n, j::n] for i in range(n) for j in range(n)) / np.float32(n * n)
    return np.round(255 * linear ** np.float32(1 / GAMMA)).astype(np.uint8)


def _floor_shade(posed: PosedFigure, camera: Camera, strength: float = 0.35) -> np.ndarray:
    """The soft dark patch where feet touch the floor: factor (h, w) for the backdrop, 1 far from the feet."""
    h, w = camera.size
    factor = np.ones((h, w), np.float32)
    skin_points = posed.vertices[0]
    floor = skin_points[:, 1].min()
    low = skin_points[skin_points[:, 1] < floor + 0.35]
    for side in (low[low[:, 0] < np.median(low[:, 0])], low[low[:, 0] >= np.median(low[:, 0])]):
        if len(side) == 0:
            continue
        x, y, _ = project(np.array([[side[:, 0].mean(), floor, side[:, 2].mean()]], np.float32), camera)[0]
        across = (0.35 + np.ptp(side[:, 0]) / 2) * camera.pixels_per_dm
        along = 0.22 * across
        top, bottom = int(max(0, y - 4 * along)), int(min(h, y + 4 * along + 1))
        if bottom <= top:
            continue
        rows = (np.arange(top, bottom)[:, None] + 0.5 - y) / along
        columns = (np.arange(w)[None] + 0.5 - x) / across
        factor[top:bottom] *= 1 - strength * np.exp(-0.5 * (rows**2 + columns**2))
    return factor.astype(np.float32)
