"""Joints and silhouette of the largest person in a photograph.

    detector: the whole photograph in a square of 224 pixels -> for each of 2,254 anchors a score and four points
    region:   from the middle of the hips to a point on a circle around the body: centre, half side, and which way is up
    landmark: that region, upright, in 256 pixels -> 33 landmarks, a silhouette, and both points more exactly

The landmarks run twice, the second time on the region that their own two points give.

Source: V. Bazarevsky et al., BlazePose: On-device Real-time Body Pose Tracking; anchors as its public configuration has
them (strides 8, 16, 32, 32, 32 with two anchors each, of one size).
"""

import logging
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer
from scipy import ndimage
from torch import Tensor

from posekit.ops.grids import points_to_norm
from posekit.ops.sample import sample
from posekit.photo.models import run_model
from posekit.photo.regions import Region, sampled
from posekit.util.errors import InputError

log = logging.getLogger(__name__)

_DETECTOR, _LANDMARK = 224, 256  # pixels
_LEAST = 0.5  # score of a detection, and of the landmarks, below which there is nobody
_APART = 0.15  # of a half side: detections nearer than that are one person; people side by side are further apart
_MARGIN = 1.25  # the region's side, in units of the circle's diameter
# Landmarks that a joint of the 18 is the mean of.
_OF_33 = ((0,), (11, 12), (12,), (14,), (16,), (11,), (13,), (15,), (24,), (26,), (28,), (23,), (25,), (27,),
          (5,), (2,), (8,), (7,))  # fmt: skip


class FoundPerson(NamedTuple):
    """The largest person of a photograph.

    keypoints: ``18 2``, (x, y) in [-1, 1] of the photograph.  visibility: ``18``, 0 missing (outside the photograph, or
    not found), 1 occluded, 2 visible.  silhouette: ``1 h w``, 0 or 1.  score: of the landmark model.  people: how many
    were detected.
    """

    keypoints: Float[Tensor, "18 2"]
    visibility: Integer[Tensor, " 18"]
    silhouette: Float[Tensor, "1 h w"]
    score: float
    people: int


def find_person(image: Float[Tensor, "3 h w"]) -> FoundPerson:
    """Joints and silhouette of the largest person; ``image``: RGB in [0, 1].

    Raises InputError where nobody is found, and where the package ai-edge-litert is missing.
    """
    regions = _detect(image)
    if not regions:
        raise InputError(
            "Nobody was found in the photograph; take one that shows a person from head to hips at least, larger."
        )
    if len(regions) > 1:
        log.warning("%d people were found; the largest is taken.", len(regions))
    for region in regions:
        points, sure, outline, score = _landmarks(image, region)
        if score >= _LEAST:
            points, sure, outline, score = _landmarks(image, _region(points[33], points[34]))
        if score >= _LEAST:
            break
    else:
        raise InputError("Somebody may be in the photograph, but no pose was found; take one that shows more.")
    h, w = image.shape[-2:]
    joints = np.stack([points[list(of)].mean(0) for of in _OF_33])
    seen, there = (np.array([values[list(of)].min() for of in _OF_33]) for values in sure)
    inside = (joints >= -0.5).all(1) & (joints[:, 0] < w - 0.5) & (joints[:, 1] < h - 0.5) & (there > 0.5)
    visibility = np.where(inside, np.where(seen > 0.5, 2, 1), 0)
    keypoints = points_to_norm(torch.from_numpy(joints.astype(np.float32)), (h, w))
    keypoints = torch.where(torch.from_numpy(inside)[:, None], keypoints, 0)
    return FoundPerson(keypoints, torch.from_numpy(visibility), outline, score, len(regions))


def _detect(image: Tensor) -> list[Region]:
    """Regions of all people, the largest first."""
    h, w = image.shape[-2:]
    side = max(h, w)
    small = (max(1, round(h * _DETECTOR / side)), max(1, round(w * _DETECTOR / side)))
    resized = F.interpolate(image[None], small, mode="bilinear", antialias=True)[0].clamp(0, 1)
    top, left = ((_DETECTOR - n) // 2 for n in small)
    square = torch.zeros(3, _DETECTOR, _DETECTOR)
    square[:, top : top + small[0], left : left + small[1]] = resized
    out = run_model("pose_detection", 2 * square.permute(1, 2, 0).numpy() - 1)
    score = 1 / (1 + np.exp(-out["Identity_1"][0, :, 0].clip(-50, 50)))
    points = out["Identity"][0, :, 4:8].reshape(-1, 2, 2) + _anchors()[:, None] * _DETECTOR
    points = (points - [left, top]) * [w / small[1], h / small[0]] - 0.5
    regions: list[Region] = []
    for n in np.argsort(-score):
        if score[n] < _LEAST:
            break
        one = _region(*points[n])
        if all(np.linalg.norm(one.centre - other.centre) > _APART * max(one.half, other.half) for other in regions):
            regions.append(one)
    return sorted(regions, key=lambda region: -region.half)


def _anchors() -> np.ndarray:
    """(2254, 2) centres in [0, 1]."""
    cells = []
    for n, each in ((28, 2), (14, 2), (7, 6)):
        y, x = np.mgrid[0:n, 0:n]
        centres = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) / n
        cells.append(np.repeat(centres, each, 0))
    return np.concatenate(cells)


def _region(hips: np.ndarray, rim: np.ndarray) -> Region:
    length = float(np.linalg.norm(rim - hips))
    return Region(hips, max(_MARGIN * length, 1.0), (rim - hips) / max(length, 1e-6))


def _landmarks(
    image: Tensor, region: Region
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], Float[Tensor, "1 h w"], float]:
    """(39, 2) points in pixel indices, (visibility, presence) of each, the silhouette, and the score."""
    h, w = image.shape[-2:]
    axes = region.axes()
    cut = sampled(image, region, _LANDMARK)
    out = run_model("pose_landmark_full", cut.permute(1, 2, 0).numpy())
    table = out["Identity"].reshape(39, 5)
    places = points_to_norm(torch.from_numpy(table[:, :2] - 0.5), (_LANDMARK, _LANDMARK)).numpy()
    points = places @ axes.T + region.centre
    sure = tuple(1 / (1 + np.exp(-table[:, k].clip(-50, 50))) for k in (3, 4))
    logits = torch.from_numpy(out["Identity_2"].reshape(1, 1, _LANDMARK, _LANDMARK))
    y, x = np.mgrid[0:h, 0:w]
    back = np.linalg.solve(axes, np.stack([x, y]).reshape(2, -1) - region.centre[:, None]).reshape(1, 2, h, w)
    inside = torch.from_numpy((np.abs(back) <= 1).all(1)[None])
    outline = (sample(logits, torch.from_numpy(back.astype(np.float32))) > 0) & inside
    return points, sure, _largest(outline[0]), float(out["Identity_1"].reshape(()))


def _largest(outline: Tensor) -> Float[Tensor, "1 h w"]:
    """The largest connected piece of a silhouette; specks elsewhere are left out."""
    pieces, count = ndimage.label(outline[0].numpy())
    if count > 1:
        sizes = np.bincount(pieces.ravel())
        pieces = pieces == 1 + sizes[1:].argmax()
    return torch.from_numpy((pieces > 0).astype(np.float32))[None]
