"""Pictures for the notebook on scattering: rows of images, textures with holes, and what became of every texel.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from posekit_lab.pictures import BLUE, CYCLE, ORANGE, new_figure, show
from torch import Tensor

from posekit.ops.grids import identity_grid, resize_mask
from posekit.ops.splat import splat
from posekit.person import Person
from posekit.plots import picture
from posekit.studio.body.surface_tables import mirror_table
from posekit.studio.generate import make_person

NO_BODY, HIDDEN, MISSED, KNOWN = range(4)
STATES = ("no skin here", "not in view", "in view, but missed", "known")
STATE_COLORS = ("#FFFFFF", "#DADADA", ORANGE, BLUE)
FINER = 4  # the reference photograph has this many times more pixels along an edge


def prepare_scatter() -> None:
    """Compile and cache what the notebook uses, before it is timed."""
    person = make_person(0, 0, 0, 64).batched()
    grid = identity_grid(64, 64)[None].requires_grad_()
    splat(grid, person.uv, (32, 32), person.mask).values.sum().backward()
    double = identity_grid(4, 4, dtype=torch.float64)[None].requires_grad_()
    splat(double, double, (4, 4)).values.sum().backward()


@lru_cache(maxsize=16)
def photograph_of(seed: int, person: int, view: int, size: int) -> Person:
    """The photograph of a studio person as a batch of one; the last ones are remembered."""
    return make_person(seed, person, view, size).batched()


@lru_cache(maxsize=64)
def seen_texels(seed: int, person: int, view: int, size: int, atlas: int) -> Tensor:
    """``1 1 atlas atlas``: 1 for the texels that a photograph with FINER times as many pixels an edge reaches."""
    fine = photograph_of(seed, person, view, FINER * size)
    return splat(identity_grid(FINER * size, FINER * size)[None], fine.uv, (atlas, atlas), fine.mask).known


def skin_texels(atlas: int) -> Tensor:
    """``1 1 atlas atlas``: 1 where the atlas shows skin."""
    return resize_mask(mirror_table().isfinite().all(0)[None, None].float(), (atlas, atlas))


def texel_states(known: Tensor, seen: Tensor) -> np.ndarray:
    """(t, t) of NO_BODY, HIDDEN, MISSED or KNOWN.  known, seen: ``1 1 t t``."""
    skin = skin_texels(known.shape[-1])[0, 0].numpy() > 0
    states = np.where(skin, HIDDEN, NO_BODY)
    states[seen[0, 0].numpy() > 0] = MISSED
    states[known[0, 0].numpy() > 0] = KNOWN
    return states


def coverage(states: np.ndarray) -> float:
    """Of the texels in view, the share that is known."""
    return float((states == KNOWN).sum() / max(1, (states >= MISSED).sum()))


# ------------------------------------------------------------------------------------------------ tensors to pictures


def on_white(image: Tensor, mask: Tensor) -> np.ndarray:
    """A picture ``1 3 h w`` on its mask, white elsewhere: (h, w, 3)."""
    return picture(image * mask + 1 - mask)


def window(mask: Tensor, edge: int) -> tuple[slice, slice]:
    """Rows and columns of a square of ``edge`` pixels on the upper half of the body; mask: ``1 1 h w``."""
    ys, xs = (mask[0, 0] > 0).nonzero().T
    h, w = mask.shape[-2:]
    top = min(max(int(ys.float().mean()) - edge * 3 // 4, 0), h - edge)
    left = min(max(int(xs.float().mean()) - edge // 2, 0), w - edge)
    return slice(top, top + edge), slice(left, left + edge)


def with_holes(texture: Tensor, known: Tensor) -> np.ndarray:
    """A texture ``1 3 t t`` on light grey skin and white, (t, t, 3)."""
    skin = skin_texels(known.shape[-1])
    ground = 1 - 0.145 * skin
    return picture(torch.where(known > 0, texture, ground))


# -------------------------------------------------------------------------------------------------------------- figures


def row(pictures: Mapping[str, np.ndarray], heading: str = "", width: float = 10.5, rows: int = 1) -> Figure:
    """Pictures side by side (in several rows), each under its title."""
    columns = -(-len(pictures) // rows)
    first = next(iter(pictures.values()))
    lines = 1 + max(title.count("\n") for title in pictures)
    height = rows * (width / columns * first.shape[0] / first.shape[1] + 0.24 * lines) + (0.45 if heading else 0.1)
    figure, axes = new_figure(width, height, rows, columns)
    for axis in axes.flat[len(pictures) :]:
        axis.set_visible(False)
    for axis, (title, image) in zip(axes.flat, pictures.items(), strict=False):
        show(axis, image, title)
    if heading:
        figure.suptitle(heading, fontsize=13, fontweight="bold")
    return figure


def show_states(axis: Axes, states: np.ndarray, title: str = "", legend: bool = True) -> None:
    """What became of every texel, as a map of four colours."""
    colours = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in STATE_COLORS])
    show(axis, colours[states], title)
    if legend:
        handles = [Patch(color=STATE_COLORS[k], label=STATES[k]) for k in (KNOWN, MISSED, HIDDEN)]
        axis.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=3, fontsize=9, frameon=False)


def draw_journeys(photo: Tensor, uv: Tensor, pixels: Sequence[tuple[int, int]], atlas: int = 256) -> Figure:
    """Marked pixels of a photograph (left) and the places in the atlas where the map sends them (right)."""
    figure, ((left, right),) = new_figure(9.5, 4.7, 1, 2)
    show(left, picture(photo), "photograph: some pixels (x, y) of the body")
    show(right, with_holes(photo.new_zeros(1, 3, 1, 1), photo.new_zeros(1, 1, atlas, atlas)), "")
    right.set_title("atlas: where the map sends them, (u, v) = M(x, y)", fontsize=11)
    for number, (r, c) in enumerate(pixels):
        u, v = ((uv[0, :, r, c] + 1) * atlas - 1) / 2
        for axis, x, y in ((left, c, r), (right, float(u), float(v))):
            axis.plot(x, y, "o", color=CYCLE[number % 7], markeredgecolor="white", markersize=13)
            axis.text(x, y, str(number + 1), color="white", fontsize=8, ha="center", va="center_baseline")
    return figure
