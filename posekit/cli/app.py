"""The `posekit` command: render, train, transfer, augment, evaluate, demo, describe, check.

Every command imports what it needs when it runs, so that `posekit --help` answers at once.  A user's mistake, a
full disk or Ctrl-C ends with one sentence and a non-zero exit code; nothing is left half-written.
"""

from __future__ import annotations

import errno
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from posekit import __version__
from posekit.util.errors import InputError

app = typer.Typer(
    help="Pose-guided human image synthesis: render people, train a system, transfer a pose.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Register a command whose failures end with one sentence instead of a traceback."""

    @app.command()
    @functools.wraps(function)
    def wrapped(*args, **kwargs) -> None:
        try:
            function(*args, **kwargs)
        except InputError as error:
            _fail(f"Error: {error}", 1)
        except KeyboardInterrupt as stopped:
            _fail(str(stopped) or "Interrupted: what was finished is kept; run the same command again to go on.", 130)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                _fail("Error: the disk is full; free some space and run the same command again to go on.", 1)
            place = f": {error.filename}" if error.filename is not None else ""
            _fail(f"Error: {error.strerror or error}{place}.", 1)
        except Exception as error:
            if not _out_of_memory(error):
                raise
            _fail("Error: out of memory; use a smaller --batch-size, a smaller preset, or a smaller --size.", 1)

    return wrapped


def _out_of_memory(error: Exception) -> bool:
    """Whether a processor or a GPU ran out of memory; torch is asked only where it is loaded already."""
    torch = sys.modules.get("torch")
    return isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.cuda.OutOfMemoryError))


def _fail(sentence: str, code: int) -> None:
    print(sentence, file=sys.stderr)
    raise SystemExit(code)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"posekit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Options that come before the command."""


@command
def check() -> None:
    """Look at this machine: packages, devices, cache folder, weights, and what to do about each."""
    from posekit.cli.check import FAIL, run_checks

    lines = run_checks()
    for line in lines:
        typer.echo(str(line))
    if any(line.status == FAIL for line in lines):
        raise typer.Exit(1)


@command
def describe(
    system: Annotated[str, typer.Argument(help="Name of a system, for instance coordinate_inpainting.")],
    preset: Annotated[str, typer.Option(help="paper or laptop.")] = "laptop",
    variant: Annotated[str, typer.Option(help="full or one of the published ablations.")] = "full",
) -> None:
    """Show a system's networks, parameter counts, losses and stages as a table."""
    from posekit.cli.commands import describe_command

    typer.echo(describe_command(system, preset, variant))


@command
def render(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")] = Path("out/people"),
    people: Annotated[int, typer.Option(min=1)] = 200,
    views: Annotated[int, typer.Option(min=1)] = 6,
    size: Annotated[int, typer.Option(min=16, help="Pixels, square.")] = 128,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    faces: Annotated[bool, typer.Option("--faces", help="Close-ups of faces in place of bodies.")] = False,
    skirts: Annotated[str, typer.Option(help="What a skirt's pixels show on the map: legs or cloth.")] = "legs",
    jobs: Annotated[int | None, typer.Option(help="Processes; all cores if not given.")] = None,
) -> None:
    """Render people with exact surface maps into a data folder; run again, it goes on where it stopped."""
    from posekit.studio.folder import render_folder

    kind = "face" if faces else "body"
    numbers = render_folder(out, people, views, size, seed, kind, jobs=jobs, skirts=skirts)
    typer.echo(f"{len(numbers)} people, {views} views each: {out}")


@command
def train(
    system: Annotated[str, typer.Option(help="Name of a system.")] = "coordinate_inpainting",
    preset: Annotated[str, typer.Option(help="paper or laptop.")] = "laptop",
    variant: Annotated[str, typer.Option(help="full or one of the published ablations.")] = "full",
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of every stage; the preset's if not given.")] = None,
    people: Annotated[int, typer.Option(min=1, help="People to render for training.")] = 200,
    views: Annotated[int, typer.Option(min=2)] = 6,
    data: Annotated[Path | None, typer.Option(help="Folder made by `posekit render`; else rendered now.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run.")] = Path("runs/latest"),
    seed: Annotated[int, typer.Option(min=0)] = 0,
    batch_size: Annotated[int | None, typer.Option(min=1)] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    precision: Annotated[
        str, typer.Option(help="32-true, or bf16-mixed: faster on a GPU and on recent CPUs.")
    ] = "32-true",
    workers: Annotated[int, typer.Option(min=0, help="Processes that load pairs ahead of the training.")] = 0,
    devices: Annotated[int, typer.Option(min=1, help="GPUs (or processes, on the CPU) that share a batch.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines with so many devices each; start with torchrun.")] = 1,
    accumulate: Annotated[int, typer.Option(min=1, help="Micro-batches, where memory is short.")] = 1,
    ema: Annotated[float, typer.Option(help="Decay of a moving average of the weights; 0 for none.")] = 0.0,
    channels_last: Annotated[bool, typer.Option("--channels-last", help="Another memory layout.")] = False,
    compiled: Annotated[bool, typer.Option("--compile", help="torch.compile the networks.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Log for TensorBoard too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say the plan and its time; train nothing.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over; else go on from the last checkpoint.")] = False,
) -> None:
    """Train a system on rendered people; interrupted, the same command goes on where it stopped."""
    from posekit.cli.commands import train_command

    said = train_command(
        system=system,
        preset=preset,
        variant=variant,
        people=people,
        views=views,
        data=data,
        out=out,
        fresh=fresh,
        dry=dry_run,
        seed=seed,
        steps=steps,
        batch_size=batch_size,
        device=device,
        precision=precision,
        workers=workers,
        devices=devices,
        nodes=nodes,
        accumulate=accumulate,
        ema=ema,
        channels_last=channels_last,
        compiled=compiled,
        tensorboard=tensorboard,
    )
    if said:
        typer.echo(said)


