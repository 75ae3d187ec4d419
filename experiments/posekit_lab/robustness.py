"""How much does every system lose as the maps and joints that it is given get worse?  The studio knows the truth.

    python -m posekit_lab.robustness [SYSTEM ...] [--levels 0 0.5 1 2 4] [--pairs 60] [--out FOLDER]

measures each system on held-out people with growing noise on what it is given (`posekit.evaluation.noisy`), always
against the exact targets, and keeps ``robustness.json`` and ``robustness.png``.
"""

from __future__ import annotations

import argparse
import io
import itertools
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from posekit.data.studio import StudioPeople
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.measure import common_size, evenly_spread
from posekit.evaluation.noisy import Noisy
from posekit.evaluation.table import Evaluation
from posekit.reference import load_system, shipped_names
from posekit.util.files import whole_file
from posekit_lab.pictures import CYCLE, new_figure

OUT = Path(__file__).parents[1] / "results"
METRICS = {
    "perceptual": "perceptual distance",
    "ssim": "SSIM",
    "rest.l1": "l1 on the body",
    "head.l1": "l1 on the head",
}
BETWEEN = " at noise "  # the name of a system, then the level
PERCEPTUAL_EVERY = 4  # pairs; this measure costs most


def main(arguments: list[str] | None = None) -> Evaluation:
    """Measure, write, draw; returns the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", help="weight files, or names of the package; all of it if not given")
    parser.add_argument("--levels", type=float, nargs="+", default=[0.0, 0.5, 1.0, 2.0, 4.0])
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--people", type=int, default=400, help="numbers considered; 1 of 10 is held out")
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(arguments)
    systems = {name: load_system(name) for name in args.systems or ["texel_fill-mirror", *shipped_names()]}
    size = common_size(systems) or (128, 128)
    arms = {
        f"{name}{BETWEEN}{level:g}": Noisy(system, level) for name, system in systems.items() for level in args.levels
    }
    people = StudioPeople(args.people, args.views, size, 0, split="test")
    table = evaluate(arms, evenly_spread(people, args.pairs), perceptual_every=PERCEPTUAL_EVERY, progress=True)
    table.save(args.out / "robustness.json")
    picture = io.BytesIO()
    _draw(table).savefig(picture, format="png")
    with whole_file(args.out / "robustness.png") as place:
        place.write_bytes(picture.getvalue())
    return table


def curves(table: Evaluation, metric: str) -> dict[str, tuple[list[float], list[float]]]:
    """System -> levels of noise and the means of a metric there, in order."""
    lines: dict[str, tuple[list[float], list[float]]] = {}
    for arm in table.values:
        system, _, level = arm.rpartition(BETWEEN)
        mean = table.row(arm, metric).mean
        levels, means = lines.setdefault(system, ([], []))
        levels.append(float(level))
        means.append(np.nan if mean is None else mean)
    return lines


def _draw(table: Evaluation) -> Figure:
    """A panel for each of `METRICS`, a line for each system over the level of noise."""
    figure, axes = new_figure(3.1 * len(METRICS), 3.4, 1, len(METRICS))
    for axis, (metric, title) in zip(axes[0], METRICS.items(), strict=True):
        colours = itertools.cycle(CYCLE)
        for system, (levels, means) in curves(table, metric).items():
            axis.plot(levels, means, "o-", color=next(colours), markersize=4, label=system.removesuffix("-laptop"))
        axis.set_title(title, fontsize=11, loc="left")
        axis.set_xlabel("level of noise", fontsize=10)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


if __name__ == "__main__":
    main()
