"""How much memory and time does `posekit.ops.correlation.matching` take?  Beside the same formulas written out:

    C = z_s . z_t;   gamma = C / max C * C / max C;   Q = gamma C;   Q = Q / |Q|          with autograd's gradients

    python benchmarks/mutual_filter.py [--device cuda] [--batch 7] [--side 64] [--rounds 3] [--threads 2]

The published size is 7 pairs of 64 x 64 pixels: C, gamma and Q are 7 x 4096 x 4096 numbers, 470 MB each.  Both run
forward and backward, each round in a process of its own, in turn.  Memory is the most that the process held above what
it held before (resident memory on the CPU, PyTorch's allocations on a GPU), Q and the gradient that comes back to it
included, which are one such tensor each.  A process that wants more than ``--limit`` GB ends.  Wall time and CPU time
are of the best round.  On a small machine try ``--batch 2`` or ``--side 32``.  The last line is the same as JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time

import torch
from torch import Tensor

from posekit.ops.correlation import LEAST, matching, unit_length


def literal(source: Tensor, target: Tensor) -> Tensor:
    """Equations (1), (9) and (2) as they are written."""
    C = torch.einsum("bmn,bmp->bnp", source.flatten(2), target.flatten(2))
    gamma = C / C.amax(1, keepdim=True).clamp(min=LEAST) * (C / C.amax(2, keepdim=True).clamp(min=LEAST))
    Q = gamma * C
    Q = Q / Q.square().sum(1, keepdim=True).sqrt()
    return Q.view(*Q.shape[:2], *target.shape[2:])


VERSIONS = {"matching": matching, "literal": literal}


def measure(version: str, args: argparse.Namespace) -> dict:
    """Forward and backward once, in this process."""
    if args.device == "cpu":
        resource.setrlimit(resource.RLIMIT_AS, (int(args.limit * 1e9),) * 2)
    torch.set_num_threads(args.threads)
    run, n = VERSIONS[version], args.side**2
    small = [torch.randn(1, args.features, 8, 8, device=args.device, requires_grad=True) for _ in range(2)]
    run(*small).sum().backward()  # load the libraries
    torch.manual_seed(0)
    shape = (args.batch, args.features, args.side, args.side)
    leaves = [unit_length(torch.randn(shape, device=args.device)).requires_grad_() for _ in range(2)]

    before = _memory(args.device)
    wall, cpu = time.perf_counter(), time.process_time()
    Q = run(*leaves)
    _finish(args.device)
    forward = time.perf_counter() - wall
    incoming = torch.full((args.batch, n, args.side, args.side), 1e-3, device=args.device)
    incoming[:, ::2] *= -1
    Q.backward(incoming)
    _finish(args.device)
    return {
        "wall_s": time.perf_counter() - wall,
        "forward_s": forward,
        "cpu_s": time.process_time() - cpu,
        "megabytes": (_memory(args.device, peak=True) - before) / 1e6,
        "Q": Q.detach().square().sum().item(),  # n_t, for unit lengths
        "gradients": [leaf.grad.abs().sum().item() for leaf in leaves],
    }


def _memory(device: str, peak: bool = False) -> float:
    if device != "cpu":
        return torch.cuda.max_memory_allocated(device) if peak else torch.cuda.memory_allocated(device)
    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the most so far


def _finish(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize(device)


def in_own_process(version: str, args: argparse.Namespace) -> dict:
    options = [f"--{key}={value}" for key, value in vars(args).items() if key != "version"]
    done = subprocess.run([sys.executable, __file__, *options, "--version", version], capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise SystemExit(f"{version} failed ({reason[0]}); try a smaller --batch or --side, or a larger --limit.")
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=7)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--features", type=int, default=35)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--limit", type=float, default=10.0, metavar="GB", help="address space of a process, on the CPU"
    )
    parser.add_argument("--version", choices=VERSIONS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    # A thread of autograd that still holds a GPU's Python backward at exit aborts the program ("terminate called ...").
    torch.autograd.set_multithreading_enabled(False)
    if args.version:
        print(json.dumps(measure(args.version, args)))
        return

    rounds = {version: [] for version in VERSIONS}
    for _ in range(args.rounds):
        for version, runs in rounds.items():
            runs.append(in_own_process(version, args))
    best = {version: {key: min(r[key] for r in runs) for key in runs[0]} for version, runs in rounds.items()}
    n, ours = args.side**2, best["matching"]
    on = torch.cuda.get_device_name(args.device) if args.device != "cpu" else platform.machine()
    print(
        f"{args.batch} x {n} x {n} numbers ({args.batch * n * n * 4 / 1e6:.0f} MB), float32, {args.device} ({on}), "
        f"{args.threads} threads, best of {args.rounds}; in brackets: beside matching"
    )
    print(
        f"  {'forward + backward':20}" + "".join(f"{name:>18}" for name in ("peak MB", "wall s", "CPU s", "forward s"))
    )
    for version, cost in best.items():
        keys = ("megabytes", "wall_s", "cpu_s", "forward_s")
        cells = [f"{cost[key]:.4g} ({cost[key] / ours[key]:.2f})" for key in keys]
        print(f"  {version:20}" + "".join(f"{cell:>18}" for cell in cells))
    facts = {key: value for key, value in vars(args).items() if key != "version"}
    print(json.dumps({"benchmark": "mutual_filter", "torch": torch.__version__, **facts, "results": best}))


if __name__ == "__main__":
    main()
