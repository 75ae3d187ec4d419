"""`posekit evaluate`: a trained system on held-out people, beside two baselines."""

from pathlib import Path
from typing import Annotated

import typer

from posekit.cli.train import open_people
from posekit.util.errors import InputError

VIEWS = 4  # photographs of each held-out person


def evaluate_command(
    weights: Annotated[Path | None, typer.Option(help="Trained weights; the reference if not given.")] = None,
    data: Annotated[
        str | None,
        typer.Option(help="Folder made by `posekit render`, or your own pairs: my_module:pairs; else rendered now."),
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, help="Held-out pairs.")] = 200,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    full: Annotated[bool, typer.Option("--full", help="Also detection and Inception scores, LPIPS with VGG.")] = False,
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
    from posekit.metrics.protocol import Protocol, check_same, parse_size
    from posekit.reference import load_reference
    from posekit.systems.baselines import beside_baselines
    from posekit.training.device import usable_device
    from posekit.training.weights import load_weights
    from posekit.util.files import check_place

    where = usable_device(device)
    if out is not None:
        check_place(out)  # before the work, not after it
    earlier = {path: Evaluation.load(path) for path in beside or ()}
    model = load_weights(weights) if weights is not None else load_reference()
    size = model.size or (128, 128)
    protocol = Protocol(size=size, pairs=pairs, crop=parse_size(crop), padding=parse_size(padding))
    for path, other in earlier.items():
        check_same({"here": protocol, path.name: other.protocol})
    people = 10 * -(-pairs // (VIEWS * (VIEWS - 1)))  # one person of ten is held out for testing
    held_out = open_people(data, "test", size, people=people, views=VIEWS, seed=seed, kind=model.kind)
    if len(held_out) < pairs:
        raise InputError(f"{data} has {len(held_out)} held-out pairs, {pairs} were asked for; render more people.")
    chosen = evenly_spread(held_out, pairs)
    table = evaluate(beside_baselines(model), chosen, protocol=protocol, full=full, device=where, progress=True)
    if out is not None:
        table.save(out)
    for path, other in earlier.items():
        table = table.beside(other, path.name)
    typer.echo(table)
