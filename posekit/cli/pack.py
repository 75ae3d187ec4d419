"""`posekit pack`: photographs, maps and joints as integers, once, for training that does not wait for files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pack_command(
    data: Annotated[Path, typer.Argument(help="Folder of photographs, as for train --data.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")],
    size: Annotated[str, typer.Option(help="HEIGHTxWIDTH that all are brought to, with a margin.")] = "256x256",
    keypoints: Annotated[
        list[Path] | None, typer.Option(help="Csv of joints; repeat. Those in the folder if not given.")
    ] = None,
    maps: Annotated[Path | None, typer.Option(help="Folder of surface maps; DATA if not given.")] = None,
    atlas: Annotated[str, typer.Option(help="What IUV pictures become: smpl or tiles; auto: what fits.")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again, whatever OUT holds of another packing.")] = False,
) -> None:
    """Pack photographs once; killed half way, the same command goes on. train and evaluate take OUT as --data."""
    from posekit.data.folder_pairs import open_folders
    from posekit.data.pack import pack_people
    from posekit.metrics.protocol import parse_size

    folders = open_folders(data, keypoints, maps, size=parse_size(size), atlas=atlas)
    people = pack_people(folders, out, fresh=fresh, progress=True)
    typer.echo(f"{len(people)} photographs, {people.bytes / 1e9:.2f} GB: {out}")
