"""What every published system offers, so that training, evaluation and the command line treat them alike."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from posekit.person import Pair
from posekit.util.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a system computed from a pair; subclasses add every intermediate under its symbol.

    image: the new photograph, ``b 3 h w`` in [0, 1]; None where it was not asked for.
    """

    image: Float[Tensor, "b 3 h w"] | None = None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One part of the training: what is trained, on which losses, how fast, how long.

    | field      | meaning |
    |------------|---------|
    | parts      | names of the trained submodules; all others are frozen and in evaluation mode |
    | weights    | loss name -> weight; losses that are not named are not computed |
    | critics    | names of submodules trained in alternation on ``System.critic_losses`` |
    | steps      | optimiser steps |
    | batch_size | pairs a step |
    | lr, betas  | of Adam; critic_lr is the critics' rate (``lr`` when None) |
    | part_lr    | part -> its own rate, for parts that do not learn at ``lr`` |
    | decay      | the rate falls linearly to 0 over this last share of the steps |
    | clip       | longest gradient of all parts together, and of all critics; a longer one is scaled to it |
    | turns      | groups of loss names that alternate, one group a step; all at every step when empty |
    """

    name: str
    parts: tuple[str, ...]
    weights: Mapping[str, float]
    steps: int
    batch_size: int
    critics: tuple[str, ...] = ()
    lr: float = 2e-4
    critic_lr: float | None = None
    betas: tuple[float, float] = (0.5, 0.999)
    part_lr: Mapping[str, float] = field(default_factory=dict)
    decay: float = 0.0
    clip: float | None = None
    turns: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self):
        if self.steps < 0 or self.batch_size < 1:
            raise InputError(
                f"Stage {self.name!r} needs steps >= 0 and a batch of at least 1, "
                f"got {self.steps} steps and batch {self.batch_size}."
            )
        if self.clip is not None and not self.clip > 0:
            raise InputError(f"The clip of stage {self.name!r} is a length above 0, or None for none, got {self.clip}.")
        if self.turns and {name for turn in self.turns for name in turn} != set(self.weights):
            raise InputError(
                f"The turns of stage {self.name!r} should name each of its losses ({', '.join(self.weights)}) "
                f"and no other, got {self.turns}."
            )
        if unknown := set(self.part_lr) - set(self.parts):
            raise InputError(f"Stage {self.name!r} does not train {', '.join(sorted(unknown))}, which part_lr names.")

    def turn(self, step: int) -> Stage:
        """The stage with the losses of ``step`` alone; the stage itself when its losses do not alternate."""
        if not self.turns:
            return self
        names = self.turns[step % len(self.turns)]
        return dataclasses.replace(self, weights={name: self.weights[name] for name in names}, turns=())

    def rate(self, step: int) -> float:
        """Factor on the learning rate at ``step`` (counted from 0): 1, then linearly down to 0."""
        falling = self.decay * self.steps
        return min(1.0, (self.steps - step) / falling) if falling >= 1 else 1.0


class System(nn.Module):
    """A published system: its networks put together, its losses, its stages, its presets.

    Subclasses define ``name``, ``PRESETS`` (preset name -> configuration), ``VARIANTS`` (the paper's ablations) and
    the methods below.  A configuration is a frozen dataclass with a field ``variant``; it is all that is needed to
    build the system again.
    """

    name: ClassVar[str]
    PRESETS: ClassVar[Mapping[str, Any]]
    VARIANTS: ClassVar[tuple[str, ...]] = ("full",)
    inference_parts: ClassVar[tuple[str, ...]] = ()  # submodules that a photograph needs; shipped in weight files
    OURS: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # preset -> its settings that the paper does not give
    needs: ClassVar[tuple[str, ...]] = ()  # fields of `Person` that source and target must have, beside the image

    def __init__(self, config: Any, preset: str = "custom"):
        super().__init__()
        self.config = config
        self.preset = preset

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the photographs that it is made for; None where any size will do."""
        side = getattr(self.config, "image_size", None)
        return (side, side) if isinstance(side, int) else side

    @property
    def atlas(self) -> str:
        """The atlas that surface maps must be in; "" where any will do, or none is looked at."""
        return getattr(self.config, "atlas", "")

    @property
    def kind(self) -> str:
        """The set of rendered people to train it on: "face" where its maps are in the atlas "head", else "body"."""
        return "face" if self.atlas == "head" else "body"

    @property
    def needs_of_target(self) -> tuple[str, ...]:
        """The same of the target, where it differs from the source."""
        return self.needs

    @property
    def training_data(self) -> Mapping[str, Any]:
        """What training asks of a data set of rendered people: arguments of `posekit.data.studio.StudioPeople`."""
        return {}

    def check(self, pair: Pair, of_target: Collection[str] | None = None) -> None:
        """InputError unless ``pair`` is a batch with what the system needs, in its atlas.

        of_target: what is needed of the target, where it is not the same.
        """
        pair.require(*self.needs, by=self.name, atlas=self.atlas, of_target=of_target)

    def wanted(self, pair: Pair) -> Float[Tensor, "b 3 h w"]:
        """The photograph that it is to make of ``pair`` (a batch): the target's, or what a system makes of it."""
        return pair.target.image

    def forward(self, pair: Pair) -> Result:
        """The new photograph and every intermediate.  ``pair`` is a batch (``Pair.batched``)."""
        raise NotImplementedError

    def stages(self) -> list[Stage]:
        """The training, in order; empty for systems that learn nothing."""
        return []

    def stage_forward(self, pair: Pair, stage: Stage) -> Result:
        """``forward`` without what the losses of ``stage`` do not look at."""
        return self(pair)

    def losses(self, pair: Pair, result: Result, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """Named scalar losses without weights; all that apply, or those in ``names``."""
        return {}

    def critic_losses(self, pair: Pair, result: Result) -> dict[str, Tensor]:
        """Named scalar losses of the critics; the result is detached.  None at steps without a photograph to judge."""
        return {}

    def notes(self) -> list[tuple[str, str]]:
        """(name, value) of what a reader of the table or the card must know, such as the kind of features."""
        return []

    def card(self) -> dict[str, Any]:
        """All that is needed to build this system again, and its notes, as JSON values."""
        return {
            "system": self.name,
            "preset": self.preset,
            "variant": self.config.variant,
            "config": dataclasses.asdict(self.config),
            **dict(self.notes()),
        }

    @classmethod
    def from_preset(cls, preset: str = "laptop", variant: str | None = None, **overrides: Any) -> System:
        """The system with the settings of ``preset``, some of them overridden.

        Raises InputError for unknown presets, variants and settings, with the known ones.
        """
        config = cls.PRESETS[choose("preset", preset, cls.PRESETS)]
        if variant is not None:
            overrides["variant"] = choose("variant", variant, cls.VARIANTS)
        for key in overrides:
            choose("setting", key, [field.name for field in dataclasses.fields(config)])
        try:
            config = dataclasses.replace(config, **overrides)
        except TypeError as error:
            given = ", ".join(f"{key}={value!r}" for key, value in overrides.items())
            reason = " ".join(str(error).split())
            raise InputError(f"A setting of {cls.name} has the wrong type ({reason}); got {given}.") from None
        return cls(config, preset=preset)


def choose(kind: str, value: str, known: Iterable[str]) -> str:
    """``value`` if it is known; else InputError with the closest known one and the list of all."""
    known = sorted(known)
    if value in known:
        return value
    close = difflib.get_close_matches(str(value), known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise InputError(f"Unknown {kind} {value!r}; {hint}known: {', '.join(known)}.")


@contextmanager
def evaluating(system: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while; afterwards every part is in the mode that it was in."""
    modes = {module: module.training for module in system.modules()}
    system.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


def check_rates(config: Any, *names: str) -> None:
    """InputError unless these settings of a configuration are above 0, and its ``decay`` is a share."""
    if not 0 <= config.decay <= 1:
        raise InputError(f"decay is a share of the steps between 0 and 1, got {config.decay}.")
    for name in names:
        if not getattr(config, name) > 0:
            raise InputError(f"{name} must be positive, got {getattr(config, name)}.")


class Fact(NamedTuple):
    """A line of the table that describes a system."""

    section: str
    name: str
    value: str


class Description(list[Fact]):
    """Rows in order; ``str()`` of it is an aligned table."""

    def __str__(self) -> str:
        wide, narrow = (max((len(row[column]) for row in self), default=0) for column in (0, 1))
        blocks = []
        for section, rows in itertools.groupby(self, key=lambda row: row.section):
            titles = itertools.chain([section], itertools.repeat(""))
            blocks.append("\n".join(f"{t:<{wide}}  {r.name:<{narrow}}  {r.value}" for t, r in zip(titles, rows)))  # noqa: B905
        return "\n\n".join(blocks)


def describe(system: System) -> Description:
    """The system as a table: settings, networks with parameter counts, stages with losses and weights."""
    rows = Description()
    rows += [Fact("system", "name", system.name), Fact("system", "preset", system.preset)]
    ours = system.OURS.get(system.preset, ())
    for key, value in dataclasses.asdict(system.config).items():
        rows.append(Fact("system", key, f"{value}  (ours)" if key in ours else str(value)))
    if ours:
        rows.append(Fact("system", "(ours)", "the published texts do not give it, so it was chosen here"))
    rows += [Fact("system", key, value) for key, value in system.notes()]
    total = 0
    for name, net in system.named_children():
        parameters = count_parameters(net)
        total += parameters
        vectors = _count_spectral_vectors(net)
        value = f"{parameters:,} parameters"
        if vectors:
            value += f" + {vectors:,} spectral-norm vector entries = {parameters + vectors:,}"
        rows.append(Fact("network", f"{name}: {type(net).__name__}", value))
    rows.append(Fact("network", "all", f"{total:,} parameters"))
    for number, stage in enumerate(system.stages(), 1):
        section = f"stage {number}: {stage.name}"
        rows.append(Fact(section, "trains", ", ".join(stage.parts)))
        if stage.critics:
            rows.append(Fact(section, "against", ", ".join(stage.critics)))
        rows += [Fact(section, f"loss {name}", f"weight {weight:g}") for name, weight in stage.weights.items()]
        if stage.turns:
            rows.append(Fact(section, "in turn", "; ".join(", ".join(names) for names in stage.turns)))
        rate = f"Adam, lr {stage.lr:g}" + "".join(f", {part} {lr:g}" for part, lr in stage.part_lr.items())
        rate += f", betas {stage.betas}"
        if stage.decay:
            rate += f", falling to 0 over the last {stage.decay:.0%}"
        if stage.clip:
            rate += f", gradients no longer than {stage.clip:g}"
        rows += [
            Fact(section, "optimiser", rate),
            Fact(section, "steps", f"{stage.steps:,} of {stage.batch_size} pairs"),
        ]
    return rows


def count_parameters(module: nn.Module) -> int:
    """Trainable numbers in ``module``."""
    return sum(p.numel() for p in module.parameters())


def _count_spectral_vectors(module: nn.Module) -> int:
    """Entries of the vectors u and v that spectral normalisation keeps for its power iteration."""
    return sum(b.numel() for name, b in module.named_buffers() if name.endswith(("._u", "._v")))
