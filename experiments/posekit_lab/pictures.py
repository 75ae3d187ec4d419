"""Figures for notebooks and results: the palette, a figure that is stored small, curves of a training log.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from PIL import Image
from scipy.spatial import cKDTree

from posekit.training.runlog import stages_of

# Colours that remain apart for colour-blind readers (Okabe and Ito).
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A8A8A"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, "#E69F00", "#56B4E9", "#000000")
DPI = 80  # figures are looked at on screens
PALETTE_ERROR = 0.5  # mean of 256 levels; above it, colour gradients would show steps

Records = Sequence[Mapping[str, Any]]


# ------------------------------------------------------------------------------------- figures that are stored small


class Picture(Figure):
    """A figure that a notebook shows as a small PNG, without pyplot: with a palette, or in steps of 4 of 256 levels."""

    def as_image(self, *, smallest: bool = False) -> Image.Image:
        """The figure as a picture in fewer bytes that looks the same.  smallest: try a palette, which takes longer."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=DPI)
        full = Image.open(buffer).convert("RGB")
        levels = np.asarray(full).astype(np.int32)
        if smallest:
            image = with_palette(full)
            if np.abs(np.asarray(image.convert("RGB")) - levels).mean() < PALETTE_ERROR:
                return image
        return Image.fromarray(np.minimum((levels + 2) // 4 * 4, 255).astype(np.uint8))

    def _ipython_display_(self) -> None:
        from IPython.display import display

        buffer = io.BytesIO()
        self.as_image(smallest=True).save(buffer, format="png", optimize=True)
        display({"image/png": buffer.getvalue(), "text/plain": "<figure>"}, raw=True)


def with_palette(image: Image.Image, colours: int = 255, rounds: int = 4) -> Image.Image:
    """An RGB picture with its own palette: median cut, then a few rounds of k-means over its different colours."""
    pixels = np.asarray(image).astype(np.int32)
    packed, place, count = np.unique(
        pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2], return_inverse=True, return_counts=True
    )
    different = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1).astype(float)
    start = image.quantize(colours, method=Image.Quantize.MEDIANCUT)
    palette = np.array(start.getpalette()[: 3 * colours], float).reshape(-1, 3)
    for _ in range(rounds):
        nearest = cKDTree(palette).query(different)[1]
        weight = np.bincount(nearest, count, len(palette))
        for channel in range(3):
            total = np.bincount(nearest, count * different[:, channel], len(palette))
            palette[:, channel] = np.where(weight > 0, total / np.maximum(weight, 1), palette[:, channel])
    palette = palette.round().astype(np.uint8)
    nearest = cKDTree(palette).query(different)[1].astype(np.uint8)
    small = Image.fromarray(nearest[place].reshape(pixels.shape[:2])).convert("P")
    small.putpalette(palette.ravel().tolist())
    return small


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1, kind: type[Figure] = Picture
) -> tuple[Figure, np.ndarray]:
    """A figure of so many inches with an array of axes (rows, columns), in one style."""
    figure = kind(figsize=(width, height), dpi=DPI, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.tick_params(labelsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def show(axis: Axes, image: np.ndarray, title: str = "", **options) -> None:
    """One picture without ticks, its pixels visible as squares."""
    axis.imshow(image, interpolation="nearest", **options)
    axis.set_title(title, fontsize=11)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


# -------------------------------------------------------------------------------------------------- curves of a log


def series(records: Records, loss: str) -> tuple[list[int], list[float]]:
    """Total steps and values of one loss, of the records that have it."""
    points = [(record["total_step"], record["losses"][loss]) for record in records if loss in record["losses"]]
    return [x for x, _ in points], [y for _, y in points]


def draw_curves(records: Records, total: int | None = None, heading: str = "") -> Figure:
    """Every loss of a run over its steps, a panel for each stage.  total: steps that the whole run will have.

    What is drawn depends on the records alone, so a curve survives whatever happens to the program that draws it.
    """
    stages = stages_of(records)
    figure, axes = new_figure(10.5, 3.2, 1, max(1, len(stages)))
    names = list(dict.fromkeys(name for record in records for name in record["losses"]))
    styles = {  # dashed where the colours begin again
        name: {"color": CYCLE[n % len(CYCLE)], "linestyle": ("-", "--", ":")[n // len(CYCLE) % 3]}
        for n, name in enumerate(names)
    }
    for axis, (stage, own) in zip(axes[0], stages.items(), strict=False):
        for name in names:
            x, y = series(own, name)
            if x:
                marks = {"marker": ".", "markersize": 4} if len(x) < 60 else {}
                axis.plot(x, y, linewidth=1.4, **styles[name], **marks)
        axis.set(yscale="log", title=f"stage {stage}", xlabel="step", ylabel="loss (log)")
        axis.tick_params(which="both", labelsize=9)
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        low, high = axis.get_ylim()
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
        axis.yaxis.set_minor_formatter(NullFormatter())
    lines = [Line2D([], [], label=name.replace("_", " "), **style) for name, style in styles.items()]
    if lines:
        columns = -(-len(lines) // (1 if len(lines) < 8 else 2))
        figure.legend(handles=lines, loc="outside lower center", ncol=columns, fontsize=9.5, frameon=False)
    if not stages:
        axes[0, 0].set(xlabel="step", yticks=[], title="waiting for the first record")
    if total is not None:
        last = list(axes[0])[-1]
        last.set_xlim(right=max(total, last.get_xlim()[1]))
    if heading:
        figure.suptitle(heading, fontsize=12, fontweight="bold")
    return figure
