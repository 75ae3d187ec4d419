"""Seconds of a training step of g in coordinate-based inpainting, by the features its losses look through.

    python benchmarks/loss_features.py [--threads 1] [--rounds 5]

Batches of 4 pairs of studio people at 128 x 128, the networks of the laptop preset; a step is forward, losses, backward
and Adam, of the critic too.  One step of every kind makes a round; medians over the rounds, of wall and of CPU time:
where other programs hold the processors, believe CPU time with one thread.  Below it the terms of g's loss, times their
weights, for photographs of the shipped weights: whole, and the mean over 20 draws of squares.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time

import torch

from posekit.person import Pair, collate_pairs
from posekit.reference import load_reference
from posekit.studio.generate import make_person
from posekit.systems.coordinate_inpainting import CoordinateInpainting
from posekit.training.device import make_fabric
from posekit.training.step import freeze_and_optimize, train_step

KINDS = {  # title -> preset, settings
    "random features (laptop_random)": ("laptop_random", {}),
    "edge_vgg16, whole photographs": ("laptop", {"loss_crop": None}),
    "edge_vgg16, squares of 64 (laptop)": ("laptop", {}),
}
BATCH, DRAWS = 4, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    batch = collate_pairs([Pair(*(make_person(0, n, view, 128) for view in (0, 1))) for n in range(BATCH)])
    fabric = make_fabric("cpu", 1, "32-true")
    trained = load_reference()
    steps, systems = {}, {}
    for title, (preset, settings) in KINDS.items():
        system = systems[title] = CoordinateInpainting.from_preset(preset, **settings)
        for part in ("f", "g"):
            getattr(system, part).load_state_dict(getattr(trained, part).state_dict())
        stage = system.stages()[1]
        steps[title] = (system, [batch], stage, freeze_and_optimize(system, stage), fabric)
    print(f"{'weight times loss, shipped weights':42}", end="")
    terms = {title: weighted(system, batch) for title, system in systems.items()}
    names = list(dict.fromkeys(name for own in terms.values() for name in own))
    print("".join(f"{name:>19}" for name in names))
    for title, own in terms.items():
        print(f"{title:42}" + "".join(f"{own[name]:>19.3f}" if name in own else f"{'':19}" for name in names))
    times: dict[str, list[tuple[float, float]]] = {title: [] for title in steps}
    for round_ in range(args.rounds + 1):
        for title, step in steps.items():
            wall, cpu = time.perf_counter(), time.process_time()
            train_step(*step)
            if round_:  # the first one warms up
                times[title].append((time.perf_counter() - wall, time.process_time() - cpu))
    print(f"\n{f'seconds a step, {args.threads} threads':42}{'wall':>10}{'CPU':>10}")
    for title, pairs in times.items():
        wall, cpu = (statistics.median(values) for values in zip(*pairs, strict=True))
        print(f"{title:42}{wall:>10.2f}{cpu:>10.2f}")


@torch.no_grad()
def weighted(system: CoordinateInpainting, batch: Pair) -> dict[str, float]:
    """Mean over `DRAWS` of every term of g's loss times its weight."""
    weights, result = system.stages()[1].weights, system.eval()(batch)
    draws = [system.losses(batch, result, tuple(weights)) for _ in range(DRAWS if system.config.loss_crop else 1)]
    return {name: weight * statistics.mean(d[name].item() for d in draws) for name, weight in weights.items()}


if __name__ == "__main__":
    main()
