"""Run the notebooks that train once more: with other processors' kernels, and with other seeds.

    python -m posekit_lab.processors                                   AVX2 and plain kernels, seeds 0, 1 and 2
    python -m posekit_lab.processors 05 --kernels avx2 --seeds 1

What a training gives depends on processor, threads and seed.  PyTorch chooses its kernels by the processor; the
environment variable ATEN_CPU_CAPABILITY makes it take those of a lesser one, and so stands in for another machine.
A notebook trains when its header says `trains: true`.  Every run must get through; what its short training showed
stands in the executed notebook, in OUT/KERNEL/NAME/run-000.ipynb.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from joblib import Parallel, delayed

from posekit.sweeps.experiment import Experiment
from posekit.sweeps.sweep import sweep
from posekit.util.errors import InputError
from posekit_lab.notebooks import chosen_notebooks
from posekit_lab.source import FOLDER, MOST_SECONDS, Header, read

KERNELS = ("default", "avx2", "avx512")  # names of ATEN_CPU_CAPABILITY on x86; "default" has neither AVX2 nor FMA
OUT = Path("out/processors")


def training_notebooks(wanted: Sequence[str] = (), folder: Path = FOLDER) -> list[str]:
    """Names of the notebooks that train in front of the reader, of those wanted."""
    names = chosen_notebooks(list(wanted), folder)
    return [name for name in names if Header.of(read(folder / "src" / f"{name}.py"), name).trains]


def run_under(
    kernel: str, names: Sequence[str], seeds: Sequence[int], jobs: int, out: Path = OUT, folder: Path = FOLDER
) -> list[str]:
    """Run the notebooks with one kind of kernels; a sentence for each run that did not get through.

    jobs: runs at a time.  Where the seeds of one notebook are fewer, several notebooks share them.
    """
    side = min(jobs, len(seeds))
    calls = (delayed(_run_one)(kernel, name, seeds, side, out, folder) for name in names)
    return [line for lines in Parallel(n_jobs=max(1, jobs // side))(calls) for line in lines]


def _run_one(kernel: str, name: str, seeds: Sequence[int], jobs: int, out: Path, folder: Path) -> list[str]:
    before = os.environ.get("ATEN_CPU_CAPABILITY")
    os.environ["ATEN_CPU_CAPABILITY"] = kernel  # the notebook's kernels inherit it
    try:
        path = folder / f"{name}.ipynb"
        asked = Experiment((path,), seeds=tuple(seeds), name=name, timeout=2 * MOST_SECONDS, jobs=jobs)
        (runs,) = sweep(asked, out / kernel, say=print).values()
    finally:
        del os.environ["ATEN_CPU_CAPABILITY"]
        os.environ.update({} if before is None else {"ATEN_CPU_CAPABILITY": before})
    return [
        f"{name}, seed {run.parameters['seed']}, {kernel} kernels: {run.error or run.status}"
        for run in runs
        if run.status != "ok"
    ]


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="posekit_lab.processors", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="names or numbers; all that train when none")
    parser.add_argument("--kernels", default="avx2,default", help=f"of {', '.join(KERNELS)}, with commas")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    try:
        kernels, seeds = options.kernels.split(","), [int(seed) for seed in options.seeds.split(",")]
        if unknown := [kernel for kernel in kernels if kernel not in KERNELS]:
            raise InputError(f"Kernels are {', '.join(KERNELS)}; got {unknown[0]!r}.")
        names = training_notebooks(options.names, folder)
        if not names:
            raise InputError("None of these notebooks says `trains: true` in its header.")
        failed = [line for k in kernels for line in run_under(k, names, seeds, options.jobs, options.out, folder)]
    except (InputError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print("\n".join(failed) or f"{len(names)} notebooks under {options.kernels} with seeds {options.seeds}: all ran")
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
