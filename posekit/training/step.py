"""One step of training: what is trained, the losses, the gradients."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric  # not lightning.fabric, which imports torchvision
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from posekit.person import Pair
from posekit.systems.base import Stage, System
from posekit.util.errors import InputError


def train_step(
    system: System,
    pairs: Sequence[Pair],
    stage: Stage,
    optimizers: Mapping[str, Adam],
    fabric: Fabric,
    rate: float = 1.0,
) -> dict[str, Tensor]:
    """One step of the parts, and before it one of the critics where the stage has any.

    The gradient is the mean over ``pairs``, which are micro-batches of one size: one where the batch fits into memory.
    Returns the unweighted losses, detached.
    """
    critic_terms: dict[str, Tensor] = {}
    part_terms: dict[str, Tensor] = {}
    n, shared = len(pairs), None
    if stage.critics:
        _trainable(system, stage.critics, True)
        _zero(optimizers)
        for pair in pairs:
            # One forward pass serves critics and parts; of several micro-batches no graph is kept, to save its memory.
            with fabric.autocast(), torch.set_grad_enabled(n == 1):
                shared = system.stage_forward(pair, stage)
            with fabric.autocast():
                terms = system.critic_losses(pair, shared)
            if terms:
                fabric.backward(sum(terms.values()) / n)
            _add(critic_terms, terms, n)
        if critic_terms:
            _update(optimizers["critics"], stage, rate, fabric)
        _trainable(system, stage.critics, False)
    _zero(optimizers)
    for pair in pairs:
        with fabric.autocast():
            result = shared if shared is not None and n == 1 else system.stage_forward(pair, stage)
            terms = system.losses(pair, result, tuple(stage.weights))
        if fabric.device.type == "cpu":
            check_finite(terms, stage)  # free here; and on the CPU, PyTorch's grid_sample dies of NaN positions
        total = sum(stage.weights[name] * value for name, value in terms.items())
        fabric.backward(total / n)
        _add(part_terms, terms, n)
    _update(optimizers["parts"], stage, rate, fabric)
    return {**part_terms, **critic_terms}


def freeze_and_optimize(system: System, stage: Stage) -> dict[str, Adam]:
    """Freeze everything but the parts of the stage; optimisers for parts and critics."""
    system.requires_grad_(False).eval()
    for name in (*stage.parts, *stage.critics):
        system.get_submodule(name).train()
    _trainable(system, stage.parts, True)
    rates = {part: stage.part_lr.get(part, stage.lr) for part in stage.parts}
    critic_rates = dict.fromkeys(stage.critics, stage.critic_lr or stage.lr)
    return {
        name: Adam(
            [{"params": list(system.get_submodule(part).parameters()), "stage_lr": lr} for part, lr in group.items()],
            lr=stage.lr,
            betas=stage.betas,
            fused=any(p.is_cuda for part in group for p in system.get_submodule(part).parameters()),  # one launch
        )
        for name, group in (("parts", rates), ("critics", critic_rates))
        if group
    }


@contextmanager
def nothing_frozen_after(system: System) -> Iterator[None]:
    """However the training ends: nothing is frozen, and the system is in evaluation mode."""
    try:
        yield
    finally:
        system.requires_grad_(True).eval()


def check_finite(terms: Mapping[str, Tensor], stage: Stage) -> dict[str, float]:
    """The losses as numbers; InputError that names those that are not finite."""
    values = {name: float(value.detach()) for name, value in terms.items()}
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    if bad:
        raise InputError(
            f"The loss {', '.join(bad)} of stage {stage.name} is not finite; lower the learning rate, "
            "or look for NaN in the data; the last checkpoint is intact."
        )
    return values


def check_finite_weights(system: System, stage: Stage) -> None:
    """InputError where an update has made a weight or a statistic NaN or infinite: such a state is never kept.

    A loss says so one step too late: it is computed from the weights before the update.
    """
    bad = [name for name, x in system.state_dict().items() if x.is_floating_point() and not bool(x.isfinite().all())]
    if bad:
        raise InputError(
            f"The weights {bad[0]} ({len(bad)} tensors in all) of stage {stage.name} are not finite; lower the "
            "learning rate, or look for NaN in the data; the last checkpoint is intact."
        )


def _zero(optimizers: Mapping[str, Adam]) -> None:
    for optimizer in optimizers.values():
        optimizer.zero_grad(set_to_none=True)


def _update(optimizer: Adam, stage: Stage, rate: float, fabric: Fabric) -> None:
    """Adam's step at ``rate`` times the learning rates of the stage.

    Gradients are averaged over the processes first, then scaled where they are longer than the stage allows.
    """
    for group in optimizer.param_groups:
        group["lr"] = group["stage_lr"] * rate
        if fabric.world_size > 1:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad = fabric.all_reduce(parameter.grad, reduce_op="mean")
    if stage.clip is not None:
        clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], stage.clip)
    optimizer.step()


def _add(terms: dict[str, Tensor], more: Mapping[str, Tensor], parts: int) -> None:
    """The mean of the losses over the micro-batches, one after the other."""
    for name, value in more.items():
        terms[name] = terms.get(name, torch.zeros_like(value)) + value.detach() / parts


def _trainable(system: System, parts: Sequence[str], on: bool) -> None:
    for name in parts:
        system.get_submodule(name).requires_grad_(on)
