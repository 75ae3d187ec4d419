"""Pictures for the notebook on inpainting: textures side by side, gates, fields of influence, measures.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from posekit_lab.pictures import BLUE, DPI, GREEN, GREY, ORANGE, Picture, show, with_palette
from posekit_lab.pictures import new_figure as plain_figure
from torch import Tensor

from posekit.data.studio import StudioPeople
from posekit.evaluation.table import Evaluation
from posekit.ops.fill import fill_nearest
from posekit.ops.grids import identity_grid, norm_to_points
from posekit.ops.splat import splat
from posekit.person import Pair, Person
from posekit.plots import picture
from posekit.studio.body.surface_tables import mirror_table
from posekit_course.scatter_rasterization.figures import on_white, skin_texels, with_holes

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "on_white", "picture", "show", "with_holes"]  # from the notebook before

PEOPLE, HELD_OUT, VIEWS, SIZE = 80, 200, 4, 128
NOT_ASKED = "#A9CCE3"  # known, but the target view does not need it
STYLES = {  # colour and marker of what is compared
    "coordinates": (BLUE, "o"),
    "colours": (ORANGE, "s"),
    "nearest": (GREY, "v"),
    "mirror": (GREEN, "^"),
}


class Textures(Picture):
    """A figure stored with a palette of its own in any case: prints and textures have no gradients to show steps."""

    def as_image(self, *, smallest: bool = True) -> Image.Image:
        full = super().as_image(smallest=False)
        return with_palette(full) if smallest else full


new_figure = partial(plain_figure, kind=Textures)


def studio_pairs(
    people: int = PEOPLE, held_out: int = HELD_OUT, views: int = VIEWS, size: int = SIZE, seed: int = 0
) -> tuple[StudioPeople, list[Pair]]:
    """All ordered pairs of the training people, and one pair for each photograph of the held-out people.

    people, held_out: numbers considered; eight of ten are for training, one of ten is held out.
    """
    common = {"views": views, "size": size, "seed": seed, "progress": False}
    test = StudioPeople(held_out, split="test", pairs="random", **common)
    return StudioPeople(people, split="train", **common), [test[i] for i in range(len(test))]


def prepare_inpainting() -> None:
    """Render and compile what the notebook uses, before it is timed."""
    _, pairs = studio_pairs()
    source = pairs[0].batched().source
    grid = identity_grid(SIZE, SIZE)[None].requires_grad_()
    splat(grid, source.uv, (64, 64), source.mask).values.sum().backward()
    fill_nearest(grid.detach(), source.mask)
    mirror_table()


# ----------------------------------------------------------------------------------------------------------- pictures


def on_skin(texture: Tensor) -> np.ndarray:
    """A texture ``1 3 t t`` where the atlas shows skin, white elsewhere: (t, t, 3)."""
    skin = skin_texels(texture.shape[-1])
    return picture(texture * skin + 1 - skin)


def on_pale(image: Tensor, person: Person) -> np.ndarray:
    """A picture ``1 3 h w`` on the body of ``person``; where that has no map, their own photograph, grey and pale."""
    grey = 0.72 + 0.28 * person.image.mean(1, keepdim=True).expand_as(person.image)
    return picture(torch.where(person.mask > 0, image, grey))


def grid_of(
    titles: Sequence[str],
    rows: Sequence[Sequence[np.ndarray]],
    heading: str = "",
    scale: int = 1,
    names: Sequence[str] = (),
    across: int = 0,
) -> Figure:
    """Rows of pictures of one shape under common titles; a pixel of a picture is ``scale`` x ``scale`` on the screen.

    names: of the rows, to their left; none if empty.  across: at most so many columns side by side, the others below
    with their own titles; 0: all.  Whole pixels keep the pictures crisp, and the stored figure small.
    """
    h, w = (scale * n for n in rows[0][0].shape[:2])
    gap, line = 8, 17
    head, top = (22 if heading else 0), line * (1 + max(title.count("\n") for title in titles)) + 8
    margin = 8 + 7 * max(map(len, names)) if names else 0
    across = min(across or len(titles), len(titles))
    block = top + len(rows) * (h + gap)
    width, height = margin + across * (w + gap), head + -(-len(titles) // across) * block
    figure = Textures(figsize=(width / DPI, height / DPI), dpi=DPI)
    for r, pictures in enumerate(rows):
        for c, (title, image) in enumerate(zip(titles, pictures, strict=True)):
            b, column = divmod(c, across)
            left = margin + column * (w + gap) + gap // 2
            bottom = height - head - b * block - top - r * (h + gap) - h
            axis = figure.add_axes((left / width, bottom / height, w / width, h / height))
            show(axis, image, "", aspect="auto")
            if r == 0:
                axis.set_title(title, fontsize=11 if w > 150 else 9.5, pad=4)
            if column == 0 and names:
                axis.set_ylabel(names[r], fontsize=9.5, rotation=0, ha="right", va="center")
    if heading:
        figure.suptitle(heading, fontsize=13, fontweight="bold", y=1 - 6 / height, va="top")
    return figure


def regions(known: Tensor, asked: Tensor) -> np.ndarray:
    """Colours of texels, (t, t, 3): blue known and asked for, orange asked for and unknown, light blue known only.

    known, asked: ``1 1 t t``, what the source shows and what the target view needs.
    """
    states = 1 - 0.145 * skin_texels(known.shape[-1])[0, 0].numpy()[..., None] * np.ones(3)
    for colour, where in ((NOT_ASKED, known * (1 - asked)), (BLUE, known * asked), (ORANGE, (1 - known) * asked)):
        states[where[0, 0].numpy() > 0] = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return states


def draw_gates(examples: Mapping[str, tuple[Tensor, Tensor]]) -> Figure:
    """Features of some channels after the ELU, their gates, and the products; a channel in a row of pictures.

    examples: title -> (features, gate), each (t, t).
    """
    figure, axes = new_figure(7.2, 2.6 * len(examples), len(examples), 3)
    for n, (title, (features, gate)) in enumerate(examples.items()):
        most = float(features.abs().quantile(0.99))
        signed = {"cmap": "PuOr", "vmin": -most, "vmax": most}
        line = axes[n]
        show(line[0], features.numpy(), f"{title}: features", **signed)
        show(line[1], gate.numpy(), "gate: white is open", cmap="gray", vmin=0, vmax=1)
        show(line[2], (features * gate).numpy(), "features x gate", **signed)
        for axis in line[:2]:
            figure.colorbar(axis.images[0], ax=axis, shrink=0.8).ax.tick_params(labelsize=8)
    return figure


def draw_openings(means: Sequence[tuple[float, float]], differences: Sequence[float]) -> Figure:
    """How far the gates of every layer stand open.

    means: of a layer's gates on known and on unknown texels.  differences: mean over channels of their distance.
    """
    figure, ((axis,),) = new_figure(8, 2.7)
    known, unknown = np.array(means).T
    layers = np.arange(1, len(means) + 1)
    axis.plot(layers, known, "o-", color=BLUE, label="mean opening on known texels")
    axis.plot(layers, unknown, "s--", color=ORANGE, label="on unknown texels")
    axis.bar(layers, differences, color="#D0D0D0", label="a channel's mean difference between the two")
    axis.set(xlabel="gated layer", xticks=layers, ylim=(0, 1))
    axis.legend(frameon=False, fontsize=9, ncol=3, loc="upper center", bbox_to_anchor=(0.5, 1.2))
    return figure


def draw_fields(fields: Mapping[str, tuple[Tensor, tuple[int, int]]], coarse: int = 4) -> Figure:
    """Fields of influence (h, w) of one texel (row, column) each, on a logarithmic scale; the texel is marked.

    coarse: a drawn square is the mean of so many texels an edge.
    """
    figure, axes = new_figure(10.5, 10.5 / len(fields) + 0.1, 1, len(fields))
    for axis, (title, (field, (row, column))) in zip(axes[0], fields.items(), strict=True):
        small = torch.nn.functional.avg_pool2d(field[None], coarse)[0]
        level = torch.log10(small / small.max() + 1e-12).numpy()
        extent = (-0.5, field.shape[1] - 0.5, field.shape[0] - 0.5, -0.5)
        where = np.where(small.numpy() > 0, level, np.nan)
        show(axis, where, title, cmap="magma", vmin=-6, vmax=0, extent=extent)
        axis.set_facecolor("#E8E8E8")
        axis.plot(column, row, "o", fillstyle="none", color="#00E5FF", markersize=10)
        axis.spines[:].set_visible(True)
    bar = figure.colorbar(axes[0, -1].images[0], ax=list(axes[0]), shrink=0.7)
    bar.set_label("influence, powers of ten")
    return figure


def draw_measures(table: Evaluation, metrics: Mapping[str, str], names: Mapping[str, str]) -> Figure:
    """Means and intervals of ``REGION.metric`` for systems; a panel for each metric in the atlas and in the view.

    metrics: metric -> what its title says.  names: system in the table -> key of STYLES, with "short" before it for
    hollow marks.
    """
    figure, axes = new_figure(11, 5.0, 2, len(metrics))
    regions = ("seen", "unseen")
    for column, (metric, title) in enumerate(metrics.items()):
        for line, place in enumerate(("atlas", "view")):
            axis = axes[line, column]
            for n, (system, style) in enumerate(names.items()):
                colour, marker = STYLES[style.split()[-1]]
                hollow = "white" if style.startswith("short") else colour
                rows = [table.row(system, f"{place}.{region}.{metric}") for region in regions]
                where = np.arange(2) + 0.13 * (n - (len(names) - 1) / 2)
                means = np.array([row.mean for row in rows])
                ends = [(row.mean, row.mean) if row.low is None else (row.low, row.high) for row in rows]  # one person
                error = np.abs(np.array(ends).T - means)
                options = {"fmt": marker, "color": colour, "mfc": hollow, "markersize": 6, "linewidth": 1.2}
                axis.errorbar(where, means, error, label=system if line == column == 0 else None, **options)
            axis.set_xticks([0, 1], regions)
            axis.set_xlim(-0.6, 1.6)
            axis.set_ylim(0, None)
            axis.grid(axis="y", color="#E6E6E6")
            if metric == "gradient_energy_ratio":
                axis.axhline(1, color="black", linewidth=1, linestyle=":")
            if line == 0:
                axis.set_title(title, fontsize=11)
        axes[0, 0].set_ylabel("in the atlas", fontsize=11)
        axes[1, 0].set_ylabel("in the target view", fontsize=11)
    figure.legend(loc="outside lower center", ncol=len(names), fontsize=10, frameon=False)
    return figure


def draw_hidden_arm(
    person: Person, arm: Tensor, dots: Mapping[str, Tensor], shares: Mapping[str, Mapping[str, float]]
) -> Figure:
    """Where the texels of a hidden arm look: on the photograph for one person, as shares for all.

    arm: 1 1 h w, the hidden pixels.  dots: filler -> (2, n) positions.  shares: filler -> place -> share.
    """
    figure, axes = new_figure(11, 3.5, 1, len(dots) + 1)
    pale = picture(torch.where(arm > 0, 0.55, person.image * 0.5 + 0.5))
    for axis, (name, D) in zip(axes[0], dots.items(), strict=False):
        show(axis, pale, f"{name} looks here")
        axis.plot(*norm_to_points(D.T, person.size).T, ".", color=ORANGE, markersize=4)
    axes[0, 0].set_ylabel("the grey arm is hidden", fontsize=10)
    bars, bottom = axes[0, -1], np.zeros(len(shares))
    for place, hue in zip(next(iter(shares.values())), (GREEN, BLUE, GREY, "black"), strict=True):
        height = 100 * np.array([share[place] for share in shares.values()])
        bars.bar(list(shares), height, bottom=bottom, color=hue, label=place, width=0.6)
        bottom += height
    bars.set_ylabel("% of its texels look at")
    figure.legend(loc="outside lower right", ncol=4, fontsize=9, frameon=False)
    return figure
