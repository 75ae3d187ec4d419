"""What a skip carries: activations of a trained network, warped in three ways; limbs; people for a small duel.

Activations are ``b c h w``; ``move`` below is a kind of skip by its name, one of MOVES.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from posekit.data.studio import StudioPeople
from posekit.nets.deformable_hourglass import warp_activations
from posekit.ops.keypoints import BODY_PARTS, JOINTS
from posekit.ops.part_affine import PartMaps, part_maps, warp_by_parts
from posekit.person import Pair, Person, collate_pairs
from posekit.reference import load_reference
from posekit.studio.generate import make_person
from posekit.systems.base import System

MOVES = ("plain", "parts", "E")


@lru_cache(maxsize=16)
def pair_of(seed: int, person: int, views: tuple[int, int], size: int) -> Pair:
    """Two photographs (source view, target view) of a studio person as a batch of one; the last ones are remembered."""
    source, target = (make_person(seed, person, view, size) for view in views)
    return Pair(source, target).batched()


@lru_cache(maxsize=1)
def refiner() -> System:
    """The shipped coordinate-based system, whose refinement network g encodes the source at three scales."""
    return load_reference("coordinate_inpainting")


@lru_cache(maxsize=16)
def encoded(seed: int, person: int, views: tuple[int, int], size: int) -> tuple[list[Tensor], Tensor]:
    """What the trained network makes of a pair: source activations at full, half and quarter size, and E."""
    system, pair = refiner(), pair_of(seed, person, views, size)
    found: list[Tensor] = []
    hooks = [block.register_forward_hook(lambda _m, _i, out: found.append(out)) for block in system.g.source]
    try:
        with torch.no_grad():
            E = system(pair).E
    finally:
        for hook in hooks:
            hook.remove()
    return found, E


def on_black(person: Person) -> Tensor:
    """The photograph with its background painted black: a maximum of moved pictures would else choose a bright wall."""
    return person.image * person.mask


def inner_mask(person: Person, margin: int = 2) -> Tensor:
    """The mask without its outermost ``margin`` pixels: what lies there is the body's pattern, not its outline."""
    return 1 - max_pool2d(1 - person.mask, 2 * margin + 1, stride=1, padding=margin)


def joint_maps(pair: Pair) -> PartMaps:
    """The ten part maps of a pair (a batch)."""
    s, t = pair.source, pair.target
    return part_maps(s.keypoints, s.visibility, t.keypoints, t.visibility, s.size)


def with_all_parts(seed: int, person: int, views: tuple[int, int], size: int) -> int:
    """This person, or the next of the same split (ten numbers on) of whom both views show all ten parts."""
    for number in itertools.count(person, 10):
        maps = joint_maps(pair_of(seed, number, views, size))
        if maps.defined.all() and not maps.twin.any():
            break
    return number


def move(activations: Tensor, kind: str, pair: Pair, E: Tensor) -> Tensor:
    """Activations of the source as a skip of this kind hands them to the decoder."""
    if kind == "plain":
        return activations
    if kind == "parts":
        return warp_by_parts(activations, joint_maps(pair))
    return warp_activations(activations, E, pair.target.mask, tuple(activations.shape[-2:]))


def without_joint(pair: Pair, *joints: str) -> Pair:
    """The pair as if these joints had not been found in the source."""
    visibility = pair.source.visibility.clone()
    visibility[:, [JOINTS.index(name) for name in joints]] = 0
    return Pair(dataclasses.replace(pair.source, visibility=visibility), pair.target)


def limb_error(pair: Pair, maps: PartMaps, limb: str) -> float:
    """Mean absolute error of the body that the maps make, where the target shows this limb.

    Where no part brings anything, the photograph counts as the map of the whole body moves it, wall and all: a hole
    is not made worse than it is by being black.
    """
    region = joint_maps(pair).mask[:, [BODY_PARTS.index(limb)]] * pair.target.mask
    made = warp_by_parts(on_black(pair.source), maps)
    whole = warp_by_parts(pair.source.image, maps.without(*BODY_PARTS[1:]))
    made = torch.where(made.amax(1, keepdim=True) > 0, made, whole)
    return float(((made - pair.target.image).abs().mean(1, keepdim=True) * region).sum() / region.sum())


# ------------------------------------------------------------------------------------------------------------ the duel


def studio_set(people: int, size: int, seed: int, views: int = 4) -> tuple[list[Pair], ...]:
    """All ordered pairs of the training people and of the held-out ones (8 and 1 of 10 numbers)."""
    common = {"people": people, "views": views, "size": size, "seed": seed, "progress": False}
    return tuple(_all_pairs(StudioPeople(split=split, **common), views) for split in ("train", "val"))


def _all_pairs(data: StudioPeople, views: int) -> list[Pair]:
    """Every ordered pair of views of every person; a photograph is in memory once."""
    found = []
    for i in range(len(data.numbers)):
        photos = [data.person(i, view) for view in range(views)]
        found += [Pair(a, b) for a, b in itertools.permutations(photos, 2)]
    return found


def photographs(system: System, pairs: Sequence[Pair], batch: int = 16) -> Tensor:
    """The new photograph of every pair, n 3 h w."""
    was_training = system.training
    system.eval()
    with torch.inference_mode():
        made = [system(collate_pairs(list(pairs[i : i + batch]))).image for i in range(0, len(pairs), batch)]
    system.train(was_training)
    return torch.cat(made).clone()


def body_errors(made: Tensor, truth: Tensor, mask: Tensor) -> np.ndarray:
    """Mean absolute error over the body of every photograph, (n,)."""
    wrong = (made - truth).abs().mean(1, keepdim=True) * mask
    return (wrong.sum((1, 2, 3)) / mask.sum((1, 2, 3))).numpy()
