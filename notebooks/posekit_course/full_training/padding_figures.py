"""Pictures for the notebook on full training.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from posekit_lab.pictures import BLUE, GREEN, GREY, ORANGE, PURPLE
from torch import Tensor

from posekit.metrics.image import ssim
from posekit.metrics.protocol import Protocol
from posekit.plots import picture
from posekit.util.errors import InputError
from posekit_course.color_vs_coordinate.figures import new_figure
from posekit_course.full_training.padding import diluted, ssim_by_margin

# ------------------------------------------------------------------------------------------------- padding and SSIM


def draw_padding(
    made: Mapping[str, Tensor],
    truth: Tensor,
    margins: Sequence[int] = (0, 4, 8, 16, 32, 64),
    crop: tuple[int, int] = (128, 88),
    shown: int = 0,
) -> Figure:
    """The same photographs with more and more white beside them, and their SSIM.

    Left: result (above) and truth (below) of pair ``shown``, cut, as they come, and padded, each with its own SSIM.
    Right: mean SSIM of all pairs by the share of the picture that is added ground, from the crop on.  Dashed: what
    follows from the count of pixels alone (`diluted`).

    made: name of a system -> its photographs, ``n 3 h w``; the last one is shown on the left.  truth: ``n 3 h w``.
    """
    if not made:
        raise InputError("Name at least one system and give its photographs, got none.")
    h, w = truth.shape[-2:]
    frames = {"cut": Protocol(crop=crop), "as it comes": Protocol(), "padded": Protocol(padding=(h, 2 * w))}
    frames = {f"{name}\n{_size(p.measured or (h, w))}": p for name, p in frames.items()}
    last = list(made.values())[-1]
    figure, axes = new_figure(11.5, 4.3)
    axes[0, 0].remove()
    wide = [(p.measured or (h, w))[1] / w for p in frames.values()]
    grid = figure.add_gridspec(2, 4, width_ratios=[*wide, 3.6])
    for column, (title, protocol) in enumerate(frames.items()):
        pair = [protocol.frame(images[shown : shown + 1]) for images in (last, truth)]
        value = ssim(*pair, protocol=protocol).item()
        for row, image in enumerate(pair):
            axis = figure.add_subplot(grid[row, column])
            axis.imshow(picture(image), interpolation="nearest")
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_color(GREY)  # white ground on a white page
            if row == 0:
                axis.set_title(f"{title}\nSSIM {value:.3f}", fontsize=11)
            if column == 0:
                axis.set_ylabel(("result", "truth")[row], fontsize=11)
    axis = figure.add_subplot(grid[:, 3])
    share = np.array([2 * margin / (crop[1] + 2 * margin) for margin in margins])
    for (name, images), color in zip(made.items(), (GREY, ORANGE, BLUE, GREEN, PURPLE), strict=False):
        means = ssim_by_margin(images, truth, margins, protocol=replace(Protocol(), crop=crop)).mean(1)
        axis.plot(100 * share, means, "o-", color=color, markersize=5, label=name)
        axis.plot(100 * share, [diluted(means[0], s) for s in share], "--", color=color, linewidth=1)
        for end, where in ((0, (7, -13)), (-1, (8, -4))):  # points: below the line, and right of it
            at = 100 * share[end], float(means[end])
            axis.annotate(f"{means[end]:.2f}", at, where, textcoords="offset points", fontsize=10, color=color)
    axis.plot([], [], "k--", linewidth=1, label="from the count of pixels alone")
    axis.set_xlim(right=100 * share[-1] + 8)
    axis.set_xlabel("white ground, % of the picture", fontsize=11)
    axis.set_title(f"mean SSIM of {len(truth)} pairs", fontsize=11, loc="left")
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_ylim(axis.get_ylim()[0] - 0.05, 1.0)  # room for the lowest number
    axis.legend(frameon=False, fontsize=10, loc="lower right")
    return figure


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
