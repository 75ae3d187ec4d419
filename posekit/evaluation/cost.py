"""What a photograph costs: parameters, operations, time and memory of a system on this machine."""

from __future__ import annotations

import statistics
import time
import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from posekit.person import Pair
from posekit.systems.base import System, count_parameters
from posekit.util.errors import InputError

ROUNDS = 7
WORDS = {
    "parameters": "trainable numbers of the networks that make a photograph",
    "gflops": "10^9 additions and multiplications of convolutions and matrix products for a photograph, as PyTorch "
    "counts them; lookups, splats and norms are not counted",
    "milliseconds": f"for a photograph, of a batch of one, median of {ROUNDS} after two to warm up",
    "peak_mb": "10^6 bytes of tensors alive at once while the photograph is made, weights included; on CUDA what the "
    "allocator gave",
}


@dataclass(frozen=True)
class Cost:
    """The costs of one photograph; `WORDS` says how they are measured."""

    parameters: int
    gflops: float
    milliseconds: float
    peak_mb: float


def cost(system: System, pair: Pair, device: str | torch.device = "cpu", rounds: int = ROUNDS) -> Cost:
    """Make the photograph of ``pair``, a batch of one, several times, and measure."""
    if len(pair.source.image) != 1:
        raise InputError(f"The cost is that of one photograph, so of a batch of one; got {len(pair.source.image)}.")
    device = torch.device(device)
    system.to(device).eval()
    pair = pair.to(device)
    parts = [system.get_submodule(name) for name in system.inference_parts if name in dict(system.named_children())]
    with torch.inference_mode():
        for _ in range(2):
            system(pair)
        times = [_timed(system, pair, device) for _ in range(rounds)]
        peak = _peak(system, pair, device)
    with torch.no_grad(), FlopCounterMode(display=False) as counted:  # its hooks need tensors that know autograd
        system(pair)
    return Cost(
        parameters=sum(map(count_parameters, parts)),
        gflops=counted.get_total_flops() / 1e9,
        milliseconds=1000 * statistics.median(times),
        peak_mb=peak / 1e6,
    )


def _timed(system: System, pair: Pair, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    system(pair)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def _peak(system: System, pair: Pair, device: torch.device) -> float:
    """Bytes."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        system(pair)
        return torch.cuda.max_memory_allocated(device)
    weights = sum(t.numel() * t.element_size() for t in (*system.parameters(), *system.buffers()))
    with _Alive() as alive:
        system(pair)
    return weights + alive.peak


class _Alive(TorchDispatchMode):
    """Follows the storages that operations make: bytes alive now, and the most there were."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        made = func(*args, **(kwargs or {}))
        given = {_id_of(t) for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor) and _id_of(tensor) not in self._known | given:
                self._follow(tensor)
        return made

    def _follow(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(tensor, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        if key in self._known:
            self._known.discard(key)
            self.now -= size


def _id_of(tensor: Tensor) -> int:
    """The storage that a tensor looks at."""
    return tensor.untyped_storage()._cdata
