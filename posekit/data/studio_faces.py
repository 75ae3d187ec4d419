"""Pairs of rendered faces, chosen as the coordinate-based paper chooses its pairs of video frames."""

from collections.abc import Sequence

import numpy as np

from posekit.data.face_protocol import LEVELS, face_pairs
from posekit.data.studio import StudioPeople
from posekit.person import Pair
from posekit.studio.generate import face_direction
from posekit.util.errors import InputError


class StudioFacePairs(Sequence):
    """For every so many photographs of each face a source, and its four targets by the turn of the head.

    faces: rendered with ``kind="face"``.  every: photographs between two sources, for the 120 frames of a video.
    See `posekit.data.face_protocol`.
    """

    def __init__(self, faces: StudioPeople, every: int = 6, levels: Sequence[float] = LEVELS):
        if faces.card.set != "face":
            raise InputError(f'The pairs are chosen among faces: StudioPeople(kind="face"), not {faces.card.set!r}.')
        self.faces = faces
        seed, views = faces.card.seed, range(faces.card.views)
        looks = {
            str(i): np.stack([face_direction(seed, number, view) for view in views])
            for i, number in enumerate(faces.numbers)
        }
        self._which = [(int(i), source, target) for i, source, target in face_pairs(looks, every, levels)]

    def __len__(self) -> int:
        return len(self._which)

    def __getitem__(self, index: int) -> Pair:
        i, source, target = self._which[index]
        return Pair(self.faces.person(i, source), self.faces.person(i, target))
