"""`posekit score`: what a published evaluation says of a folder of generated pictures."""

from pathlib import Path
from typing import Annotated

import typer

from posekit.util.errors import InputError


def score_command(
    truth: Annotated[Path, typer.Argument(help="Folder of the photographs that are to be met.")],
    predictions: Annotated[Path, typer.Argument(help="Folder of the generated pictures.")],
    protocol: Annotated[
        str, typer.Option(help="Whose evaluation script: plain (posekit's own), wang, patn, gfla, cfld, pws.")
    ] = "plain",
    pairs: Annotated[
        Path | None, typer.Option(help="CSV with the columns from,to: which predictions there should be.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="How predictions are called, such as '{source}_2_{target}_vis.jpg'; found out if not given."),
    ] = None,
    truth_name: Annotated[str, typer.Option(help="How photographs are called.")] = "{target}",
    person: Annotated[
        str | None,
        typer.Option(help="Regular expression whose first group, in a photograph's name, is the person: '^([0-9]+)_'."),
    ] = None,
    size: Annotated[str | None, typer.Option(help="HEIGHTxWIDTH to which both are brought first.")] = None,
    strip: Annotated[
        int, typer.Option(min=1, help="Predictions are the last of so many pictures side by side (PATN: 5).")
    ] = 1,
    perceptual_pairs: Annotated[
        int, typer.Option(min=0, help="Pairs of which the perceptual distance is taken, the slowest measure.")
    ] = 200,
    pose_pairs: Annotated[
        int, typer.Option(min=0, help="Pairs whose pose the pose model judges; needs posekit[photo].")
    ] = 0,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Leave out what has no partner, and say how many.")
    ] = False,
    beside: Annotated[
        list[Path] | None, typer.Option(help="Earlier results (JSON), same protocol, for the same table.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Page to write: table, worst and best cases.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write, a row per picture: .csv, or .json for --beside.")
    ] = None,
) -> None:
    """Measure a folder of generated pictures as a published evaluation script does, with intervals over people.

    Files are matched by their names, in any spelling of DeepFashion and Market-1501; what has no partner is refused.
    Numbers that carry a protocol's name (gfla.ssim) are that script's, the others are posekit's, of the same pictures.
    """
    from posekit.data.result_files import match_results
    from posekit.evaluation.score import score_results
    from posekit.evaluation.score_files import write_score_csv, write_score_page
    from posekit.evaluation.table import Evaluation
    from posekit.metrics.protocol import parse_size
    from posekit.metrics.published import published_protocol
    from posekit.util.files import check_place

    published_protocol(protocol)
    if out is not None and out.suffix.lower() not in (".csv", ".json"):
        raise InputError(f"The name {out.name!r} does not say what to write; end it in .csv or .json.")
    for place in (html, out):
        if place is not None:
            check_place(place)  # before the work, not after it
    earlier = {path: Evaluation.load(path) for path in beside or ()}
    for path, other in earlier.items():
        if other.protocol.published != protocol:
            before = other.protocol.published or "of `posekit evaluate`"
            raise InputError(
                f"{path} was measured under the protocol {before}, not {protocol}; measure both under one."
            )
    files = match_results(
        truth, predictions, pairs=pairs, name=name, truth_name=truth_name, person=person, allow_missing=allow_missing
    )
    typer.echo(f"{len(files.files)} predictions, called {files.rule}")
    settings = {"size": parse_size(size), "strip": strip}
    label = predictions.resolve().name
    table = score_results(
        files,
        protocol,
        label=label,
        perceptual_pairs=perceptual_pairs,
        pose_pairs=pose_pairs,
        progress=True,
        **settings,
    )
    if out is not None and out.suffix.lower() == ".json":
        table.save(out)
    elif out is not None:
        write_score_csv(out, table, files)
    if html is not None:
        write_score_page(html, table, files, **settings)
    for path, other in earlier.items():
        table = table.beside(other, path.name)
    typer.echo(table)
