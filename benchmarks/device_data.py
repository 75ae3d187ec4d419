"""Training on this processor with rendered people kept as tensors where batches are made, and without.

    python benchmarks/device_data.py [--people 100] [--steps 60] [--rounds 2]

Stage f of the laptop preset, batches of 4 at 128 x 128, one thread; both ways in turn.  Prints the median seconds of a
step and the share of the time spent waiting for data.
"""

import argparse
from statistics import median

import torch

import posekit
from posekit.training.runlog import waited_share


def main() -> None:
    """Train, and print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100, help="numbers considered; 8 of 10 are for training")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(1)
    people = posekit.StudioPeople(args.people, 6, 128, split="train", progress=False)
    for _ in range(args.rounds):
        for device_data in (False, True):
            options = posekit.TrainingOptions(
                stages=["inpainting"], steps=args.steps, device="cpu", device_data=device_data, log_every=10,
                progress=False,
            )  # fmt: skip
            log = posekit.fit(posekit.build("coordinate_inpainting", seed=0), people, options=options)[1:]
            how = "on the device" if device_data else "in the program"
            seconds = median(record["seconds"] for record in log)
            print(f"{how:14}: {seconds:.3f} s a step, {waited_share(log):.1%} waiting for data", flush=True)


if __name__ == "__main__":
    main()
