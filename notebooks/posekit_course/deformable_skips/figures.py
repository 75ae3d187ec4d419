"""Pictures for the notebook on deformable skips: activations, body parts, edges, and measures side by side.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from posekit_lab.pictures import BLUE, GREEN, GREY, ORANGE, PURPLE, show
from posekit_lab.recorded_figures import draw_recorded, recorded
from torch import Tensor

from posekit.data.studio import StudioPeople
from posekit.losses.nearest_neighbour import nearest_neighbour_loss
from posekit.ops.grids import norm_to_points
from posekit.ops.keypoints import BODY_PARTS, BONES, body_part_corners, skeleton_maps
from posekit.person import Pair, Person
from posekit.plots import picture
from posekit_course.color_vs_coordinate.figures import grid_of, new_figure
from posekit_course.deformable_skips import probes

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "draw_recorded",
    "recorded",
    "grid_of",
    "new_figure",
    "picture",
    "crisp_row",
    "show",
]

# One colour for each kind of limb, left and right alike; the body's outline is black.
PART_COLORS = dict.fromkeys(BODY_PARTS, "#000000") | {"head": PURPLE}
PART_COLORS |= {name: BLUE for name in BODY_PARTS if "upper_leg" in name}
PART_COLORS |= {name: "#56B4E9" for name in BODY_PARTS if "lower_leg" in name}
PART_COLORS |= {name: ORANGE for name in BODY_PARTS if "upper_arm" in name}
PART_COLORS |= {name: "#E69F00" for name in BODY_PARTS if "lower_arm" in name}
# What is compared in the duel and in the measures of edges.
KIND_COLORS = {"none": GREY, "plain": PURPLE, "parts": ORANGE, "surface": BLUE, "E": BLUE}


def prepare_skips(people: int = 80, size: int = 64, seed: int = 0) -> None:
    """Render and compile what the notebook uses, before it is timed."""
    probes.studio_set(people, size, seed)
    image = torch.rand(1, 3, 8, 8).requires_grad_()
    nearest_neighbour_loss(image, torch.rand(1, 3, 8, 8)).backward()
    probes.encoded(seed, 28, (1, 3), 128)
    held_out_pairs()


def held_out_pairs(size: int | tuple[int, int] = 128, people: int = 12, seed: int = 0) -> list[Pair]:
    """Four pairs, one a photograph, of each of the first people of the test split."""
    numbers = [10 * n + 9 for n in range(people)]
    data = StudioPeople(numbers, views=4, size=size, seed=seed, split="test", pairs="random", progress=False)
    return [data[i] for i in range(len(data))]


# ---------------------------------------------------------------------------------------------------------- pictures


def lit(moved: Tensor) -> np.ndarray:
    """A body moved by parts (1 3 h w, on black) as a picture on dark blue, against which black clothes show."""
    empty = moved.amax(1, keepdim=True) <= 0
    return picture(torch.where(empty, torch.tensor([0.16, 0.22, 0.42])[None, :, None, None], moved))


def skeleton(person: Person) -> Tensor:
    """The bones between the joints that were found (of a batch of one), black on white: 1 3 h w."""
    lines = skeleton_maps(person.keypoints, person.visibility, person.size, width=2.0).amax(1, keepdim=True)
    return (1 - lines).expand(-1, 3, -1, -1)


def signed(channel: Tensor, most: float | None = None) -> np.ndarray:
    """One channel h w as colours (h, w, 3): orange for negative values, white for 0, purple for positive ones.

    most: the value of full colour; the 99th percentile of the magnitudes where None.
    """
    x = channel.detach()
    most = float(x.abs().quantile(0.99)) if most is None else most
    x = (x / max(most, 1e-6)).clamp(-1, 1)[..., None]
    purple, orange = torch.tensor([0.30, 0.15, 0.55]), torch.tensor([0.80, 0.40, 0.00])
    return (1 - x.clamp(min=0) * (1 - purple) - (-x).clamp(min=0) * (1 - orange)).numpy()


def _edge_picture(strength: Tensor) -> np.ndarray:
    """Edge strength 1 1 h w, dark on white: (h, w), 1 for white."""
    edges = strength[0, 0].detach()
    return (1 - edges / edges.quantile(0.98).clamp(min=1e-6)).clamp(0, 1).numpy()


def edges_over(first: Tensor, second: Tensor) -> np.ndarray:
    """Two edge maps 1 1 h w on white, (h, w, 3): the first red, the second blue."""
    red, blue = (torch.from_numpy(_edge_picture(edges)) for edges in (first, second))
    return torch.stack((blue, red * blue, red), -1).numpy()


def outline(axis: Axes, mask: Tensor, color: str = "black") -> None:
    """The border of a mask (1 1 h w) as a thin line, scaled to the picture that the axis shows."""
    h, w = axis.images[0].get_array().shape[:2]
    H, W = mask.shape[-2:]
    x, y = (np.arange(W) + 0.5) * w / W - 0.5, (np.arange(H) + 0.5) * h / H - 0.5
    axis.contour(x, y, mask[0, 0].numpy(), levels=[0.5], colors=color, linewidths=1)


def draw_parts(axis: Axes, person: Person, only: Sequence[str] = BODY_PARTS, faded: float = 0.55) -> None:
    """A pale photograph (a batch of one) with its skeleton, and the quadrilateral of every part in ``only``."""
    show(axis, faded * picture(person.image) + 1 - faded)
    h, w = person.size
    joints, seen = norm_to_points(person.keypoints[0], (h, w)), person.visibility[0] > 0
    for a, b in BONES:
        if seen[a] and seen[b]:
            axis.plot(*joints[[a, b]].T, color=GREY, linewidth=1)
    corners, defined = body_part_corners(person.keypoints, person.visibility, (h, w))
    for name, quad, there in zip(BODY_PARTS, corners[0], defined[0], strict=True):
        if there and name in only:
            points = norm_to_points(quad, (h, w)).numpy()
            axis.add_patch(Polygon(points, fill=False, edgecolor=PART_COLORS[name], linewidth=1.8))
            axis.plot(*points[0], "o", color=PART_COLORS[name], markersize=4)  # which corner is the first
    axis.set(xlim=(-0.5, w - 0.5), ylim=(h - 0.5, -0.5))  # a leg's box reaches beyond the picture


def draw_both_parts(source: Person, target: Person, titles: tuple[str, str]) -> Figure:
    """The parts in the source and in the target."""
    figure, ((left, right),) = new_figure(8, 4.6, 1, 2)
    for axis, person, title in ((left, source, titles[0]), (right, target, titles[1])):
        draw_parts(axis, person)
        axis.set_title(title, fontsize=11)
    kinds = {name.replace("right_", "").replace("_", " "): PART_COLORS[name] for name in BODY_PARTS}
    kinds = {name: color for name, color in kinds.items() if not name.startswith("left")}
    handles = [Line2D([], [], color=color, label=name) for name, color in kinds.items()]
    figure.legend(handles=handles, loc="outside lower center", ncol=len(handles), fontsize=9, frameon=False)
    return figure


def crisp_row(pictures: Mapping[str, np.ndarray], heading: str = "", scale: int = 1) -> Figure:
    """Pictures of one shape side by side, each under its title; a pixel is ``scale`` x ``scale`` on the screen."""
    return grid_of(list(pictures), [list(pictures.values())], heading, scale)


# ------------------------------------------------------------------------------------------------------------ measures


def draw_edge_matches(table: np.ndarray, names: Sequence[str], levels: Sequence[str]) -> Figure:
    """Correlations for every level: one column of dots (one a pair) for each name, and their mean as a bar.

    table: (pairs, levels, names).
    """
    figure, axes = new_figure(11.5, 3.4, 1, len(levels))
    colors = [GREY, PURPLE, GREEN, ORANGE, BLUE]
    for axis, level, values in zip(axes[0], levels, table.transpose(1, 2, 0), strict=True):
        for n, (dots, color) in enumerate(zip(values, colors, strict=True)):
            axis.bar(n, dots.mean(), color=color, alpha=0.35)
            axis.plot(n + np.linspace(-0.25, 0.25, len(dots)), dots, ".", color=color, markersize=6)
            axis.text(n, 1.0, f"{dots.mean():.2f}", ha="center", fontsize=10)
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set_xticks(range(len(names)), names, fontsize=8)
        axis.set(title=level, ylim=(-0.45, 1.1))
    axes[0, 0].set_ylabel("correlation of edge strength")
    return figure


def draw_duel(curves: Mapping[str, Sequence[tuple[int, float]]], heading: str) -> Figure:
    """Error on held-out people against steps, one line for each kind of skips."""
    figure, ((axis,),) = new_figure(7.5, 3.2)
    for (kind, points), marker in zip(curves.items(), "os^D", strict=False):
        axis.plot(*zip(*points, strict=True), marker=marker, color=KIND_COLORS[kind], linewidth=2, label=kind)
    axis.set(xlabel="steps", ylabel="mean error on the body", title=heading, ylim=(0, None))
    axis.legend(title="skips", frameon=False, fontsize=10, ncol=2)
    return figure
