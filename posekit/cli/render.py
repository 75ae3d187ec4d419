"""`posekit render`: people with exact surface maps, in a folder."""

from pathlib import Path
from typing import Annotated

import typer


def render_command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")] = Path("out/people"),
    people: Annotated[int, typer.Option(min=1)] = 200,
    views: Annotated[int, typer.Option(min=1)] = 6,
    size: Annotated[int, typer.Option(min=16, help="Pixels, square.")] = 128,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    faces: Annotated[bool, typer.Option("--faces", help="Close-ups of faces in place of bodies.")] = False,
    sides: Annotated[bool, typer.Option("--sides", help="From the front, one side, the back, the other side.")] = False,
    skirts: Annotated[str, typer.Option(help="What a skirt's pixels show on the map: legs or cloth.")] = "legs",
    jobs: Annotated[int | None, typer.Option(help="Processes; all cores if not given.")] = None,
) -> None:
    """Render people with exact surface maps into a data folder; run again, it goes on where it stopped."""
    from posekit.studio.folder import render_folder
    from posekit.util.errors import InputError

    if faces and sides:
        raise InputError("--faces and --sides are two sets of people; render each into a folder of its own.")
    kind = "face" if faces else "sides" if sides else "body"
    numbers = render_folder(out, people, views, size, seed, kind, jobs=jobs, skirts=skirts)
    typer.echo(f"{len(numbers)} people, {views} views each: {out}")
