"""Shells: garments that are shifted copies of the skin.

A shell has the skin's triangles and texture coordinates, so the surface map stays exact on clothes.  Its shape is
the skin, smoothed (cloth bridges hollows), hung over the limbs where it is loose (`drape`), moved out by the
thickness of the cloth, and finally pushed out of everything worn before.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from posekit.studio.base.layers import Layer
from posekit.studio.base.mesh import smooth
from posekit.studio.base.paint import Paint
from posekit.studio.base.ramps import line, smoothstep, soft_mask
from posekit.studio.body.limbs import Places
from posekit.studio.body.wearer import Wearer, skin_neighbours
from posekit.studio.clothes.drape import Drape, hang
from posekit.studio.clothes.garments import Cut
from posekit.studio.clothes.skirt import clear_of_skirt

GAP_TO_CLOTH, GAP_TO_SKIN = 0.055, 0.03  # dm kept between a shell and what is under it
EDGE_RAMP = 0.5  # dm over which the cut-out mask rises; wide, so that hems stay smooth
HIDDEN_UNDER = 0.5  # dm inside the outer garment's edge where inner triangles are left out
SHELL_MARGIN = 0.35  # dm outside the outline where shell triangles still exist


@dataclass
class Garment:
    """Everything needed to put one garment on.

    name: of the layer.  cut: outline.  paint: over the valid texels.  gloss: exponent of the highlight.
    thickness: dm.  smoothing: Laplacian steps.  drapes: where it hangs.  lift: extra thickness in dm at places
    (collars, soles), or None.  mould: reshapes the finished shell (the form of a shoe), or None.
    hides: dm inside the outline where what lies beneath is left out.
    """

    name: str
    cut: Cut
    paint: Paint
    gloss: float
    thickness: float
    smoothing: int = 8
    drapes: tuple[Drape, ...] = ()
    lift: Callable[[Places], np.ndarray] | None = None
    mould: Callable[[Wearer, np.ndarray], np.ndarray] | None = None
    hides: float = HIDDEN_UNDER


def wear(wearer: Wearer, garment: Garment) -> Layer:
    """Put a garment on: appends its layer to the wearer's, shades and trims what it covers, and returns it."""
    atlas = wearer.atlas
    wobble = 0.03 * (wearer.noise(atlas.texels.position, 1.5) - 0.5)
    inside = garment.cut.distance(atlas.texels) + wobble
    edge = garment.cut.distance(atlas.vertices).astype(np.float32)
    triangles = wearer.body.triangles["skin"]
    kept = (edge[triangles] > -SHELL_MARGIN).any(1)

    vertices = _shell_vertices(wearer, garment, edge)
    layer = Layer(
        name=garment.name,
        vertices=vertices.astype(np.float32),
        triangles=triangles[kept],
        uv=wearer.body.corner_uv["skin"][kept],
        texture=garment.paint.texture("cloth", garment.gloss, atlas.image),
        weights=wearer.skin_weights,
        alpha=atlas.cut_out(soft_mask(inside, EDGE_RAMP)),
        on_surface=True,
        edge=edge,
    )
    for worn in wearer.layers:
        if worn.on_surface:
            _cast_shadow(wearer, worn, inside)
            trim(worn, edge, garment.hides)
    wearer.layers.append(layer)
    return layer


def _shell_vertices(wearer: Wearer, garment: Garment, edge: np.ndarray) -> np.ndarray:
    """Shape of the shell, (n_skin, 3); ``edge`` is the signed distance at the vertices."""
    skin, thickness = wearer.skin, garment.thickness
    amount = 0.7 * smoothstep(edge, -0.5, 0.1)[:, None].astype(np.float32)
    vertices = smooth(skin_neighbours(wearer.body), skin, garment.smoothing, amount)
    normals = wearer.normals(vertices)
    # keep the normal part of the smoothing only, or the pattern would drift along the skin
    vertices = skin + normals * ((vertices - skin) * normals).sum(1, keepdims=True)
    sunk = ((skin - vertices) * normals).sum(1)
    vertices = vertices + normals * np.maximum(sunk - 0.9 * min(thickness, 0.1), 0)[:, None]
    for drape in garment.drapes:
        vertices = hang(wearer, vertices, drape)
    normals = wearer.normals(vertices)
    lift = garment.lift(wearer.atlas.vertices) if garment.lift else 0.0
    vertices = vertices + normals * np.broadcast_to(thickness + lift, edge.shape)[:, None]
    vertices = clear_of_skirt(wearer, _push_out(wearer, vertices, normals, edge > -0.6))
    return garment.mould(wearer, vertices) if garment.mould else vertices


def _push_out(wearer: Wearer, vertices: np.ndarray, normals: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Move the ``moved`` vertices along ``normals`` until they clear every layer on the surface worn so far."""
    for worn in wearer.layers:
        if not worn.on_surface:
            continue
        covered = moved if worn.edge is None else moved & (worn.edge > -0.45)
        gap = GAP_TO_SKIN if worn.edge is None else GAP_TO_CLOTH
        clearance = ((vertices - worn.vertices) * normals).sum(1)
        vertices = vertices + normals * (np.maximum(gap - clearance, 0) * covered)[:, None]
    return vertices


def _cast_shadow(wearer: Wearer, worn: Layer, inside: np.ndarray) -> None:
    """Darken what is worn beneath along the edge of the new garment (soft contact shadow, 1.5 cm wide)."""
    close = (inside < 0.1) & (inside > -0.35)
    strength = 0.30 * line(np.minimum(inside[close] + 0.02, 0), 0.13)
    color = worn.texture.color
    flat = np.flatnonzero(wearer.atlas.valid.ravel())[close]
    color.reshape(-1, 3)[flat] *= (1 - strength)[:, None]


def trim(worn: Layer, edge: np.ndarray, depth: float) -> None:
    """Leave out the triangles of an inner layer that lie wholly more than ``depth`` inside an outer outline."""
    kept = (edge[worn.triangles] < depth).any(1)
    worn.triangles, worn.uv = worn.triangles[kept], worn.uv[kept]
