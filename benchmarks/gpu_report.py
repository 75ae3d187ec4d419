"""What a GPU does with this library: one command, under four minutes, whatever breaks.

    python benchmarks/gpu_report.py [--device cuda] [--minutes 4] [--only splat step:deformable_gan] [--out report.json]

Every section runs in a process of its own with a limit of its own: a crash, a hang or a compiler that never ends costs
that section alone, and what it had measured is kept.  Each result is printed as it comes; the last line is all of them
as JSON.  On a CPU (--device cpu) it is a dry run: tiny sizes, one round, the same code.

    machine         device, versions, the rate of one large bfloat16 matrix product, the rate of a copy in memory
    splat           8 maps of 256 x 256 forward, and forward with backward, beside four index_add_ passes
    correlation     the correlation of two feature maps with its filter, as one spatial transformation uses it
    nearest         the nearest-neighbour loss on features of 128 x 128, forward with backward
    step:SYSTEM     a training step of every stage: plain, bf16, bf16 in channels-last, compiled; pairs a second
    waiting         share of the time that `fit` waits for data: loaded by the program, by workers, kept on the device
    kernels         the ten kernels that take longest in a step of the coordinate-based system's second stage
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

SYSTEMS = ("coordinate_inpainting", "deformable_gan", "spatial_transformation", "dense_pose_transfer")
LIMITS = {"machine": 25, "splat": 25, "correlation": 20, "nearest": 20}  # seconds, with the start of Python and torch
LIMITS |= {f"step:{name}": 45 for name in SYSTEMS} | {"waiting": 45, "kernels": 40}
LEAST = 5  # seconds that a section must still have to be begun
MARK = "RESULT "  # before each result of a section, on its standard output


@dataclass(frozen=True)
class Scale:
    """How large a run is: a report of a GPU, or a dry run."""

    rounds: int
    maps: int  # of the splat
    size: int  # pixels and texels a side
    features: int  # a side of the maps that are compared
    batch: int
    steps: int
    matrix: int


GPU = Scale(rounds=20, maps=8, size=256, features=128, batch=16, steps=12, matrix=8192)
DRY = Scale(rounds=1, maps=2, size=40, features=12, batch=2, steps=2, matrix=256)


# ------------------------------------------------------------------------------------------------------- one section


def milliseconds(run: Callable[[], object], device: str, rounds: int) -> float:
    """Median over the rounds, after two that do not count, the device idle before and after."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    times = []
    for _ in range(2 + rounds):
        wait()
        begun = time.perf_counter()
        run()
        wait()
        times.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(times[2:])


def machine(device: str, scale: Scale) -> Iterator[tuple[str, object]]:
    yield "device", torch.cuda.get_device_name() if device == "cuda" else platform.machine()
    yield "versions", {"torch": torch.__version__, "python": platform.python_version(), "cuda": torch.version.cuda}
    a = torch.randn(scale.matrix, scale.matrix, device=device, dtype=torch.bfloat16)
    yield "matrix_tflops", 2 * scale.matrix**3 / milliseconds(lambda: a @ a, device, scale.rounds) / 1e9
    yield "copy_gb_per_s", 2 * a.numel() * 2 / milliseconds(lambda: a.clone(), device, scale.rounds) / 1e6


def splatting(device: str, scale: Scale) -> Iterator[tuple[str, object]]:
    from splat import dense_map, four_passes, gradients  # beside this script

    import posekit

    positions, mask = (x.to(device) for x in dense_map(scale.maps, scale.size))
    values = posekit.identity_grid(scale.size, scale.size, device=device).repeat(scale.maps, 1, 1, 1)
    cotangent = torch.randn_like(values)
    for name, run in (("splat", posekit.splat), ("index_add", four_passes)):
        forward = lambda run=run: run(values, positions, (scale.size, scale.size), mask)  # noqa: E731
        both = lambda run=run: gradients(run, values, positions, mask, cotangent)  # noqa: E731
        yield f"{name}_forward_ms", milliseconds(forward, device, scale.rounds)
        yield f"{name}_backward_ms", milliseconds(both, device, scale.rounds)


