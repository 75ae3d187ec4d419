"""The training loop: stages, alternating critics, checkpoints, resume bit for bit, a log.

for each stage of the system:
    freeze all but its parts, build Adam
    for each step:
        batch = pure function of (seed, stage, step)
        critics:  minimise critic_losses                      (adversarial stages)
        parts:    minimise sum of weight * loss               (over the losses whose turn it is)
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from posekit.person import Pair, collate_pairs
from posekit.systems.base import Stage, System
from posekit.training.checkpoint import make_card, read_latest, restore, save_checkpoint, save_weights, under
from posekit.training.device import make_fabric, seed_everything, tune
from posekit.training.ema import EMA, check_decay
from posekit.training.order import Batches
from posekit.training.plan import check_same_run, plan_stages, stage_card, total_steps
from posekit.training.runlog import RunLog, summary_writer
from posekit.training.signals import ignore_interrupt, stop_signals
from posekit.training.state import random_states_of_others
from posekit.training.step import check_finite, check_weights, prepare, thawed, train_step
from posekit.util.distributed import mean_over_processes, same_in_all_processes, world_size
from posekit.util.errors import InputError
from posekit.util.files import alone_in


class TrainingInterrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C or SIGTERM; the message says what was kept and how to go on."""


def fit(
    system: System,
    data: Sequence[Pair],
    out_dir: str | Path | None = None,
    *,
    seed: int = 0,
    stages: Sequence[str] | None = None,
    steps: int | Mapping[str, int] | None = None,
    batch_size: int | None = None,
    device: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    precision: str = "32-true",
    accumulate: int = 1,
    ema: float = 0.0,
    channels_last: bool = False,
    compiled: bool = False,
    workers: int = 0,
    checkpoint_every: int = 500,
    log_every: int = 10,
    tensorboard: bool = False,
    resume: bool = True,
    progress: bool = True,
    on_step: Callable[[System, Stage, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Train ``system`` on ``data`` through its stages, and return the log: one dictionary per logged step.

    Args:
        data: any sequence of pairs (``len`` and ``[i]``), all of one size.
        out_dir: folder of the run: ``checkpoints/``, ``log.jsonl``, ``weights.safetensors`` at the end.  None keeps
            nothing.  With ``resume``, a folder that holds a checkpoint of the same run is continued: on a
            CPU bit for bit, on a GPU up to the order in which it adds up some gradients.
        stages: names of the stages to run; all if not given.
        steps: steps of every stage, or of each by name; the preset's if not given.
        device: auto (a CUDA GPU where there is one), cpu or cuda.  devices: how many of each of ``nodes`` machines.
            The batch is shared by them: n processes take the steps that one takes, to rounding, where a system draws
            nothing at random as it trains (spatial_transformation draws its affine maps, other ones in each process).
        precision: "32-true", or "bf16-mixed" for autocast; coordinates stay float32.
        accumulate: micro-batches that a process cuts its share of the batch into, where memory is short.  Gradients
            are averaged; BatchNorm and means over masks see one micro-batch.
        ema: decay of a moving average of the weights (0.999, say; 0 for none), which takes the weights' place at the
            end of every stage.
        channels_last, compiled: memory layout of the networks, and `torch.compile`: speed alone.
        workers: processes that load pairs ahead of the training.
        tensorboard: write the losses for TensorBoard too, into ``tensorboard/`` (needs the package tensorboardX).
        on_step: called after every step with the system, the stage and the number of finished steps in it.

    Raises InputError for data or folders that cannot be used and when a loss becomes NaN; TrainingInterrupted after
    Ctrl-C or SIGTERM, when the last finished step has been saved.
    """
    plan = plan_stages(system, stages, steps, batch_size)
    if seed < 0:
        raise InputError(f"A seed is a number from 0 up, got {seed}.")
    if len(data) == 0:
        raise InputError("The training data is empty; give at least one pair.")
    if checkpoint_every < 1 or log_every < 1 or workers < 0:
        raise InputError(
            "checkpoint_every and log_every are 1 or more and workers 0 or more, got "
            f"{checkpoint_every}, {log_every} and {workers}."
        )
    check_decay(ema)  # before anything of an older run is removed
    if tensorboard:
        summary_writer()
    fabric = make_fabric(device, devices, precision, nodes)
    for stage in plan:
        _check_shares(stage, devices * nodes, accumulate)
    fabric.launch()
    seed_everything(seed, fabric.global_rank)
    system.to(fabric.device)
    same_in_all_processes(system.state_dict().values())  # whoever built it without a seed has other weights here
    out = Path(out_dir) if out_dir is not None else None
    card = make_card(
        system,
        seed=seed,
        data=_describe(data),
        stages=[stage_card(stage) for stage in plan],
        precision=precision,
        accumulate=accumulate,
        ema=ema,
    )
    alone = ExitStack()
    if out is not None and fabric.is_global_zero:
        alone.enter_context(alone_in(out))  # two runs in one folder would remove each other's checkpoints
        for left in out.glob(".weights-*.safetensors"):  # of a run that was killed as it wrote them
            left.unlink()
    start, found = (0, 0), None
    if out is not None and resume and (found := read_latest(out / "checkpoints")):
        check_same_run(found[0], card, out)
        start = (found[0]["stage"], found[0]["step"])
    elif out is not None and fabric.is_global_zero:
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
    fabric.barrier()
    first_process = fabric.is_global_zero
    log = RunLog(
        out, total_steps(plan, *start) if found else None, card, enabled=first_process, tensorboard=tensorboard
    )
    tune(system, plan, channels_last, compiled)

    def save(
        number: int, step: int, optimizers: Mapping[str, torch.optim.Adam], average: EMA, terms: Mapping[str, Tensor]
    ) -> None:
        if out is None:
            return
        extra = {f"ema.{name}": tensor for name, tensor in average.tensors().items()} | random_states_of_others()
        extra |= {f"terms.{name}": mean_over_processes(value) for name, value in terms.items()}
        where = {"stage": number, "step": step, "total_step": total_steps(plan, number, step), "metrics": log.last}
        if fabric.is_global_zero:
            save_checkpoint(out / "checkpoints", system, optimizers, {**card, **where}, extra)

    with alone, stop_signals() as stop, thawed(system):
        for number, stage in enumerate(plan):
            if number < start[0]:
                continue
            optimizers = prepare(system, stage)
            average = EMA(system, stage.parts, ema)
            first = start[1] if number == start[0] else 0
            if found and number == start[0]:
                restore(system, optimizers, found[1], found[2], fabric.global_rank)
                average.restore(under("ema.", found[2]))
            rank = fabric.global_rank, fabric.world_size
            order = Batches(len(data), stage.batch_size, stage.steps, first, (seed, number), *rank)
            batches = iter(_loader(data, order, workers, accumulate))
            bar = tqdm(total=stage.steps, initial=first, desc=stage.name, disable=not (progress and log.enabled))
            log.start_clock()
            terms: dict[str, Tensor] = {}  # each loss as it was last computed since the record before
            if found and number == start[0]:
                terms = {name: value.to(fabric.device) for name, value in under("terms.", found[2]).items()}
            with bar:
                for step in range(first, stage.steps):
                    with log.waiting():
                        pairs = [pair.to(fabric.device) for pair in next(batches)]
                    terms |= train_step(system, pairs, stage.turn(step), optimizers, fabric, stage.rate(step))
                    average.update()
                    done = step + 1
                    log.steps += 1
                    if done % log_every == 0 or done == stage.steps:
                        values = check_finite({k: mean_over_processes(v) for k, v in terms.items()}, stage)
                        log.write(stage.name, done, total_steps(plan, number, done), values)
                        bar.set_postfix({name: f"{value:.3g}" for name, value in values.items()})
                        terms = {}
                    bar.update()
                    if on_step is not None:
                        on_step(system, stage, done)
                    stopping = _any_process(stop.is_set(), fabric.device)
                    if stopping or done == stage.steps or done % checkpoint_every == 0:
                        check_finite(terms, stage)
                        check_weights(system, stage)
                        save(number, done, optimizers, average, terms)
                    if stopping:
                        kept = f"{out} keeps it; run the same command again to go on" if out else "nothing was kept"
                        raise TrainingInterrupted(f"Stopped after step {done} of stage {stage.name}: {kept}.")
            average.apply()
    log.close()
    if out is not None and fabric.is_global_zero:
        facts = {key: card[key] for key in ("seed", "data", "stages", "precision", "accumulate", "ema")}
        save_weights(system, out / "weights.safetensors", half=False, **facts, metrics=log.last)
    return log.records


def _describe(data: Sequence[Pair]) -> Any:
    """What the card says about the data."""
    return data.describe() if hasattr(data, "describe") else {"dataset": type(data).__name__, "pairs": len(data)}


def _check_shares(stage: Stage, processes: int, accumulate: int) -> None:
    if accumulate < 1 or stage.batch_size % (processes * accumulate):
        raise InputError(
            f"A batch of {stage.batch_size} cannot be shared by {processes} devices with {accumulate} micro-batches "
            f"each; make the batch size a multiple of {processes} x {max(accumulate, 1)}."
        )


def _any_process(flag: bool, device: torch.device) -> bool:
    """Whether the flag is set in any process, so that all of them stop after the same step."""
    if world_size() == 1:
        return flag  # a tensor would make the processor wait for the GPU after every step
    return bool(mean_over_processes(torch.tensor(float(flag), device=device)) > 0)


def _loader(data: Sequence[Pair], order: Batches, workers: int, accumulate: int) -> DataLoader:
    """Steps in the given order, each a list of micro-batches; nothing is drawn from the global generator."""
    return DataLoader(
        data,
        batch_sampler=order,
        collate_fn=partial(_collate, parts=accumulate),
        num_workers=workers,
        worker_init_fn=ignore_interrupt,
        generator=torch.Generator().manual_seed(0),
        persistent_workers=False,
    )


def _collate(samples: list[Pair], parts: int) -> list[Pair]:
    size = len(samples) // parts
    return [collate_pairs(samples[i : i + size]) for i in range(0, len(samples), size)]
