"""`posekit train`: a system on rendered people, or on a folder of photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posekit.cli.people import FOLDER, Files, atlas_of_data, check_data, open_people


def train_command(
    system: Annotated[
        str, typer.Argument(help="Name of a system, or of your own: my_module:MySystem.")
    ] = "coordinate_inpainting",
    preset: Annotated[str, typer.Option(help="Such as laptop or paper; describe NAME lists them.")] = "laptop",
    variant: Annotated[str, typer.Option(help="full or one of the published ablations.")] = "full",
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of every stage; the preset's if not given.")] = None,
    people: Annotated[int, typer.Option(min=1, help="People to render for training.")] = 200,
    views: Annotated[int, typer.Option(min=2)] = 6,
    data: Annotated[str | None, typer.Option(help=FOLDER)] = None,
    pairs: Annotated[Path | None, typer.Option(help="Of a folder of photographs: csv of pairs (from,to).")] = None,
    keypoints: Annotated[Path | None, typer.Option(help="Of a folder of photographs: csv of joints.")] = None,
    maps: Annotated[Path | None, typer.Option(help="Of a folder of photographs: folder of surface maps.")] = None,
    atlas: Annotated[str, typer.Option(help="What IUV pictures become: smpl or tiles; auto: what fits.")] = "auto",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run.")] = Path("runs/latest"),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
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
    """Train a system on rendered people or a folder of photographs; interrupted, the same command goes on."""
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
    files = Files(pairs, keypoints, maps, atlas)
    data_set = open_people(data, "train", model.size or (128, 128), files=files, **common, **model.training_data)
    own = atlas_of_data(data_set)
    if own and model.atlas and own != model.atlas:  # a network that begins with them learns their atlas
        model = build(system, preset=preset, variant=variant, seed=seed, atlas=own)
    check_data(model, data_set)
    if dry_run:
        said = as_table(measure(model, data_set, options))
    else:
        log = fit(model, data_set, out, options)
        share = waited_share(log) if log else 0.0
        more = "; more --workers load further ahead" if share > 0.05 else ""
        said = f"Weights: {out / 'weights.safetensors'}"
        said += f"\nWaited for data: {share:.1%} of the time{more}" if log else ""
    if is_first_process():
        typer.echo(said)