def correlation(device: str, scale: Scale) -> Iterator[tuple[str, object]]:
    import posekit

    side = max(8, scale.features // 2)
    a, b = (torch.randn(scale.batch, 64, side, side, device=device, requires_grad=True) for _ in range(2))
    yield "matching_ms", milliseconds(lambda: posekit.matching(a, b), device, scale.rounds)
    backward = lambda: torch.autograd.grad(posekit.matching(a, b).sum(), (a, b))  # noqa: E731
    yield "matching_backward_ms", milliseconds(backward, device, scale.rounds)


def nearest(device: str, scale: Scale) -> Iterator[tuple[str, object]]:
    from posekit.losses.nearest_neighbour import nearest_neighbour_loss

    shape = (4, 64, scale.features, scale.features)
    a, b = torch.randn(shape, device=device, requires_grad=True), torch.randn(shape, device=device)
    backward = lambda: torch.autograd.grad(nearest_neighbour_loss(a, b), a)  # noqa: E731
    yield "nearest_neighbour_backward_ms", milliseconds(backward, device, scale.rounds)


def _system(name: str, scale: Scale):
    """A system at the size of the report, its features random: pretrained ones of that width cost the same."""
    import posekit

    sides = {"image_size": scale.size} | ({"atlas_size": scale.size} if name == "coordinate_inpainting" else {})
    fields = type(posekit.build(name, "laptop").config).__dataclass_fields__
    given = sides | {key: value for key, value in {"features": "random"}.items() if key in fields}
    return posekit.build(name, "laptop", **given)


def _batch(scale: Scale):
    from posekit.person import Pair, collate_pairs
    from posekit.studio.generate import make_person

    pair = Pair(*(make_person(0, 0, view, scale.size) for view in (0, 1)))
    return collate_pairs([pair] * scale.batch)


def training_step(name: str, device: str, scale: Scale) -> Iterator[tuple[str, object]]:
    from train_step import COMPILED, VARIANTS, Runner, operations  # beside this script

    variants = {key: VARIANTS[key] for key in ("plain", "bf16", "bf16, channels-last")}
    if device == "cuda":
        variants |= COMPILED
    system, batch = _system(name, scale), _batch(scale)
    for key, variant in variants.items():
        runner = Runner(system, variant, batch, device)
        for number, stage in enumerate(runner.system.stages()):
            ms = milliseconds(runner.stage(number), device, min(scale.rounds, 5))
            yield f"{stage.name}, {key}: pairs_per_s", 1e3 * scale.batch / ms
            if key == "bf16, channels-last":
                yield f"{stage.name}, {key}: tflops", operations(runner, number) / ms / 1e9


def waiting(device: str, scale: Scale) -> Iterator[tuple[str, object]]:
    import posekit
    from posekit.training.runlog import waited_share

    with tempfile.TemporaryDirectory() as folder:
        people = posekit.StudioPeople([0, 1, 2, 3], 3, scale.size, root=folder, progress=False)
        common = posekit.TrainingOptions(
            steps=scale.steps, batch_size=scale.batch, device=device, log_every=2, progress=False
        )
        some = min(4, os.cpu_count() or 1)
        for name, options in (
            ("in the program", replace(common, device_data=False)),
            (f"{some} workers", replace(common, device_data=False, workers=some)),
            ("on the device", replace(common, device_data=True)),
        ):
            log = posekit.fit(_system("coordinate_inpainting", scale), people, None, options)
            yield f"waited, {name}", waited_share(log[len(log) // 4 :])


def kernels(device: str, scale: Scale) -> Iterator[tuple[str, object]]:
    from torch.profiler import ProfilerActivity, profile
    from train_step import VARIANTS, Runner

    step = Runner(
        _system("coordinate_inpainting", scale), VARIANTS["bf16, channels-last"], _batch(scale), device
    ).stage(1)
    for _ in range(2):
        step()
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device == "cuda" else [])
    with profile(activities=activities) as recorded:
        step()
        if device == "cuda":
            torch.cuda.synchronize()
    spent = "self_device_time_total" if device == "cuda" else "self_cpu_time_total"
    rows = sorted(recorded.key_averages(), key=lambda row: -getattr(row, spent))[:10]
    yield "longest_ms", {row.key[:80]: round(getattr(row, spent) / 1e3, 3) for row in rows}


SECTIONS: dict[str, Callable[[str, Scale], Iterator[tuple[str, object]]]] = {
    "machine": machine,
    "splat": splatting,
    "correlation": correlation,
    "nearest": nearest,
    **{f"step:{name}": (lambda device, scale, name=name: training_step(name, device, scale)) for name in SYSTEMS},
    "waiting": waiting,
    "kernels": kernels,
}


# -------------------------------------------------------------------------------------------------------- all of them


def run_section(name: str, device: str, limit: float) -> dict[str, object]:
    """The results of a section, in a process of its own; "error" says why it did not end."""
    command = [sys.executable, "-W", "ignore", __file__, "--section", name, "--device", device]
    results: dict[str, object] = {}
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True)
        reader = threading.Thread(target=_collect, args=(process.stdout, results), daemon=True)
        reader.start()
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            results["error"] = f"stopped after {limit:.0f} s"
        reader.join(LEAST)  # to the end of what it printed; a child of its own may hold the pipe open
        if not reader.is_alive():
            process.stdout.close()
        said.seek(0)
        last = [line for line in said.read().splitlines() if line.strip()][-1:]
    if process.returncode and "error" not in results:
        results["error"] = f"exit code {process.returncode}: {last[0][:300] if last else 'no word'}"
    if "error" in results:
        print(f"  {results['error']}", flush=True)
    return results


def _collect(lines: Iterable[str], results: dict[str, object]) -> None:
    """Print and keep the results of a section as it prints them."""
    for line in lines:
        if line.startswith(MARK):
            what, value = json.loads(line[len(MARK) :])
            results[what] = value
            shown = f"{value:.4g}" if isinstance(value, float) else json.dumps(value)
            print(f"  {what:<44} {shown}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--minutes", type=float, default=4.0, help="for all sections together")
    parser.add_argument("--only", nargs="*", choices=list(SECTIONS), help="these sections alone")
    parser.add_argument("--out", type=Path, help="file for the JSON of the last line")
    parser.add_argument("--section", choices=list(SECTIONS), help=argparse.SUPPRESS)  # in a process of its own
    args = parser.parse_args()
    # A thread of autograd that still holds a GPU's Python backward at exit aborts the program ("terminate called ...").
    torch.autograd.set_multithreading_enabled(False)
    if args.section:
        for result in SECTIONS[args.section](args.device, GPU if args.device == "cuda" else DRY):
            print(MARK + json.dumps(result), flush=True)
        sys.stdout.flush()
        os._exit(0)  # nothing is left to do, and what a library does at exit cannot spoil it
    end = time.monotonic() + 60 * args.minutes
    report: dict[str, dict[str, object]] = {}
    for name in args.only or SECTIONS:
        left = end - time.monotonic()
        print(name, flush=True)
        if left < LEAST:
            report[name] = {"error": "no time was left"}
            print("  no time was left", flush=True)
            continue
        patience = LIMITS[name] if args.device == "cuda" else 10 * LIMITS[name]
        report[name] = run_section(name, args.device, min(patience, left))
    text = json.dumps({"benchmark": "gpu_report", "device": args.device, "sections": report})
    if args.out:
        args.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
