"""A photograph of a face as the networks for faces want it: framed, with its surface map.

Framing.  The paper crops "by a bounding box of 3D face ... with a margin of 10 pixels" and resizes to 128 x 128.  Here
the box is that of the whole head which the points carry, made square, so that no face is squeezed; its margin is by
default that of rendered faces, and can be given in pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from posekit.ops.grids import norm_to_points
from posekit.ops.keypoints import JOINTS
from posekit.person import Person
from posekit.photo.face_map import face_map
from posekit.photo.find_face import FacePoints, find_face
from posekit.photo.find_person import find_person
from posekit.photo.regions import Region, sampled
from posekit.util.errors import InputError

_FILL = 0.86  # share of the square's height that the head takes, as in the studio
_UP = np.array([0.0, -1.0])


class PhotographedFace(NamedTuple):
    """person: a single photograph with its map, atlas "head".  looks: where the face looks, x right, y up, z here."""

    person: Person
    looks: Float[np.ndarray, " 3"]


def photographed_face(
    image: Float[Tensor, "3 h w"], size: int = 128, *, margin: float | int | None = None, name: str = "photograph"
) -> PhotographedFace:
    """The face of the largest person in a photograph (RGB in [0, 1]), in ``size`` x ``size`` pixels.

    margin: pixels of the photograph around the head; None frames it as rendered faces are.  Raises InputError where no
    face is found, also where the person looks away.
    """
    pose = find_person(image)
    shown = dict(zip(JOINTS, pose.visibility.tolist(), strict=True))
    if not (shown["nose"] and (shown["right_eye"] or shown["left_eye"])):
        raise InputError("A person was found, but not their face; take a photograph that shows nose and eyes.")
    points = dict(zip(JOINTS, norm_to_points(pose.keypoints, image.shape[-2:]), strict=True))
    nose, eyes = points["nose"], [points[eye] for eye in ("right_eye", "left_eye") if shown[eye]]
    apart = [float((points[name] - nose).norm()) for name in JOINTS[14:] if shown[name]]
    middle = torch.stack([nose, torch.stack(eyes).mean(0)]).mean(0)
    face = find_face(image, tuple(middle.tolist()), 2 * max(apart))
    return frame_face(image, face, size, margin=margin, name=name)


def frame_face(
    image: Float[Tensor, "3 h w"],
    face: FacePoints,
    size: int,
    *,
    margin: float | int | None = None,
    name: str = "photograph",
) -> PhotographedFace:
    """The photograph cut to a square around the head of these points, and its map; arguments as above."""
    drawn = face_map(face, tuple(image.shape[-2:]))
    rows, columns = (drawn.mask[0].amax(axis).nonzero()[:, 0] for axis in (1, 0))
    if not len(rows):
        raise InputError("The face lies outside the photograph.")
    (top, bottom), (left, right) = ((int(line[0]), int(line[-1]) + 1) for line in (rows, columns))
    longer = max(bottom - top, right - left)
    side = longer / _FILL if margin is None else longer + 2 * margin
    centre = np.array([left + right - 1, top + bottom - 1]) / 2
    square = Region(centre, side / 2, _UP)
    # points in the square's pixels: its corner, the outer edge of pixel 0, is at -0.5
    scale = size / side
    moved = np.concatenate([(face.points[:, :2] - centre + side / 2) * scale - 0.5, face.points[:, 2:] * scale], 1)
    uv, mask, part, looks = face_map(FacePoints(moved, face.score), (size, size))
    cut = sampled(image, square, size, padding="border").clamp(0, 1)
    return PhotographedFace(Person(cut, uv, mask, part, identity=name, name=name, atlas="head"), looks)
