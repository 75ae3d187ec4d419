"""`posekit transfer`: a photographed person in another pose, from files to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from posekit.util.errors import InputError

if TYPE_CHECKING:
    from posekit.person import Person
    from posekit.systems.base import Result

INPAINT = ("auto", "nearest", "mirror", "f")
COPIED = "unseen texels were copied from the nearest seen ones: no network is trained for maps of this atlas yet"
TRIM = 2  # pixels by which estimated maps overshoot the outline of a person


def transfer_command(
    source: Annotated[Path, typer.Argument(help="A rendered view (people/00009/0.png), or a photograph.")],
    maps: Annotated[
        list[Path], typer.Argument(help="A rendered view with the pose; or the photograph's map and the target's map.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")] = Path("out.png"),
    inpaint: Annotated[
        str, typer.Option(help="nearest, mirror (no learning) or f (trained network); auto: f where it fits.")
    ] = "auto",
    weights: Annotated[Path | None, typer.Option(help="Trained weights; the reference if not given.")] = None,
    panel: Annotated[Path | None, typer.Option(help="Also write a picture of every intermediate.")] = None,
) -> None:
    """Put the person of SOURCE into the pose of another view or of a target map."""
    if weights is not None and (len(maps) == 2 or inpaint not in ("auto", "f")):
        raise InputError("--weights are for --inpaint f between two rendered views; nothing else here is trained.")
    said = str(out)
    if len(maps) == 1:
        _transfer_rendered(source, maps[0], out, "f" if inpaint == "auto" else inpaint, weights=weights, panel=panel)
    elif len(maps) == 2:
        transfer_files(source, maps[0], maps[1], out, "nearest" if inpaint == "auto" else inpaint, panel=panel)
        said += f" ({COPIED})" if inpaint == "auto" else ""
    else:
        raise InputError(
            "transfer takes two rendered views (SOURCE TARGET), or a photograph with two maps (PHOTO MAP TARGET_MAP); "
            f"got {len(maps) + 1} files."
        )
    typer.echo(said)


def _transfer_rendered(
    source: str | os.PathLike,
    target: str | os.PathLike,
    out: str | os.PathLike,
    inpaint: Literal["nearest", "mirror", "f"] = "f",
    *,
    weights: str | os.PathLike | None = None,
    panel: str | os.PathLike | None = None,
) -> Result:
    """Two views of a rendered folder -> the person of the first in the pose of the second, written to ``out``.

    weights: for "f"; the reference weights if not given.  Else as `transfer_files`.
    """
    from posekit.data.studio import read_rendered_view
    from posekit.evaluation.transfer import transfer
    from posekit.reference import load_reference
    from posekit.studio.body.surface_tables import mirror_table
    from posekit.systems.baselines import baseline
    from posekit.training.weights import load_weights

    _check(inpaint, out, panel)
    person, pose = read_rendered_view(source), read_rendered_view(target)
    if inpaint == "f":
        system = load_weights(weights) if weights is not None else load_reference()
        h, w = system.size
        if person.size != (h, w):
            raise InputError(
                f"These weights work on photographs of {h} x {w} pixels, {source} has {person.size[0]} x "
                f"{person.size[1]}; render at --size {h}, or use --inpaint nearest."
            )
    else:
        system = baseline(inpaint, person.size[0], mirror=mirror_table() if inpaint == "mirror" else None)
    return _write(out, panel, person, transfer(person, pose, system))


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
    - panel: also write a picture of every intermediate (`posekit.plots.steps_of`).

    Every input is read before anything is written, and every file is written whole or not at all.
    Returns the result with its intermediates; raises `InputError` of one sentence for whatever cannot be done.
    """
    from posekit.data.chart_tiles import tile_mirror
    from posekit.data.load import load_person
    from posekit.data.smpl_atlas import smpl_mirror
    from posekit.evaluation.transfer import transfer
    from posekit.systems.baselines import baseline

    _check(inpaint, out, panel)
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
    return _write(out, panel, source, transfer(source, target, baseline(inpaint, atlas_size, trim=TRIM, mirror=mirror)))


def _check(inpaint: str, *pictures: str | os.PathLike | None) -> None:
    from posekit.data.photo import check_picture_name
    from posekit.systems.base import choose

    choose("way to inpaint", inpaint, INPAINT)
    for name in filter(None, pictures):
        check_picture_name(name)


def _write(out: str | os.PathLike, panel: str | os.PathLike | None, source: Person, result: Result) -> Result:
    from posekit.data.photo import write_photo
    from posekit.plots import draw_panel, save_figure, steps_of

    write_photo(out, result.image[0])
    if panel is not None:
        save_figure(panel, draw_panel(steps_of(source.batched(), result), size=2.2))
    return result
