"""How fast is `posekit.ops.splat`?  Timed in one run beside what it replaces:

(a) scipy.interpolate.griddata, linear with nearest fill, one image after the other: how published code makes its maps;
(b) four plain ``index_add_`` passes, one for each corner of the kernel, the same result in a dozen lines of torch;
(c) the time to copy the bytes that must be read and written, at the copy bandwidth measured beside it.

    python benchmarks/splat.py [--device cuda] [--batch 8] [--size 256] [--rounds 15] [--threads 2] [--griddata 3]

The maps are synthetic: "body" covers a third of the picture with eight parts that land in separate places of the
atlas, as a surface map does; "dense" maps the whole picture smoothly.  The values are the picture's two coordinates.
Rounds are interleaved, so that a busy machine slows all of them.  Times are milliseconds for the whole batch: the
median and the best wall time of the rounds, and the median CPU time over all threads, which other work on the machine
hardly touches but which gives no credit for using two cores.  griddata is slow, so only ``--griddata`` images are
timed and scaled to the batch.  The last line is the same as JSON.
"""

from __future__ import annotations

import os

# griddata inverts thousands of 2 x 2 matrices by LAPACK; more than one BLAS thread only makes them wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.interpolate import griddata
from torch import Tensor

from posekit.ops.grids import identity_grid, norm_to_index
from posekit.ops.splat import splat

# Ellipses of a standing figure (x, y, half-width, half-height) and the place (u, v, half-size) of each in the atlas.
PARTS = (
    ((0.0, -0.72, 0.15, 0.18), (0.0, -0.72, 0.25)),
    ((0.0, -0.15, 0.34, 0.40), (-0.55, 0.0, 0.38)),
    ((-0.45, -0.2, 0.13, 0.36), (0.6, -0.7, 0.25)),
    ((0.45, -0.2, 0.13, 0.36), (0.6, -0.1, 0.25)),
    ((-0.18, 0.58, 0.18, 0.38), (0.1, 0.5, 0.25)),
    ((0.18, 0.58, 0.18, 0.38), (0.65, 0.5, 0.25)),
    ((-0.55, 0.32, 0.10, 0.14), (-0.2, -0.2, 0.12)),
    ((0.55, 0.32, 0.10, 0.14), (0.2, -0.2, 0.12)),
)


def body_map(batch: int, size: int) -> tuple[Tensor, Tensor]:
    """Positions (b, 2, size, size) in the atlas and the mask of eight ellipses, a little different in every item."""
    x, y = identity_grid(size, size)
    positions, masks = torch.zeros(batch, 2, size, size), torch.zeros(batch, 1, size, size)
    for i in range(batch):
        lean = 0.04 * (i - batch / 2) / batch
        for (cx, cy, rx, ry), (u, v, r) in PARTS:
            p, q = (x - cx - lean * y) / rx, (y - cy) / ry
            inside = p.square() + q.square() < 1
            # Foreshortened towards the outline, like a limb seen from one side.
            positions[i, 0] = torch.where(inside, u + r * torch.asin(0.98 * p.clamp(-1, 1)) / 1.6, positions[i, 0])
            positions[i, 1] = torch.where(inside, v + r * q + 0.02 * torch.sin(5 * x), positions[i, 1])
            masks[i, 0] = torch.where(inside, 1.0, masks[i, 0])
    return positions, masks


def dense_map(batch: int, size: int) -> tuple[Tensor, Tensor]:
    """A smooth warp of the whole picture; a few pixels leave the target."""
    x = identity_grid(size, size)
    warps = [x + 0.03 * torch.sin((6 + 0.2 * i) * x.flip(0)) for i in range(batch)]
    return torch.stack(warps), torch.ones(batch, 1, size, size)


def four_passes(values: Tensor, positions: Tensor, size: tuple[int, int], mask: Tensor, min_weight: float = 1e-3):
    """(b): the definition of the splat with one ``index_add_`` for each corner of the kernel."""
    b, c, h, w = values.shape
    height, width = size
    x, y = norm_to_index(positions[:, 0], width).flatten(), norm_to_index(positions[:, 1], height).flatten()
    x0, y0 = x.floor(), y.floor()
    fx, fy = x - x0, y - y0
    x0, y0 = x0.long(), y0.long()
    item = torch.arange(b, device=values.device).repeat_interleave(h * w) * height * width
    rows = torch.cat((values, torch.ones_like(values[:, :1])), 1).permute(0, 2, 3, 1).reshape(-1, c + 1)
    rows = rows * mask.flatten()[:, None]
    sums = values.new_zeros(b * height * width, c + 1)
    for column, wx in ((x0, 1 - fx), (x0 + 1, fx)):
        for row, wy in ((y0, 1 - fy), (y0 + 1, fy)):
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            index = item + row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
            sums = sums.index_add_(0, index, rows * (wx * wy * inside)[:, None])
    sums = sums.reshape(b, height, width, c + 1).permute(0, 3, 1, 2)
    weight = sums[:, c:]
    known = weight >= min_weight
    return torch.where(known, sums[:, :c] / torch.where(known, weight, 1), 0), weight, known.to(values.dtype)


