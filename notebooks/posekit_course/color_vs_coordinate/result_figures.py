"""Pictures of what the notebook on inpainting measures: descents, spectra, faults, the sweep over seeds and steps.

All functions return a new matplotlib Figure, or an array to show, and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from posekit_lab.pictures import BLUE, ORANGE, show
from torch import Tensor

from posekit.ops.grids import norm_to_index
from posekit.ops.sample import sample
from posekit.person import Person
from posekit.systems.base import Result
from posekit_course.color_vs_coordinate import probes
from posekit_course.color_vs_coordinate.figures import STYLES, new_figure, on_pale, with_holes

CYAN = "#00E5FF"
TEAR, OFF_BODY = (0.84, 0.37, 0), (0.9, 0, 0.9)  # orange, magenta


def draw_pulls(
    error: Tensor, paths: Tensor, right_place: Tensor, distances: Sequence[int], shares: Mapping[str, Tensor]
) -> Figure:
    """Left: paths of positions on the error of one texel.  Right: how many starts end at the right place.

    error: h w.  paths: steps 2 n, positions in [-1, 1].  right_place: 2.  shares: loss -> share for each distance.
    """
    figure, ((left, right),) = new_figure(9.5, 4.0, 1, 2)
    show(left, error.numpy(), "colour error, starts 6 pixels away", cmap="magma")
    figure.colorbar(left.images[0], ax=left, shrink=0.8, label="mean difference of colour")
    for x, y in norm_to_index(paths, error.shape[-1]).permute(2, 1, 0):
        left.plot(x, y, color=CYAN, linewidth=1.2)
        left.plot(x[-1], y[-1], "o", color=CYAN, markersize=5)
    x, y = norm_to_index(right_place, error.shape[-1]).tolist()
    left.plot(x, y, "*", color="white", markeredgecolor="black", markersize=15)
    left.set(xlim=(x - 12, x + 12), ylim=(y + 12, y - 12))
    for (name, share), hue in zip(shares.items(), (ORANGE, BLUE), strict=True):
        right.plot(distances, share * 100, "o-", color=hue, label=name)
    right.set_xscale("log", base=2)
    right.set_xticks(distances, [str(d) for d in distances])
    right.set(xlabel="start: pixels away from the right place", ylabel="end within 1.5 pixels of it, %", ylim=(0, 105))
    right.legend(frameon=False, fontsize=10)
    return figure


def draw_spectra(frequency: Tensor, power: Mapping[str, Tensor], squares: int) -> Figure:
    """Power over frequency (both n) of "truth" and of what was made, and each divided by the truth's.

    squares: how many squares the power is a mean over.
    """
    figure, ((left, right),) = new_figure(9.5, 3.5, 1, 2)
    for name, spectrum in power.items():
        hue = STYLES.get(name, ("black",))[0]
        left.plot(frequency, spectrum, "o-", color=hue, label=name, markersize=4)
        right.plot(frequency, spectrum / power["truth"], "o-", color=hue, label=name, markersize=4)
    left.set(yscale="log", xlabel="cycles per texel", title=f"power in {squares} unseen squares")
    right.set(xlabel="cycles per texel", ylim=(0, None), title="power beside the truth's")
    left.legend(frameon=False, fontsize=10)
    return figure


def faults(result: Result, source: Person, target: Person, apart: float) -> list[np.ndarray]:
    """For a batch of one: S[C], the same texels by S[D], and the target view with its faults marked.

    Magenta: the texel looks off the body of the source.  Orange: the neighbour looks more than ``apart`` pixels away.
    """
    off_body = sample(probes.lost(result.D, source.mask), target.uv) * target.mask > 0.5
    torn = probes.jumps(result.E, target.mask) > apart
    marked = on_pale(result.W, target)
    marked[torn[0, 0].numpy()] = TEAR
    marked[off_body[0, 0].numpy()] = OFF_BODY
    straight = with_holes(result.observed, result.known)
    return [straight, with_holes(result.T * result.known, result.known), marked]


def draw_sweep(
    swept: Mapping[tuple[str, int, int], Mapping],
    long: Mapping[tuple[str, int | None, str], float],
    metrics: Mapping[str, str],
) -> Figure:
    """Unseen pixels of the view: the long training (lines), short ones with several seeds (marks), fillers (dotted).

    swept: (arm, steps, seed) -> row.  long: (system, step, metric) -> mean; step None for what is not trained.
    metrics: metric -> title of its panel.
    """
    marks = sorted({step for name, step, _ in long if name == "coordinates"})
    seeds = len({seed for _, _, seed in swept})
    figure, (axes,) = new_figure(10.5, 3.4, 1, len(metrics))
    for axis, (metric, title) in zip(axes, metrics.items(), strict=True):
        key = f"view.unseen.{metric}"
        for name in ("coordinates", "colours"):
            hue, marker = STYLES[name]
            axis.plot(marks, [long[name, step, key] for step in marks], color=hue, label=f"{name}, long run")
            points = [(step, float(row[key])) for (arm, step, _), row in swept.items() if arm == name]
            axis.plot(*zip(*points, strict=True), marker, color=hue, mfc="white", label=f"{seeds} seeds")
        for name in ("nearest", "mirror"):
            axis.axhline(long[name, None, key], color=STYLES[name][0], linewidth=1.5, linestyle=":", label=name)
        axis.set(xscale="log", xlabel="steps", title=title, ylim=(0, None))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncol=6, fontsize=9, frameon=False)
    return figure
