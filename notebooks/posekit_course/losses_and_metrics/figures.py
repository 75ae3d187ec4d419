"""Pictures for the notebook on losses and metrics: what losses pull at, what a critic sees, what judges say.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from posekit_lab.pictures import BLUE, GREEN, GREY, ORANGE, PURPLE, show
from torch import Tensor, nn

from posekit.plots import picture
from posekit_course.color_vs_coordinate.figures import grid_of, new_figure
from posekit_course.full_training.failure_figures import montage
from posekit_course.losses_and_metrics import judges, probes

__all__ = ["grid_of", "montage", "new_figure", "picture", "show"]


def prepare_judging() -> None:
    """Render and compile what the notebook uses, before it is timed."""
    probes.studio_faces()
    judges.judge_photo(torch.rand(1, 3, 64, 64), probes.photo_of(89, 0, 64))


# -------------------------------------------------------------------------------------------------------------- losses


def draw_pixel_losses(values: Sequence[float]) -> Figure:
    """The mean loss of one pixel over what it says, for l2 and l1, with the values that it may have and both minima."""
    x = np.linspace(0, 1, 401)
    off = x[:, None] - np.array(values)
    figure, (axes,) = new_figure(8.5, 2.6, 1, 2)
    drawn = (("squares: the mean", (off**2).mean(1), np.mean(values), BLUE),
             ("absolute values: the median", np.abs(off).mean(1), np.median(values), ORANGE))  # fmt: skip
    for axis, (title, loss, best, colour) in zip(axes, drawn, strict=True):
        axis.plot(x, loss, color=colour)
        axis.plot(best, np.interp(best, x, loss), "o", color=colour)
        axis.text(best, np.interp(best, x, loss) + 0.06 * np.ptp(loss), f"{best:.2f}", ha="center", fontsize=10)
        axis.plot(values, np.zeros(len(values)), "|", color="black", markersize=14, clip_on=False)
        axis.set_ylim(bottom=0)
        axis.set_title(title, fontsize=11)
        axis.set_xlabel("value of the answer; strokes: what it may be", fontsize=9.5)
    axes[0].set_ylabel("mean loss", fontsize=10)
    return figure


def draw_shift_costs(shifts: Sequence[int], costs: Mapping[str, Sequence[float]]) -> Figure:
    """What losses say of the right picture in a wrong place, each curve over its largest value."""
    figure, ((axis,),) = new_figure(6.4, 2.7)
    for (name, values), colour in zip(costs.items(), (ORANGE, BLUE, GREEN), strict=False):
        axis.plot(shifts, np.array(values) / max(values), "o-", color=colour, label=name, markersize=4)
    axis.set_xlabel("shift in pixels", fontsize=10)
    axis.set_ylabel("loss over its largest", fontsize=10)
    axis.legend(fontsize=9.5, frameon=False)
    return figure


def draw_fourth_power(factors: Sequence[float], slopes: Mapping[str, Sequence[float]]) -> Figure:
    """Size of the slope of two style losses over a factor of all features, both axes logarithmic."""
    figure, ((axis,),) = new_figure(6.0, 2.7)
    for (name, values), colour in zip(slopes.items(), (ORANGE, BLUE), strict=True):
        axis.loglog(factors, np.array(values) / values[0], "o-", color=colour, label=name, markersize=4)
    axis.set_xticks(factors, [f"{factor:g}" for factor in factors])
    axis.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    axis.minorticks_off()
    axis.set_xlabel("all features times", fontsize=10)
    axis.set_ylabel("slope, over that at 1", fontsize=10)
    axis.legend(fontsize=9.5, frameon=False)
    return figure


# -------------------------------------------------------------------------------------------------------------- critic


def draw_patch(image: Tensor, side: int, step: int) -> Figure:
    """A photograph with two neighbouring patches of a critic in its middle."""
    figure, ((axis,),) = new_figure(2.6, 2.6)
    show(axis, picture(image), f"two patches of {side} x {side}")
    corner = image.shape[-1] // 2 - side // 2
    for n, colour in enumerate((ORANGE, BLUE)):
        axis.add_patch(
            Rectangle((corner + n * step, corner + n * step), side, side, fill=False, edgecolor=colour, lw=2)
        )
    return figure


def draw_verdict_maps(critic: nn.Module, images: Mapping[str, Tensor]) -> Figure:
    """Pictures, and below each what the critic says of every patch: 1, taken for sharp, is light."""
    figure, axes = new_figure(2.3 * len(images) + 0.6, 4.9, 2, len(images))
    for column, (name, image) in enumerate(images.items()):
        show(axes[0, column], picture(image), name)
        with torch.no_grad():
            verdict = critic(image)[0, 0]
        drawn = axes[1, column].imshow(verdict.numpy(), cmap="cividis", vmin=0, vmax=1)
        axes[1, column].set(xticks=[], yticks=[])
        axes[1, column].set_title(f"mean verdict {verdict.mean():.2f}", fontsize=11)
    figure.colorbar(drawn, ax=axes[1, :], shrink=0.8, label="verdict")
    return figure


# -------------------------------------------------------------------------------------------------------------- judges


def draw_ssim_parts(truth: Tensor, made: Mapping[str, tuple[Tensor, Tensor, Tensor]]) -> Figure:
    """Per picture: itself, and both factors of SSIM for every window.  made: name -> picture, light, rest."""
    figure, axes = new_figure(2.1 * (len(made) + 1) + 0.7, 6.2, 3, len(made) + 1)
    show(axes[0, 0], picture(truth), "truth")
    for row, words in ((1, "first factor:\nthe means"), (2, "second factor:\ncontrast and\nstructure")):
        axes[row, 0].set_axis_off()
        axes[row, 0].text(0.5, 0.5, words, ha="center", va="center", fontsize=11, transform=axes[row, 0].transAxes)
    for column, (name, (image, *parts)) in enumerate(made.items(), 1):
        show(axes[0, column], picture(image), name)
        for row, part in enumerate(parts, 1):
            drawn = axes[row, column].imshow(part.mean(0).numpy(), cmap="cividis", vmin=0, vmax=1)
            axes[row, column].set(xticks=[], yticks=[])
            axes[row, column].set_title(f"mean {part.mean():.2f}", fontsize=10)
    figure.colorbar(drawn, ax=axes, shrink=0.6)
    return figure


def draw_judges(table: Mapping[str, Mapping[str, float]]) -> Figure:
    """Heat map: failures in rows, judges in columns, badness beside the blur.

    Orange: worse than a blurred picture to this judge; violet: better.  Numbers below 0.005 are written as 0.
    """
    names = list(table)
    values = np.array([[table[name][judge] for judge in judges.JUDGES] for name in names])
    figure, ((axis,),) = new_figure(11.2, 0.42 * len(names) + 1.3)
    axis.imshow(np.log2(values.clip(1 / 16, 16)), cmap="PuOr_r", vmin=-4, vmax=4, aspect="auto")
    for r, line in enumerate(values):
        for c, value in enumerate(line):
            dark = abs(np.log2(max(value, 1 / 16))) > 2.6
            text = "0" if value < 0.005 else f"{value:.2g}"
            axis.text(c, r, text, ha="center", va="center", fontsize=10, color="white" if dark else "black")
    axis.set_xticks(range(len(judges.JUDGES)), judges.JUDGES, fontsize=9)
    axis.set_yticks(range(len(names)), names, fontsize=10)
    axis.xaxis.tick_top()
    axis.set_xlabel("1: as bad as the blur; orange: worse; violet: better", fontsize=10)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return figure


def draw_judge_bars(scores: Mapping[str, float], axis: Axes) -> None:
    """Fill an axis with bars of badness beside the blur (1), logarithmic; grey below 1."""
    names = list(scores)[::-1]
    values = [min(max(scores[name], 0.011), 30) for name in names]
    colours = [ORANGE if value >= 1 else "#BBBBBB" for value in values]
    axis.barh(range(len(names)), [np.log10(v) + 2 for v in values], left=-2, color=colours)
    for y, (name, value) in enumerate(zip(names, values, strict=True)):
        axis.text(np.log10(value) + 0.05, y, f"{scores[name]:.2f}", va="center", fontsize=9)
    axis.axvline(0, color="black", linewidth=1)
    axis.set_xticks([-2, -1, 0, 1], ["0.01", "0.1", "1", "10"], fontsize=9)
    axis.set_yticks(range(len(names)), [name.replace("\n", " ") for name in names], fontsize=9.5)
    axis.set_xlim(-2, 1.9)
    axis.set_xlabel("1: as bad as the full blur", fontsize=10)


# ----------------------------------------------------------------------------------------------- protocols and studies


def draw_protocol_order(values: Mapping[str, Mapping[str, float]]) -> Figure:
    """Bars of what protocols call SSIM.  values: protocol -> prediction -> number."""
    figure, ((axis,),) = new_figure(6.6, 2.8)
    predictions = list(next(iter(values.values())))
    for n, (prediction, colour) in enumerate(zip(predictions, (ORANGE, BLUE, PURPLE), strict=False)):
        place = np.arange(len(values)) + (n - (len(predictions) - 1) / 2) * 0.36
        heights = [row[prediction] for row in values.values()]
        axis.bar(place, heights, 0.34, color=colour, label=prediction)
        for x, height in zip(place, heights, strict=True):
            axis.text(x, height + 0.01, f"{height:.2f}", ha="center", fontsize=9.5)
    axis.set_xticks(range(len(values)), [f"SSIM of {name}" for name in values], fontsize=10)
    axis.set_ylim(0, 1.12)
    axis.legend(fontsize=9.5, frameon=False, ncol=len(predictions), loc="upper center")
    return figure


def draw_study_margins(
    half_widths: Mapping[str, tuple[np.ndarray, np.ndarray]], studies: Mapping[str, tuple]
) -> Figure:
    """Half widths over the number of judgements, and published studies as dots.

    half_widths: label -> numbers, half widths.  studies: name -> number, half width.  Both axes are logarithmic.
    """
    figure, ((axis,),) = new_figure(7.6, 3.2)
    for (label, (n, half)), colour in zip(half_widths.items(), (BLUE, GREEN), strict=False):
        axis.loglog(n, 100 * half, color=colour, label=label)
    for name, (n, half) in studies.items():
        axis.plot(n, 100 * half, "o", color=ORANGE, markersize=5)
        axis.annotate(name, (n, 100 * half), xytext=(8, 2), textcoords="offset points", fontsize=9.5)
    axis.set_xlim(10, 20000)
    axis.set_xticks([10, 100, 1000, 10000], ["10", "100", "1,000", "10,000"])
    axis.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axis.minorticks_off()
    axis.set_xlabel("judgements", fontsize=10)
    axis.set_ylabel("half width, per cent", fontsize=10)
    axis.grid(color=GREY, alpha=0.25)
    axis.legend(fontsize=9.5, frameon=False)
    return figure