def with_griddata(values: Tensor, positions: Tensor, size: tuple[int, int], mask: Tensor) -> np.ndarray:
    """(a): triangulate the points of one image (c, h, w), interpolate linearly, fill the rest with the nearest."""
    seen = mask[0] > 0.5
    points = positions[:, seen].T.cpu().numpy()
    colours = values[:, seen].T.cpu().numpy()
    texels = identity_grid(*size).movedim(0, -1).reshape(-1, 2).numpy()
    linear = griddata(points, colours, texels, method="linear")
    missing = np.isnan(linear).any(1)
    linear[missing] = griddata(points, colours, texels[missing], method="nearest")
    return linear.reshape(*size, -1)


def gradients(run: Callable, values: Tensor, positions: Tensor, mask: Tensor, cotangent: Tensor) -> tuple[Tensor, ...]:
    """Forward and backward of a splat to the size of its source."""
    inputs = (values.detach().requires_grad_(), positions.detach().requires_grad_())
    return torch.autograd.grad(run(*inputs, values.shape[-2:], mask)[0], inputs, cotangent)


def milliseconds(run: Callable[[], object], device: torch.device) -> tuple[float, float]:
    """Wall time and CPU time of one call, the device idle before and after."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)


def measure(name: str, positions: Tensor, mask: Tensor, args: argparse.Namespace) -> dict:
    device, size = torch.device(args.device), (args.size, args.size)
    positions, mask = positions.to(device), mask.to(device)
    values = identity_grid(*size, device=device).repeat(args.batch, 1, 1, 1)
    cotangent = torch.randn_like(values)
    ours, theirs = splat(values, positions, size, mask), four_passes(values, positions, size, mask)
    block = torch.zeros(64 * 2**20 // 4, device=device)
    target = torch.empty_like(block)

    runs = {
        "splat": lambda: splat(values, positions, size, mask),
        "four_passes": lambda: four_passes(values, positions, size, mask),
        "splat_backward": lambda: gradients(splat, values, positions, mask, cotangent),
        "four_passes_backward": lambda: gradients(four_passes, values, positions, mask, cotangent),
        "copy": lambda: target.copy_(block),
    }
    times: dict[str, list[tuple[float, float]]] = {key: [] for key in runs}
    for round_ in range(args.rounds + 2):
        for key, run in runs.items():
            elapsed = milliseconds(run, device)
            if round_ >= 2:  # two rounds to warm up
                times[key].append(elapsed)
    if args.griddata:
        times["griddata"] = [
            milliseconds(lambda i=i: with_griddata(values[i], positions[i], size, mask[i]), torch.device("cpu"))
            for i in range(min(args.griddata, args.batch))
        ]
        times["griddata"] = [(args.batch * wall, args.batch * cpu) for wall, cpu in times["griddata"]]
    # The fewest bytes: read values, positions and mask once, write values, weight and known once.
    needed = sum(t.numel() * t.element_size() for t in (values, positions, mask, *ours))
    share = needed / (2 * block.numel() * block.element_size())
    times["bytes"] = [(share * wall, share * cpu) for wall, cpu in times["copy"]]
    return {
        "map": name,
        "covered": mask.mean().item(),
        "megabytes": needed / 1e6,
        "largest_difference": max((a - b).abs().max().item() for a, b in zip(ours, theirs, strict=True)),
        "median_ms": {key: statistics.median(wall for wall, _ in t) for key, t in times.items()},
        "best_ms": {key: min(wall for wall, _ in t) for key, t in times.items()},
        "cpu_ms": {key: statistics.median(cpu for _, cpu in t) for key, t in times.items()},
    }


def show(result: dict) -> None:
    columns = ("median_ms", "best_ms", "cpu_ms")
    print(f"\n{result['map']} map, {result['covered']:.0%} of the picture covered; in brackets: times as slow as splat")
    print(f"  {'':34}" + "".join(f"{name:>20}" for name in ("median ms", "best ms", "CPU ms")))
    for label, key, ours in (
        ("splat", "splat", "splat"),
        ("(a) griddata, extrapolated", "griddata", "splat"),
        ("(b) four index_add_ passes", "four_passes", "splat"),
        (f"(c) copying {result['megabytes']:.1f} MB", "bytes", "splat"),
        ("splat, forward + backward", "splat_backward", "splat_backward"),
        ("(b) forward + backward", "four_passes_backward", "splat_backward"),
    ):
        if key in result["median_ms"]:
            cells = [f"{result[c][key]:.2f} ({result[c][key] / result[c][ours]:.3g})" for c in columns]
            print(f"  {label:34}" + "".join(f"{cell:>20}" for cell in cells))
    print(f"  largest difference from (b): {result['largest_difference']:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--griddata", type=int, default=3, metavar="IMAGES", help="0 leaves it out")
    args = parser.parse_args()
    # A thread of autograd that still holds a GPU's Python backward at exit aborts the program ("terminate called ...").
    torch.autograd.set_multithreading_enabled(False)
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    on = torch.cuda.get_device_name(args.device) if args.device.startswith("cuda") else platform.machine()
    print(
        f"splat of {args.batch} x 2 x {args.size} x {args.size} -> {args.size} x {args.size}, float32, "
        f"{args.device} ({on}), {args.threads} threads, {args.rounds} rounds"
    )
    results = [
        measure("body", *body_map(args.batch, args.size), args),
        measure("dense", *dense_map(args.batch, args.size), args),
    ]
    for result in results:
        show(result)
    print()
    print(json.dumps({"benchmark": "splat", "torch": torch.__version__, **vars(args), "results": results}))


if __name__ == "__main__":
    main()
