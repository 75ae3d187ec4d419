"""Build a `Person` from files: a photograph and its surface map, in any of the forms that the readers know."""

import logging
import os
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from posekit.data.atlases import ATLASES
from posekit.data.chart_tiles import charts_to_tiles
from posekit.data.iuv import IUV, NobodyError, read_iuv
from posekit.data.names import identity_of
from posekit.data.people import index_picture, one_person, read_index_picture
from posekit.data.photo import read_photo
from posekit.data.smpl_atlas import read_smpl_atlas, smpl_chart_table
from posekit.data.strays import find_strays, mend_map
from posekit.ops.grids import resize_mask
from posekit.ops.outline import trim_mask
from posekit.person import Person
from posekit.util.errors import InputError

log = logging.getLogger(__name__)

Atlas = Literal["smpl", "tiles", "studio", "head"]
STRAYS = ("keep", "drop", "mend")


def load_person(
    photo: str | os.PathLike | None,
    surface_map: str | os.PathLike,
    iuv: str | os.PathLike | None = None,
    size: tuple[int, int] | None = None,
    *,
    atlas: Atlas = "smpl",
    strays: Literal["keep", "drop", "mend"] = "keep",
    trim: int = 0,
) -> Person:
    """A person from a photograph and a surface map of the same size.

    - photo: a picture file; None for a pose without a photograph, its image is then black.
    - surface_map: a SMPL-atlas map (``.npy``) or a DensePose IUV picture.
    - iuv: an IUV picture for the fields part and chart, beside a ``.npy`` map, which lacks them.
    - size: (height, width) to resize to; the photograph is averaged, maps take the nearest pixel.
    - atlas: "smpl", which for an IUV picture needs the chart table that a data script builds, or "tiles", the 24
      charts beside each other (`posekit.data.chart_tiles`), for IUV pictures only, needing nothing; "studio" for
      positions of rendered people in a ``.npy`` file.
    - strays: what to do with pixels that the map puts far from all their neighbours: "keep" them, "drop" them from
      the mask, or "mend" the map, with its small holes, from the nearest good pixels (`posekit.data.strays`).
    - trim: pixels by which the outline is cut first, where a map overshoots it.  Dropped strays are no outline: their
      surroundings stay.

    Of several people in an IUV picture the largest is taken (`posekit.data.people`), which is logged as a warning; the
    channel order found is logged at level INFO.  Raises `InputError` for every file that cannot be used and for sizes
    that differ, and its kind `NobodyError` for a map without a single body pixel.
    """
    if atlas not in ATLASES or strays not in STRAYS:
        raise InputError(
            f"atlas is one of {', '.join(ATLASES)} and strays one of {', '.join(STRAYS)}; got {atlas!r} and {strays!r}."
        )
    uv, mask, charts = _read_map(Path(surface_map), atlas)
    if iuv is not None:
        charts = _read_iuv(Path(iuv))
        _same_size(Path(iuv), charts.mask, Path(surface_map), mask)
    if not bool(mask.any()):
        raise NobodyError(f"{surface_map} has no body pixel; choose a photograph in which the person was detected.")
    image = torch.zeros(3, *mask.shape[-2:]) if photo is None else read_photo(photo)
    if photo is not None:
        _same_size(Path(photo), image, Path(surface_map), mask)
    outline = trim_mask(mask[None], trim)[0]
    if strays == "drop":
        mask = outline * (1 - find_strays(uv[None], mask[None])[0])
    elif strays == "mend":
        uv, mask = (m[0] for m in mend_map(uv[None], mask[None]))
        mask = mask * outline if trim else mask
    else:
        mask = outline
    uv = uv * mask
    part, chart = (None, None) if charts is None else (charts.part * mask.long(), charts.chart * mask)
    if size is not None and tuple(size) != tuple(mask.shape[-2:]):
        image = F.interpolate(image[None], size=size, mode="bilinear", antialias=True)[0].clamp(0, 1)
        uv, mask = _nearest(uv, size), _nearest(mask, size)
        part = None if part is None else _nearest(part.float(), size).long()
        chart = None if chart is None else _nearest(chart, size)
    name = Path(photo if photo is not None else surface_map).stem
    return Person(image, uv, mask, part, chart, identity=identity_of(name), name=name, atlas=atlas)


def shows_somebody(surface_map: str | os.PathLike) -> bool:
    """Whether a map file of either kind has a body pixel; `InputError` where it cannot be read."""
    path = Path(surface_map)
    try:
        mask = read_smpl_atlas(path)[1] if path.suffix.lower() == ".npy" else read_iuv(path).mask
    except NobodyError:
        return False
    return bool(mask.any())


def _read_map(path: Path, atlas: Atlas) -> tuple[Tensor, Tensor, IUV | None]:
    """(uv, mask, charts or None) of a map file of either kind; the suffix tells them apart."""
    if path.suffix.lower() == ".npy":
        if atlas == "tiles":
            raise InputError(
                f"{path} holds positions in the SMPL atlas, which cannot be cut into charts; "
                "give an IUV picture or take atlas 'smpl'."
            )
        return *read_smpl_atlas(path), None
    if atlas in ("studio", "head"):
        raise InputError(f"{path} holds DensePose charts, which rendered people do not have; take atlas smpl or tiles.")
    charts = _read_iuv(path)
    if atlas == "tiles":
        return charts_to_tiles(charts.part, charts.chart), charts.mask, charts
    uv, mask = smpl_chart_table().to_atlas(charts.part, charts.chart)
    return uv, mask, charts


def _read_iuv(path: Path) -> IUV:
    charts = read_iuv(path)
    log.info("%s: channel order (%s)", path, ", ".join(charts.order))
    index = index_picture(path)
    size = (charts.part.shape[-2], charts.part.shape[-1])
    mask, people = one_person(charts.part, None if index is None else read_index_picture(index, size))
    if people > 1:
        log.warning("%s shows %d people; the one with most pixels is taken.", path, people)
    return IUV(charts.part * mask.long(), charts.chart * mask, charts.mask * mask, charts.order)


def _same_size(first: Path, a: Tensor, second: Path, b: Tensor) -> None:
    if a.shape[-2:] != b.shape[-2:]:
        (ha, wa), (hb, wb) = a.shape[-2:], b.shape[-2:]
        raise InputError(
            f"{first} is {ha} x {wa} pixels (height x width) and {second} is {hb} x {wb}; "
            "a photograph and its maps must have one size, so take the picture that the map was made from."
        )


def _nearest(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Positions are never averaged: two sides of a seam have nothing in common."""
    return resize_mask(maps[None], size)[0]
