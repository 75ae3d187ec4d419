"""What dots say of a body, and what clothes are told of a person.

Poses are `posekit.person.Person` batches of one with joints; probabilities are ``b 25 m m``, 0 being the background.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from functools import lru_cache

import torch
from torch import Tensor

from posekit.data.studio import StudioPeople
from posekit.evaluation.try_on import try_on_pair
from posekit.ops.keypoints import HEAD_JOINTS, JOINTS, MIRROR_JOINTS
from posekit.person import Pair, Person
from posekit.reference import load_reference
from posekit.systems import build
from posekit.systems.base import System
from posekit.systems.coordinate_results import CoordinateResult
from posekit.systems.cut_out import kept_of, laid_on_white
from posekit.systems.rough_pose import pose_planes, silhouette

BACK, FRONT = 1, 2  # of the torso, DensePose's numbers
GROUPS: Mapping[str, tuple[int, ...]] = {  # joints that can be hidden together
    "nothing": (),
    "head": HEAD_JOINTS,
    "arms": tuple(n for n, name in enumerate(JOINTS) if name.endswith(("elbow", "wrist"))),
    "legs": tuple(n for n, name in enumerate(JOINTS) if name.endswith(("knee", "ankle"))),
}


@lru_cache(maxsize=3)
def package_system(variant: str) -> System:
    """The shipped coordinate-based system: "full", "keypoints" or "garments"."""
    return load_reference(variant=variant)


@lru_cache(maxsize=4)
def posed_people(people: int, size: int = 128, seed: int = 0, views: int = 4) -> StudioPeople:
    """Pairs of the first people of the test split, one target for each photograph."""
    numbers = [10 * n + 9 for n in range(people)]
    common = {"views": views, "size": size, "seed": seed, "split": "test", "progress": False}
    return StudioPeople(numbers, pairs="random", **common)


def maps_of(system: System, pair: Pair) -> CoordinateResult:
    """All maps of a batch, without gradients."""
    with torch.no_grad():
        return system(pair)


# ------------------------------------------------------------------------------------------------------------- poses


def pose_of(person: Person) -> Person:
    """A person (a batch of one) of whom nothing but the joints is left."""
    black = torch.zeros_like(person.image)
    return Person(black, keypoints=person.keypoints, visibility=person.visibility, name=person.name)


def without(person: Person, hidden: Collection[int]) -> Person:
    """The same pose, in which these joints were not found."""
    visibility = person.visibility.clone()
    visibility[..., list(hidden)] = 0
    return dataclasses.replace(person, visibility=visibility)


def turned(person: Person, share: float) -> Person:
    """The pose on its way to the same dots with the names right and left exchanged.

    share: 0 as it is; 1 exchanged, the pose of somebody seen from the other side; half way, both of a pair of joints
    lie in one place, as in a view from the side.
    """
    twins = person.keypoints[..., list(MIRROR_JOINTS), :]
    seen = person.visibility
    both = torch.minimum(seen, seen[..., list(MIRROR_JOINTS)]) if share > 0 else seen
    return dataclasses.replace(person, keypoints=(1 - share) * person.keypoints + share * twins, visibility=both)


def answers(system: System, person: Person, outline: bool = False) -> tuple[Tensor, Tensor]:
    """Probabilities of background and parts, b 25 m m, and a position for each part, b 24 2 m m."""
    side = system.config.map_size
    shown = silhouette(person) if outline else None
    with torch.no_grad():
        scores, positions = system.surface(pose_planes(person.keypoints, person.visibility, shown, (side, side)))
    return scores.softmax(1), positions


def back_share(probability: Tensor) -> float:
    """How much of the torso's probability is its back's: 0 surely a front, 1 surely a back."""
    back, front = (probability[:, part].sum() for part in (BACK, FRONT))
    return float(back / (back + front))


def doubt(probability: Tensor) -> Tensor:
    """Entropy of the answer of every pixel in bits, b 1 m m: 0 sure, 1 as between two equal answers."""
    return -(probability * probability.clamp(min=1e-12).log2()).sum(1, keepdim=True)


def body_doubt(probability: Tensor) -> float:
    """Mean doubt of a pixel of the body in bits, each pixel counting as much as it belongs to the body."""
    body = 1 - probability[:, :1]
    return float((doubt(probability) * body).sum() / body.sum())


def averaged(probability: Tensor, positions: Tensor) -> Tensor:
    """The mean position over all parts, by their probabilities, b 2 m m: across the cuts of the atlas."""
    body = probability[:, 1:] / probability[:, 1:].sum(1, keepdim=True).clamp(min=1e-6)
    return (body[:, :, None] * positions).sum(1)


def position_errors(uv: Tensor, truth: Tensor, on: Tensor, texels: int = 64) -> Tensor:
    """Distances in texels of an atlas, where ``on`` (b 1 h w) is above 0."""
    distance = (uv - truth).norm(dim=1, keepdim=True) * texels / 2
    return distance[on > 0]


# ----------------------------------------------------------------------------------------------------------- dressing


@lru_cache(maxsize=64)
def dressed_pair(person: int, owner: int, size: int = 128, seed: int = 0) -> Pair:
    """Person ``person`` in the clothes of ``owner``: clothes, truth, and the person as they are, a batch of one."""
    return try_on_pair(seed, person, owner, (0, 0), (size, size)).batched()


def dressed(system: System | None, pair: Pair) -> Tensor:
    """What a system makes of clothes and person; None: head and hands pasted on copied texels."""
    system = build("garment_paste", atlas_size=128) if system is None else system
    return maps_of(system, Pair(pair.source, pair.neighbours[0])).image


def fitting_errors(made: Tensor, pair: Pair) -> tuple[float, float]:
    """Mean absolute error against the truth, on what is kept of the person, and on the rest of the body."""
    wrong = (made - laid_on_white(pair.target)).abs().mean(1, keepdim=True)
    kept, shown = kept_of(pair.target), silhouette(pair.target)
    clothes = shown * (1 - kept)
    return tuple(float((wrong * mask).sum() / mask.sum().clamp(min=1)) for mask in (kept, clothes))


def keeping(person: Person, head: bool, hair: bool, hands: bool) -> Person:
    """The person, of whom these are left to be kept: what g then sees of N' has the other masks empty.

    Hair belongs to the head's mask; without hair, the head's skin alone is kept.
    """
    empty = torch.zeros_like(person.head)
    skin = person.head * (1 - person.hair)
    kept = skin * head + person.hair * hair
    return dataclasses.replace(person, head=kept, hair=empty, hands=person.hands if hands else empty)
