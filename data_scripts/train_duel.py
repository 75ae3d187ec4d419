"""Train the two networks of notebook 03 for long: one completes coordinates, one completes colours.

    python data_scripts/train_duel.py coordinates
    python data_scripts/train_duel.py colours

Both see the same people in the same order, start from the same seed, take the same number of steps at the same rates
and have the same width; only what they complete differs.  Weights at the milestones are kept in the folder of the
run.  Interrupted, the same command goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from posekit.data.studio import StudioPeople
from posekit.systems import build
from posekit.training.checkpoint import save_weights
from posekit.training.fit import fit

VARIANTS = {"coordinates": "full", "colours": "rgb"}
MILESTONES = (250, 500, 1000, 2000, 3000, 4500, 6000, 9000, 12000)


def main() -> None:
    """Train one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=VARIANTS)
    parser.add_argument("--people", type=int, default=400, help="numbers considered; 8 of 10 are for training")
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=MILESTONES[-1])
    parser.add_argument("--run", type=Path, default=Path("runs/duel"))
    args = parser.parse_args()

    system = build(
        "coordinate_inpainting", "laptop", VARIANTS[args.what], seed=args.seed, black_background=True, g_width=4
    )
    data = StudioPeople(args.people, args.views, system.config.image_size, args.seed, "train")
    run = args.run / args.what

    def keep(_, __, step: int) -> None:
        if step in MILESTONES:
            save_weights(system, run / f"f-{step:06d}.safetensors", half=True, seed=args.seed, data=data.describe())

    fit(
        system, data, run, seed=args.seed, stages=["inpainting"], steps=args.steps, device="cpu", on_step=keep
    )  # fmt: skip


if __name__ == "__main__":
    main()
