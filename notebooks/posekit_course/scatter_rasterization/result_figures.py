"""Pictures of what the notebook on scattering measures: sizes of the atlas, slopes, gradients.

All functions return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from posekit_lab.pictures import BLUE, ORANGE, new_figure, show
from torch import Tensor

THIN = {"color": "#C8C8C8", "linewidth": 1}  # a single person


def draw_sizes(atlas_sizes: Sequence[int], pixels: int, table: np.ndarray) -> Figure:
    """Measures over the size of the atlas; single people thin, their mean thick, a dotted line at as many pixels.

    table: (4, people, sizes) of coverage, coordinate error, self-PSNR, PSNR of the pixels in between.
    """
    figure, ((one, two, three),) = new_figure(10.5, 3.7, 1, 3)
    covered, error, self_psnr, fresh_psnr = table.mean(1)
    thick = {"color": BLUE, "linewidth": 2.5}
    for axis, rows in ((one, table[0] * 100), (two, table[1]), (three, table[2])):
        axis.plot(atlas_sizes, rows.T, **THIN)
    one.plot(atlas_sizes, covered * 100, "o-", **thick)
    two.plot(atlas_sizes, error, "o-", **thick)
    three.plot(atlas_sizes, self_psnr, "o-", **thick, label="its own pixels")
    three.plot(atlas_sizes, fresh_psnr, "s--", **(thick | {"color": ORANGE}), label="pixels in between")
    three.legend(fontsize=10, frameon=False, loc="lower right")
    one.set(title="coverage falls", ylabel="known, % of the texels in view", ylim=(0, 100))
    two.set(title="coordinate error has a best place", ylabel="median error in pixels", ylim=(0, None))
    three.set(title="self-PSNR flatters", ylabel="PSNR in dB", ylim=(0, None))
    for axis in (one, two, three):
        axis.axvline(pixels, color="#000000", linewidth=1, linestyle=":")
        axis.set_xscale("log", base=2)
        axis.set_xticks(atlas_sizes, [str(atlas) for atlas in atlas_sizes])
        axis.set_xlabel("texels along an edge (dotted: pixels)")
    return figure


def draw_slopes(x: Tensor, curves: Mapping[str, tuple[Tensor, Tensor, Tensor]]) -> Figure:
    """Over the place x (n) of a point, in texels: a level, its slope by autograd, and by finite differences.

    curves: title -> (level, slope, measured slope), n each.  The line of the slope is broken at every whole texel.
    """
    figure, axes = new_figure(9.5, 3.6, 1, len(curves))
    for axis, (title, (level, slope, measured)) in zip(axes[0], curves.items(), strict=True):
        axis.plot(x, level, color=BLUE, linewidth=2.5, label="itself")
        first = int(x.min())
        for cell in range(first, int(x.max()) + 1):  # between two kinks
            inside = x.floor() == cell
            name = "slope, autograd" if cell == first else None
            axis.plot(x[inside], slope[inside], color=ORANGE, linewidth=2, label=name)
        axis.plot(x[::2], measured[::2], "o", color="black", markersize=3.5, label="slope, finite differences")
        axis.set(title=title, xlabel="where the point of value 1 lies, in texels", xticks=range(2, 5))
        axis.grid(axis="x", color="#E0E0E0")
    axes[0, 0].legend(fontsize=9, frameon=False, loc="lower left")
    return figure


def draw_gradients(by_autograd: Tensor, by_differences: Tensor) -> Figure:
    """Gradients ``1 3 h w`` in the value, in x and in y of every pixel, in two rows on a scale a column."""
    figure, axes = new_figure(8.6, 5.6, 2, 3)
    for column, name in enumerate(("in the values", "in x, to the right", "in y, downwards")):
        most = float(by_autograd[0, column].abs().max())
        for axis, gradient in zip(axes[:, column], (by_autograd, by_differences), strict=True):
            show(axis, gradient[0, column].numpy(), cmap="PuOr", vmin=-most, vmax=most)
        axes[0, column].set_title(name, fontsize=11)
        figure.colorbar(axes[0, column].images[0], ax=list(axes[:, column]), shrink=0.7)
    axes[0, 0].set_ylabel("autograd", fontsize=12)
    axes[1, 0].set_ylabel("finite differences", fontsize=12)
    return figure
