"""Head and hand of a photograph, enlarged, beneath it: what a whole figure is too small to show."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from posekit.data.people import HEAD
from posekit.person import Person

HANDS = (3, 4)  # parts of DensePose
FEWEST = 8  # pixels of a part that are worth a look
GAP = 2  # white pixels between photograph and strip
ENLARGED = 3  # times, at most: a head that is larger than its place is shown whole
RIM = 2  # pixels around a head that fills its place


def window_on(person: Person, parts: tuple[int, ...], least: int) -> tuple[slice, slice] | None:
    """Rows and columns of the square around these parts, ``least`` pixels or more; None where hardly one is seen."""
    part = person.part.reshape(person.part.shape[-2:])
    where = torch.isin(part, torch.tensor(parts)).nonzero()
    if len(where) < FEWEST:
        return None
    low, high = where.amin(0), where.amax(0)
    side = min(max(int((high - low).max()) + 1 + 2 * RIM, least), *part.shape)
    starts = [min(max(int(c) - side // 2, 0), end - side) for c, end in zip((low + high) // 2, part.shape, strict=True)]
    return slice(starts[0], starts[0] + side), slice(starts[1], starts[1] + side)


def with_close_ups(image: Float[Tensor, "*b 3 h w"], person: Person | None) -> Float[np.ndarray, "h2 w 3"]:
    """The photograph, and beneath it the head (left) and the larger hand (right), up to three times as large.

    image: one photograph in [0, 1].  person: says by its part map where they are.  None, or a part that is not seen,
    leaves the place white.
    """
    image = image.detach().reshape(image.shape[-3:])
    _, _, w = image.shape
    edge = w // 2 - GAP // 2
    strip = torch.ones(3, GAP + edge, w)
    if person is not None:
        larger = max(HANDS, key=lambda part: int((person.part == part).sum()))
        for parts, left in ((HEAD, 0), ((larger,), w - edge)):
            window = window_on(person, parts, edge // ENLARGED)
            if window is not None:
                crop = image[(slice(None), *window)]
                strip[:, GAP:, left : left + edge] = F.interpolate(crop[None], (edge, edge), mode="bicubic")[0]
    return torch.cat((image, strip), 1).clamp(0, 1).movedim(0, -1).numpy()
