"""Maps as a real estimator gives them: a body part missing, positions a little off, hands not found.

The maps of the studio are exact.  DensePose's are not: it leaves out parts, places the surface a pixel or two
beside where it is, smoothly varying over the picture, and often misses hands.  A model that saw only exact maps
is surprised by these; this adds them on purpose, and changes nothing else of the photograph.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage

from posekit.person import Person
from posekit.util.errors import InputError

_CUT = 0.06  # neighbours further apart than this in [-1, 1] of the atlas lie on two sides of a seam or contour


@dataclass(frozen=True)
class EstimatorNoise:
    """How bad the estimate is.

    part_dropout: probability that a part (of the 24, hands apart) is missing.
    missing_hands: probability that a hand is missing.
    jitter: largest displacement of the map, in pixels.
    smoothness: distance over which the displacement varies, in pixels.
    """

    part_dropout: float = 0.04
    missing_hands: float = 0.25
    jitter: float = 2.0
    smoothness: float = 12.0

    def __post_init__(self) -> None:
        if not (0 <= self.part_dropout <= 1 and 0 <= self.missing_hands <= 1):
            raise InputError(
                "part_dropout and missing_hands are probabilities from 0 to 1; "
                f"got {self.part_dropout} and {self.missing_hands}"
            )
        if self.jitter < 0 or self.smoothness <= 0:
            raise InputError(
                f"jitter is from 0 up and smoothness above 0, in pixels; got {self.jitter} and {self.smoothness}"
            )

    def __call__(self, person: Person, rng: np.random.Generator) -> Person:
        """The person with the map that an estimator might have given; a single photograph, with its parts.

        ``uv``, ``mask``, ``part`` and ``chart`` change; off the new mask they are 0, as always.
        """
        if person.is_batch or person.part is None:
            raise InputError("Estimator noise needs a single photograph with its part map, not a batch.")
        h, w = person.size
        part = person.part[0].numpy()
        missing = np.zeros(25, bool)
        missing[1:] = rng.random(24) < self.part_dropout
        missing[3:5] = rng.random(2) < self.missing_hands
        shift = displacement(rng, (h, w), self.jitter, self.smoothness)

        kept = (part > 0) & ~missing[part]
        maps = [m.numpy() for m in (person.uv, person.chart) if m is not None]
        values, nearest = _displace(np.concatenate(maps).transpose(1, 2, 0), part, kept, shift)
        new_part = np.where(nearest[2], part[nearest[0], nearest[1]], 0)
        moved = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))
        return replace(
            person,
            uv=moved[:2],
            mask=torch.from_numpy((new_part > 0).astype(np.float32))[None],
            part=torch.from_numpy(new_part)[None],
            chart=None if person.chart is None else moved[2:],
        )


def displacement(rng: np.random.Generator, size: tuple[int, int], largest: float, smoothness: float) -> np.ndarray:
    """(2, h, w) smooth random field of (x, y) displacements of length up to ``largest`` pixels."""
    field = ndimage.gaussian_filter(rng.normal(size=(2, *size)), (0, smoothness, smoothness), mode="reflect")
    length = np.sqrt((field**2).sum(0)).max()
    return field * (largest * rng.uniform(0.5, 1) / max(length, 1e-12))


def _displace(maps: np.ndarray, part: np.ndarray, kept: np.ndarray, shift: np.ndarray):
    """Read maps (h, w, c) at x + shift(x): bilinear among the four neighbours that belong to the same part and are
    near in the atlas, so that nothing is averaged across a seam.

    Returns the values, 0 where the nearest pixel is off the map, and that pixel: (rows, columns, on the map).
    """
    h, w = part.shape
    y, x = np.mgrid[0:h, 0:w]
    x, y = np.clip(x + shift[0], 0, w - 1), np.clip(y + shift[1], 0, h - 1)
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    on_map = kept[row, column]
    centre, centre_part = maps[row, column], part[row, column]
    total = np.zeros(maps.shape, np.float64)
    weight = np.zeros((h, w))
    top, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    for r in (top, np.minimum(top + 1, h - 1)):
        for c in (left, np.minimum(left + 1, w - 1)):
            tent = np.clip(1 - np.abs(y - r), 0, 1) * np.clip(1 - np.abs(x - c), 0, 1)
            same = (part[r, c] == centre_part) & (np.abs(maps[r, c, :2] - centre[..., :2]).max(-1) < _CUT)
            tent = tent * same
            total += tent[..., None] * maps[r, c]
            weight += tent
    values = np.where(on_map[..., None], total / np.maximum(weight, 1e-9)[..., None], 0)
    return values.astype(np.float32), (row, column, on_map)
