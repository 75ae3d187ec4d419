"""Person and Pair: a photograph with what is known of the body on it, and two photographs of the same person.

The same classes hold one sample or a batch: every tensor may carry leading batch axes (``*b`` below),
and ``identity`` and ``name`` are then tuples with one entry per sample.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.util.errors import InputError

WORDS = ("identity", "name", "atlas")  # the fields of a Person that are text, tuples of it in a batch


@dataclass(frozen=True)
class Person:
    """A photograph of a person, with the map from its pixels to the body surface, with joints, or with both.

    | field       | shape      | values |
    |-------------|------------|--------|
    | image       | *b 3 h w   | RGB in [0, 1], sRGB |
    | uv          | *b 2 h w   | M: atlas position (u, v) of each body pixel in [-1, 1], v down; 0 off the body |
    | mask        | *b 1 h w   | 1 where the map is defined, else 0 |
    | part        | *b 1 h w   | I: DensePose part 1..24, 0 off the body |
    | chart       | *b 2 h w   | (U, V) in [0, 1] inside the chart of the part; 0 off the body |
    | keypoints   | *b 18 2    | OpenPose COCO-18 joints, (x, y) in [-1, 1] of the image, may lie outside |
    | visibility  | *b 18      | 0 missing (outside or not detected), 1 occluded, 2 visible |
    | head, hair, hands | *b 1 h w | masks, 1 inside |
    | identity    |            | who it is: equal for photographs of one person and one outfit |
    | name        |            | which photograph it is |
    | atlas       |            | what (u, v) are positions in: "studio", "smpl", "tiles" or another; "" when not said |

    Fields that are not known are None; only the image is always there.
    Coordinates follow the one convention of `posekit.ops.grids`: (x, y) order, [-1, 1], pixel centres.
    """

    image: Float[Tensor, "*b 3 h w"]
    uv: Float[Tensor, "*b 2 h w"] | None = None
    mask: Float[Tensor, "*b 1 h w"] | None = None
    part: Integer[Tensor, "*b 1 h w"] | None = None
    chart: Float[Tensor, "*b 2 h w"] | None = None
    keypoints: Float[Tensor, "*b 18 2"] | None = None
    visibility: Integer[Tensor, "*b 18"] | None = None
    head: Float[Tensor, "*b 1 h w"] | None = None
    hair: Float[Tensor, "*b 1 h w"] | None = None
    hands: Float[Tensor, "*b 1 h w"] | None = None
    identity: str | tuple[str, ...] = ""
    name: str | tuple[str, ...] = ""
    atlas: str | tuple[str, ...] = ""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photograph in pixels."""
        return self.image.shape[-2], self.image.shape[-1]

    @property
    def is_batch(self) -> bool:
        """True when the tensors carry a leading batch axis."""
        return self.image.ndim == 4

    def to(self, *args, **kwargs) -> Person:
        """The same person with every tensor moved as by ``Tensor.to`` (integer maps keep their type)."""

        def move(t: Tensor) -> Tensor:
            return t.to(*args, **kwargs) if t.is_floating_point() else t.to(t.to(*args, **kwargs).device)

        return self._map(move)

    def require(self, *names: str, by: str) -> None:
        """InputError when one of these fields is missing; ``by`` is who needs it."""
        missing = [name for name in names if getattr(self, name) is None]
        if missing:
            which = self.name if isinstance(self.name, str) else ", ".join(self.name)
            raise InputError(
                f"{by} needs the field{'s' * (len(missing) > 1)} {', '.join(missing)} of every photograph; "
                f"{which or 'this one'} has none: give it, or use a system that works without."
            )

    def batched(self) -> Person:
        """One sample as a batch of one."""
        if self.is_batch:
            return self
        words = {name: (str(getattr(self, name)),) for name in WORDS}
        return dataclasses.replace(self._map(lambda t: t.unsqueeze(0)), **words)

    def __getitem__(self, i: int) -> Person:
        """Sample ``i`` of a batch."""
        if not self.is_batch:
            raise InputError("This Person is a single photograph, not a batch; use it without an index.")
        words = {name: getattr(self, name)[i] for name in WORDS if getattr(self, name)}
        return dataclasses.replace(self._map(lambda t: t[i]), **words)

    def _map(self, fn) -> Person:
        changed = {
            f.name: fn(getattr(self, f.name))
            for f in dataclasses.fields(self)
            if isinstance(getattr(self, f.name), Tensor)
        }
        return dataclasses.replace(self, **changed)


