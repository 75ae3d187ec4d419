"""What the notebook on full training asks of a run: snapshots, a memory that cheats, verdicts on fixed pictures.

Everything here looks at a system without changing it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor

from posekit.data.studio import StudioPeople
from posekit.ops.splat import splat
from posekit.person import Pair, Person, collate_pairs, stack_persons
from posekit.studio.body.surface_tables import mirror_table
from posekit.systems.base import Result, Stage, System
from posekit.systems.baselines import CopySource
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.util.errors import InputError

SMALL = {  # system -> the settings for photographs of 64 pixels
    "coordinate_inpainting": {"image_size": 64, "atlas_size": 64, "g_width": 32, "loss_crop": 32},
    "deformable_gan": {"image_size": 64, "levels": 5, "sigma": 3.0},
    "spatial_transformation": {"image_size": 64, "sigma": 3.0, "scales": 3},
    "dense_pose_transfer": {"image_size": 64, "chart_size": 32, "sigma": 1.5},
}
AT = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)  # steps of a stage that are worth a picture


def device_of(system: System) -> torch.device:
    """Where the parameters of a system are."""
    return next((p.device for p in system.parameters()), torch.device("cpu"))


def settings_of(system: str, preset: str, variant: str, overrides: str) -> dict[str, Any]:
    """What `build` is given beside system and preset: ``overrides``, a YAML mapping, and the variant, if there is one.

    "auto" takes the settings for photographs of 64 pixels where the preset is laptop; other presets as they are.
    """
    if overrides.strip() == "auto":
        settings: Any = SMALL.get(system, {}) if preset == "laptop" else {}
    else:
        try:
            settings = yaml.safe_load(overrides)
        except yaml.YAMLError as error:
            raise InputError(
                f"overrides is a YAML mapping such as {{image_size: 64}}: {' '.join(str(error).split())}"
            ) from None
    if not isinstance(settings, dict):
        raise InputError(f"overrides is a YAML mapping such as {{image_size: 64}}, {{}} or auto; got {overrides!r}.")
    return settings | ({"variant": variant} if variant else {})


def size_of(system: System) -> int | tuple[int, int]:
    """Side of the photographs that a system is made for, or (height, width)."""
    h, w = system.size or (128, 128)
    return h if h == w else (h, w)


def side_of(system: System) -> int:
    """Pixels along the longer edge of the photographs that a system is made for."""
    size = size_of(system)
    return size if isinstance(size, int) else max(size)


@contextmanager
def as_it_is(system: System) -> Iterator[None]:
    """Look at a system in the middle of its training: afterwards its modes and the random numbers are as before."""
    modes = {module: module.training for module in system.modules()}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        system.eval()
        try:
            yield
        finally:
            for module, mode in modes.items():
                module.training = mode


def made_photographs(system: System, pairs: Sequence[Pair], batch: int = 8) -> Tensor:
    """The photograph that a system makes of every pair, n 3 h w, on the CPU."""
    where = device_of(system)
    with as_it_is(system):
        made = [system(collate_pairs(list(pairs[i : i + batch])).to(where)).image for i in range(0, len(pairs), batch)]
    return torch.cat(made).float().cpu().clamp(0, 1)


def picture_inside(result: Result) -> tuple[str, Tensor] | None:
    """The picture that a result made on its way, its name and b 3 h w: texture or source in the target's pose."""
    for name in ("W", "warped"):
        if getattr(result, name, None) is not None:
            return name, getattr(result, name)
    return None


@dataclass
class Snapshots:
    """What a system makes of one pair as it learns: ``fit(..., on_step=snapshots)``.

    Taken at the steps ``at`` of each stage and at its end.  kept: (stage, step) -> the photograph and, where there is
    one, before it the picture `picture_inside`, each 3 h w.  inside: its name.  The training does not notice.
    """

    pair: Pair
    at: tuple[int, ...] = AT
    kept: dict[tuple[str, int], list[Tensor]] = field(default_factory=dict)
    inside: str = ""

    def __call__(self, system: System, stage: Stage, done: int) -> None:
        """Take a picture if one is due."""
        if done not in self.at and done != stage.steps:
            return
        with as_it_is(system):
            result = system(self.pair.batched().to(device_of(system)))
        pictures = [result.image]
        if (inner := picture_inside(result)) is not None:
            self.inside, picture = inner
            pictures.insert(0, picture)
        self.kept[stage.name, done] = [picture[0].float().cpu().clamp(0, 1) for picture in pictures]


def call_each(*callbacks: Callable[[System, Stage, int], None]) -> Callable[[System, Stage, int], None]:
    """One callback for `fit` that calls several."""

    def call(system: System, stage: Stage, done: int) -> None:
        for callback in callbacks:
            callback(system, stage, done)

    return call


def baselines(system: System) -> dict[str, System]:
    """What a system has to beat: the source handed back; texels copied from the nearest, or from the other half."""
    atlas, mirror = getattr(system.config, "atlas_size", 128), mirror_table()
    nearest, mirrored = (TexelFill(TexelFillConfig(kind, atlas), mirror=mirror) for kind in ("nearest", "mirror"))
    return {"source copied": CopySource(), "nearest texel": nearest, "mirrored texel": mirrored}


