"""Sums over the processes of a distributed run; with one process they are the identity.

A loss or a statistic that divides by what a *whole batch* holds needs them: n processes with b pairs each then take
the step that one process with n b pairs takes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch import distributed as dist


def world_size() -> int:
    """Number of processes of this run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def mean_over_processes(value: Tensor) -> Tensor:
    """The mean of ``value`` over all processes, without gradient."""
    value = value.detach()
    return value if world_size() == 1 else _AllSum.apply(value) / world_size()


def sum_over_processes(value: Tensor) -> Tensor:
    """The sum of ``value`` over all processes.

    Its gradient is that of the sum of all processes' losses; `posekit.training` divides by their number.
    """
    return value if world_size() == 1 else _AllSum.apply(value)


class _AllSum(torch.autograd.Function):
    """y = sum of x over processes; every x then gets the sum of the gradients of all y."""

    @staticmethod
    def forward(ctx, value: Tensor) -> Tensor:
        total = value.contiguous().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total
