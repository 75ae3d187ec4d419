"""Sums over the processes of a distributed run; with one process they are the identity.

A loss or a statistic that divides by what a *whole batch* holds needs them: n processes with b pairs each then take
the step that one process with n b pairs takes.
"""

import atexit
from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor
from torch import distributed as dist


def world_size() -> int:
    """Number of processes of this run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def is_first_process() -> bool:
    """Whether this is process 0: the one that writes and speaks."""
    return world_size() == 1 or dist.get_rank() == 0


@cache
def leave_at_exit() -> None:
    """Let this process leave its group when it ends; called again it does nothing more.

    The threads of a group that is still open while the interpreter ends can abort the process, with exit code -6.
    """
    atexit.register(_leave)


def _leave() -> None:
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def mean_over_processes(value: Tensor) -> Tensor:
    """The mean of ``value`` over all processes, without gradient."""
    value = value.detach()
    return value if world_size() == 1 else _AllSum.apply(value) / world_size()


def same_in_all_processes(tensors: Iterable[Tensor]) -> None:
    """Overwrite the tensors of every process with those of the first, in place."""
    if world_size() == 1:
        return
    with torch.no_grad():
        for tensor in tensors:
            value = tensor.contiguous()
            dist.broadcast(value, 0)
            tensor.copy_(value)


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
