"""`posekit dress`: a person in the clothes of another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posekit.cli.results import check_size, write_result
from posekit.util.errors import InputError


def dress_command(
    person: Annotated[
        Path, typer.Argument(help="Who: a rendered view (people/00009/0.png); pose, head and hands stay.")
    ],
    clothes: Annotated[Path, typer.Argument(help="A rendered view of whoever wears the clothes.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")] = Path("out.png"),
    weights: Annotated[Path | None, typer.Option(help="Trained weights; the reference if not given.")] = None,
    paste: Annotated[
        bool, typer.Option("--paste", help="Without learning: copied texels, head and hands over.")
    ] = False,
    panel: Annotated[Path | None, typer.Option(help="Also write a picture of every intermediate.")] = None,
) -> None:
    """Put the clothes of CLOTHES on PERSON."""
    from posekit.data.photo import check_picture_name
    from posekit.data.studio import is_rendered_view, read_rendered_view
    from posekit.evaluation.transfer import transfer
    from posekit.reference import load_reference
    from posekit.systems import build
    from posekit.training.weights import load_weights

    if paste and weights is not None:
        raise InputError("--paste learns nothing; leave it or --weights out.")
    for name in filter(None, (out, panel)):
        check_picture_name(name)
    for file in (person, clothes):
        if not is_rendered_view(file):
            raise InputError(
                f"{file} is not a view of a rendered folder, such as out/people/people/00012/3.png; make one: "
                "posekit render."
            )
    who, worn = read_rendered_view(person), read_rendered_view(clothes)
    if paste:
        system = build("garment_paste", atlas_size=who.size[0])
    else:
        system = load_weights(weights) if weights is not None else load_reference(variant="garments")
        if system.config.variant != "garments":
            raise InputError(
                f"dress needs weights of garment transfer; {weights} holds {system.name}, variant "
                f"{system.config.variant}."
            )
        for view, file in ((who, person), (worn, clothes)):
            check_size(system, view, file, "render at --size {}, or use --paste")
    write_result(out, panel, worn, who, transfer(worn, who, system))
    typer.echo(out)
