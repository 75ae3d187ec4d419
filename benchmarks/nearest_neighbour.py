"""How fast and how lean is `posekit.losses.nearest_neighbour`?  Forward and backward, beside what it replaces:

(a) "stacked": the supplementary's own recipe in torch: n^2 shifted copies of the target, +inf outside the border, n^2
    difference tensors, sum over channels, minimum;
(b) "views": the same without the copies: autograd keeps one difference tensor for each shift.

    python benchmarks/nearest_neighbour.py [--device cuda] [--batch 4] [--channels 64] [--size 256] [--windows 3 5 7]
                                           [--rounds 7] [--threads 2] [--room 6]

The features are random; gradients are asked for the generated ones alone, as in training.  The values and the
gradients of all three are compared in the same run.

Times are milliseconds: rounds are interleaved, so that a busy machine slows all of them, and the median and the best
wall time and the median CPU time over all threads are printed.

Peak memory is what a forward and backward pass adds to the inputs, the gradient it returns included.  On the CPU
each variant runs in a process of its own, after a pass over a few pixels that loads what is to be loaded; then the
kernel forgets its high-water mark of resident memory (Linux, /proc/self/clear_refs), the pass runs, and the new mark
is compared with the resident memory before.  It counts everything, torch's memory and numpy's.  On CUDA it is the
allocator's own peak.  Elsewhere it is not measured.

(a) needs about 3 n^2 times the target's memory.  Where that is more than ``--room`` GiB, the batch of that window is
made smaller, for all three, and the table says so.  The last line is the same as JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from posekit.losses.nearest_neighbour import nearest_neighbour_loss

MIB = 2**20


def stacked(generated: Tensor, target: Tensor, window: int) -> Tensor:
    """(a): equations (1) to (5) of the supplementary, one tensor for each of its symbols."""
    h, w = target.shape[-2:]
    r = window // 2
    padded = F.pad(target, (r, r, r, r), value=torch.inf)
    copies = torch.stack([padded[..., i : i + h, j : j + w] for i in range(window) for j in range(window)])
    differences = (generated - copies).abs()  # (1): n^2 b c h w
    distances = differences.sum(2)  # (2), (3): n^2 b h w
    return distances.min(0).values.sum() / len(target)  # (4), (5)


def views(generated: Tensor, target: Tensor, window: int) -> Tensor:
    """(b): no copies of the target, but still a difference tensor for each shift."""
    h, w = target.shape[-2:]
    r = window // 2
    padded = F.pad(target, (r, r, r, r), value=torch.inf)
    shifts = [padded[..., i : i + h, j : j + w] for i in range(window) for j in range(window)]
    return torch.stack([(generated - shift).abs().sum(1) for shift in shifts]).min(0).values.sum() / len(target)


def ours(generated: Tensor, target: Tensor, window: int) -> Tensor:
    return nearest_neighbour_loss(generated, target, window, mean=False)


VARIANTS = {"posekit": ours, "stacked": stacked, "views": views}


def features(batch: int, channels: int, size: int, device: str) -> tuple[Tensor, Tensor]:
    """Generated and target features; an eighth are zeros, as a ReLU leaves them."""
    generator = torch.Generator().manual_seed(0)
    pair = [(torch.rand(batch, channels, size, size, generator=generator) - 0.125).relu_() for _ in range(2)]
    return pair[0].to(device).requires_grad_(), pair[1].to(device)


def gradient(variant: Callable, generated: Tensor, target: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Loss and gradient: one forward and one backward pass."""
    loss = variant(generated, target, window)
    return loss.detach(), torch.autograd.grad(loss, generated)[0]


# ----------------------------------------------------------------------------------------------------------- memory


