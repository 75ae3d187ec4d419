"""Images per second of a whole training step of coordinate-based inpainting: plain float32 beside the tuned path.

    python benchmarks/train_step.py [--preset laptop|paper] [--batch 4] [--size 128] [--device cpu] [--threads 2]
                                    [--steps 7] [--compile]

"f" is a step of the first stage, "g + D" one of the second, both as `posekit train` takes them: forward, losses,
backward, Adam, of the critic too.  "both" trains a batch of pairs once in each.  Loading is not counted: one batch of
studio people is used again and again.  Pretrained features cost what random ones of their width cost; these are used.

plain                   float32, PyTorch's own layout, no compilation      posekit train
channels-last                                                              --channels-last
bf16                    autocast to bfloat16; coordinates stay float32     --precision bf16-mixed
bf16, channels-last                                                        --precision bf16-mixed --channels-last
... compiled            by torch.compile, with --compile here              ... --compile

One step of every variant makes a round, so that a busy machine slows all of them, and medians over the rounds are
printed, of wall time and, on the CPU, of CPU time over all threads.  Where other programs hold the processors, threads
spin while they wait for each other: believe CPU time with --threads 1 then.

On CUDA the share of the device's peak is printed too: operations of the convolutions and matrix products (PyTorch's
counter; 2 for a multiplication and an addition) by wall time, over the rate of one large bfloat16 matrix product in
the same run, and over the published rate where that is known.  The last line is the same as JSON.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from posekit.person import Pair, collate_pairs
from posekit.studio.generate import make_person
from posekit.systems.base import System
from posekit.systems.coordinate_inpainting import CoordinateInpainting
from posekit.training.device import make_fabric, tune
from posekit.training.step import freeze_and_optimize, train_step

STAGES = ("f", "g + D")
PUBLISHED = {"H100": 989e12, "H200": 989e12, "A100": 312e12}  # dense bfloat16, SXM; NVIDIA's data sheets
PEOPLE = 4  # different ones in a batch
WARM_UP = 2  # rounds: memory is allocated, compilers run
Found = dict[str, dict[str, dict[str, float]]]  # stage -> variant -> clock -> median seconds of a step


@dataclass(frozen=True)
class Variant:
    precision: str = "32-true"
    channels_last: bool = False
    compiled: bool = False


VARIANTS = {
    "plain": Variant(),
    "channels-last": Variant(channels_last=True),
    "bf16": Variant("bf16-mixed"),
    "bf16, channels-last": Variant("bf16-mixed", channels_last=True),
}
COMPILED = {
    "compiled": Variant(compiled=True),
    "bf16, channels-last, compiled": Variant("bf16-mixed", channels_last=True, compiled=True),
}


class Runner:
    """A copy of a system that takes the steps of one variant."""

    def __init__(self, system: System, variant: Variant, batch: Pair, device: str):
        self.fabric = make_fabric(device, 1, variant.precision)
        self.system = copy.deepcopy(system).to(self.fabric.device)
        tune(self.system, self.system.stages(), variant.channels_last, variant.compiled)
        self.batch = batch.to(self.fabric.device)

    def stage(self, number: int) -> Callable[[], object]:
        """Begin a stage; the function that takes one step of it."""
        stage = self.system.stages()[number]
        optimizers = freeze_and_optimize(self.system, stage)
        return lambda: train_step(self.system, [self.batch], stage, optimizers, self.fabric)


def build(args: argparse.Namespace) -> tuple[System, Pair]:
    """The system of the preset, with random features, and a batch of studio people of its size."""
    config = replace(CoordinateInpainting.PRESETS[args.preset], features="random")
    if args.size:
        config = replace(config, image_size=args.size, atlas_size=args.size)
    torch.manual_seed(0)
    system = CoordinateInpainting(config, args.preset)
    pairs = [Pair(*(make_person(0, n, view, config.image_size) for view in (0, 1))) for n in range(PEOPLE)]
    return system, collate_pairs([pairs[i % PEOPLE] for i in range(args.batch or config.batch_size)])


def seconds(run: Callable[[], object], device: str) -> tuple[float, float]:
    """Wall time and CPU time of one call, the device idle before and after."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    wait()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(runners: dict[str, Runner], number: int, args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Median seconds of one step of a stage, by variant."""
    steps = {name: runner.stage(number) for name, runner in runners.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for round_ in range(WARM_UP + args.steps):
        for name, step in steps.items():
            elapsed = seconds(step, args.device)
            if round_ >= WARM_UP:
                times[name].append(elapsed)
    return {
        name: {"wall": statistics.median(w for w, _ in t), "cpu": statistics.median(c for _, c in t)}
        for name, t in times.items()
    }


def operations(runner: Runner, number: int) -> int:
    """Floating-point operations of one step, those of convolutions and matrix products."""
    step = runner.stage(number)
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def matrix_rate(size: int = 8192, rounds: int = 20) -> float:
    """Operations a second of one large bfloat16 matrix product on the GPU."""
    a = torch.randn(size, size, device="cuda", dtype=torch.bfloat16)
    times = [seconds(lambda: a @ a, "cuda")[0] for _ in range(rounds)]
    return 2 * size**3 / min(times)


def show(timings: Found, batch: int, clock: str) -> None:
    print(f"\nimages a second by {clock} time; in brackets: ratio to plain")
    print(f"  {'':32}" + "".join(f"{column:>18}" for column in timings))
    for name in timings["both"]:
        cells = (
            f"{batch / times[name][clock]:.2f} ({times['plain'][clock] / times[name][clock]:.2f})"
            for times in timings.values()
        )
        print(f"  {name:32}" + "".join(f"{cell:>18}" for cell in cells))


def shares(timings: Found, flops: dict[str, int], peaks: dict[str, float]) -> dict[str, dict[str, dict[str, float]]]:
    """Share of each peak by stage and variant; printed too."""
    result = {}
    for peak, rate in peaks.items():
        print(f"\n% of {rate / 1e12:.0f} TFLOP/s, the rate of {peak}")
        print(f"  {'':32}" + "".join(f"{column:>18}" for column in timings))
        result[peak] = {
            stage: {name: flops[stage] / t["wall"] / rate for name, t in times.items()}
            for stage, times in timings.items()
        }
        for name in timings["both"]:
            cells = (f"{100 * result[peak][stage][name]:.1f}" for stage in timings)
            print(f"  {name:32}" + "".join(f"{cell:>18}" for cell in cells))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=list(CoordinateInpainting.PRESETS), default="laptop")
    parser.add_argument("--batch", type=int, help="pairs a step; the preset's if not given")
    parser.add_argument("--size", type=int, help="of photographs and atlas; the preset's if not given")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--steps", type=int, default=7, help="rounds that are measured")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--compile", action="store_true", help="the compiled variants too; needs a C++ compiler")
    args = parser.parse_args()
    # A thread of autograd that still holds a GPU's Python backward at exit aborts the program ("terminate called ...").
    torch.autograd.set_multithreading_enabled(False)
    torch.set_num_threads(args.threads)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    system, batch = build(args)
    size, n = batch.source.size, len(batch.source.name)
    on = torch.cuda.get_device_name() if args.device == "cuda" else platform.machine()
    print(
        f"coordinate_inpainting, preset {args.preset}, batches of {n} pairs of {size[0]} x {size[1]}, {args.device} "
        f"({on}), {args.threads} threads, {args.steps} rounds"
    )
    runners = {
        name: Runner(system, variant, batch, args.device)
        for name, variant in {**VARIANTS, **(COMPILED if args.compile else {})}.items()
    }
    timings = {stage: measure(runners, number, args) for number, stage in enumerate(STAGES)}
    timings["both"] = {
        name: {clock: sum(timings[stage][name][clock] for stage in STAGES) for clock in ("wall", "cpu")}
        for name in runners
    }
    for clock in ("wall", "cpu") if args.device == "cpu" else ("wall",):
        show(timings, n, clock)
    result = {"seconds": timings}
    if args.device == "cuda":
        flops = {stage: operations(runners["plain"], number) for number, stage in enumerate(STAGES)}
        flops["both"] = sum(flops.values())
        peaks = {"one large bfloat16 product here": matrix_rate()}
        peaks |= {f"{name}'s data sheet": rate for name, rate in PUBLISHED.items() if name in on}
        result |= {"operations": flops, "peaks": peaks, "shares": shares(timings, flops, peaks)}
    print()
    print(json.dumps({"benchmark": "train_step", "torch": torch.__version__, "on": on, **vars(args), **result}))


if __name__ == "__main__":
    main()
