"""`posekit evaluate`: a trained system on held-out people, beside two baselines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posekit.cli.people import FOLDER, Files, check_data, open_people
from posekit.util.errors import InputError

if TYPE_CHECKING:
    from posekit.evaluation.table import Evaluation
    from posekit.metrics.protocol import Protocol

VIEWS = 4  # photographs of each held-out person


def evaluate_command(
    weights: Annotated[
        str, typer.Option(help="Weights file, or shipped weights (such as coordinate_inpainting-laptop256).")
    ] = "coordinate_inpainting-laptop",
    data: Annotated[str | None, typer.Option(help=FOLDER)] = None,
    pairs: Annotated[
        str, typer.Option(help="How many held-out pairs; or, of a folder of photographs, a csv of them (from,to).")
    ] = "200",
    keypoints: Annotated[Path | None, typer.Option(help="Of a folder of photographs: csv of joints.")] = None,
    maps: Annotated[Path | None, typer.Option(help="Of a folder of photographs: folder of surface maps.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    full: Annotated[bool, typer.Option("--full", help="Also detection and Inception scores, LPIPS with VGG.")] = False,
    pose_pairs: Annotated[
        int, typer.Option(min=0, help="Pairs whose pose the pose model judges; needs posekit[photo].")
    ] = 0,
    crop: Annotated[str | None, typer.Option(help="HEIGHTxWIDTH around the centre that is compared.")] = None,
    padding: Annotated[str | None, typer.Option(help="HEIGHTxWIDTH of white that it is then put into.")] = None,
    beside: Annotated[list[Path] | None, typer.Option(help="Earlier results (JSON) for the same table.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="JSON file to write.")] = None,
) -> None:
    """Measure a system on held-out people beside two baselines without learning."""
    from posekit.evaluation.evaluate import evaluate
    from posekit.evaluation.measure import evenly_spread
    from posekit.evaluation.table import Evaluation
    from posekit.metrics.protocol import Protocol, parse_size
    from posekit.reference import load_system
    from posekit.systems.baselines import beside_baselines
    from posekit.training.device import usable_device
    from posekit.util.files import check_place

    where = usable_device(device)
    if out is not None:
        check_place(out)  # before the work, not after it
    earlier = {path: Evaluation.load(path) for path in beside or ()}
    model = load_system(str(weights))
    size = model.size or (128, 128)
    count, listed = _count_or_list(pairs)
    common = {"size": size, "crop": parse_size(crop), "padding": parse_size(padding)}
    if count is not None:
        _check_protocols(Protocol(pairs=count, **common), earlier)
    people = 10 * -(-(count or 1) // (VIEWS * (VIEWS - 1)))  # one person of ten is held out for testing
    files = Files(listed, keypoints, maps, model.atlas if model.atlas in ("smpl", "tiles") else "auto")
    held_out = open_people(data, "test", size, people=people, views=VIEWS, seed=seed, kind=model.kind, files=files)
    if count is not None and len(held_out) < count:
        raise InputError(f"{data} has {len(held_out)} held-out pairs, {count} were asked for; take more people.")
    check_data(model, held_out, training=False)
    chosen = held_out if count is None else evenly_spread(held_out, count)
    protocol = Protocol(pairs=len(chosen), **common)
    _check_protocols(protocol, earlier)
    systems = beside_baselines(model)
    if held_out[0].source.uv is None:
        del systems["nearest texel"]
    every = -(-len(chosen) // pose_pairs) if pose_pairs else 0
    table = evaluate(systems, chosen, protocol=protocol, full=full, pose_every=every, device=where, progress=True)
    if out is not None:
        table.save(out)
    for path, other in earlier.items():
        table = table.beside(other, path.name)
    typer.echo(table)


def _count_or_list(pairs: str) -> tuple[int | None, Path | None]:
    """(how many pairs, None) or (None, the csv of pairs)."""
    if pairs.isdecimal() and len(pairs) < 10:
        if int(pairs) < 1:
            raise InputError("--pairs is a number of pairs, 1 or more, or a csv of them; got 0.")
        return int(pairs), None
    return None, Path(pairs)


def _check_protocols(protocol: Protocol, earlier: Mapping[Path, Evaluation]) -> None:
    from posekit.metrics.protocol import check_same

    for path, other in earlier.items():
        check_same({"here": protocol, path.name: other.protocol})
