"""The training loop: stages, alternating critics, checkpoints, resume bit for bit, a log.

for each stage of the system:
    freeze all but its parts, build Adam
    for each step:
        batch = pure function of (seed, stage, step)
        critics:  minimise critic_losses                      (adversarial stages)
        parts:    minimise sum of weight * loss               (over the losses whose turn it is)
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import torch
from lightning_fabric import Fabric
from tqdm.auto import tqdm

from posekit.person import Pair
from posekit.systems.base import Stage, System
from posekit.training.device import make_fabric, seed_everything, tune
from posekit.training.ema import EMA
from posekit.training.loading import loaded_batches
from posekit.training.options import TrainingOptions
from posekit.training.order import Batches
from posekit.training.plan import check_shares, plan_stages
from posekit.training.run import Run
from posekit.training.runlog import summary_writer
from posekit.training.signals import stop_signals
from posekit.training.step import (
    check_finite,
    check_finite_weights,
    freeze_and_optimize,
    nothing_frozen_after,
    train_step,
)
from posekit.util.distributed import leave_at_exit, mean_over_processes, same_in_all_processes, world_size
from posekit.util.errors import InputError


class TrainingInterrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C or SIGTERM; the message says what was kept and how to go on."""


def fit(
    system: System,
    data: Sequence[Pair],
    out_dir: str | Path | None = None,
    options: TrainingOptions | None = None,
    *,
    on_step: Callable[[System, Stage, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Train ``system`` on ``data`` through its stages, and return the log: one dictionary per logged step.

    Args:
        data: any sequence of pairs (``len`` and ``[i]``), all of one size.  ``data.on_device(device)``, where it has
            that, gives one whose ``device_batch(indices)`` makes batches there (`TrainingOptions.device_data`).
        out_dir: folder of the run: ``checkpoints/``, ``log.jsonl``, ``weights.safetensors`` at the end.  None keeps
            nothing.  A folder that holds a checkpoint of the same run is continued (``options.resume``): on a CPU bit
            for bit with the same number of threads, which decides the order of sums, and on a GPU up to the order in
            which it adds up some gradients.
        options: see `TrainingOptions`; its defaults if not given.
        on_step: called after every step with the system, the stage and the number of finished steps in it.

    Raises InputError for data or folders that cannot be used and when a loss becomes NaN; TrainingInterrupted after
    Ctrl-C or SIGTERM, when the last finished step has been saved.
    """
    options = options or TrainingOptions()
    plan, fabric = prepare(system, options)
    if len(data) == 0:
        raise InputError("The training data is empty; give at least one pair.")
    fabric.launch()
    leave_at_exit()
    seed_everything(options.seed, fabric.global_rank)
    system.to(fabric.device)
    wanted = fabric.device.type == "cuda" if options.device_data is None else options.device_data
    if wanted and hasattr(data, "on_device"):
        data = data.on_device(fabric.device)
    same_in_all_processes(system.state_dict().values())  # whoever built it without a seed has other weights here
    out = Path(out_dir) if out_dir is not None else None
    with Run(system, data, plan, out, options, fabric) as run, stop_signals() as stop, nothing_frozen_after(system):
        tune(system, plan, options.channels_last, options.compiled)
        for number, stage, first in run.remaining():
            _train_stage(run, number, stage, first, data, stop, on_step)
        return run.finish()


def prepare(system: System, options: TrainingOptions) -> tuple[list[Stage], Fabric]:
    """The stages of a run and its devices, not launched yet.

    Raises InputError for all that can be refused before there is data: stages, a device that is not here, a batch that
    its devices cannot share, TensorBoard's log without its writer.
    """
    plan = plan_stages(system, options.stages, options.steps, options.batch_size)
    fabric = make_fabric(options.device, options.devices, options.precision, options.nodes)
    check_shares(plan, options.devices * options.nodes, options.accumulate)
    if options.tensorboard:
        summary_writer()
    return plan, fabric


def _train_stage(
    run: Run,
    number: int,
    stage: Stage,
    first: int,
    data: Sequence[Pair],
    stop: Event,
    on_step: Callable[[System, Stage, int], None] | None,
) -> None:
    """Stage ``number`` from its step ``first`` on, until it is done or ``stop`` is set."""
    system, options, fabric = run.system, run.options, run.fabric
    optimizers, average = freeze_and_optimize(system, stage), EMA(system, stage.parts, options.ema)
    terms = run.restore(number, optimizers, average)  # each loss as it was computed since the last record
    key, place = (options.seed, number), (fabric.global_rank, fabric.world_size)
    order = Batches(len(data), stage.batch_size, stage.steps, first, key, *place)
    shown = options.progress and run.log.enabled
    with (
        loaded_batches(data, order, options.accumulate, options.workers) as batches,
        tqdm(total=stage.steps, initial=first, desc=stage.name, disable=not shown) as bar,
    ):
        run.log.start_clock()
        for step in range(first, stage.steps):
            with run.log.waiting():
                pairs = [pair.to(fabric.device) for pair in next(batches)]
            terms |= train_step(system, pairs, stage.turn(step), optimizers, fabric, stage.rate(step))
            average.update()
            done = step + 1
            run.log.steps += 1
            if done % options.log_every == 0 or done == stage.steps:
                values = check_finite({k: mean_over_processes(v) for k, v in terms.items()}, stage)
                run.record(number, done, values)
                bar.set_postfix({name: f"{value:.3g}" for name, value in values.items()})
                terms = {}
            bar.update()
            if on_step is not None:
                on_step(system, stage, done)
            stopping = _any_process(stop.is_set(), fabric.device)
            saving = done == stage.steps or done % options.checkpoint_every == 0
            if options.checkpoint_minutes is not None:
                saving |= _any_process(run.is_due, fabric.device)
            if stopping or saving:
                check_finite(terms, stage)
                check_finite_weights(system, stage)
                run.save(number, done, optimizers, average, terms)
            if stopping:
                kept = (
                    f"{run.folder} keeps it; run the same command again to go on" if run.folder else "nothing was kept"
                )
                raise TrainingInterrupted(f"Stopped after step {done} of stage {stage.name}: {kept}.")
    average.apply()


def _any_process(flag: bool, device: torch.device) -> bool:
    """Whether the flag is set in any process, so that all of them stop after the same step."""
    if world_size() == 1:
        return flag  # a tensor would make the processor wait for the GPU after every step
    return bool(mean_over_processes(torch.tensor(float(flag), device=device)) > 0)