def stack_persons(people: list[Person]) -> Person:
    """Stack single photographs into a batch; optional fields survive when every sample has them."""
    if not people:
        raise InputError("stack_persons expected at least one Person and got an empty list.")
    sizes = {p.size for p in people}
    if len(sizes) > 1:
        raise InputError(f"A batch needs photographs of one size, got {sorted(sizes)}; resize them first.")
    stacked = {}
    for field in dataclasses.fields(Person):
        values = [getattr(p, field.name) for p in people]
        if field.name in WORDS:
            stacked[field.name] = tuple(str(v) for v in values)
        else:
            stacked[field.name] = None if any(v is None for v in values) else torch.stack(values)
    return Person(**stacked)


@dataclass(frozen=True)
class Pair:
    """Two photographs of one person: the source is given, the target is wanted.

    neighbours: more photographs of the same person, for losses that compare with several (Dense Pose Transfer, equation
    6); in a batch, the same number for every pair.
    """

    source: Person
    target: Person
    neighbours: tuple[Person, ...] = ()

    def require(
        self, *names: str, by: str = "The system", atlas: str = "", of_target: Collection[str] | None = None
    ) -> None:
        """InputError unless this is a batch and both photographs have all these fields; ``by`` is who needs them.

        of_target: the fields that the target must have, where they are others.
        Where "uv" is among them, the maps of both must be in one atlas, and in ``atlas`` if that is given; maps that do
        not say their atlas are taken as they are.
        """
        if not self.source.is_batch or not self.target.is_batch:
            raise InputError("The system works on batches; a single pair becomes one with pair.batched().")
        self.source.require(*names, by=by)
        self.target.require(*(names if of_target is None else of_target), by=by)
        if "uv" in names:
            mapped = (self.source, self.target) if of_target is None or "uv" in of_target else (self.source,)
            used = {a for person in mapped for a in person.atlas if a}
            if atlas and used - {atlas}:
                raise InputError(
                    f"{by} works in the atlas {atlas!r}, and these maps are positions in {_and(used)}; take weights of "
                    "that atlas, or copy texels, which works in any (texel_fill)."
                )
            if len(used) > 1:
                raise InputError(
                    f"The maps of a pair must be in one atlas, these are in {_and(used)}; read both in the same."
                )

    def to(self, *args, **kwargs) -> Pair:
        """The same pair with every tensor moved as by ``Tensor.to``."""
        return self._map(lambda person: person.to(*args, **kwargs))

    def batched(self) -> Pair:
        """One pair as a batch of one."""
        return self._map(Person.batched)

    def __getitem__(self, i: int) -> Pair:
        """Pair ``i`` of a batch."""
        return self._map(lambda person: person[i])

    def _map(self, fn: Callable[[Person], Person]) -> Pair:
        return Pair(fn(self.source), fn(self.target), tuple(fn(person) for person in self.neighbours))


def _and(words: set[str]) -> str:
    return " and ".join(map(repr, sorted(words)))


def collate_pairs(pairs: list[Pair]) -> Pair:
    """Stack pairs into a batch; the ``collate_fn`` of a ``DataLoader``."""
    counts = {len(p.neighbours) for p in pairs}
    if len(counts) > 1:
        raise InputError(f"A batch needs pairs with equally many neighbours, got {sorted(counts)}.")
    neighbours = tuple(stack_persons(list(views)) for views in zip(*(p.neighbours for p in pairs), strict=True))
    return Pair(stack_persons([p.source for p in pairs]), stack_persons([p.target for p in pairs]), neighbours)
