"""The perceptual distance in a table: it costs more than all other measures, so it may be taken of some pairs only."""

from collections import defaultdict

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posekit.metrics.perceptual import PROTOCOL, Perceptual
from posekit.util.errors import InputError


class Thinned:
    """`Perceptual` of every so many pairs of each system; NaN for the others, which mean and interval leave out.

    words: for the protocol of the table.  notes: what a reader of the table must know.  Raises InputError unless
    ``every`` is 1 or more.
    """

    def __init__(self, every: int):
        if every < 1:
            raise InputError(f"The perceptual distance is measured of every 1, 2, ... pairs; got {every}.")
        self.every = every
        which = "" if every == 1 else f"one of {every} pairs"
        self.notes = [f"perceptual: {which}"] if which else []
        self.words = {"perceptual": (which and f"{which}: ") + PROTOCOL["perceptual"]}
        self._distance = Perceptual()
        self._pairs: dict[int, int] = defaultdict(int)

    def chosen(self, system: nn.Module, count: int) -> list[int]:
        """Which of the next ``count`` pairs of this system are looked at."""
        first = self._pairs[id(system)]
        self._pairs[id(system)] += count
        return [i for i in range(count) if (first + i) % self.every == 0]

    def __call__(
        self,
        chosen: list[int],
        image: Float[Tensor, "b 3 h w"],
        truth: Float[Tensor, "b 3 h w"],
        mask: Float[Tensor, "b 1 h w"] | None = None,
        *,
        black: bool = True,
    ) -> Float[Tensor, " b"]:
        values = image.new_full((len(image),), torch.nan)
        if chosen:
            mask = None if mask is None else mask[chosen]
            values[chosen] = self._distance(image[chosen], truth[chosen], mask, black=black)
        return values
