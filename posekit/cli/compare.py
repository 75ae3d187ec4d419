"""`posekit compare`: every system in one table, on the same held-out people."""

from pathlib import Path
from typing import Annotated

import typer

from posekit.cli.people import open_people
from posekit.util.errors import InputError

VIEWS = 6  # photographs of each held-out person


def compare_command(
    systems: Annotated[
        list[str] | None,
        typer.Argument(help="Weight files, or names such as texel_fill-mirror; all that the package has if not given."),
    ] = None,
    data: Annotated[str | None, typer.Option(help="Folder made by `posekit render`, or my_module:pairs.")] = None,
    pairs: Annotated[int, typer.Option(min=1, help="Held-out pairs.")] = 120,
    people: Annotated[int, typer.Option(min=10, help="Numbers considered; 1 of 10 is held out.")] = 400,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    poses: Annotated[str, typer.Option(help="all; unseen: arms are raised; usual: they are not.")] = "all",
    noise: Annotated[float, typer.Option(min=0, help="Level of noise on the maps and joints that are given.")] = 0,
    pose_pairs: Annotated[
        int, typer.Option(min=0, help="Pairs whose pose the pose model judges; needs posekit[photo].")
    ] = 40,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the results (JSON).")] = None,
) -> None:
    """Compare systems: what each is given, what it costs, how good its photographs are."""
    from posekit.evaluation.compare import LEARN_NOTHING, compare
    from posekit.evaluation.measure import common_size, evenly_spread
    from posekit.reference import load_system, shipped_names, training_of
    from posekit.training.device import usable_device
    from posekit.util.files import check_place

    where = usable_device(device)
    if out is not None:
        check_place(out / "facts.json")  # before the work, not after it
    names = list(dict.fromkeys(systems or [*LEARN_NOTHING, *shipped_names()]))
    models = {name: load_system(name) for name in names}
    size = common_size(models) or (128, 128)
    some = {} if poses == "all" else {"poses": poses}
    some |= {"kind": "face"} if any(model.kind == "face" for model in models.values()) else {}
    held_out = open_people(data, "test", size, people=people, views=VIEWS, seed=seed, **some)
    if len(held_out) < pairs:
        raise InputError(f"There are {len(held_out)} such held-out pairs, {pairs} were asked for; take more people.")
    trained = {name: training_of(name) for name in names}
    every = -(-pairs // pose_pairs) if pose_pairs and some.get("kind") != "face" else 0  # a body's pose
    how = {"trained": trained, "noise": noise, "pose_every": every, "device": where, "progress": True}
    results = compare(models, evenly_spread(held_out, pairs), **how)
    if out is not None:
        results.save(out)
    typer.echo(results)