# --------------------------------------------------------------------------------------------- a memory that cheats


def texels(photos: Sequence[Person], atlas: int, together: int = 1) -> tuple[Tensor, Tensor]:
    """Colours (n 3 a a) and known texels (n 1 a a) of photographs, or of so many ``together``, their mean."""
    batch = stack_persons(list(photos))
    scattered = splat(batch.image, batch.uv, (atlas, atlas), batch.mask)
    known = scattered.known.unflatten(0, (-1, together))
    total = (scattered.values.unflatten(0, (-1, together)) * known).sum(1)
    return total / known.sum(1).clamp(min=1), known.amax(1)


def remembered(source: tuple[Tensor, Tensor], memory: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """A "system" that only remembers: for every source, the most similar texture that it has seen.

    source, memory: `texels`.  Similar: smallest mean difference over the texels known in both.  Returns textures
    (n 3 a a), what the source knows and else what is remembered (the source's mean colour where neither knows), and
    the number of the texture that was chosen (n).
    """
    (colours, known), (seen, where) = source, memory
    both = (known[:, None] * where[None]).flatten(2)  # n m texels
    apart = (colours[:, None] - seen[None]).abs().mean(2).flatten(2)
    distance = (apart * both).sum(-1) / both.sum(-1).clamp(min=1)
    distance[both.sum(-1) < 50] = torch.inf  # too few to judge by
    best = distance.argmin(1)
    mean = (colours * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True)
    recalled = torch.where(where[best] > 0, seen[best], mean)
    return torch.where(known > 0, colours, recalled), best


@dataclass(frozen=True)
class Leak:
    """What the memory does under both splits.

    by_person, by_photograph: its error over the texels that only the target shows, one per tested person.
    source, target: the tested photographs.  chosen: split -> for every source, a photograph of whom it remembered.
    """

    by_person: np.ndarray
    by_photograph: np.ndarray
    source: list[Person]
    target: list[Person]
    chosen: dict[str, list[Person]]

    @property
    def recognised(self) -> float:
        """Share of the sources that it takes for the right person, where that person is in its memory."""
        pairs = zip(self.source, self.chosen["by photograph"], strict=True)
        return float(np.mean([a.identity == b.identity for a, b in pairs]))


def leak(people: int, seed: int = 0, size: int = 64, views: int = 4, atlas: int = 64) -> Leak:
    """Split the same photographs in two ways, and let a memory that learns nothing else be tested on both.

    Of half of the people, views 0 (source) and 1 (target) are the test.  The memory holds the other views, one texture
    a person: of the other people (a split by person), or of the tested people themselves (a split by photograph).
    """
    data = StudioPeople(people, views=views, size=size, seed=seed, split="train", progress=False)
    n, kept = len(data.numbers) // 2, views - 2
    if n < 1 or kept < 1:
        raise InputError(f"The leak needs two people and three views, got {len(data.numbers)} and {views}.")
    source, target = ([data.person(i, view) for i in range(n)] for view in (0, 1))
    known, truth = texels(source, atlas), texels(target, atlas)
    asked = truth[1] * (1 - known[1])  # what only the target shows
    errors, chosen = {}, {}
    for name, who in (("by person", range(n, 2 * n)), ("by photograph", range(n))):
        memory = [data.person(i, view) for i in who for view in range(2, views)]
        guess, best = remembered(known, texels(memory, atlas, kept))
        wrong = (guess - truth[0]).abs().mean(1, keepdim=True) * asked
        errors[name] = (wrong.sum((1, 2, 3)) / asked.sum((1, 2, 3)).clamp(min=1)).numpy()
        chosen[name] = [memory[kept * i] for i in best.tolist()]
    return Leak(errors["by person"], errors["by photograph"], source, target, chosen)


# ------------------------------------------------------------------------------------- the verdict on fixed pictures


def verdicts_on_fixed(
    system: System, batch: Pair, result: Result, critics: Sequence[torch.nn.Module], steps: int, lr: float = 1e-3
) -> list[tuple[float, float]]:
    """Train critics, one after the other, on pictures that never change: their losses (of D, of G) before every step.

    critics: discriminators for ``system``, each trained for ``steps`` steps from the weights that it comes with.
    """
    verdicts = []
    own = system.discriminator
    try:
        for critic in critics:
            system.discriminator = critic.train()
            adam = torch.optim.Adam(critic.parameters(), lr=lr, betas=(0.5, 0.999))
            for _ in range(steps):
                with torch.no_grad():
                    adversarial = system.losses(batch, result, ("adversarial",))["adversarial"]
                loss = system.critic_losses(batch, result)["discriminator"]
                verdicts.append((float(loss.detach()), float(adversarial)))
                adam.zero_grad()
                loss.backward()
                adam.step()
    finally:
        system.discriminator = own
    return verdicts
