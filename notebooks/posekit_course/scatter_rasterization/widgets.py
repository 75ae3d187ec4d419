"""Live figures on scattering: the four weights of one point, and the partial texture of a photograph.

The drawing functions are pure: the same settings give the same picture.
"""

from __future__ import annotations

from functools import partial

import ipywidgets as W
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from posekit.ops.grids import identity_grid, index_to_norm
from posekit.ops.splat import Splat, splat
from posekit.plots import coordinate_colors
from posekit_course.live import Live, live
from posekit_course.scatter_rasterization import figures

TEXELS = 6  # along an edge of the little target
OTHER = (2.6, 2.3)  # where the second point stays
SHOW = ("colours", "coordinates")


def _scatter_points(points: list[tuple[float, float]], values: list[float]) -> Splat:
    """Splat single points, given in texel indices (x, y), into the little target."""
    positions = index_to_norm(torch.tensor(points, dtype=torch.float64).T, TEXELS)[None, :, None]
    return splat(torch.tensor(values, dtype=torch.float64)[None, None, None], positions, (TEXELS, TEXELS))


def render_kernel(x: float, y: float, normalise: bool) -> Figure:
    """Left: the shares that a point at texel (x, y) gives away.  Right: texels that two points, 1 and 0, reach.

    normalise: whether a texel takes the mean of what reached it, or the bare sum.
    """
    figure, ((left, right),) = figures.new_figure(9.5, 4.6, 1, 2)
    alone, both = _scatter_points([(x, y)], [1.0]), _scatter_points([(x, y), OTHER], [1.0, 0.0])
    weight = alone.weight[0, 0].numpy()
    _squares(left, weight, weight > 1e-9, "Blues", f"shares of one point: their sum is {weight.sum():.2f}")
    left.add_patch(Rectangle((x - 1, y - 1), 2, 2, fill=False, edgecolor=figures.ORANGE, linewidth=2))
    left.plot(x, y, "o", color=figures.ORANGE, markeredgecolor="white", markersize=12)
    reached = both.known[0, 0].numpy() > 0
    values = (both.values if normalise else both.values * both.weight)[0, 0].numpy()
    title = "two points: weighted mean" if normalise else "two points: bare sum, without division"
    _squares(right, values, reached, "cividis", title)
    for (px, py), number in (((x, y), "1"), (OTHER, "0")):
        right.plot(px, py, "o", color=figures.ORANGE, markeredgecolor="white", markersize=15)
        right.text(px, py, number, color="white", fontsize=10, fontweight="bold", ha="center", va="center_baseline")
    return figure


def _squares(axis, values: np.ndarray, filled: np.ndarray, colours: str, title: str) -> None:
    """Texels as squares with their value written in; those that nothing reached stay white."""
    axis.imshow(np.where(filled, values, np.nan), cmap=colours, vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(filled), strict=True):
        dark = values[row, column] > 0.55 if colours == "Blues" else values[row, column] < 0.5
        colour = "white" if dark else "black"
        label = axis.text(column, row + 0.33, f"{values[row, column]:.3f}", ha="center", va="center", fontsize=9)
        label.set(color=colour, path_effects=[withStroke(linewidth=2, foreground="black" if dark else "white")])
    axis.set_xticks(np.arange(-0.5, TEXELS), minor=True)
    axis.set_yticks(np.arange(-0.5, TEXELS), minor=True)
    axis.grid(which="minor", color="#C0C0C0", linewidth=0.8)
    axis.tick_params(which="minor", length=0)
    axis.set(xticks=range(TEXELS), yticks=range(TEXELS), xlabel="x in texels", ylabel="y in texels")
    axis.set_title(title, fontsize=11)


def render_texture(person: tuple[int, int], atlas: int, show: str, seed: int = 0, size: int = 128) -> Figure:
    """A photograph, its partial texture in an atlas of ``atlas`` texels an edge, and what became of every texel.

    person: (person, view) of the studio.  show: "colours" or "coordinates", what is splatted.
    """
    photo = figures.photograph_of(seed, *person, size)
    grid = identity_grid(size, size)[None]
    colours = photo.image if show == "colours" else coordinate_colors(grid)
    texture = splat(colours, photo.uv, (atlas, atlas), photo.mask)
    states = figures.texel_states(texture.known, figures.seen_texels(seed, *person, size, atlas))
    figure, ((left, middle, right),) = figures.new_figure(10.5, 4.1, 1, 3)
    source = photo.image if show == "colours" else torch.where(photo.mask > 0, colours, 1)
    figures.show(
        left, figures.picture(source), f"{size} x {size} photograph" + ("" if show == "colours" else ": (x, y)")
    )
    figures.show(middle, figures.with_holes(texture.values, texture.known), f"splatted to {atlas} x {atlas} texels")
    figures.show_states(right, states, f"known: {figures.coverage(states):.0%} of the texels in view")
    return figure


def kernel_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_kernel`."""
    return {
        "x": W.FloatSlider(1.75, min=1.5, max=3.5, step=0.25, description="x"),
        "y": W.FloatSlider(3.5, min=1.5, max=3.5, step=0.25, description="y"),
        "normalise": W.Checkbox(True, description="divide by the weights"),
    }


def texture_controls(people: list[tuple[int, int]], atlas_sizes: list[int]) -> dict[str, W.ValueWidget]:
    """The controls of `render_texture`: people as (person, view), and atlas sizes."""
    middle = atlas_sizes[len(atlas_sizes) // 2]
    return {
        "person": W.Dropdown(options=[(f"person {p}, view {v}", (p, v)) for p, v in people], description="person"),
        "atlas": W.SelectionSlider(options=atlas_sizes, value=middle, description="atlas"),
        "show": W.ToggleButtons(options=SHOW, description="splat"),
    }


def kernel() -> Live:
    """One point with its kernel, to be dragged over the texels."""
    return live(render_kernel, **kernel_controls())


def texture(people: list[tuple[int, int]], atlas_sizes: list[int], seed: int = 0, size: int = 128) -> Live:
    """The partial texture of some people, for every size of the atlas."""
    return live(partial(render_texture, seed=seed, size=size), **texture_controls(people, atlas_sizes))
