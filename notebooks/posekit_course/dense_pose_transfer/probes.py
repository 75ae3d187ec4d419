"""What the two streams know and hand on: charts observed and completed, what one part knows of another, seams.

Charts are ``b 24 3 t t`` in [0, 1], ``known`` is ``b 24 1 t t``; a part is its DensePose number 1..24.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from posekit.data.studio import StudioPeople
from posekit.ops.charts import PARTS, chart_positions, sample_charts, splat_charts
from posekit.ops.fill import fill_nearest
from posekit.ops.grids import norm_to_index
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import Pair, Person, collate_pairs
from posekit.reference import load_reference
from posekit.systems import build
from posekit.systems.base import System
from posekit.systems.dense_pose_transfer import DensePoseResult
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions

_SIDES = ("right", "left")
# DensePose's number -> what it is.
NAMES = {1: "torso, back", 2: "torso, front", 3: "right hand", 4: "left hand", 5: "left foot", 6: "right foot"}
for _limb, (_first, _second), _order in (
    ("upper leg", (7, 9), _SIDES),
    ("lower leg", (11, 13), _SIDES),
    ("upper arm", (15, 17), _SIDES[::-1]),
    ("lower arm", (19, 21), _SIDES[::-1]),
):
    for _shift, _side in enumerate(_order):
        NAMES[_first + _shift] = f"{_side} {_limb}, back"
        NAMES[_second + _shift] = f"{_side} {_limb}, front"
NAMES |= {23: "head, right half", 24: "head, left half"}
BACK, FRONT = 1, 2  # of the torso

SMALL = {"image_size": 64, "chart_size": 32}  # of the trainings in the notebook


# ------------------------------------------------------------------------------------------------- the trained system


@lru_cache(maxsize=1)
def trained() -> System:
    """The shipped Dense Pose Transfer."""
    return load_reference("dense_pose_transfer")


@lru_cache(maxsize=4)
def held_out(people: int, size: int, seed: int = 0, views: int = 4) -> StudioPeople:
    """Pairs of the first people of the test split, one target for each photograph, two neighbours beside them."""
    numbers = [10 * n + 9 for n in range(people)]
    common = {"views": views, "size": size, "seed": seed, "split": "test", "progress": False}
    return StudioPeople(numbers, pairs="random", neighbours=2, **common)


def batch_of(pairs: Sequence[Pair], places: Sequence[int]) -> Pair:
    """Some pairs of a data set as a batch."""
    return collate_pairs([pairs[i] for i in places])


def run(system: System, pair: Pair) -> DensePoseResult:
    """All maps of a batch, without gradients."""
    with torch.no_grad():
        return system(pair)


def observed_warp(result: DensePoseResult, pair: Pair) -> tuple[Tensor, Tensor]:
    """The observed charts in the target frame, b 3 h w, and where they know the colour, b 1 h w of 0 and 1."""
    target = pair.target
    shown = sample_charts(result.known, target.part, target.chart)
    colours = sample_charts(result.charts * result.known, target.part, target.chart) / shown.clamp(min=1e-6)
    enough = (shown >= 0.5).to(colours)
    return colours * enough, enough


def body_error(made: Tensor, pair: Pair, where: Tensor | None = None) -> float:
    """Mean absolute error on the target's body, or on the part of it that ``where`` (b 1 h w) keeps."""
    kept = pair.target.mask if where is None else pair.target.mask * where
    wrong = (made - pair.target.image).abs().mean(1, keepdim=True)
    return float((wrong * kept).sum() / kept.sum().clamp(min=1))


def sharpness(made: Tensor, pair: Pair) -> float:
    """Gradient energy inside the target's body as a share of the truth's; 1 for the truth itself."""
    inside = 1 - max_pool2d(1 - pair.target.mask, 3, stride=1, padding=1)

    def energy(image: Tensor) -> Tensor:
        right, down = image[..., :, 1:] - image[..., :, :-1], image[..., 1:, :] - image[..., :-1, :]
        return (right.square() * inside[..., :, 1:]).sum() + (down.square() * inside[..., 1:, :]).sum()

    return float(energy(made) / energy(pair.target.image))


# ------------------------------------------------------------------------------------------------ charts and the atlas


def chart_texels(person: Person, side: int) -> Tensor:
    """Where the pixels of a photograph lie among all tiles, in texels, b 2 h w; part 0 far outside."""
    places = chart_positions(person.part, person.chart, side)
    return torch.stack([norm_to_index(places[:, 0], 6 * side), norm_to_index(places[:, 1], 4 * side)], 1)


def there_and_back(person: Person, side: int, atlas: int) -> dict[str, Tensor]:
    """The photograph through 24 charts of ``side`` texels, and through one atlas of ``atlas`` texels, and back.

    Holes take the nearest texel of the same chart, or of the atlas.
    """
    charts, known = splat_charts(person.image, person.part, person.chart, side)
    filled = fill_nearest(charts.flatten(0, 1), known.flatten(0, 1)).view_as(charts)
    texels = splat(person.image, person.uv, (atlas, atlas), person.mask)
    flat = fill_nearest(texels.values, texels.known)
    return {
        "24 charts": sample_charts(filled, person.part, person.chart),
        "one atlas": sample(flat, person.uv, padding="border") * person.mask,
    }


