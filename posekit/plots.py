"""Pictures of photographs and their maps: coordinates as colours, panels of the way to a result.

`draw_panel` returns a new matplotlib Figure and changes nothing else; `save_figure` writes one.
"""

import os
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from posekit.data.photo import check_picture_name
from posekit.ops.charts import lay_tiles
from posekit.person import Person
from posekit.systems.base import Result
from posekit.util.files import whole_file

DPI = 110  # dots an inch of a saved figure


def picture(image: Float[Tensor, "*b 3 h w"]) -> np.ndarray:
    """``3 h w`` or ``1 3 h w`` in [0, 1] -> (h, w, 3)."""
    return image.detach().cpu().reshape(-1, *image.shape[-2:]).movedim(0, -1).clamp(0, 1).numpy()


def coordinate_colors(
    grid: Float[Tensor, "b 2 h w"], known: Float[Tensor, "b 1 h w"] | None = None
) -> Float[Tensor, "b 3 h w"]:
    """Coordinates as colours: red grows with x, green with y; unknown places are white."""
    x, y = (grid.clamp(-1, 1) + 1).div(2).split(1, dim=1)
    colors = torch.cat((x, y, torch.full_like(x, 0.4)), dim=1)
    return colors if known is None else colors * known + (1 - known)


def draw_panel(columns: Mapping[str, Float[Tensor, "b 3 h w"]], size: float | None = None) -> Figure:
    """Batches of pictures, one a column under its title, one row for each sample.

    size: inches a picture; if not given, 1.75, or as many as show every pixel of a larger one.
    """
    rows, widest = len(next(iter(columns.values()))), max(batch.shape[-1] for batch in columns.values())
    size = max(1.75, 1.04 * widest / DPI) if size is None else size
    figure = Figure(figsize=(size * len(columns), size * rows + 0.3), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)
    axes = figure.subplots(rows, len(columns), squeeze=False)
    for line, (title, images) in zip(axes.T, columns.items(), strict=True):
        line[0].set_title(title, fontsize=9)
        for axis, image in zip(line, images, strict=True):
            axis.imshow(picture(image), interpolation="nearest")
            axis.axis("off")
    return figure


def draw_rows(rows: Sequence[Mapping[str, Float[Tensor, "1 3 h w"]]], size: float = 2.2) -> Figure:
    """Pictures under their titles, one row a mapping; rows may differ in length, ``size`` inches a picture."""
    wide = max(len(row) for row in rows)
    figure = Figure(figsize=(size * wide, (size + 0.25) * len(rows)), layout="constrained")
    for line, row in zip(figure.subplots(len(rows), wide, squeeze=False), rows, strict=True):
        for axis in line:
            axis.axis("off")
        for axis, (title, image) in zip(line, row.items(), strict=False):
            axis.set_title(title, fontsize=8, parse_math=False)
            axis.imshow(picture(image), interpolation="nearest")
    return figure


def steps_of(source: Person, result: Result, target: Person | None = None) -> dict[str, Float[Tensor, "b 3 h w"]]:
    """The way from a photograph (a batch) to the result, as columns of `draw_panel`.

    Source and its surface map, partial coordinates C, completed D, colours T, the map of ``target``, warped W, result;
    of Dense Pose Transfer the 24 charts, observed and completed, and the predicted photograph; what the system does not
    have is left out, and maps that are not known are too.
    """
    columns = {"source S": source.image}
    if source.uv is not None:
        columns["its map M_S"] = coordinate_colors(source.uv, source.mask)
    maps = {name: getattr(result, name, None) for name in ("C", "known", "D", "T", "W", "image")}
    if maps["C"] is not None:
        columns["partial texture C"] = coordinate_colors(maps["C"], maps["known"])
    if maps["D"] is not None:
        columns["completed D"] = coordinate_colors(maps["D"])
    for name, title in (("charts", "charts, observed"), ("completed", "charts, completed")):
        if getattr(result, name, None) is not None:
            columns[title] = lay_tiles(getattr(result, name))
    if getattr(result, "predicted", None) is not None:
        columns["predicted"] = result.predicted
    if maps["T"] is not None:
        columns["colours T = S[D]"] = maps["T"]
    if target is not None and target.uv is not None:
        columns["map of the pose M_N"] = coordinate_colors(target.uv, target.mask)
    titles = {"W": "warped W = T[M_N]", "image": "result"}
    return columns | {title: maps[name] for name, title in titles.items() if maps[name] is not None}


def save_figure(path: str | os.PathLike, figure: Figure, dpi: int = DPI) -> None:
    """Write a figure whole or not at all; `InputError` where the name or the place does not do."""
    check_picture_name(path)
    with whole_file(path, make_folder=True) as temporary:
        figure.savefig(temporary, dpi=dpi)
