"""Points of a face in a photograph, where it is roughly known to be; of a full profile they may be wrong.

    region   a square around the face, turned so that the eyes lie level
    network  that square in 192 pixels -> 468 points of the face's surface in three dimensions, and a score

The network runs twice or more, the last time on the region that its own points give.

Source: Y. Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import Tensor

from posekit.photo.models import run_model
from posekit.photo.regions import Region, sampled
from posekit.util.errors import InputError

_SIDE = 192  # pixels
_MARGIN = 1.5  # the region's side, in units of the face's longer side
_SHARES = (1.0, 0.75, 1.35)  # of the size that was said, tried one after the other
_LEAST = 0.5  # score below which it is no face
_EYES = (33, 263)  # the outer corner of the right eye and of the left


class NoFaceError(InputError):
    """There is no face where one should be."""


class FacePoints(NamedTuple):
    """468 points of a face.

    points: (468, 3): x right and y down in pixels of the photograph, the centre of pixel i at i; z in pixels too,
    towards the camera, from the middle of the face.  score: 0..1, how sure the network is that it is a face.
    """

    points: Float[np.ndarray, "468 3"]
    score: float


def find_face(image: Float[Tensor, "3 h w"], centre: tuple[float | int, float | int], size: float | int) -> FacePoints:
    """The points of the face around ``centre``, (x, y) in pixels, which is about ``size`` pixels high.

    image: RGB in [0, 1].  Raises `NoFaceError` where no face is, and InputError where the
    package ai-edge-litert is missing.
    """
    if not (np.isfinite([*centre, size]).all() and size > 0):
        raise InputError(f"A face has a finite place and a size above 0 pixels, got {centre} and {size}.")
    for share in _SHARES:
        region = Region(np.asarray(centre, float), _MARGIN * share * size / 2, np.array([0.0, -1.0]))
        face = _points(image, region)
        if face.score >= _LEAST:
            break
    if face.score >= _LEAST:
        face = _points(image, _region_of(face.points))
    if face.score < _LEAST:
        x, y = (round(place) for place in centre)
        raise NoFaceError(f"There is no face at ({x}, {y}) of the photograph (score {face.score:.2f}, 0.5 needed).")
    return face


def _region_of(points: np.ndarray) -> Region:
    """The square around points, turned with the eyes."""
    flat = points[:, :2]
    right = flat[_EYES[1]] - flat[_EYES[0]]
    right = right / max(float(np.linalg.norm(right)), 1e-6)
    up = np.array([right[1], -right[0]])
    along = np.stack([flat @ right, flat @ up])
    low, high = along.min(1), along.max(1)
    middle = (low + high) / 2
    return Region(middle[0] * right + middle[1] * up, _MARGIN * float((high - low).max()) / 2, up)


def _points(image: Tensor, region: Region) -> FacePoints:
    axes = region.axes()
    cut = sampled(image, region, _SIDE)
    out = run_model("face_landmark", cut.permute(1, 2, 0).numpy())
    raw = max(out.values(), key=lambda values: values.size).reshape(468, 3)
    score = min(out.values(), key=lambda values: values.size).reshape(())
    places = (2 * raw[:, :2]) / _SIDE - 1
    depth = -raw[:, 2:] * 2 * region.half / _SIDE
    return FacePoints(np.concatenate([places @ axes.T + region.centre, depth], 1), float(1 / (1 + np.exp(-score))))
