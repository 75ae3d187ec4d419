"""Put a photographed person into another pose: the whole way, from files to a file or from tensors to tensors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import matplotlib.figure
import torch
from jaxtyping import Float
from torch import Tensor

from posekit.data.chart_tiles import tile_mirror
from posekit.data.load import load_person
from posekit.data.photo import check_picture_name, write_photo
from posekit.data.smpl_atlas import smpl_mirror
from posekit.person import Pair, Person
from posekit.systems.base import Result, System, choose
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.util.errors import InputError
from posekit.util.files import whole_file

INPAINT = ("nearest", "mirror", "f")
TRIM = 2  # pixels by which estimated maps overshoot the outline of a person


def transfer(source: Person, target: Person, system: System) -> Result:
    """The person of ``source`` in the pose of ``target``, and every intermediate, as a batch.

    Only the map of ``target`` is looked at, its image may be black.  Single photographs become a batch of one.
    The system is used in evaluation mode and left as it was; nothing is differentiated.
    """
    pair = Pair(source, target).batched()
    was_training = system.training
    system.eval()
    try:
        with torch.no_grad():
            return system(pair)
    finally:
        system.train(was_training)


def transfer_files(
    photo: str | os.PathLike,
    source_map: str | os.PathLike,
    target_map: str | os.PathLike,
    out: str | os.PathLike,
    inpaint: Literal["nearest", "mirror", "f"] = "nearest",
    *,
    atlas: Literal["auto", "smpl", "tiles"] = "auto",
    atlas_size: int = 512,
    panel: str | os.PathLike | None = None,
) -> Result:
    """Photograph, its surface map, and the map of another pose -> the new photograph, written to ``out``.

    - maps: SMPL-atlas ``.npy`` files or DensePose IUV pictures (`posekit.data.load.load_person`).
    - inpaint: how unknown texels are filled, from the "nearest" known texel, "mirror": first from the body's other
      half, or "f": by the trained network, for which no weights in these atlases exist yet.
    - atlas: "smpl", "tiles" (IUV pictures only), or "auto": tiles for two IUV pictures, else smpl.
    - atlas_size: texels along an edge.
    - panel: also write a picture of every intermediate (`save_panel`).

    Every input is read before anything is written, and every file is written whole or not at all.
    Returns the result with its intermediates; raises `InputError` of one sentence for whatever cannot be done.
    """
    choose("way to inpaint", inpaint, INPAINT)
    for name in filter(None, (out, panel)):
        check_picture_name(name)
    if inpaint == "f":
        raise InputError(
            "The network f is trained for the atlas of the rendered people and would misread maps of another atlas, "
            "for which there are no weights yet; use --inpaint nearest or --inpaint mirror."
        )
    if atlas == "auto":
        pictures = all(Path(p).suffix.lower() != ".npy" for p in (source_map, target_map))
        atlas = "tiles" if pictures else "smpl"
    estimated = atlas == "smpl"  # in the tile atlas the borders of charts, not errors, part neighbours
    source = load_person(photo, source_map, atlas=atlas, strays="drop" if estimated else "keep")
    target = load_person(None, target_map, atlas=atlas, strays="mend" if estimated else "keep")
    mirror = None
    if inpaint == "mirror":
        mirror = smpl_mirror() if atlas == "smpl" else tile_mirror(atlas_size)
    config = TexelFillConfig(variant=inpaint, atlas_size=atlas_size, trim=TRIM)
    system = TexelFill(config, mirror=mirror)
    result = transfer(source, target, system)
    write_photo(out, result.image[0])
    if panel is not None:
        save_panel(panel, source, result)
    return result


def save_panel(path: str | os.PathLike, source: Person, result: Result) -> None:
    """Write a picture of the way: source, partial coordinates C, completed D, textures, warped W, result.

    source: one photograph or a batch, one row each.  Panels that the system does not have are left out.
    """
    check_picture_name(path)
    source = source.batched()
    columns: list[tuple[str, Tensor]] = [("source S", source.image)]
    fields = {name: getattr(result, name, None) for name in ("C", "known", "D", "T", "W", "image")}
    if fields["C"] is not None:
        columns.append(("partial texture C", coordinate_colors(fields["C"], fields["known"])))
    if fields["D"] is not None:
        columns.append(("completed D", coordinate_colors(fields["D"])))
    titles = {"T": "colours T = S[D]", "W": "warped W = T[M]", "image": "result"}
    columns += [(title, fields[name]) for name, title in titles.items() if fields[name] is not None]
    rows = source.image.shape[0]
    figure = matplotlib.figure.Figure(figsize=(2.2 * len(columns), 2.4 * rows), layout="constrained")
    axes = figure.subplots(rows, len(columns), squeeze=False)
    for j, (title, images) in enumerate(columns):
        axes[0, j].set_title(title, fontsize=9)
        for i in range(rows):
            axes[i, j].imshow(images[i].detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy())
            axes[i, j].axis("off")
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=110)


def coordinate_colors(
    grid: Float[Tensor, "b 2 h w"], known: Float[Tensor, "b 1 h w"] | None = None
) -> Float[Tensor, "b 3 h w"]:
    """Coordinates as colours: red grows with x, green with y; unknown places are white."""
    x, y = (grid.clamp(-1, 1) + 1).div(2).split(1, dim=1)
    colors = torch.cat((x, y, torch.full_like(x, 0.4)), dim=1)
    return colors if known is None else colors * known + (1 - known)
