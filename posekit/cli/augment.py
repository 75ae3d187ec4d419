"""`posekit augment`: everyone of a training folder in the poses of others."""

from pathlib import Path
from typing import Annotated

import typer


def augment_command(
    data: Annotated[Path, typer.Argument(help="Training folder: named as Market-1501 or DeepFashion, or rendered.")],
    weights: Annotated[
        str, typer.Option(help="Weights file, shipped weights (coordinate_inpainting-laptop), or texel_fill.")
    ] = "coordinate_inpainting-laptop",
    poses: Annotated[int, typer.Option(min=1, help="Poses of other photographs for each.")] = 10,
    keypoints: Annotated[Path | None, typer.Option(help="Joints of the photographs, csv.")] = None,
    maps: Annotated[Path | None, typer.Option(help="Folder of surface maps of the photographs.")] = None,
    atlas: Annotated[str, typer.Option(help="smpl or tiles: what IUV pictures become.")] = "smpl",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write, or DATA.")] = Path("out/augment"),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the drawn poses.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1)] = 10,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Show everyone of a training folder in poses of others, for re-identification; run again, it goes on."""
    from posekit.reference import load_system
    from posekit.reid.augment import augment
    from posekit.reid.training_folder import open_training_folder

    people = open_training_folder(data, keypoints, maps, atlas=atlas)
    given = {"poses": poses, "seed": seed, "weights": Path(weights).name, "batch_size": batch_size, "device": device}
    manifest = augment(load_system(weights, atlas=people.atlas), people, out, progress=True, **given)
    typer.echo(f"{len(people)} photographs, {poses * len(people)} generated: {manifest}")