def cuts(texels: Tensor, mask: Tensor, far: float = 8.0) -> Tensor:
    """1 at pixels whose right or lower neighbour on the body lies more than ``far`` texels away, b 1 h w."""
    cut = torch.zeros_like(mask)
    for axis in (2, 3):
        n = mask.shape[axis] - 1
        here, there = texels.narrow(axis, 0, n), texels.narrow(axis, 1, n)
        both = mask.narrow(axis, 0, n) * mask.narrow(axis, 1, n)
        apart = ((here - there).norm(dim=1, keepdim=True) > far) * both
        cut.narrow(axis, 0, n).copy_(torch.maximum(cut.narrow(axis, 0, n), apart))
    return cut


# --------------------------------------------------------------------------------------------------------- many views


def supervised(pair: Pair, views: int, side: int) -> Tensor:
    """How many of the first ``views`` photographs (source, target, neighbours) show each texel, b 24 1 t t."""
    photos = [pair.source, pair.target, *pair.neighbours][:views]
    return torch.stack([splat_charts(p.image, p.part, p.chart, side).known for p in photos]).sum(0)


def hidden_error(system: System, pairs: Sequence[Pair]) -> tuple[float, float]:
    """Mean error of completed texels that the source shows, and of those that the target alone shows."""
    batch = batch_of(pairs, range(len(pairs)))
    with torch.no_grad():
        maps = system.complete(batch.source)
    truth, shown = splat_charts(batch.target.image, batch.target.part, batch.target.chart, system.config.chart_size)
    wrong = (maps["completed"].clamp(0, 1) - truth).abs().mean(2, keepdim=True)
    errors = []
    for where in (shown * maps["known"], shown * (1 - maps["known"])):
        errors.append(float((wrong * where).sum() / where.sum().clamp(min=1)))
    return errors[0], errors[1]


def train_charts(people: int, steps: int, seed: int, batch: int = 8, **settings: str) -> System:
    """A small inpainting autoencoder, trained by (6).  settings: supervision, norm; see `DensePoseTransferConfig`."""
    system = build("dense_pose_transfer", seed=seed, **SMALL, **settings)
    data = StudioPeople(
        people, views=4, size=SMALL["image_size"], seed=seed, split="train", progress=False, **system.training_data
    )
    stage = {"stages": ["inpainting"], "steps": steps, "batch_size": batch}
    fit(system, data, options=TrainingOptions(**stage, seed=seed, device="cpu", progress=False))
    return system.eval()


# --------------------------------------------------------------------------------------------------- what parts know


def complete_without(system: System, person: Person, hidden: Sequence[int] = ()) -> Tensor:
    """Completed charts of a photograph as if these parts had not been seen."""
    charts, known = splat_charts(person.image, person.part, person.chart, system.config.chart_size)
    for part in hidden:
        known[:, part - 1] = 0
    with torch.no_grad():
        return (system.autoencoder((2 * charts - 1) * known) / 2 + 0.5).clamp(0, 1)


def with_context(system: System, person: Person, context: Person, hidden: Sequence[int] = ()) -> Tensor:
    """The charts of ``person``, completed with the vector G of ``context``."""
    side, net = system.config.chart_size, system.autoencoder
    charts, known = splat_charts(person.image, person.part, person.chart, side)
    for part in hidden:
        known[:, part - 1] = 0
    others, theirs = splat_charts(context.image, context.part, context.chart, side)
    with torch.no_grad():
        G = net.embed(net.encode((2 * others - 1) * theirs))
        return (net.decode(net.encode((2 * charts - 1) * known), G) / 2 + 0.5).clamp(0, 1)


def channel_levels(system: System, G: Tensor) -> Tensor:
    """What two vectors G (2, g) leave of themselves: the level of every channel behind the first layer, (2, 24, c).

    Of parts of which nothing is seen, so that G is all that the decoders have.
    """
    net, levels = system.autoencoder, []
    hook = net.decoder[1].register_forward_pre_hook(lambda _, inputs: levels.append(inputs[0].mean((2, 3))))
    nothing = torch.zeros(2, PARTS, 3, net.side, net.side)
    try:
        with torch.no_grad():
            net.decode(net.encode(nothing), G)
    finally:
        hook.remove()
    return levels[0].unflatten(1, (PARTS, -1))


def influence(system: System, person: Person) -> np.ndarray:
    """(24, 24): how much completed chart p changes, in mean absolute colour, when the source's part q is hidden.

    Parts of which the photograph shows nothing have a row of measured changes and a column of 0.
    """
    whole = complete_without(system, person)
    changes = [(complete_without(system, person, [q]) - whole).abs().mean((0, 2, 3, 4)) for q in range(1, PARTS + 1)]
    return torch.stack(changes, 1).numpy()
