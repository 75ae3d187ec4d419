"""The order of the training data: a pure function of seed, stage and step."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np


class Batches:
    """Batches of indices for steps ``first .. steps - 1``, as the ``batch_sampler`` of a ``DataLoader``.

    The data is shuffled anew in every epoch; batches run on across epochs, so none is short.  Nothing is remembered
    from step to step: a resumed run sees what the uninterrupted one would have seen.

    Args:
        n: number of samples.  size: batch size over all processes.  key: (seed, stage).
        rank, world: of this process; it gets every ``world``-th sample of each batch.
    """

    def __init__(
        self, n: int, size: int, steps: int, first: int = 0, key: tuple[int, ...] = (0,), rank: int = 0, world: int = 1
    ):
        self.n, self.size, self.steps, self.first, self.key, self.rank, self.world = (
            n, size, steps, first, key, rank, world,
        )  # fmt: skip
        self._epoch = lru_cache(maxsize=2)(self._shuffled)

    def __len__(self) -> int:
        return max(0, self.steps - self.first)

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.first, self.steps):
            yield self.batch(step)

    def batch(self, step: int) -> list[int]:
        """Indices of one step."""
        places = range(step * self.size + self.rank, (step + 1) * self.size, self.world)
        return [int(self._epoch(place // self.n)[place % self.n]) for place in places]

    def _shuffled(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([*self.key, epoch]).permutation(self.n)
