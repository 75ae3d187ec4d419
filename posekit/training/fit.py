"""The training loop: stages, alternating critics, checkpoints, resume bit for bit, a log.

for each stage of the system:
    freeze all but its parts, build Adam
    for each step:
        batch = pure function of (seed, stage, step)
        critics:  minimise critic_losses                      (adversarial stages)
        parts:    minimise sum of weight * loss
"""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric  # not lightning.fabric, which imports torchvision
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor
from torch.optim import Adam
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from posekit.data.person import Pair, collate_pairs
from posekit.errors import InputError
from posekit.systems.base import Stage, System
from posekit.training.checkpoint import make_card, read_latest, restore, save_checkpoint, save_weights
from posekit.training.order import Batches
from posekit.training.plan import check_same_run, plan_stages, stage_card, total_steps
from posekit.training.runlog import RunLog
from posekit.training.signals import ignore_interrupt, stop_signals

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("32-true", "bf16-mixed")


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
    precision: str = "32-true",
    workers: int = 0,
    checkpoint_every: int = 500,
    log_every: int = 10,
    resume: bool = True,
    progress: bool = True,
    on_step: Callable[[System, Stage, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Train ``system`` on ``data`` through its stages, and return the log: one dictionary per logged step.

    Args:
        data: any sequence of pairs (``len`` and ``[i]``), all of one size.
        out_dir: folder of the run: ``checkpoints/``, ``log.jsonl``, ``weights.safetensors`` at the end.  None keeps
            nothing.  With ``resume``, a folder that holds a checkpoint of the same run is continued, bit for bit.
        stages: names of the stages to run; all if not given.
        steps: steps of every stage, or of each by name; the preset's if not given.
        device: auto (a CUDA GPU where there is one), cpu or cuda.  devices: how many; gradients are averaged over them
            (experimental: the statistics of BatchNorm are those of each process).
        precision: "32-true", or "bf16-mixed" for autocast; coordinates stay float32.
        workers: processes that load pairs ahead of the training.
        on_step: called after every step with the system, the stage and the number of finished steps in it.

    Raises InputError for data or folders that cannot be used and when a loss becomes NaN; TrainingInterrupted after
    Ctrl-C or SIGTERM, when the last finished step has been saved.
    """
    plan = plan_stages(system, stages, steps, batch_size)
    if seed < 0:
        raise InputError(f"A seed is a number from 0 up, got {seed}.")
    if len(data) == 0:
        raise InputError("The training data is empty; give at least one pair.")
    for stage in plan:
        if stage.batch_size < devices:
            raise InputError(f"A batch of {stage.batch_size} cannot be shared by {devices} devices; make it larger.")
    fabric = _fabric(device, devices, precision)
    fabric.launch()
    _seed(seed)
    system.to(fabric.device)
    out = Path(out_dir) if out_dir is not None else None
    card = make_card(
        system, seed=seed, data=_describe(data), stages=[stage_card(stage) for stage in plan], precision=precision
    )
    start, found = (0, 0), None
    if out is not None and resume and (found := read_latest(out / "checkpoints")):
        check_same_run(found[0], card, out)
        start = (found[0]["stage"], found[0]["step"])
    elif out is not None and fabric.is_global_zero:
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
    log = RunLog(out, total_steps(plan, *start) if found else None, card, enabled=fabric.is_global_zero)

    def save(number: int, step: int, optimizers: Mapping[str, Adam]) -> None:
        if out is not None and fabric.is_global_zero:
            where = {"stage": number, "step": step, "total_step": total_steps(plan, number, step), "metrics": log.last}
            save_checkpoint(out / "checkpoints", system, optimizers, {**card, **where})

    with stop_signals() as stop, _thawed(system):
        for number, stage in enumerate(plan):
            if number < start[0]:
                continue
            optimizers = _prepare(system, stage)
            first = start[1] if number == start[0] else 0
            if found and number == start[0]:
                restore(system, optimizers, found[1], found[2])
            rank = fabric.global_rank, fabric.world_size
            order = Batches(len(data), stage.batch_size, stage.steps, first, (seed, number), *rank)
            batches = iter(_loader(data, order, workers))
            bar = tqdm(total=stage.steps, initial=first, desc=stage.name, disable=not (progress and log.enabled))
            log.start_clock()
            with bar:
                for step in range(first, stage.steps):
                    with log.waiting():
                        pair = next(batches).to(fabric.device)
                    terms = train_step(system, pair, stage, optimizers, fabric, stage.rate(step))
                    done = step + 1
                    log.steps += 1
                    if done % log_every == 0 or done == stage.steps:
                        values = _finite(terms, stage)
                        log.write(stage.name, done, total_steps(plan, number, done), values)
                        bar.set_postfix({name: f"{value:.3g}" for name, value in values.items()})
                    bar.update()
                    if on_step is not None:
                        on_step(system, stage, done)
                    if stop.is_set() or done == stage.steps or done % checkpoint_every == 0:
                        _finite(terms, stage)
                        save(number, done, optimizers)
                    if stop.is_set():
                        kept = f"{out} keeps it; run the same command again to go on" if out else "nothing was kept"
                        raise TrainingInterrupted(f"Stopped after step {done} of stage {stage.name}: {kept}.")
    if out is not None and fabric.is_global_zero:
        facts = {key: card[key] for key in ("seed", "data", "stages", "precision")}
        save_weights(system, out / "weights.safetensors", half=False, **facts, metrics=log.last)
    return log.records


def train_step(
    system: System, pair: Pair, stage: Stage, optimizers: Mapping[str, Adam], fabric: Fabric, rate: float = 1.0
) -> dict[str, Tensor]:
    """One step on one batch: the critics first, then the parts.  Returns the unweighted losses, detached."""
    with fabric.autocast():
        result = system.stage_forward(pair, stage)
    terms: dict[str, Tensor] = {}
    if stage.critics:
        _trainable(system, stage.critics, True)
        with fabric.autocast():
            critic_terms = system.critic_losses(pair, result)
        _descend(sum(critic_terms.values()), optimizers["critics"], (stage.critic_lr or stage.lr) * rate, fabric)
        _trainable(system, stage.critics, False)
        terms |= critic_terms
    with fabric.autocast():
        part_terms = system.losses(pair, result, tuple(stage.weights))
    if fabric.device.type == "cpu":
        _finite(part_terms, stage)  # free here; and on the CPU, PyTorch's grid_sample dies of NaN positions
    total = sum(stage.weights[name] * value for name, value in part_terms.items())
    _descend(total, optimizers["parts"], stage.lr * rate, fabric)
    return {name: value.detach() for name, value in {**part_terms, **terms}.items()}


def _fabric(device: str, devices: int, precision: str) -> Fabric:
    if device not in DEVICES:
        raise InputError(f"Training runs on {', '.join(DEVICES)}; got device {device!r}.")
    if precision not in PRECISIONS:
        raise InputError(f"Training runs with precision {' or '.join(PRECISIONS)}; got {precision!r}.")
    if device == "auto":  # not Apple's GPU: PyTorch has no backward of border sampling there
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return Fabric(accelerator=device, devices=devices, precision=precision)
    except (ValueError, RuntimeError, MisconfigurationException) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"Training cannot start on {devices} x {device!r} with precision {precision!r}: {reason}"
        ) from error


def _descend(loss: Tensor, optimizer: Adam, lr: float, fabric: Fabric) -> None:
    optimizer.zero_grad(set_to_none=True)
    fabric.backward(loss)
    for group in optimizer.param_groups:
        group["lr"] = lr
        if fabric.world_size > 1:
            for parameter in group["params"]:
                parameter.grad = fabric.all_reduce(parameter.grad, reduce_op="mean")
    optimizer.step()


def _prepare(system: System, stage: Stage) -> dict[str, Adam]:
    """Freeze everything but the parts of the stage; optimisers for parts and critics."""
    system.requires_grad_(False).eval()
    for name in (*stage.parts, *stage.critics):
        system.get_submodule(name).train()
    _trainable(system, stage.parts, True)
    groups = {"parts": (stage.parts, stage.lr), "critics": (stage.critics, stage.critic_lr or stage.lr)}
    return {
        name: Adam([p for part in parts for p in system.get_submodule(part).parameters()], lr=lr, betas=stage.betas)
        for name, (parts, lr) in groups.items()
        if parts
    }


@contextmanager
def _thawed(system: System) -> Iterator[None]:
    """However the training ends: nothing is frozen, and the system is in evaluation mode."""
    try:
        yield
    finally:
        system.requires_grad_(True).eval()


def _trainable(system: System, parts: Sequence[str], on: bool) -> None:
    for name in parts:
        system.get_submodule(name).requires_grad_(on)


def _describe(data: Sequence[Pair]) -> Any:
    """What the card says about the data."""
    return data.describe() if hasattr(data, "describe") else {"dataset": type(data).__name__, "pairs": len(data)}


def _finite(terms: Mapping[str, Tensor], stage: Stage) -> dict[str, float]:
    values = {name: float(value.detach()) for name, value in terms.items()}
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    if bad:
        raise InputError(
            f"The loss {', '.join(bad)} of stage {stage.name} is not finite; lower the learning rate, "
            "or look for NaN in the data; the last checkpoint is intact."
        )
    return values


def _loader(data: Sequence[Pair], order: Batches, workers: int) -> DataLoader:
    """Batches in the given order; a generator of its own, so that loading draws nothing from the global one."""
    return DataLoader(
        data,
        batch_sampler=order,
        collate_fn=collate_pairs,
        num_workers=workers,
        worker_init_fn=ignore_interrupt,
        generator=torch.Generator().manual_seed(0),
        persistent_workers=False,
    )


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)
