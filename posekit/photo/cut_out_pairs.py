"""Rendered people as photographs of strangers come to a system: cut out, on a plain ground, with maps that were read.

A system that was trained on rendered rooms paints a pale double of the person where the source stood: it has never
seen a person on nothing.  Trained on with these pairs, it has.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from posekit.person import Pair, Person
from posekit.photo.photographed import GROUND, TRIM, with_map
from posekit.systems.coordinate_inpainting import CoordinateInpainting
from posekit.systems.cut_out import silhouette


def laid_on_ground(person: Person) -> Person:
    """People (a batch) cut out as photographs are and laid on their ground."""
    shown = silhouette(person)
    return replace(person, image=person.image * shown + GROUND * (1 - shown))


class CutOutPairs(Sequence):
    """The pairs of ``data``, every photograph cut out and laid on the ground of `posekit.photo.photographed`.

    reader: a keypoint-guided system; the maps are then what it reads from joints and silhouette, the source's trimmed
    as a photograph's is, in place of the true ones.  None: the true maps.
    """

    def __init__(self, data: Sequence[Pair], reader: CoordinateInpainting | None = None):
        self.data, self.reader = data, reader

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Pair:
        pair = self.data[index]
        return Pair(self._photograph(pair.source, TRIM), self._photograph(pair.target, 0), pair.neighbours)

    def describe(self) -> dict[str, Any]:
        """What the card of a training run says about the data."""
        facts = self.data.describe() if hasattr(self.data, "describe") else {}
        return {**facts, "cut out": True, "maps": "true" if self.reader is None else "read from joints and silhouette"}

    def _photograph(self, person: Person, trim: int) -> Person:
        cut = laid_on_ground(person.batched())
        if self.reader is None:
            return cut[0]
        read = with_map(replace(cut, mask=silhouette(cut)), self.reader, trim=trim)
        return replace(cut, uv=read.uv, mask=read.mask, part=read.part)[0]
