"""From the 468 points of a face to its surface map: the studio's head is warped onto them and drawn.

A face model that comes with a mesh and texture coordinates gives a map at once: every vertex has the colour (u, v, 1),
and a z-buffer keeps what the camera sees (Coordinate-based Texture Inpainting, section 4.2).  The network's points have
neither.  But each has a place on the studio's head (``data_scripts/build_face_points.py``), so the head can be carried
to where the points are: the smoothest map of space that takes the 468 places to the 468 points, applied to every vertex
of the head.  Crown and ears, where no point lies, follow.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Integer
from scipy.interpolate import RBFInterpolator
from scipy.spatial.transform import Rotation
from torch import Tensor

from posekit.photo.find_face import FacePoints
from posekit.studio.base.raster import Buffers, interpolate, rasterize
from posekit.studio.body.body import load_body
from posekit.studio.body.head_atlas import HEAD_PARTS, onto_head
from posekit.studio.body.surface_tables import part_labels

_SMOOTH = 1.0  # weight of a smooth warp against one that meets every point, see `RBFInterpolator`
_FLAT = 1e-3  # share by which nearness differs over a face: next to no perspective


@cache
def point_places() -> Float[np.ndarray, "468 3"]:
    """Where the points lie on the mean body, dm: x to the person's left, y up, z forward."""
    with files("posekit.photo").joinpath("asset/face_points.npz").open("rb") as raw, np.load(raw) as stored:
        return stored["point"].astype(np.float64)


class HeadMesh(NamedTuple):
    """The head of the mean body.

    vertices: (n, 3) in dm.  triangles: (f, 3) numbers of vertices.  corner_uv: (f, 3, 2), u and v in [0, 1] of the
    body's atlas of the corners.
    """

    vertices: Float[np.ndarray, "n 3"]
    triangles: Integer[np.ndarray, "f 3"]
    corner_uv: Float[np.ndarray, "f 3 2"]


@cache
def head_mesh() -> HeadMesh:
    """The mesh that is carried to the points of a face."""
    body = load_body()
    triangles, uv = body.triangles["skin"], body.corner_uv["skin"]
    size = len(part_labels())
    column, row = (uv.mean(1) * size).astype(int).clip(0, size - 1).T
    chosen = np.isin(part_labels()[row, column], HEAD_PARTS)
    used, triangles = np.unique(triangles[chosen], return_inverse=True)
    return HeadMesh(body.mean_vertices[used].astype(np.float64), triangles.reshape(-1, 3), uv[chosen])


class FaceMap(NamedTuple):
    """The surface map of one face, in the atlas "head".

    uv: ``2 h w`` in [-1, 1], 0 off the map.  mask: ``1 h w``.  part: ``1 h w``, 23 or 24, 0 off the map.  looks: the
    unit vector in which the face looks, x right, y up, z towards the camera.
    """

    uv: Float[Tensor, "2 h w"]
    mask: Float[Tensor, "1 h w"]
    part: Integer[Tensor, "1 h w"]
    looks: Float[np.ndarray, " 3"]


def face_map(face: FacePoints, size: tuple[int, int]) -> FaceMap:
    """Draw the head that the points carry, in a photograph of ``size`` (height, width)."""
    x, y, z = carried_head(face).T
    half = np.ptp(face.points[:, 1]) / 2
    screen = np.stack([x + 0.5, y + 0.5, 1 + _FLAT * z / max(half, 1e-6)], 1)
    buffers = Buffers.empty(*size)
    rasterize(screen, head_mesh().triangles, buffers)
    uv = interpolate(buffers, head_mesh().corner_uv).transpose(2, 0, 1)
    on = buffers.triangle >= 0
    labels = part_labels()
    column, row = (uv * len(labels)).astype(int).clip(0, len(labels) - 1)
    part = np.where(on, labels[row, column], 0).astype(np.int64)[None]
    places, part = onto_head(2 * uv.astype(np.float32) - 1, part)
    mask = (part > 0).astype(np.float32)
    return FaceMap(*map(torch.from_numpy, (places * mask, mask, part)), _looks(face))


def carried_head(face: FacePoints) -> Float[np.ndarray, "n 3"]:
    """The vertices of `head_mesh` in the photograph, as `FacePoints.points`: affine, and a spline for the rest."""
    warp = RBFInterpolator(point_places(), face.points, kernel="linear", degree=1, smoothing=_SMOOTH)
    return warp(head_mesh().vertices)


def _looks(face: FacePoints) -> np.ndarray:
    """Where the head's forward axis points after the turn that fits the points best."""
    places = point_places() - point_places().mean(0)
    turn, _ = Rotation.align_vectors((face.points - face.points.mean(0)) * [1, -1, 1], places)
    return turn.as_matrix()[:, 2]
