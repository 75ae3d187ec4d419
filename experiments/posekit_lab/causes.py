"""Five causes of failure that the supplementary of Deformable GANs names (section 6), each provoked and measured.

    python -m posekit_lab.causes [SYSTEM] [--people 400] [--out FOLDER]

keeps ``causes.json`` and ``causes.png``.  The paper shows pictures and guesses at the cause; the studio knows it:

    pose estimation     the target's joints are those that a pose model finds in its photograph, not the exact ones
    depth               at elbows and wrists that are hidden, beside those that are seen: joints have no depth
    rare poses          the target is seen obliquely from behind (3 % of the training), beside straight from behind
                        (13 %); the source from the front; same person
    rare objects        a dress to the floor, beside trousers: same person, pose and camera
    narrow surfaces     the source's shoulders are less than half as wide as the target's, beside at least four fifths

What is compared is the l1 of a region of the target, person by person, so that a person who is hard does not count.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from posekit.data.studio import StudioPeople
from posekit.ops.grids import norm_to_points
from posekit.ops.keypoints import JOINTS
from posekit.person import Pair, Person
from posekit.photo.find_person import find_person
from posekit.plots import picture
from posekit.reference import load_system
from posekit.studio.generate import body_turn, make_person, split_of
from posekit.systems.base import System
from posekit.util.errors import InputError
from posekit.util.files import whole_file, write_json
from posekit_lab.differences import Difference, interval_of
from posekit_lab.pictures import new_figure, show
from posekit_lab.results import RESULTS

_RADIUS = 8  # pixels around a joint, of pictures of 128
_BEHIND = ((0, 60), (120, 165), (170, 181))  # degrees of turn: from the front, obliquely and straight from behind
_TRIED = 40  # pairs among which the one that is shown is the median
_FLOOR = {"outfit": "dress", "skirt_length": 1.0}
_TRUNK = ("neck", "right_shoulder", "left_shoulder", "right_hip", "left_hip")
_ENDS = [JOINTS.index(f"{side}_{joint}") for side in ("right", "left") for joint in ("elbow", "wrist")]
Region = Callable[[Person], Tensor]  # a single photograph -> 1 h w


@dataclass(frozen=True)
class Cause:
    """spoilt: pairs with the cause.  plain: without it.  regions: where the error of each of the two is measured."""

    name: str
    spoilt: Sequence[Pair]
    plain: Sequence[Pair]
    regions: tuple[Region, Region]


@dataclass(frozen=True)
class Effect:
    """What a cause costs: l1 with and without it, their difference over the people who have both, the pairs."""

    name: str
    spoilt: float
    plain: float
    difference: Difference
    pairs: tuple[int, int]


def main(arguments: list[str] | None = None) -> list[Effect]:
    """Measure, write, draw; returns the effects."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", nargs="?", default="deformable_gan-laptop", help="weight file, or a name")
    parser.add_argument("--people", type=int, default=400, help="numbers considered; 1 of 10 is held out")
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args(arguments)
    system = load_system(args.system).eval()
    size = system.size or (128, 128)
    people = StudioPeople(args.people, args.views, size, 0, split="test", progress=False)
    made = list(causes(people))
    effects = [measure_cause(system, cause) for cause in made]
    kept = {e.name: {"l1 with": e.spoilt, "l1 without": e.plain, "difference": e.difference.mean,
                     "low": e.difference.low, "high": e.difference.high, "people": e.difference.seeds,
                     "pairs": list(e.pairs)} for e in effects}  # fmt: skip
    write_json(args.out / "causes.json", {"system": args.system, "causes": kept})
    with whole_file(args.out / "causes.png") as place:
        _draw(system, made).savefig(place, format="png", metadata={"Software": None})
    return effects


def causes(people: StudioPeople) -> Iterator[Cause]:
    """The five causes among the pairs of held-out people."""
    pairs = [people[i] for i in range(len(people))]
    yield Cause("pose estimation", *zip(*_estimated(pairs[:: people.card.views]), strict=True), (_body, _body))
    yield Cause("depth", pairs, pairs, (_around_joints(1), _around_joints(2)))
    yield Cause("rare poses", *_from_behind(people), (_body, _body))
    yield Cause("rare objects", *_dressed(people), (_body, _body))
    shares = [_shoulders(pair.source) / max(_shoulders(pair.target), 1e-6) for pair in pairs]
    broad = [_shoulders(pair.target) > 0.5 for pair in pairs]
    narrow = [p for p, s, f in zip(pairs, shares, broad, strict=True) if f and s < 0.5]
    wide = [p for p, s, f in zip(pairs, shares, broad, strict=True) if f and s >= 0.8]
    yield Cause("narrow surfaces", narrow, wide, (_torso, _torso))


def measure_cause(system: System, cause: Cause) -> Effect:
    """The l1 of both kinds of pairs; of each person the mean, and the difference over those who have both."""
    errors = [
        _by_person(system, pairs, region)
        for pairs, region in zip((cause.spoilt, cause.plain), cause.regions, strict=True)
    ]
    both = [who for who in errors[0] if who in errors[1]]
    if len(both) < 2:
        raise InputError(f"Only {len(both)} people have pairs with and without {cause.name}; take more people.")
    means = [np.array([np.mean(own[who]) for who in both]) for own in errors]
    pairs = tuple(sum(map(len, own.values())) for own in errors)
    difference = replace(interval_of("l1", means[0] - means[1]), over="people")
    return Effect(cause.name, float(means[0].mean()), float(means[1].mean()), difference, pairs)


