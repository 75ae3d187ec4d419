"""Pictures of surface maps, in one style: rows of panels, maps as colours, parts as twin colours with numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Integer
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from posekit_lab.pictures import DPI, Picture
from torch import Tensor

from posekit.data.chart_tiles import charts_to_tiles, tile_mirror
from posekit.data.load import load_person
from posekit.data.smpl_atlas import smpl_chart_table, smpl_mirror
from posekit.ops.grids import index_to_norm, norm_to_index
from posekit.ops.surface import PARTS, ChartTable
from posekit.person import Person
from posekit.plots import coordinate_colors
from posekit.studio.body.surface_tables import mirror_table, surface_table
from posekit.studio.generate import make_person
from posekit.util.errors import InputError

# Twelve hues (torso back, torso front, and ten pairs of twins) from Okabe and Ito's colour-blind safe palette and
# Tol's muted one; of two twins the person's right is dark and the left light, and numbers stand on the larger parts.
HUES = {
    1: "#999933", 2: "#E69F00", 3: "#CC79A7", 5: "#6A51A3", 7: "#00695C", 9: "#009E73", 11: "#0072B2", 13: "#56B4E9",
    15: "#8C2D04", 17: "#D55E00", 19: "#AA4499", 21: "#882255", 23: "#B59B00",
}  # fmt: skip
RIGHT = (3, 6, 7, 9, 11, 13, 16, 18, 20, 22, 23)  # parts on the person's own right


@dataclass(frozen=True, eq=False)
class Subject:
    """A photographed person, and what is known about the atlas that the map uses.

    table: charts <-> atlas.  mirror: ``2 a a``, the twin of every texel.  atlas: its name for titles.
    """

    person: Person
    table: ChartTable
    mirror: Float[Tensor, "2 a a"]
    atlas: str


def rendered_subject(seed: int, number: int, view: int, size: tuple[int, int]) -> Subject:
    """A person of the studio, with exact maps; as charts the boxes of the atlas, which can be turned back exactly."""
    person, table = make_person(seed, number, view, size), surface_table()
    _, chart = table.to_charts(person.uv, person.mask)
    return Subject(dataclasses.replace(person, chart=chart), table, mirror_table(), "atlas of the studio")


def own_subject(photo: str, surface_map: str) -> Subject:
    """A photograph of your own with its DensePose IUV picture (atlas: 24 tiles) or SMPL-atlas map (``.npy``).

    The second needs the table that `data_scripts/build_smpl_atlas_table.py` builds.  Raises InputError as
    `load_person` does, and for a photograph without a map.
    """
    if not surface_map:
        raise InputError(
            f"The photograph {photo} has no map: set surface_map to its DensePose IUV picture (.png) or its SMPL-atlas "
            "map (.npy), or leave photo empty for the rendered person."
        )
    if Path(surface_map).suffix.lower() == ".npy":
        person, table = load_person(photo or None, surface_map), smpl_chart_table()
        part, chart = table.to_charts(person.uv, person.mask)
        return Subject(replace(person, part=part, chart=chart), table, smpl_mirror(), "SMPL atlas")
    person = load_person(photo or None, surface_map, atlas="tiles")
    return Subject(person, tile_table(), tile_mirror(512), "24 charts side by side")


def tile_table(nodes: int = 200, atlas_size: int = 512) -> ChartTable:
    """The table of the atlas in which the 24 charts lie side by side as tiles (`posekit.data.chart_tiles`)."""
    step = torch.linspace(0, 1, nodes)
    chart = torch.stack((step.expand(nodes, nodes), step[:, None].expand(nodes, nodes))).expand(PARTS, 2, nodes, nodes)
    part = torch.arange(1, PARTS + 1)[:, None, None, None].expand(PARTS, 1, nodes, nodes)
    return ChartTable.from_table(charts_to_tiles(part, chart).movedim(1, -1), atlas_size)


def panels(
    items: Sequence[tuple[str, Tensor | np.ndarray]], columns: int | None = None, width: float = 9.0, size: float = 10
) -> Picture:
    """Titled pictures in rows, as high as each other.

    items: (title, picture), (3, h, w) or (h, w, 3) in [0, 1].  width: of the figure, inches.  size: of titles, points.
    """
    columns = columns or len(items)
    rows = -(-len(items) // columns)
    ratios = [shape[1] / shape[0] for shape in (_as_picture(picture).shape for _, picture in items[:columns])]
    lines = 1 + max(title.count("\n") for title, _ in items)
    height = rows * (width / sum(ratios) + 0.03 * size * (lines + 0.3))
    figure = Picture(figsize=(width, height), layout="constrained", dpi=DPI)
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.04, wspace=0.02, hspace=0.02)
    axes = figure.subplots(rows, columns, squeeze=False, width_ratios=ratios).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, (title, picture) in zip(axes, items, strict=False):
        _show_smooth(axis, picture, title, size)
    return figure


def _show_smooth(axis: Axes, picture: Tensor | np.ndarray, title: str = "", size: float = 10) -> None:
    """One picture without ticks; sharp pixels where it is enlarged by much, smooth where it is not."""
    axis.imshow(_as_picture(picture), interpolation="auto")
    axis.set_title(title, fontsize=size)
    axis.axis("off")


def _as_picture(picture: Tensor | np.ndarray) -> np.ndarray:
    """(3, h, w) tensor or (h, w, 3) array -> (h, w, 3) array in [0, 1]."""
    if isinstance(picture, Tensor):
        picture = picture.detach().cpu().movedim(0, -1).numpy()
    return np.clip(picture, 0, 1)


def map_colors(uv: Float[Tensor, "2 h w"], mask: Float[Tensor, "1 h w"]) -> Float[Tensor, "3 h w"]:
    """A coordinate map as colours: red grows with u (or x), green with v (or y), white off the mask."""
    return coordinate_colors(uv[None], mask[None])[0]


def part_palette() -> Float[Tensor, "25 3"]:
    """RGB of the parts 0..24: twins share a hue, the right one is darker; 0 is white."""
    colours = np.ones((25, 3))
    for part in range(1, 25):
        base = np.array(to_rgb(HUES[part if part in HUES else part - 1]))
        colours[part] = base if part in (1, 2) else base * 0.8 if part in RIGHT else 0.45 * base + 0.55
    return torch.tensor(colours, dtype=torch.float32)


def part_colors(part: Integer[Tensor, "1 h w"]) -> Float[Tensor, "3 h w"]:
    """The part map as colours."""
    return part_palette()[part[0]].movedim(-1, 0)


def number_parts(axis: Axes, part: Integer[Tensor, "1 h w"], least: float = 0.002, size: float = 7) -> None:
    """Write the number of every part at its most inner pixel, where it covers a share ``least`` of the picture."""
    from scipy.ndimage import distance_transform_edt

    labels = part[0].numpy()
    for number in np.unique(labels[labels > 0]):
        here = labels == number
        if here.mean() < least:
            continue
        row, column = np.unravel_index(distance_transform_edt(np.pad(here, 1))[1:-1, 1:-1].argmax(), here.shape)
        text = axis.text(column, row, str(number), ha="center", va="center", fontsize=size, color="black")
        text.set_path_effects([withStroke(linewidth=1.8, foreground="white")])


def iuv_picture(person: Person) -> Float[Tensor, "3 h w"]:
    """(I, U, V) as red, green, blue, the way such files look when they are opened; white off the body."""
    raw = torch.cat([person.part.float() / 24, person.chart])
    return torch.where(person.mask > 0.5, raw, 1.0)


def scalar_colors(
    values: Float[Tensor, "1 h w"], mask: Float[Tensor, "1 h w"], low: float, high: float, colormap: str = "cividis"
) -> Float[Tensor, "3 h w"]:
    """One channel in a colour-blind safe colour map, white off the mask."""
    from matplotlib import colormaps

    scaled = ((values[0] - low) / (high - low)).clamp(0, 1).numpy()
    rgb = torch.from_numpy(colormaps[colormap](scaled)[..., :3]).float().movedim(-1, 0)
    return torch.where(mask > 0.5, rgb, 1.0)


def mark(axis: Axes, points: Float[Tensor, "n 2"], size: tuple[int, int], together: float = 0.03) -> None:
    """Numbered dots at points (x, y) in [-1, 1] of a picture of size (h, w); points ``together`` share a dot."""
    h, w = size
    left = dict(enumerate(points, start=1))
    while left:
        here = next(iter(left.values()))
        numbers = [n for n, point in left.items() if (point - here).norm() < together]
        left = {n: point for n, point in left.items() if n not in numbers}
        column, row = norm_to_index(float(here[0]), w), norm_to_index(float(here[1]), h)
        text = axis.text(column, row, ", ".join(map(str, numbers)), ha="center", va="center", fontsize=7.5)
        text.set_bbox({"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "black", "linewidth": 0.8})


def pixel_rows() -> Picture:
    """One row of a picture at three resolutions: edges at -1 and 1, and the centres of the pixels."""
    figure = Picture(figsize=(8, 2.5), layout="constrained", dpi=DPI)
    axis = figure.subplots()
    for row, n in enumerate((2, 4, 8)):
        for i in range(n):
            x = float(index_to_norm(i, n))
            axis.add_patch(Rectangle((x - 1 / n, -row - 0.3), 2 / n, 0.6, facecolor="#CFE3F1", edgecolor="#0072B2"))
            axis.plot(x, -row + 0.1, ".", color="black")
            axis.text(x, -row - 0.16, f"{x:g}", ha="center", va="center", fontsize=9 if n < 8 else 7.5)
        axis.text(-1.04, -row, f"{n} pixels", ha="right", va="center", fontsize=10)
    for x in (-1, 0, 1):
        axis.plot([x, x], [-2.35, 0.42], color="#D55E00", linewidth=1, linestyle=":")
        axis.text(x, 0.45, f"{x:g}", ha="center", va="bottom", fontsize=10, color="#D55E00")
    axis.set(xlim=(-1.3, 1.05), ylim=(-2.4, 0.75))
    axis.axis("off")
    axis.set_title("The same coordinate names the same place at every resolution; centres lie inside", fontsize=10)
    return figure
