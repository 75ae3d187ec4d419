"""`posekit train`: a system on rendered people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posekit.util.address import is_address, object_at
from posekit.util.errors import InputError

if TYPE_CHECKING:
    from posekit.person import Pair


def train_command(
    system: Annotated[
        str, typer.Argument(help="Name of a system, or of your own: my_module:MySystem.")
    ] = "coordinate_inpainting",
    preset: Annotated[str, typer.Option(help="Such as laptop or paper; describe NAME lists them.")] = "laptop",
    variant: Annotated[str, typer.Option(help="full or one of the published ablations.")] = "full",
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of every stage; the preset's if not given.")] = None,
    people: Annotated[int, typer.Option(min=1, help="People to render for training.")] = 200,
    views: Annotated[int, typer.Option(min=2)] = 6,
    data: Annotated[
        str | None,
        typer.Option(help="Folder made by `posekit render`, or your own pairs: my_module:pairs; else rendered now."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run.")] = Path("runs/latest"),
    seed: Annotated[int, typer.Option(min=0)] = 0,
    batch_size: Annotated[int | None, typer.Option(min=1)] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    precision: Annotated[
        str, typer.Option(help="32-true, or bf16-mixed: faster on a GPU and on recent CPUs.")
    ] = "32-true",
    workers: Annotated[int, typer.Option(min=0, help="Processes that load pairs ahead of the training.")] = 0,
    device_data: Annotated[
        bool | None,
        typer.Option("--device-data/--no-device-data", help="Keep the people on the training device; a GPU does."),
    ] = None,
    devices: Annotated[int, typer.Option(min=1, help="GPUs (or processes, on the CPU) that share a batch.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines with so many devices each; start with torchrun.")] = 1,
    accumulate: Annotated[int, typer.Option(min=1, help="Micro-batches, where memory is short.")] = 1,
    ema: Annotated[float, typer.Option(help="Decay of a moving average of the weights; 0 for none.")] = 0.0,
    channels_last: Annotated[bool, typer.Option("--channels-last", help="Another memory layout.")] = False,
    compiled: Annotated[bool, typer.Option("--compile", help="torch.compile the networks.")] = False,
    checkpoint_every: Annotated[int, typer.Option(min=1, help="Steps from checkpoint to checkpoint.")] = 500,
    checkpoint_minutes: Annotated[
        float, typer.Option(min=0.01, help="A checkpoint at the latest after so many minutes.")
    ] = 5.0,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Log for TensorBoard too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say the plan and its time; train nothing.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over; else go on from the last checkpoint.")] = False,
) -> None:
    """Train a system on rendered people; interrupted, the same command goes on where it stopped."""
    from posekit.systems import build
    from posekit.training.dry_run import as_table
    from posekit.training.dry_run import dry_run as measure
    from posekit.training.fit import fit, prepare
    from posekit.training.options import TrainingOptions
    from posekit.training.runlog import waited_share
    from posekit.util.distributed import is_first_process

    options = TrainingOptions(
        seed=seed, steps=steps, batch_size=batch_size, device=device, devices=devices, nodes=nodes,
        precision=precision, accumulate=accumulate, ema=ema, channels_last=channels_last, compiled=compiled,
        workers=workers, device_data=device_data, checkpoint_every=checkpoint_every,
        checkpoint_minutes=checkpoint_minutes, tensorboard=tensorboard, resume=not fresh,
    )  # fmt: skip
    model = build(system, preset=preset, variant=variant, seed=seed)
    prepare(model, options)  # before people are rendered for minutes
    common = {"people": people, "views": views, "seed": seed, "kind": model.kind}
    pairs = open_people(data, "train", model.size or (128, 128), **common, **model.training_data)
    if dry_run:
        said = as_table(measure(model, pairs, options))
    else:
        log = fit(model, pairs, out, options)
        share = waited_share(log) if log else 0.0
        more = "; more --workers load further ahead" if share > 0.05 else ""
        said = f"Weights: {out / 'weights.safetensors'}"
        said += f"\nWaited for data: {share:.1%} of the time{more}" if log else ""
    if is_first_process():
        typer.echo(said)


def open_people(
    data: str | None,
    split: str,
    size: tuple[int, int],
    *,
    people: int,
    views: int,
    seed: int,
    kind: str = "body",
    **more: Any,
) -> Sequence[Pair]:
    """The pairs of one split: of the folder ``data``, or of people rendered into the user's cache now.

    "my_module:pairs" calls that function with (split, size): "train" or "test", (height, width).  more: further
    arguments of `StudioPeople`, for rendered people.
    """
    from posekit.data.studio import StudioPeople

    if data is None:
        return StudioPeople(people=people, views=views, size=size, seed=seed, split=split, kind=kind, **more)
    if not is_address(data) or Path(data).is_dir():
        return StudioPeople.of_folder(data, split, size, **more)
    if "poses" in more:
        raise InputError("Poses are chosen among rendered people; leave --poses out with pairs of your own.")
    pairs = object_at(data)(split, size)
    if not (hasattr(pairs, "__len__") and hasattr(pairs, "__getitem__")):
        raise InputError(f"{data} should give a sequence of posekit.Pair, got {type(pairs).__name__}.")
    return pairs
