"""How well are surface maps read from joints?  On held-out people, with exact joints and rough ones.

    python -m posekit_lab.surface_maps [--weights FILE] [--people 400] [--out FILE]

measures the network of the keypoint-guided variant, and writes the table and prints it: the part, the outline and the
position (`posekit.metrics.surface_map`), a mean over photographs each, with its interval over people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from posekit.data.joint_noise import JointNoise
from posekit.data.studio import StudioPeople
from posekit.metrics.interval import interval_over_people
from posekit.metrics.surface_map import MapErrors, map_errors
from posekit.person import stack_persons
from posekit.reference import load_reference
from posekit.systems.base import System
from posekit.training.weights import load_weights
from posekit.util.files import write_json

OUT = Path(__file__).parents[1] / "results" / "surface_maps.json"
ATLAS = 64  # texels along an edge that distances are counted in
# What the network is shown: whether the silhouette, and how rough the joints.
SHOWN = {
    "joints": (False, None),
    "joints and silhouette": (True, None),
    "joints 1 px off, 3 % missing": (False, JointNoise()),
    "joints 2 px off, 10 % missing": (False, JointNoise(2.0, 0.1)),
}


def main(arguments: list[str] | None = None) -> dict:
    """Measure, write, print; returns the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=None, help="the shipped ones if not given")
    parser.add_argument("--people", type=int, default=400, help="numbers considered; 1 of 10 is held out")
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(arguments)
    system = load_reference(variant="keypoints") if args.weights is None else load_weights(args.weights)
    people = StudioPeople(args.people, args.views, system.size, 0, split="test")
    table = {shown: summary(map_errors_of(system, people, *how)) for shown, how in SHOWN.items()}
    facts = {"photographs": len(people.numbers) * args.views, "people": len(people.numbers), "texels": ATLAS}
    write_json(args.out, {**facts, "interval": "95 %, over people", "shown": table})
    for shown, errors in table.items():
        print(shown)
        for name, value in errors.items():
            low, high = value["low"], value["high"]
            print(f"    {name:<14} {value['mean']:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]"))
    return table


def map_errors_of(system: System, people: StudioPeople, outline: bool, noise: JointNoise | None) -> list[MapErrors]:
    """The errors of all photographs, an entry for each person.

    outline: whether the silhouette is shown.  noise: how rough the joints are; exact if None.
    """
    errors = []
    for i in range(len(people.numbers)):
        views = [people.person(i, view) for view in range(people.card.views)]
        rough = [noise(person, np.random.default_rng([i, view])) if noise else person
                 for view, person in enumerate(views)]  # fmt: skip
        truth, read = stack_persons(views), system.read_pose(stack_persons(rough), outline)
        errors.append(map_errors(read.part, read.uv, truth.part, truth.uv, ATLAS))
    return errors


def summary(errors: list[MapErrors]) -> dict[str, dict[str, float]]:
    """Of each error, the mean over photographs and its interval over people."""
    people = np.repeat(np.arange(len(errors)), [len(e.median) for e in errors])
    table = {}
    for name in MapErrors._fields:
        values = np.concatenate([getattr(e, name).double().numpy() for e in errors])
        low, high = interval_over_people(values, people) or (None, None)  # None: one person
        table[name] = {"mean": float(np.nanmean(values)), "low": low, "high": high}
    return table


if __name__ == "__main__":
    main()
