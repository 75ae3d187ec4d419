"""`posekit transfer`: a photographed person in another pose, from files to a file."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from posekit.cli.results import check_size, write_result
from posekit.util.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from posekit.cli.sources import Kind
    from posekit.person import Person
    from posekit.systems.base import Result, System

log = logging.getLogger(__name__)

INPAINT = ("auto", "nearest", "mirror", "f")
COPIED = "Unseen texels were copied from the nearest seen ones: no weights for such photographs and maps are shipped."
TEXELS = 512  # along an edge of the atlas where nothing is learnt
TRIM = 2  # pixels by which estimated maps overshoot the outline of a person


def transfer_command(
    source: Annotated[Path, typer.Argument(help="A photograph, or a rendered view (people/00009/0.png).")],
    maps: Annotated[
        list[Path],
        typer.Argument(
            help="The pose: a photograph, a rendered view, or joints (OpenPose's .json). Or two maps: the photograph's "
            "and the target's."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")] = Path("out.png"),
    inpaint: Annotated[
        str, typer.Option(help="nearest, mirror (no learning) or f (trained network); auto: f where it fits.")
    ] = "auto",
    weights: Annotated[Path | None, typer.Option(help="Trained weights; the reference if not given.")] = None,
    atlas: Annotated[
        str, typer.Option(help="Of a photograph's maps: smpl, or tiles (IUV pictures only); auto: what fits.")
    ] = "auto",
    atlas_size: Annotated[
        int | None, typer.Option(min=1, max=4096, help=f"Texels along an edge where nothing is learnt; {TEXELS}.")
    ] = None,
    joints: Annotated[bool, typer.Option("--joints", help="Of the pose, use the joints alone.")] = False,
    face: Annotated[bool, typer.Option("--face", help="Of photographs, the faces alone.")] = False,
    background: Annotated[
        bool, typer.Option("--background", help="Into the photograph of the pose, in place of who is there.")
    ] = False,
    panel: Annotated[Path | None, typer.Option(help="Also write a picture of every intermediate.")] = None,
) -> None:
    """Put the person of SOURCE into the pose of another photograph, view, or map, or into joints.

    What a file is, is decided by the file and said first: a picture in a rendered folder is a view with exact maps, any
    other picture a photograph, whose joints, silhouette and map are estimated.
    """
    given = {"weights": weights, "atlas_size": atlas_size, "panel": panel}
    if len(maps) == 1:
        if atlas != "auto":
            raise InputError("--atlas is for a photograph with its maps; rendered views have an atlas of their own.")
        _transfer_to_pose(
            source, maps[0], out, "f" if inpaint == "auto" else inpaint, joints=joints, face=face,
            background=background, **given,
        )  # fmt: skip
    elif joints or face or background:
        raise InputError(
            "--joints, --face and --background are for photographs and views (or a file of joints), not for maps."
        )
    elif len(maps) == 2:
        typer.echo(f"{source}: a photograph; its map: {maps[0]}; map of the pose: {maps[1]}")
        transfer_files(source, maps[0], maps[1], out, inpaint, atlas=atlas, **given)
    else:
        raise InputError(
            "transfer takes SOURCE and a pose (photographs, rendered views, joints), or a photograph with two maps "
            f"(PHOTO MAP TARGET_MAP); got {len(maps) + 1} files."
        )
    typer.echo(out)


def _transfer_to_pose(
    source: str | os.PathLike,
    target: str | os.PathLike,
    out: str | os.PathLike,
    inpaint: Literal["nearest", "mirror", "f"] = "f",
    *,
    weights: str | os.PathLike | None = None,
    atlas_size: int | None = None,
    joints: bool = False,
    face: bool = False,
    background: bool = False,
    panel: str | os.PathLike | None = None,
) -> Result:
    """Two files -> the person of the first in the pose of the second, written to ``out``.

    Each is a rendered view or a photograph, the second also a file of joints in pixels of a photograph of the size
    that the system works on, or of any larger one (`posekit.data.openpose`).
    joints: of the second, only the joints are used.  face: of photographs, the faces alone are used; of rendered
    close-ups they always are.  background: the person is put into the second photograph, in place of who is there.
    atlas_size: where nothing is learnt, the height of the photograph if not given.  Else as `transfer_files`.
    """
    from posekit.cli.sources import kind_of, person_of, shows_face
    from posekit.evaluation.transfer import transfer
    from posekit.person import Person
    from posekit.photo.cut_out_pairs import laid_on_ground
    from posekit.reference import load_reference
    from posekit.training.weights import load_weights

    _check(inpaint, weights, atlas_size, out, panel)
    kinds = kind_of(source), kind_of(target)
    if kinds[0] == "joints":
        raise InputError(f"{source} holds joints, no photograph; give the person first, then the pose.")
    joints = joints or kinds[1] == "joints"
    if joints and inpaint != "f":
        raise InputError(f"Joints are read by a trained network; --inpaint {inpaint} needs a map of the pose.")
    typer.echo(f"{source}: {kinds[0]}; pose of {target}: {kinds[1]}" + ("" if kinds[1] == "joints" or not joints else
               ", its joints alone"))  # fmt: skip
    face = face or any(map(shows_face, (source, target), kinds))
    if face and joints:
        raise InputError("Faces are put into another pose by a surface map, not by joints; leave the joints out.")
    if background and (face or joints or kinds[1] != "a photograph"):
        raise InputError(
            "--background puts the person into the photograph that gives the pose; give one that shows the whole "
            "person, without --joints and --face."
        )
    system, reads = None, joints or ("a photograph" in kinds and not face)
    if weights is not None:
        system = load_weights(weights)
    elif reads or inpaint == "f":
        preset = "face" if face else _preset(kinds, (source, target))
        system = load_reference(preset=preset, variant="keypoints" if reads else "full")
    variant = None if system is None else system.config.variant
    if variant == "garments":
        raise InputError(f"{weights} holds garment transfer, which keeps the target's head; use posekit dress.")
    if joints and variant != "keypoints" and {"uv", "part"} & set(system.needs_of_target):
        raise InputError(f"{weights} needs a map of the pose, not joints alone; leave --weights out, or --joints.")
    person = person_of(source, kinds[0], system, (0, 0), face=face)
    pose = person_of(target, kinds[1], system, person.size, face=face, pose=True)
    if not getattr(system.config if system else None, "read_joints", True) and kinds[0] == "a rendered view":
        person = laid_on_ground(person.batched())[0]  # the only ground that these weights know
    if joints:
        black = 0 * pose.image
        pose = Person(black, keypoints=pose.keypoints, visibility=pose.visibility, name=pose.name)
    if inpaint == "f":
        _say_size(system, person, source)
        _say_size(system, pose, target)
        how = {"read": joints} if variant == "keypoints" else {}
        result = transfer(person, pose, system, **how)
    else:
        atlas = "head" if face else "studio"
        result = transfer(person, pose, _copying(inpaint, atlas, atlas_size or person.size[0]))
    image = _in_background(result, pose, target) if background else None
    return write_result(out, panel, person, pose, result, image)


def _preset(kinds: tuple[Kind, Kind], files: tuple[str | os.PathLike, str | os.PathLike]) -> str:
    """Which weights: photographs are brought to the size of the larger ones, rendered views have the size they have."""
    from posekit.studio.folder_files import read_folder_card

    views = [file for file, kind in zip(files, kinds, strict=True) if kind == "a rendered view"]
    folders = [Path(view).absolute().parents[2] for view in views]
    return "laptop256" if all(read_folder_card(folder).size == (256, 256) for folder in folders) else "laptop"


def _in_background(result: Result, pose: Person, target: str | os.PathLike) -> Tensor:
    from posekit.data.photo import read_photo
    from posekit.photo.find_person import find_person
    from posekit.photo.photographed import looked_at
    from posekit.photo.put_back import put_back

    photo = looked_at(read_photo(target))
    return put_back(result.image[0].cpu(), pose.mask.cpu(), photo, find_person(photo))


def _say_size(system: System, person: Person, file: str | os.PathLike) -> None:
    check_size(system, person, file, "render at --size {}, or use --inpaint nearest")


def transfer_files(
    photo: str | os.PathLike,
    source_map: str | os.PathLike,
    target_map: str | os.PathLike,
    out: str | os.PathLike,
    inpaint: Literal["auto", "nearest", "mirror", "f"] = "auto",
    *,
    weights: str | os.PathLike | None = None,
    atlas: Literal["auto", "smpl", "tiles"] = "auto",
    atlas_size: int | None = None,
    panel: str | os.PathLike | None = None,
) -> Result:
    """Photograph, its surface map, and the map of another pose -> the new photograph, written to ``out``.

    - maps: SMPL-atlas ``.npy`` files or DensePose IUV pictures (`posekit.data.load.load_person`).
    - inpaint: how unknown texels are filled, from the "nearest" known texel, "mirror": first from the body's other
      half, "f": by the trained network, or "auto": by the network where there are weights of the maps' atlas for
      photographs of this size, else from the nearest texel.
    - weights: a weight file, or the shipped weights of the maps' atlas.
    - atlas: "smpl", "tiles" (IUV pictures only), or "auto": tiles for two IUV pictures, else smpl.
    - atlas_size: texels along an edge where nothing is learnt; `TEXELS` if not given.
    - panel: also write a picture of every intermediate (`posekit.plots.steps_of`).

    Every input is read before anything is written, and every file is written whole or not at all.
    Returns the result with its intermediates; raises `InputError` of one sentence for whatever cannot be done.
    """
    from posekit.data.load import load_person
    from posekit.evaluation.transfer import transfer
    from posekit.reference import reference_of_atlas
    from posekit.training.weights import load_weights

    _check(inpaint, weights, atlas_size, out, panel)
    if atlas == "auto":
        pictures = all(Path(p).suffix.lower() != ".npy" for p in (source_map, target_map))
        atlas = "tiles" if pictures else "smpl"
    estimated = atlas == "smpl"  # in the tile atlas the borders of charts, not errors, part neighbours
    source = load_person(photo, source_map, atlas=atlas, strays="drop" if estimated else "keep", trim=TRIM)
    target = load_person(None, target_map, atlas=atlas, strays="mend" if estimated else "keep")
    system = None
    if inpaint in ("auto", "f"):
        system = load_weights(weights) if weights is not None else reference_of_atlas(atlas)
        if inpaint == "auto" and weights is None and system is not None and system.size != source.size:
            system = None
        if system is not None:
            check_size(system, source, photo, "bring photograph and maps to {0} x {0}, or use --inpaint nearest")
        elif inpaint == "f":
            raise InputError(
                f"There are no shipped weights for maps of the atlas {atlas!r}, and a network would misread maps of "
                "another atlas than its own; give --weights of that atlas, or use --inpaint nearest or mirror."
            )
    if system is None:
        if inpaint == "auto":
            log.warning(COPIED)
        system = _copying("nearest" if inpaint == "auto" else inpaint, atlas, atlas_size or TEXELS)
    return write_result(out, panel, source, target, transfer(source, target, system))


def _copying(inpaint: str, atlas: str, atlas_size: int) -> System:
    from posekit.data.atlases import mirror_of
    from posekit.systems.baselines import baseline

    mirror = mirror_of(atlas, atlas_size) if inpaint == "mirror" else None
    return baseline(inpaint, atlas_size, mirror=mirror, atlas=atlas)


def _check(
    inpaint: str, weights: str | os.PathLike | None, atlas_size: int | None, *pictures: str | os.PathLike | None
) -> None:
    """InputError for settings that do not go together, and for pictures whose names say no format."""
    from posekit.data.photo import check_picture_name
    from posekit.systems.base import choose

    choose("way to inpaint", inpaint, INPAINT)
    if weights is not None and inpaint not in ("auto", "f"):
        raise InputError(f"--weights are for --inpaint f; {inpaint} learns nothing.")
    if atlas_size is not None and (weights is not None or inpaint == "f"):
        raise InputError("--atlas-size is for --inpaint nearest and mirror; weights are trained for one size of atlas.")
    for name in filter(None, pictures):
        check_picture_name(name)
