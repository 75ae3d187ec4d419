"""Where and how a training runs: devices, precision, memory layout, compilation."""

import os
import random
from collections.abc import Sequence

import numpy as np
import torch
from lightning_fabric import Fabric  # not lightning.fabric, which imports torchvision
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import nn

from posekit.systems.base import Stage, System
from posekit.util.errors import InputError

DEVICES = ("auto", "cpu", "cuda")
# Set by what starts processes.
LAUNCHED = ("TORCHELASTIC_RUN_ID", "RANK", "NODE_RANK", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "LSB_JOBID")
PRECISIONS = ("32-true", "bf16-mixed")


def make_fabric(device: str, devices: int, precision: str, nodes: int = 1) -> Fabric:
    """Lightning Fabric on ``devices`` devices of each of ``nodes`` machines; InputError says why it cannot be."""
    if device not in DEVICES:
        raise InputError(f"Training runs on {', '.join(DEVICES)}; got device {device!r}.")
    if precision not in PRECISIONS:
        raise InputError(f"Training runs with precision {' or '.join(PRECISIONS)}; got {precision!r}.")
    if devices < 1 or nodes < 1:
        raise InputError(f"Training needs at least one device on one machine, got {devices} on {nodes}.")
    if nodes > 1 and not any(name in os.environ for name in LAUNCHED):
        raise InputError(
            f"Training on {nodes} machines is started by torchrun on each of them; started alone it would wait for the "
            "others for ever."
        )
    if device == "auto":  # not Apple's GPU: PyTorch has no backward of border sampling there
        device = usable_device(device).type
    try:
        return Fabric(accelerator=device, devices=devices, num_nodes=nodes, precision=precision)
    except (ValueError, RuntimeError, MisconfigurationException) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"Training cannot start on {devices} x {device!r} with precision {precision!r}: {reason}"
        ) from error


def usable_device(name: str | torch.device) -> torch.device:
    """The device of that name; InputError where PyTorch does not know it or cannot use it here.

    "auto" is a CUDA GPU where there is one, else the CPU.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type == "meta":
            raise RuntimeError("tensors there have no values")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # an assertion: built without CUDA
        reason = " ".join(str(error).split())[:160].rstrip(".")
        raise InputError(f"The device {str(name)!r} cannot be used here ({reason}); choose cpu or cuda.") from None
    return device


def tune(system: System, plan: Sequence[Stage], channels_last: bool, compiled: bool) -> None:
    """Options that change the speed and not the mathematics: memory layout of the networks, compiled networks.

    Both are done in place and leave the names of the weights as they are.  On the CPU a network with InstanceNorm keeps
    its layout, because PyTorch's InstanceNorm goes back to it with a copy each time (`benchmarks/train_step.py`).
    """
    for name in sorted({name for stage in plan for name in (*stage.parts, *stage.critics)}):
        part = system.get_submodule(name)
        copies = any(isinstance(module, nn.InstanceNorm2d) for module in part.modules())
        if channels_last and not (copies and next(part.parameters()).device.type == "cpu"):
            part.to(memory_format=torch.channels_last)
        if compiled:
            part.compile()


def seed_everything(seed: int, rank: int = 0) -> None:
    """Seed torch, numpy and Python; every process of a run draws numbers of its own."""
    torch.manual_seed(seed + 1_000_003 * rank)
    np.random.seed((seed + 1_000_003 * rank) % 2**32)  # noqa: NPY002
    random.seed(seed + 1_000_003 * rank)
