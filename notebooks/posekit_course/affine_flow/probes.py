"""What a flow does, measured against the studio's exact surface maps; features that need no network; small photographs.

A flow is ``b 2 h w``: the (x, y) in [-1, 1] of the source at which every target pixel looks.  Coordinates mean the same
place at every resolution, so a flow made from small photographs is measured on large ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from posekit.data.studio import StudioPeople
from posekit.ops.correlation import matching, unit_length
from posekit.ops.grids import identity_grid, resize_grid
from posekit.ops.keypoints import JOINTS, heat_maps
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import Pair, Person

VIEWS, SIZE = 4, 128  # of the photographs, those of notebook 03
HIDDEN = 0.5  # a target pixel counts as seen in the source when this much of its texel's weight is known there


# ------------------------------------------------------------------------------------------------------- photographs


@lru_cache(maxsize=2)
def flow_pairs(people: int, seed: int = 0) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """All ordered pairs of the training people and of the held-out people (8 and 1 of 10 numbers), 128 pixels."""
    return tuple(_pairs(people, split, seed) for split in ("train", "test"))


def _pairs(people: int, split: str, seed: int) -> tuple[Pair, ...]:
    data = StudioPeople(people, views=VIEWS, size=SIZE, seed=seed, split=split, progress=False)
    photos = [[data.person(i, view) for view in range(VIEWS)] for i in range(len(data.numbers))]
    return tuple(Pair(a, b) for person in photos for a, b in itertools.permutations(person, 2))


def smaller(person: Person, size: int) -> Person:
    """The photograph and the joints alone, averaged down to ``size`` pixels an edge; one sample or a batch."""
    image = person.image.reshape(-1, *person.image.shape[-3:])
    image = F.adaptive_avg_pool2d(image, size).reshape(*person.image.shape[:-2], size, size)
    return Person(image, keypoints=person.keypoints, visibility=person.visibility, identity=person.identity,
                  name=person.name)  # fmt: skip


def small_pair(pair: Pair, size: int) -> Pair:
    """`smaller` for both photographs."""
    return Pair(smaller(pair.source, size), smaller(pair.target, size))


# ----------------------------------------------------------------------------------------------- without any network


def joint_features(person: Person, side: int = 32, sigma: float = 3.0) -> Tensor:
    """b 18 side side: the heat maps themselves, unit length at every pixel.  ``person``: a batch."""
    return unit_length(heat_maps(person.keypoints, person.visibility, (side, side), sigma))


def best_match(Q: Tensor, size: tuple[int, int]) -> Tensor:
    """The flow that looks at the best match: b n h w, n pixels of a source of ``size``, to b 2 h w."""
    positions = identity_grid(*size).flatten(1)  # 2 n
    return positions[:, Q.argmax(1)].movedim(0, 1)


def spread(Q: Tensor) -> float:
    """How many source pixels share a target pixel's attention, 1 / mean sum Q^4; Q: b n h w of unit length (2).

    As Q^2 sums to 1 over the source pixels: 1 where one of them has all of it, n where all have the same.
    """
    return float(1 / Q.pow(4).sum(1).mean())


def joint_flow(pair: Pair, side: int = 32, sigma: float = 3.0, filtered: bool = True) -> Tensor:
    """The flow by best match of the heat maps, without a network; ``pair``: a batch."""
    z_s, z_t = (joint_features(person, side, sigma) for person in (pair.source, pair.target))
    return best_match(matching(z_s, z_t, filtered=filtered), (side, side))


# --------------------------------------------------------------------------------------------------- the exact answer


class Truth(NamedTuple):
    """Where the source shows what a target pixel shows (b 2 h w), and masks b 1 h w: shown there, and not."""

    flow: Tensor
    seen: Tensor
    hidden: Tensor


def truth_of(pair: Pair, atlas: int = 128) -> Truth:
    """From the exact surface maps of both photographs; only measurements use it, no network ever sees it."""
    source, target = pair.source, pair.target
    grid = identity_grid(*source.size).expand(len(source.image), 2, *source.size)
    C = splat(grid, source.uv, (atlas, atlas), source.mask)
    weight = sample(C.known, target.uv)
    flow = sample(C.values * C.known, target.uv) / weight.clamp(min=1e-6)
    seen = (weight > HIDDEN).float() * target.mask
    return Truth(flow * seen, seen, target.mask - seen)


class Scores(NamedTuple):
    """Of one flow, for every pair (b): see `score`."""

    off: Tensor
    l1_seen: Tensor
    l1_hidden: Tensor
    on_body: Tensor
    bent: Tensor


def score(flow: Tensor, pair: Pair, truth: Truth) -> Scores:
    """Means over the pixels of the target's body.

    off        pixels between where the flow looks and where the source shows the same place, where it does show it
    l1_seen    of the photograph sampled directly with the flow, where the source shows what is wanted
    l1_hidden  the same where it does not
    on_body    share of hidden pixels that look at the source's body
    bent       second differences of the flow in pixels of the source; 0 for an affine map
    """
    fine = resize_grid(flow, pair.target.size)
    wrong = (sample(pair.source.image, fine, padding="border") - pair.target.image).abs()
    pixels = pair.source.size[0] / 2
    away = (fine - truth.flow).norm(dim=1, keepdim=True) * pixels
    looks = sample(pair.source.mask, fine, padding="border")
    return Scores(
        _mean(away, truth.seen),
        _mean(wrong.mean(1, keepdim=True), truth.seen),
        _mean(wrong.mean(1, keepdim=True), truth.hidden),
        _mean((looks > 0.5).float(), truth.hidden),
        _mean(second_differences(fine) * pixels, pair.target.mask),
    )


def second_differences(flow: Tensor) -> Tensor:
    """b 1 h w: |f(x - 1) - 2 f(x) + f(x + 1)|, the longer of the two axes; 0 at the border."""
    result = torch.zeros_like(flow[:, :1])
    for axis in (2, 3):
        n = flow.shape[axis]
        a, b, c = (flow.narrow(axis, k, n - 2) for k in range(3))
        inner = result.narrow(axis, 1, n - 2)
        inner.copy_(torch.maximum(inner, (a - 2 * b + c).norm(dim=1, keepdim=True)))
    return result


def scores(flows: Sequence[Tensor], pairs: Sequence[Pair]) -> Scores:
    """`score` of every pair: single ones, each with a flow 2 h w."""
    rows = [
        score(flow[None], pair.batched(), truth_of(pair.batched())) for flow, pair in zip(flows, pairs, strict=True)
    ]
    return Scores(*(torch.cat(column) for column in zip(*rows, strict=True)))


def mean_scores(flows: Sequence[Tensor], pairs: Sequence[Pair]) -> Scores:
    """`scores`, averaged over pairs; those without such pixels are left out."""
    return Scores(*(column.nanmean() for column in scores(flows, pairs)))


def photograph_error(flows: Sequence[Tensor], pairs: Sequence[Pair]) -> float:
    """Mean absolute difference of whole photographs: sources sampled directly with flows 2 h w, and targets."""
    errors = []
    for flow, pair in zip(flows, pairs, strict=True):
        made = sample(pair.source.image[None], resize_grid(flow[None], pair.target.size), padding="border")
        errors.append(float((made[0] - pair.target.image).abs().mean()))
    return float(np.mean(errors))


def random_body_error(pairs: Sequence[Pair], seed: int = 0, draws: int = 20) -> float:
    """l1_hidden of `score` for hidden pixels that look at a pixel of the source's body drawn at random."""
    random, errors = torch.Generator().manual_seed(seed), []
    for pair in pairs:
        hidden = truth_of(pair.batched()).hidden[0, 0] > 0
        body, wanted = pair.source.image[:, pair.source.mask[0] > 0], pair.target.image[:, hidden].repeat(1, draws)
        if wanted.numel():
            drawn = body[:, torch.randint(body.shape[1], wanted.shape[1:], generator=random)]
            errors.append(float((drawn - wanted).abs().mean()))
    return float(np.mean(errors))


def joint_errors(flow: Tensor, pair: Pair) -> dict[str, float]:
    """Joint -> how many pixels beside the source's joint the flow of one pair looks for it; joints seen in both.

    0 where the limb is brought along; as far as the joint moved where the flow copies the picture.
    """
    source, target = pair.source, pair.target
    at = target.keypoints.mT[..., None].to(flow)  # 1 2 18 1
    looked = sample(resize_grid(flow, target.size), at, padding="border")[0, :, :, 0].T
    off = (looked - source.keypoints[0]).norm(dim=1) * source.size[1] / 2
    seen = (source.visibility[0] == 2) & (target.visibility[0] == 2)
    return {name: float(off[j]) for j, name in enumerate(JOINTS) if seen[j]}


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the mask for every picture; NaN where it is empty."""
    return (values * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3))