def _by_person(system: System, pairs: Sequence[Pair], region: Region) -> dict[str, list[float]]:
    """Person -> the errors of their pairs; pairs whose region has fewer than 10 pixels are left out."""
    errors: dict[str, list[float]] = {}
    for pair in pairs:
        mask = region(pair.target)
        if mask.sum() < 10:
            continue
        with torch.no_grad():
            made = system(pair.batched()).image[0]
        wrong = ((made - pair.target.image).abs() * mask).sum() / (3 * mask.sum())
        errors.setdefault(pair.target.identity, []).append(float(wrong))
    return errors


# ---------------------------------------------------------------------------------------------------- where is looked


def _body(person: Person) -> Tensor:
    return person.mask


def _torso(person: Person) -> Tensor:
    return ((person.part == 1) | (person.part == 2)).float()


def _around_joints(visibility: int) -> Region:
    """Pixels of the body near elbows and wrists that are hidden (1), or seen (2)."""

    def region(person: Person) -> Tensor:
        h, w = person.size
        y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
        near = torch.zeros(h, w, dtype=torch.bool)
        for column, row in norm_to_points(person.keypoints[_ENDS], person.size)[person.visibility[_ENDS] == visibility]:
            near |= (x - column) ** 2 + (y - row) ** 2 <= _RADIUS**2
        return near[None].float() * person.mask

    return region


# ------------------------------------------------------------------------------------------------- how it is provoked


def _estimated(pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Pair]]:
    """Each pair with the joints of a pose model as its target's pose, and as it is; not where it finds nobody."""
    for pair in pairs:
        try:
            seen = find_person(pair.target.image)
        except InputError:
            continue
        target = replace(pair.target, keypoints=seen.keypoints, visibility=seen.visibility)
        yield replace(pair, target=target), pair


def _dressed(people: StudioPeople) -> tuple[list[Pair], list[Pair]]:
    """Everybody's first two photographs in a dress to the floor, and in trousers."""
    seed, size = people.card.seed, people.card.size
    return tuple(
        [Pair(*(make_person(seed, n, view, size, **choices) for view in (0, 1))) for n in people.numbers]
        for choices in (_FLOOR, {"outfit": "trousers"})
    )


def _from_behind(people: StudioPeople, views: int = 12) -> tuple[list[Pair], list[Pair]]:
    """The first held-out people with views from the front, obliquely and straight from behind; as many as there are."""
    seed, size, wanted = people.card.seed, people.card.size, len(people.numbers)
    rare, usual = [], []
    for n in (n for n in range(10**5) if split_of(n) == "test"):
        turns = [abs(body_turn(seed, n, view)) for view in range(views)]
        kinds = [[v for v, turn in enumerate(turns) if low <= turn < high] for low, high in _BEHIND]
        if all(kinds):
            front, oblique, straight = (make_person(seed, n, kind[0], size) for kind in kinds)
            rare.append(Pair(front, oblique))
            usual.append(Pair(front, straight))
        if len(rare) == wanted:
            break
    return rare, usual


def _shoulders(person: Person) -> float:
    """Distance of the shoulders across, in lengths of the trunk (neck to the middle of the hips)."""
    points = norm_to_points(person.keypoints, person.size)
    neck, right, left, *hips = (points[JOINTS.index(name)] for name in _TRUNK)
    trunk = float((neck - sum(hips) / 2).norm())
    return abs(float(right[0] - left[0])) / max(trunk, 1e-6)


# -------------------------------------------------------------------------------------------------------------- shown


def _draw(system: System, made: Sequence[Cause]) -> Figure:
    """A row for each cause: a pair with the median error of such pairs, and one of the same person without it."""
    figure, axes = new_figure(8.6, 1.55 * len(made) + 0.2, len(made), 6, kind=Figure)
    for row, cause in enumerate(made):
        spoilt = _usual(system, cause.spoilt, cause.regions[0])
        own = [pair for pair in cause.plain if pair.target.identity == spoilt.target.identity]
        twins = [pair for pair in own if pair.target.name == spoilt.target.name]  # the same pair, but for the cause
        plain = _usual(system, twins or own or cause.plain, cause.regions[1])
        for pair, kind, places in ((spoilt, "with", axes[row, :3]), (plain, "without", axes[row, 3:])):
            with torch.no_grad():
                image = system(pair.batched()).image
            pictures = {"source": pair.source.image, "made": image, "truth": pair.target.image}
            for axis, (title, one) in zip(places, pictures.items(), strict=True):
                show(axis, picture(one), f"{title}, {kind}" if row == 0 else "")
        axes[row, 0].set_ylabel(cause.name, fontsize=10)
    return figure


def _usual(system: System, pairs: Sequence[Pair], region: Region) -> Pair:
    """The pair with the median error among some, evenly spread, whose region can be measured."""
    some = [pairs[i] for i in range(0, len(pairs), -(-len(pairs) // _TRIED))]
    measured = [(error[0], n) for n, pair in enumerate(some) for error in _by_person(system, [pair], region).values()]
    return some[sorted(measured)[len(measured) // 2][1]]


if __name__ == "__main__":
    main()
