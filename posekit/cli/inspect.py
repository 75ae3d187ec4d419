"""`posekit inspect`: what files are, what is wrong with them, and how to mend it."""

from pathlib import Path
from typing import Annotated

import typer

from posekit.util.errors import InputError


def inspect_command(
    files: Annotated[list[Path], typer.Argument(help="Pictures, maps, lists of joints or pairs, weights, ...")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Picture to draw them into.")] = None,
) -> None:
    """Say what files are, whatever they are called: size, channel order, range, holes, strays, mirrored or not."""
    from posekit.data.inspection.inspect_file import inspect_file
    from posekit.data.photo import check_picture_name
    from posekit.plots import draw_rows, save_figure

    if out is not None:
        check_picture_name(out)
    refused, drawn = [], []
    for path in files:
        try:
            report = inspect_file(path)
        except InputError as error:
            refused.append(error)
            typer.echo(f"Error: {error}", err=True)
            continue
        typer.echo(report)
        if report.pictures:
            drawn.append({f"{path.name[-32:]}\n{title}": image for title, image in report.pictures.items()})
    if out is not None and drawn:
        save_figure(out, draw_rows(drawn))
        typer.echo(out)
    elif out is not None and not refused:
        raise InputError("None of these files can be drawn; leave --out away.")
    if refused:
        raise typer.Exit(1)