def resident(key: str) -> int:
    """Bytes of this process, from the kernel: VmRSS is resident now, VmHWM its high-water mark."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {key}")


def peak_in_this_process(name: str, window: int, batch: int, channels: int, size: int, device: str) -> int:
    """Bytes that a pass adds to its inputs at most."""
    gradient(VARIANTS[name], *features(1, channels, 8, device), window)
    inputs = features(batch, channels, size, device)
    if device.startswith("cuda"):
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        gradient(VARIANTS[name], *inputs, window)
        return torch.cuda.max_memory_allocated() - before
    Path("/proc/self/clear_refs").write_text("5")  # reset the high-water mark
    before = resident("VmRSS")
    gradient(VARIANTS[name], *inputs, window)
    return resident("VmHWM") - before


def peak(name: str, window: int, batch: int, args: argparse.Namespace) -> float | None:
    """MiB, measured in a fresh process; None where it cannot be."""
    if args.device == "cpu" and not Path("/proc/self/clear_refs").exists():
        return None
    case = [name, window, batch, args.channels, args.size, args.device]
    command = [sys.executable, __file__, "--peak", json.dumps(case), "--threads", str(args.threads)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / MIB


# ------------------------------------------------------------------------------------------------------------- time


def milliseconds(run: Callable[[], object], device: str) -> tuple[float, float]:
    """Wall time and CPU time of one call, the device idle before and after."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)


def measure(window: int, args: argparse.Namespace) -> dict:
    one = 4 * args.channels * args.size**2  # bytes of an item
    batch = max(1, min(args.batch, int(args.room * 2**30 / (3 * window**2 * one))))
    peaks = {name: peak(name, window, batch, args) for name in VARIANTS}
    generated, target = features(batch, args.channels, args.size, args.device)
    loss, slope = gradient(ours, generated, target, window)
    differences = {}
    for name in ("stacked", "views"):
        other_loss, other_slope = gradient(VARIANTS[name], generated, target, window)
        different = (slope != other_slope).float().mean().item()
        differences[name] = {"loss": (loss - other_loss).abs().item() / loss.item(), "gradient_elements": different}
        del other_slope
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
    for round_ in range(args.rounds + 1):
        for name, variant in VARIANTS.items():
            elapsed = milliseconds(lambda v=variant: gradient(v, generated, target, window), args.device)
            if round_:  # the first round warms up
                times[name].append(elapsed)
    return {
        "window": window,
        "batch": batch,
        "peak_mib": peaks,
        "difference": differences,
        "median_ms": {name: statistics.median(wall for wall, _ in t) for name, t in times.items()},
        "best_ms": {name: min(wall for wall, _ in t) for name, t in times.items()},
        "cpu_ms": {name: statistics.median(cpu for _, cpu in t) for name, t in times.items()},
    }


def show(result: dict) -> None:
    print(f"\nwindow {result['window']}, batch {result['batch']}; in brackets: ratio to posekit")
    columns = {"peak_mib": "peak MiB", "median_ms": "median ms", "best_ms": "best ms", "cpu_ms": "CPU ms"}
    print(f"  {'':12}" + "".join(f"{title:>20}" for title in columns.values()))
    for name in VARIANTS:
        cells = ["not measured"] if result["peak_mib"][name] is None else []
        for key in list(columns)[len(cells) :]:
            cells.append(f"{result[key][name]:.0f} ({result[key][name] / result[key]['posekit']:.3g})")
        print(f"  {name:12}" + "".join(f"{cell:>20}" for cell in cells))
    for name, gap in result["difference"].items():
        print(
            f"  from {name}: loss differs by {gap['loss']:.1e} of itself, "
            f"{gap['gradient_elements']:.1e} of the gradient's elements differ"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--windows", type=int, nargs="+", default=[3, 5, 7])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--room", type=float, default=6.0, metavar="GiB", help="the most that (a) may need")
    parser.add_argument("--peak", help=argparse.SUPPRESS)  # one measurement in this process
    args = parser.parse_args()
    # A thread of autograd that still holds a GPU's Python backward at exit aborts the program ("terminate called ...").
    torch.autograd.set_multithreading_enabled(False)
    torch.set_num_threads(args.threads)
    if args.peak:
        return print(peak_in_this_process(*json.loads(args.peak)))
    on = torch.cuda.get_device_name(args.device) if args.device.startswith("cuda") else platform.machine()
    print(
        f"nearest-neighbour loss, forward + backward, {args.channels} x {args.size} x {args.size}, float32, "
        f"{args.device} ({on}), {args.threads} threads, {args.rounds} rounds"
    )
    results = [measure(window, args) for window in args.windows]
    for result in results:
        show(result)
    print()
    del args.peak
    print(json.dumps({"benchmark": "nearest_neighbour", "torch": torch.__version__, **vars(args), "results": results}))


if __name__ == "__main__":
    main()
