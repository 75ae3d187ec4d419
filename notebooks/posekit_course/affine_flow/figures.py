"""Pictures for the notebook on flows: poses as colours, a flow as colour wheel and as a bent grid, slices of Q.

All functions that draw return a new matplotlib Figure, or draw into given axes, and change nothing else.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from posekit_lab.pictures import BLUE, GREEN, GREY, ORANGE, show
from posekit_lab.recorded_figures import recorded
from torch import Tensor

from posekit.ops.grids import identity_grid, norm_to_index, norm_to_points, resize_grid
from posekit.ops.keypoints import BONES
from posekit.ops.sample import sample
from posekit.person import Person
from posekit.plots import picture
from posekit_course.affine_flow import probes as flow_probes
from posekit_course.color_vs_coordinate.figures import grid_of, new_figure

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "grid_of", "new_figure", "picture", "recorded", "show"]

HUES = np.array([colorsys.hsv_to_rgb(n * 0.382 % 1, 0.9, 0.85) for n in range(18)])  # neighbours far apart
MOST = 0.5  # the displacement of full colour in pictures: a quarter of the photograph
COLORS = {"both tasks": BLUE, "reconstruction alone": ORANGE, "affine task alone": GREEN}  # others are grey


def prepare_flow(people: int = 60) -> None:
    """Render and compile what the notebook uses, before it is timed."""
    _, held_out = flow_probes.flow_pairs(people)
    flow_probes.truth_of(held_out[0].batched())


# ----------------------------------------------------------------------------------------------------------- pictures


def heat_picture(maps: Tensor) -> np.ndarray:
    """Heat maps 18 h w on white, (h, w, 3): a colour for each joint, the strongest joint of a pixel wins."""
    strength, joint = maps.detach().clamp(0, 1).max(0)
    return 1 - strength[..., None].numpy() * (1 - HUES[joint.numpy()])


def draw_skeleton(axis: Axes, keypoints: Tensor, visibility: Tensor, size: tuple[int, int], dots: float = 5) -> None:
    """Bones in grey and joints in their colours, over a picture of ``size`` (h, w).  keypoints: 18 2."""
    points, there = norm_to_points(keypoints, size).numpy(), (visibility > 0).numpy()
    for a, b in BONES:
        if there[a] and there[b]:
            axis.plot(*points[[a, b]].T, color="#555555", linewidth=1.2)
    for point, colour in zip(points[there], HUES[there], strict=True):
        axis.plot(*point, "o", color=colour, markersize=dots, markeredgecolor="white", markeredgewidth=0.5)
    axis.set(xlim=(-0.5, size[1] - 0.5), ylim=(size[0] - 0.5, -0.5))


def draw_person(axis: Axes, person: Person, title: str, faded: float = 0.6) -> None:
    """A pale photograph (a batch of one) with its joints."""
    show(axis, faded * picture(person.image) + 1 - faded, title)
    draw_skeleton(axis, person.keypoints[0], person.visibility[0], person.size)


def draw_poses(source: Person, target: Person, maps: tuple[Tensor, Tensor]) -> Figure:
    """Both photographs with their joints, and their heat maps (1 18 h w each)."""
    figure, (axes,) = new_figure(10.5, 2.9, 1, 4)
    draw_person(axes[0], source, "source")
    show(axes[1], heat_picture(maps[0][0]), "its 18 heat maps")
    draw_person(axes[2], target, "target")
    show(axes[3], heat_picture(maps[1][0]), "its 18 heat maps")
    return figure


# -------------------------------------------------------------------------------------------------------------- flows


def flow_colors(flow: Tensor, most: float = 1.0) -> np.ndarray:
    """Displacement of a flow 2 h w as colours (h, w, 3): hue its direction, white where nothing moves.

    The displacement is flow - x, from the target pixel to where it looks; ``most`` of it has full colour.
    """
    d = (flow - identity_grid(*flow.shape[-2:])).detach().double().numpy()
    return _wheel(d[0], d[1], most)


def _wheel(dx: np.ndarray, dy: np.ndarray, most: float) -> np.ndarray:
    hue = 6 * ((np.arctan2(dy, dx) / (2 * np.pi)) % 1)
    rgb = np.stack([np.abs(hue - 3) - 1, 2 - np.abs(hue - 2), 2 - np.abs(hue - 4)], -1).clip(0, 1)
    strength = np.minimum(np.hypot(dx, dy) / most, 1)[..., None]
    return 1 - strength * (1 - rgb)


def wheel(side: int = 128) -> np.ndarray:
    """The legend of `flow_colors`: the colour at (x, y) is that of the displacement (x, y)."""
    x = identity_grid(side, side).numpy()
    disc = _wheel(x[0], x[1], 1.0)
    disc[np.hypot(x[0], x[1]) > 1] = 1
    return disc


def draw_grid(axis: Axes, flow: Tensor, size: tuple[int, int], every: int = 4, mask: Tensor | None = None) -> None:
    """The target's pixel grid where it lands in the source: a line for every few rows and columns.

    flow: 2 h w.  size: (h, w) of the source's picture.  mask: 1 h w, lines only where it is 1 at both ends.
    """
    x, y = norm_to_index(flow[0], size[1]).numpy(), norm_to_index(flow[1], size[0]).numpy()
    on = np.ones(x.shape, bool) if mask is None else (mask[0] > 0.5).numpy()
    x, y = np.where(on, x, np.nan), np.where(on, y, np.nan)
    for n in range(every // 2, x.shape[0], every):
        axis.plot(x[n], y[n], color=BLUE, linewidth=0.9)
    for n in range(every // 2, x.shape[1], every):
        axis.plot(x[:, n], y[:, n], color=ORANGE, linewidth=0.9)
    axis.set(xlim=(-0.5, size[1] - 0.5), ylim=(size[0] - 0.5, -0.5))


def draw_flows(flows: Mapping[str, Tensor], source: Tensor, target: Tensor, mask: Tensor | None = None) -> Figure:
    """For every flow (1 2 h w): its grid over the source, its colours, and the source sampled with it.

    source, target: photographs 1 3 H W.  mask: 1 1 H W, the target's body: the grid is drawn there alone.
    """
    size = tuple(source.shape[-2:])
    figure, axes = new_figure(9.2, 2.4 * len(flows), len(flows), 4)
    for line, (name, flow) in zip(axes, flows.items(), strict=True):
        fine = resize_grid(flow, size)
        show(line[0], 0.45 * picture(source) + 0.55, f"{name}: the grid")
        draw_grid(line[0], fine[0], size, 5, None if mask is None else mask[0])
        show(line[1], flow_colors(fine[0], MOST), "as colours")
        show(line[2], picture(sample(source, fine, padding="border")), "source, sampled directly")
        show(line[3], picture(target), "target")
    inset = axes[0, 1].inset_axes((0.0, 0.0, 0.26, 0.26))
    show(inset, wheel())
    return figure


# ------------------------------------------------------------------------------------------------- slices and measures


def slice_picture(values: Tensor, photograph: Tensor) -> np.ndarray:
    """How strongly each source pixel is looked at (h, w), red over the pale photograph (3 H W): (H, W, 3)."""
    strength = torch.nn.functional.interpolate(values[None, None].clamp(min=0), photograph.shape[-2:], mode="nearest")
    strength = (strength / strength.max().clamp(min=1e-12))[0, 0, ..., None].numpy()
    pale = 0.4 * picture(photograph) + 0.6
    return pale * (1 - strength) + np.array([0.84, 0.1, 0.0]) * strength


def draw_accuracy(curves: Mapping[str, Sequence[tuple[int, float]]], ylabel: str) -> Figure:
    """Lines over steps; the names are keys of COLORS."""
    figure, ((axis,),) = new_figure(7.5, 2.9)
    for name, points in curves.items():
        axis.plot(*zip(*points, strict=True), "o-", color=COLORS[name], label=name, markersize=4)
    axis.set(xlabel="steps", ylabel=ylabel, ylim=(0, None))
    axis.legend(frameon=False, fontsize=10)
    return figure


def draw_bars(panels: Mapping[str, Mapping[str, float]]) -> Figure:
    """A panel for each measure: a bar with its value for each name (a key of COLORS, or grey)."""
    figure, (axes,) = new_figure(2.7 * len(panels), 2.9, 1, len(panels))
    for axis, (title, bars) in zip(axes, panels.items(), strict=True):
        for n, (name, value) in enumerate(bars.items()):
            axis.bar(n, value, color=COLORS.get(name, GREY), width=0.65)
            axis.text(n, value, f"{value:.3g}", ha="center", va="bottom", fontsize=9)
        axis.set_xticks(range(len(bars)), bars, rotation=25, ha="right", fontsize=9)
        axis.set_title(title, fontsize=10)
        axis.margins(y=0.15)
    return figure