@command
def transfer(
    source: Annotated[Path, typer.Argument(help="A rendered view (people/00009/0.png), or a photograph.")],
    maps: Annotated[
        list[Path], typer.Argument(help="A rendered view with the pose; or the photograph's map and the target's map.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")] = Path("out.png"),
    inpaint: Annotated[str, typer.Option(help="nearest, mirror (no learning) or f (trained network).")] = "f",
    weights: Annotated[Path | None, typer.Option(help="Trained weights; the reference if not given.")] = None,
    panel: Annotated[Path | None, typer.Option(help="Also write a picture of every intermediate.")] = None,
) -> None:
    """Put the person of SOURCE into the pose of another view or of a target map."""
    from posekit.cli.commands import transfer_command

    typer.echo(transfer_command(source, maps, out, inpaint=inpaint, weights=weights, panel=panel))


@command
def augment(
    data: Annotated[Path, typer.Argument(help="Training folder: named as Market-1501 or DeepFashion, or rendered.")],
    weights: Annotated[
        str, typer.Option(help="Weights file, shipped weights (coordinate_inpainting-laptop), or texel_fill.")
    ] = "coordinate_inpainting-laptop",
    poses: Annotated[int, typer.Option(min=1, help="Poses of other people for each photograph.")] = 10,
    keypoints: Annotated[Path | None, typer.Option(help="Joints of the photographs, csv.")] = None,
    maps: Annotated[Path | None, typer.Option(help="Folder of surface maps, in the atlas the weights know.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write, or DATA.")] = Path("out/augment"),
    seed: Annotated[int, typer.Option(min=0, help="Of the drawn poses.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1)] = 10,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Show everyone of a training folder in poses of others, for re-identification; run again, it goes on."""
    from posekit.cli.commands import augment_command

    typer.echo(
        augment_command(
            data=data,
            weights=weights,
            poses=poses,
            keypoints=keypoints,
            maps=maps,
            out=out,
            seed=seed,
            batch_size=batch_size,
            device=device,
        )
    )


@command
def evaluate(
    weights: Annotated[Path | None, typer.Option(help="Trained weights; the reference if not given.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder made by `posekit render`; else rendered now.")] = None,
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
    from posekit.cli.commands import evaluate_command

    protocol = {"crop": crop, "padding": padding}
    given = {"weights": weights, "data": data, "pairs": pairs, "seed": seed, "full": full, "out": out}
    typer.echo(evaluate_command(**given, **protocol, beside=beside or (), device=device))


@command
def sweep(
    targets: Annotated[list[Path], typer.Argument(help="Notebooks, or one YAML experiment file.")],
    parameters: Annotated[list[str] | None, typer.Option("--parameter", "-p", help="name=value,value; repeat.")] = None,
    seeds: Annotated[str, typer.Option(help="Values of the parameter seed: 0,1,2.")] = "",
    timeout: Annotated[float | None, typer.Option(help="Seconds that one run may take; 600 if not given.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs at a time; 1 if not given.")] = None,
    backend: Annotated[str | None, typer.Option(help="joblib's: loky (processes), threading, dask, ray.")] = None,
    address: Annotated[str | None, typer.Option(help="Dask scheduler; a local one if not given.")] = None,
    name: Annotated[str | None, typer.Option(help="Folder of the results; the notebook's name if not given.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of all sweeps.")] = Path("out/sweeps"),
) -> None:
    """Run notebooks with other parameters and seeds, side by side; run again, it goes on where it stopped."""
    from posekit.sweeps.experiment import from_command_line
    from posekit.sweeps.sweep import sweep_command

    asked = from_command_line(
        targets, parameters or [], seeds, timeout=timeout, jobs=jobs, backend=backend, address=address, name=name
    )
    typer.echo(sweep_command(asked, out, say=typer.echo))


@command
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")] = Path("out/demo.png"),
    pairs: Annotated[int, typer.Option(min=12, help="Held-out pairs to measure.")] = 204,
    rows: Annotated[int, typer.Option(min=1, max=12, help="People in the picture.")] = 6,
) -> None:
    """Transfer held-out people into new poses: one picture and a table of numbers."""
    from posekit.cli.demo import run_demo

    typer.echo(run_demo(out, pairs=pairs, rows=rows))


def main() -> None:
    """Entry point of the `posekit` script."""
    app()


if __name__ == "__main__":
    main()
