"""Pictures of known failures: a gallery with titles, the table of what every metric says, the scores of one picture.

All functions that draw return a new matplotlib Figure and change nothing else, except `draw_scores`, which fills axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from posekit_lab.pictures import DPI, ORANGE, show
from torch import Tensor

from posekit.plots import picture
from posekit_course.color_vs_coordinate.figures import Textures, new_figure
from posekit_course.full_training.failures import METRICS

READING = "rows by mean over metrics; redder: worse rank within the metric; grey: blind (below 1)"


def draw_failures(names: Sequence[str], metrics: Sequence[str], table: np.ndarray) -> Figure:
    """Heat map: how bad every metric finds every failure, as a multiple of the harmless shift, and in which rank.

    table: (failures, metrics).  Colours are ranks within a metric; a crossed cell is below 1, blind.  Rows are ordered
    by their mean over metrics (of logarithms).
    """
    order = np.argsort(np.log(np.maximum(table, 1e-3)).mean(1))
    ranks = table.argsort(0).argsort(0)[order] + 1
    figure, ((axis,),) = new_figure(9.2, 0.36 * len(names) + 1.2)
    axis.imshow(ranks, cmap="YlOrRd", aspect="auto", vmin=1, vmax=len(names) + 3)
    for r, line in enumerate(table[order]):
        for c, value in enumerate(line):
            axis.text(c, r, f"{value:.2g}", ha="center", va="center", fontsize=10, color="black")
            if value < 1:
                axis.add_patch(Rectangle((c - 0.5, r - 0.5), 1, 1, facecolor="#DDDDDD", edgecolor="white", hatch="//"))
                axis.text(c, r, f"{value:.2g}", ha="center", va="center", fontsize=10, color="#444444")
    axis.set_xticks(range(len(metrics)), [METRICS[name] for name in metrics], fontsize=10)
    axis.set_yticks(range(len(names)), [names[i] for i in order], fontsize=10)
    axis.xaxis.tick_top()
    axis.set_xlabel(READING, fontsize=9.5)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return figure


def draw_scores(axis: Axes, scores: Mapping[str, float]) -> None:
    """Bars of badness beside the harmless shift (1), on a logarithmic axis; grey where the metric is blind."""
    names = list(scores)[::-1]
    values = [max(scores[name], 0.011) for name in names]
    axis.barh(range(len(names)), [np.log10(v) + 2 for v in values], left=-2,
              color=[ORANGE if v >= 1 else "#BBBBBB" for v in values])  # fmt: skip
    for y, (name, value) in enumerate(zip(names, values, strict=True)):
        axis.text(np.log10(value) + 0.05, y, f"{scores[name]:.2f}", va="center", fontsize=9)
    axis.axvline(0, color="black", linewidth=1)
    axis.set_xticks([-2, -1, 0, 1], ["0.01", "0.1", "1", "10"], fontsize=9)
    axis.set_yticks(range(len(names)), [METRICS[name].replace("\n", " ") for name in names], fontsize=10)
    axis.set_xlim(-2, 1.6)
    axis.set_xlabel("1: as bad as a shift by 1 px", fontsize=10)


def montage(images: Sequence[tuple[str, Tensor]], columns: int, scale: int = 1) -> Figure:
    """Photographs (3 h w) of one size, each under its title, so many in a row; ``scale``: screen pixels of a pixel.

    A title may have several lines.
    """
    h, w = (scale * n for n in images[0][1].shape[-2:])
    gap, line = 8, 20 + 14 * max(title.count("\n") for title, _ in images)
    width, height = columns * (w + gap), -(-len(images) // columns) * (h + line + gap)
    figure = Textures(figsize=(width / DPI, height / DPI), dpi=DPI)
    for place, (title, image) in enumerate(images):
        left, top = place % columns * (w + gap) + gap // 2, place // columns * (h + line + gap) + line
        axis = figure.add_axes((left / width, 1 - (top + h) / height, w / width, h / height))
        show(axis, picture(image), "", aspect="auto")
        axis.set_title(title, fontsize=9.5, pad=4)
    return figure
