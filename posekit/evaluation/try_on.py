"""Garment transfer measured: the studio can dress one person in another's clothes, so there is a truth.

A pair is (clothes, truth): the photograph of somebody in their clothes, and another person in these clothes.  That
person's photograph in their own clothes comes along as a neighbour: it is all that a system sees of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from posekit.person import Pair
from posekit.studio.generate import make_person
from posekit.systems.base import Result, System
from posekit.systems.cut_out import laid_on_white
from posekit.util.errors import InputError


def try_on_pair(seed: int, person: int, owner: int, views: tuple[int, int], size: tuple[int, int]) -> Pair:
    """Person number ``person`` in the clothes of ``owner``, rendered (a second each).

    views: of the photograph of the owner, and of that of the person, whose pose, camera and room the truth keeps.
    The photograph of the clothes bears the identity of the person: intervals are over people who are dressed.
    """
    clothes = make_person(seed, owner, views[0], size)
    own = make_person(seed, person, views[1], size)
    truth = make_person(seed, person, views[1], size, clothes_of=owner)
    return Pair(replace(clothes, identity=truth.identity), truth, (own,))


class TryOnPairs(Sequence):
    """Everybody in the clothes of the next ones of a list; each pair is rendered when it is asked for first.

    Args:
        people: their numbers.
        owners: how many others each person is dressed by; at most all of them.
        views: number of photographs to take turns with.
    """

    def __init__(self, people: Sequence[int], owners: int = 3, views: int = 6, size: int = 128, seed: int = 0):
        if len(people) < 2 or not 1 <= owners < len(people):
            raise InputError(f"Of {len(people)} people everyone can wear the clothes of 1 to {len(people) - 1} others.")
        self._which = list(_turns(list(people), owners, views))
        self._how = (seed, (size, size))
        self._made: dict[int, Pair] = {}

    def __len__(self) -> int:
        return len(self._which)

    def __getitem__(self, index: int) -> Pair:
        if not 0 <= index < len(self):
            raise IndexError(index)
        if index not in self._made:
            (seed, size), (person, owner, views) = self._how, self._which[index]
            self._made[index] = try_on_pair(seed, person, owner, views, size)
        return self._made[index]


def _turns(people: list[int], owners: int, views: int) -> Iterator[tuple[int, int, tuple[int, int]]]:
    for i, person in enumerate(people):
        for k in range(1, owners + 1):
            yield person, people[(i + k) % len(people)], ((i + k) % views, i % views)


class TriedOn(System):
    """A system of garment transfer, asked for the truth of `try_on_pair`; copying the person is "own clothes" kept."""

    name = "tried_on"
    PRESETS = {}

    def __init__(self, system: System | None):
        super().__init__(None)
        self.system = system

    def wanted(self, pair: Pair) -> Float[Tensor, "b 3 h w"]:
        return laid_on_white(pair.target)

    def forward(self, pair: Pair) -> Result:
        """system None: the person as they are, in their own clothes, on white."""
        (own,) = pair.neighbours
        return Result(image=laid_on_white(own)) if self.system is None else self.system(Pair(pair.source, own))
