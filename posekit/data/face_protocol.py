"""Which pairs of face photographs are measured: sources at a fixed distance, targets near and far by the head's turn.

Source: Coordinate-based Texture Inpainting, section 4.2.  Every 120th frame of a video is a source.  "Angles between
pose vector of a source frame 3D model and 3D models of all other frames were calculated.  4 target frames were selected
for each source frame as the closest to all of the 4-quantiles of the angles cosine distribution": 1,356 pairs of 339
sources.  Which four numbers these quantiles are is not said.  Here they are the ends of the quarters, 1/4, 2/4, 3/4 and
1: in Figure 6 the nearest target looks just as the source does, so the largest cosine is among them.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from posekit.util.errors import InputError

LEVELS = (0.25, 0.5, 0.75, 1.0)
EVERY = 120  # frames between two sources


def pose_cosines(poses: Float[np.ndarray, "n k"], source: int) -> Float[np.ndarray, " n"]:
    """Cosine of the angle between the pose vector of one frame and those of all.

    poses: the direction in which each face looks, or another vector of its pose, of any length above 0.
    """
    lengths = np.linalg.norm(poses, axis=1)
    if not np.isfinite(poses).all() or not (lengths > 0).all():
        raise InputError("A pose vector has finite numbers and a length above 0; leave frames without a face out.")
    return np.clip(poses @ poses[source] / (lengths * lengths[source]), -1, 1)


def quantile_targets(poses: Float[np.ndarray, "n k"], source: int, levels: Sequence[float] = LEVELS) -> list[int]:
    """For each level, the frame whose cosine to the source is nearest to that quantile, from far to near.

    The source itself is no target, and no frame is taken twice.  The quantiles are those of all other frames, linear
    between neighbours.

    >>> turns = np.deg2rad([0, 10, 20, 30, 40, 50, 60, 70, 80])
    >>> looks = np.stack([np.sin(turns), np.cos(turns)], 1)
    >>> quantile_targets(looks, 0)  # a quarter of the others are turned by more than 60 degrees
    [6, 5, 3, 1]
    """
    others = np.array([i for i in range(len(poses)) if i != source])
    if len(others) < len(levels):
        raise InputError(f"{len(levels)} targets need a video of {len(levels) + 1} frames or more, got {len(poses)}.")
    cosines = pose_cosines(poses, source)[others]
    free, targets = np.ones(len(others), bool), []
    for wanted in np.quantile(cosines, levels):
        distance = np.where(free, np.abs(cosines - wanted), np.inf)
        nearest = int(distance.argmin())
        free[nearest] = False
        targets.append(int(others[nearest]))
    return targets


def face_pairs(
    videos: Mapping[str, Float[np.ndarray, "_ k"]], every: int = EVERY, levels: Sequence[float] = LEVELS
) -> Iterator[tuple[str, int, int]]:
    """(video, source frame, target frame) of every pair; videos: name -> pose vectors of all its frames."""
    if every < 1:
        raise InputError(f"Sources are every so many frames, 1 or more; got {every}.")
    for name, poses in videos.items():
        for source in range(0, len(poses), every):
            for target in quantile_targets(poses, source, levels):
                yield name, source, target
