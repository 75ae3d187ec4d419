"""The records that the studio's modules hand to each other: textures, layers, a dressed figure.

Lengths are decimetres, axes are y up, z forward, x towards the person's left hand; colours are linear RGB
unless a name says sRGB.  Texture coordinates run over [0, 1] with v pointing down, texel centres at
``(i + 0.5) / size``; they become the library's [-1, 1] only when a finished `Person` leaves the studio.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

KINDS = ("cloth", "skin", "hair", "eye", "teeth")


@dataclass
class Texture:
    """What a surface looks like.

    color: (h, w, 3) float32, linear RGB albedo.  specular: (h, w) float32, strength of the highlight.
    bump: (h, w) float32, height in decimetres.  gloss: exponent of the highlight.
    kind: one of `KINDS`, selects the shading model.  wrap: u is periodic (skirts, pony tails).
    """

    color: np.ndarray
    specular: np.ndarray
    bump: np.ndarray
    gloss: float
    kind: str
    wrap: bool = False


@dataclass
class Layer:
    """One mesh of a figure in the rest pose.

    vertices: (n, 3) float32.  triangles: (f, 3) int32.  uv: (f, 3, 2) float32 per triangle corner.
    weights: (n, bones) float32, rows sum to 1.  alpha: (a, a) float32 or None, cut-out mask in the same uv,
    a texel below 0.5 is not there.
    on_surface: the uv is the body atlas, so the layer carries the surface map M; its vertices are then
    indexed like the body's.  cull: back faces are not drawn.
    edge: (n,) float32 or None, signed distance inside the garment's outline at each vertex, for layers that
    must stay outside each other.
    """

    name: str
    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    texture: Texture
    weights: np.ndarray
    alpha: np.ndarray | None = None
    on_surface: bool = False
    cull: bool = False
    edge: np.ndarray | None = None


@dataclass
class Figure:
    """A dressed person in the rest pose, ready to be posed and photographed.

    layers: drawn together with one depth buffer; the first is the body's skin.
    vertices: (n, 3) rest vertices of the whole body asset (body, eyes, teeth, skirt helper).
    joints: (bones, 3) rest joint positions.  meta: what was drawn at random (gender, outfit, hair, ...).
    """

    layers: list[Layer]
    vertices: np.ndarray
    joints: np.ndarray
    meta: dict[str, Any] = field(default_factory=dict)
