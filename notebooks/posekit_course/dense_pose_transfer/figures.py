"""Pictures for the notebook on Dense Pose Transfer: charts as tiles, seams, views that supervise, poses as planes.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.figure import Figure
from posekit_lab.pictures import BLUE, GREEN, GREY, ORANGE, PURPLE, show
from posekit_lab.recorded_figures import draw_recorded, recorded
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from posekit.ops.charts import PARTS, lay_tiles, splat_charts
from posekit.person import Pair, Person
from posekit.plots import picture
from posekit_course.color_vs_coordinate.figures import grid_of, new_figure
from posekit_course.dense_pose_transfer import probes

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "draw_recorded",
    "grid_of",
    "new_figure",
    "picture",
    "recorded",
    "show",
]

EMPTY = 0.82  # the grey of texels that nothing is known of
COLUMNS = 6  # of tiles


def prepare_streams(people: int = 8, size: int = 128) -> None:
    """Render and compile what the notebook uses, before it is timed."""
    data = probes.held_out(people, size)
    pair = data[0].batched()
    probes.run(probes.trained(), pair)
    probes.there_and_back(pair.source, 32, 128)
    probes.train_charts(80, steps=1, seed=0, batch=2)
    probes.held_out(people, probes.SMALL["image_size"])


# ----------------------------------------------------------------------------------------------------------- charts


def chart_picture(charts: Tensor, known: Tensor | None = None) -> np.ndarray:
    """24 charts (a batch of one) as a picture of 4 x 6 tiles with lines between them; unknown texels are grey."""
    shown = charts.clamp(0, 1) if known is None else torch.where(known > 0, charts.clamp(0, 1), EMPTY)
    tiles = picture(lay_tiles(shown)).copy()
    return _lined(tiles, charts.shape[-1])


def one_chart(charts: Tensor, part: int) -> np.ndarray:
    """The chart of one part (of a batch of one)."""
    return picture(charts[:, part - 1])


def square(image: Tensor, side: int) -> np.ndarray:
    """A photograph (a batch of one) as small as a chart, to stand beside it."""
    return picture(adaptive_avg_pool2d(image, side))


def _lined(tiles: np.ndarray, side: int) -> np.ndarray:
    """Thin white lines between tiles."""
    tiles[::side], tiles[:, ::side] = 1, 1
    return tiles


def draw_charts(panels: Mapping[str, np.ndarray], numbers: bool = True, width: float = 8.4) -> Figure:
    """Pictures of 4 x 6 tiles side by side; the number of its part stands in the corner of every tile."""
    figure, axes = new_figure(width, width / len(panels) * 4 / 6 + 0.45, 1, len(panels))
    for axis, (title, tiles) in zip(axes[0], panels.items(), strict=True):
        show(axis, tiles, title)
        side = tiles.shape[0] / 4
        for n in range(PARTS if numbers else 0):
            row, column = divmod(n, COLUMNS)
            place = (column * side + 2, row * side + 1)
            axis.annotate(str(n + 1), place, fontsize=8, va="top", color="black", backgroundcolor=(1, 1, 1, 0.6))
    return figure


def lit_part(person: Person, part: int) -> np.ndarray:
    """A pale photograph (a batch of one) in which one part keeps its colours."""
    here = (person.part == part).to(person.image)
    return picture(here * person.image + (1 - here) * (0.3 * person.image + 0.7))


def draw_seams(person: Person, side: int, atlas: int) -> Figure:
    """A photograph, and where a step to the next pixel jumps on the charts and on the atlas."""
    on_charts = probes.cuts(probes.chart_texels(person, side), person.mask)
    on_atlas = probes.cuts((person.uv + 1) / 2 * atlas, person.mask)
    panels = {"photograph": picture(person.image)}
    for name, cut in (("24 charts", on_charts), ("one atlas", on_atlas)):
        pale = 0.35 * person.image + 0.65
        colour = torch.tensor([0.84, 0.37, 0.0])[None, :, None, None]
        share = float(cut.sum() / person.mask.sum())
        panels[f"{name}: {share:.0%} of body pixels\nlie beside a jump"] = picture(pale * (1 - cut) + colour * cut)
    return grid_of(list(panels), [list(panels.values())], scale=2)


# ------------------------------------------------------------------------------------------------------------- views


def draw_views(pair: Pair, completed: Tensor, side: int) -> Figure:
    """Figure 2 of the paper: one photograph goes in, and every view of the person says what its texels should be."""
    photos = {"source (goes in)": pair.source, "target": pair.target}
    photos |= {f"neighbour {n + 1}": view for n, view in enumerate(pair.neighbours)}
    figure, axes = new_figure(9, 6.1, 3, len(photos))
    for column, (title, person) in enumerate(photos.items()):
        charts, known = splat_charts(person.image, person.part, person.chart, side)
        wrong = (completed.clamp(0, 1) - charts).abs().mean(2, keepdim=True)
        loss = float((wrong * known).sum() / known.sum())
        show(axes[0, column], picture(person.image), title)
        show(axes[1, column], chart_picture(charts, known), "its observed charts")
        error = torch.where(known > 0, 1 - (wrong / 0.4).clamp(0, 1), EMPTY)
        tiles = lay_tiles(error.expand(-1, -1, 3, -1, -1))
        show(axes[2, column], _lined(picture(tiles).copy(), side), f"|completed - observed|: {loss:.3f}")
    return figure


def counted(views: Tensor) -> np.ndarray:
    """How many views show each texel (1 24 1 t t) as colours: grey for none, then ever deeper blue."""
    steps = torch.tensor([[EMPTY] * 3, [0.68, 0.82, 0.93], [0.36, 0.62, 0.82], [0.0, 0.45, 0.70], [0.0, 0.22, 0.40]])
    levels = views[0, :, 0].long().clamp(0, len(steps) - 1)
    tiles = picture(lay_tiles(steps[levels].permute(0, 3, 1, 2)[None])).copy()
    return _lined(tiles, views.shape[-1])


def draw_influence(table: np.ndarray) -> Figure:
    """Who changes whom: rows are completed charts, columns the part of the source that was hidden."""
    figure, ((axis,),) = new_figure(7.6, 6.4)
    most = float(np.quantile(table, 0.97))
    image = axis.imshow(table, cmap="Blues", vmin=0, vmax=most, interpolation="nearest")
    names = [f"{probes.NAMES[n]} {n}" for n in range(1, PARTS + 1)]
    axis.set_yticks(range(PARTS), names, fontsize=8)
    axis.set_xticks(range(PARTS), range(1, PARTS + 1), fontsize=8)
    axis.set(xlabel="part of the source that is hidden", ylabel="completed chart")
    figure.colorbar(image, ax=axis, shrink=0.7, label="change of colour")
    return figure


# ------------------------------------------------------------------------------------------------------------- poses


def pose_pictures(system, person: Person) -> dict[str, np.ndarray]:
    """What each kind of pose tells the network, as a picture; planes of one kind lie over each other in colours."""
    made = {}
    for kind in ("mask", "parts", "keypoints", "iuv", "one_hot_iuv"):
        planes = system.pose(person, kind)
        n = planes.shape[1]
        if n == 1:
            shown = planes.expand(-1, 3, -1, -1)
        elif n == 3:
            shown = planes
        else:
            one_each = planes[:, : n - 2] if kind == "one_hot_iuv" else planes
            colours = torch.from_numpy(_wheel(one_each.shape[1])).to(planes)
            shown = torch.einsum("bkhw,kc->bchw", one_each, colours).clamp(0, 1)
            if kind == "one_hot_iuv":
                shown = torch.cat([shown[:, :1], planes[:, -2:]], 1) * person.mask
        made[f"{kind.replace('_', ' ')}: {n} plane{'s' * (n > 1)}"] = picture(shown)
    return made


def _wheel(n: int) -> np.ndarray:
    """n colours around the wheel, in an order that puts neighbours apart."""
    from matplotlib.colors import hsv_to_rgb

    hue = (np.arange(n) * 0.381966) % 1
    return hsv_to_rgb(np.stack([hue, np.full(n, 0.65), np.full(n, 0.95)], 1))
