"""The error budget in pictures: one head as each arm makes it, and how far the arms are off, region by region.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.figure import Figure
from posekit_lab.pictures import BLUE, GREEN, GREY, ORANGE, PURPLE
from torch import Tensor

from posekit.plots import picture
from posekit.util.errors import InputError
from posekit_course.color_vs_coordinate.figures import new_figure

COLOURS = (GREY, BLUE, GREEN, PURPLE, "#8fb8d8", ORANGE)
MARGIN = 4  # pixels around the head


def draw_budget(
    made: Mapping[str, Tensor], truth: Tensor, head: Tensor, errors: Mapping[str, Mapping[str, float]]
) -> Figure:
    """Above: the head of one person as each arm makes it, and the truth.  Below: bars of the errors by region.

    made: arm -> its photograph, ``3 h w``.  truth: ``3 h w``.  head: mask of the head, ``1 h w``.  errors: arm ->
    region -> mean absolute difference.  InputError where the mask is empty or an arm has no picture.
    """
    if set(made) != set(errors):
        raise InputError(f"Pictures and errors are of the same arms; got {sorted(made)} and {sorted(errors)}.")
    if not (head > 0).any():
        raise InputError("The mask of the head is empty: take a pair that shows it.")
    rows, columns = _square_around(head[0])
    figure, axes = new_figure(9.2, 4.5)
    axes[0, 0].remove()
    grid = figure.add_gridspec(2, len(made) + 1, height_ratios=[1, 1.5])
    for column, (name, image) in enumerate([*made.items(), ("truth", truth)]):
        axis = figure.add_subplot(grid[0, column])
        axis.imshow(picture(image[None, :, rows, columns]), interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.set_title(name.replace(" of ", "\nof ", 1), fontsize=10.5)
    axis = figure.add_subplot(grid[1, :])
    regions = list(next(iter(errors.values())))
    width = 0.8 / len(errors)
    for i, ((name, own), colour) in enumerate(zip(errors.items(), itertools.cycle(COLOURS), strict=False)):
        at = np.arange(len(regions)) + (i - (len(errors) - 1) / 2) * width
        axis.bar(at, [own[region] for region in regions], width * 0.9, color=colour, label=name)
    axis.set_xticks(np.arange(len(regions)), regions, fontsize=11)
    axis.set_title("mean absolute difference from the truth", fontsize=11, loc="left")
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_ylim(0, 1.3 * axis.get_ylim()[1])  # room for the legend
    axis.legend(frameon=False, fontsize=10, ncols=len(errors), loc="upper center")
    return figure


def _square_around(mask: Tensor) -> tuple[slice, slice]:
    """Rows and columns of a square around what is set, some pixels wider, within the picture where it fits."""
    y, x = (torch.nonzero(mask.amax(axis) > 0).flatten() for axis in (1, 0))
    side = int(max(y[-1] - y[0], x[-1] - x[0])) + 1 + 2 * MARGIN
    slices = []
    for at, end in ((y, mask.shape[0]), (x, mask.shape[1])):
        start = int((at[0] + at[-1] + 1) // 2) - side // 2
        start = max(0, min(start, end - side))
        slices.append(slice(start, min(end, start + side)))
    return slices[0], slices[1]
