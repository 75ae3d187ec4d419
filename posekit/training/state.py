"""The state of a training run as flat dictionaries of tensors: weights, Adam's moments, random number generators."""

import random

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.optim import Optimizer

from posekit.util.distributed import world_size
from posekit.util.errors import InputError


def load_state(module: nn.Module, tensors: dict[str, Tensor], what: str, strict: bool = True) -> None:
    """``load_state_dict`` with a one-sentence error; ``what`` names the origin of the tensors."""
    try:
        module.load_state_dict(tensors, strict=strict)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:200]
        raise InputError(f"The weights of {what} do not fit the system it names ({detail}).") from error


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """State of an optimiser as flat tensors: ``{parameter number}.{state name}``."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{key}": torch.as_tensor(value) for i, values in state.items() for key, value in values.items()}


def restore_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the tensors of `optimizer_tensors` back; learning rates and betas stay as they are."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def random_states() -> dict[str, Tensor]:
    """States of the generators of torch, CUDA, numpy and Python as integer tensors."""
    _, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    python_version, python_state, gauss = random.getstate()
    states = {
        "torch": torch.get_rng_state(),
        "numpy": torch.from_numpy(keys.astype(np.int64)),
        "numpy_rest": torch.tensor([position, has_gauss, cached], dtype=torch.float64),
        "python": torch.tensor(python_state, dtype=torch.int64),
        "python_rest": torch.tensor([python_version, float("nan") if gauss is None else gauss], dtype=torch.float64),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        # of this process's GPU alone: to ask the others would put a context of this process on each of them
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def random_states_of_others() -> dict[str, Tensor]:
    """States of the processes 1, 2, ... of a distributed run, as ``random1.torch``, ...; all processes call it."""
    if world_size() == 1:
        return {}
    gathered: list[dict[str, Tensor]] = [{}] * world_size()
    dist.all_gather_object(gathered, random_states())
    return {f"random{i}.{key}": state for i, states in enumerate(gathered) if i for key, state in states.items()}


def restore_random(states: dict[str, Tensor]) -> None:
    """Put the states of `random_states` back."""
    torch.set_rng_state(states["torch"])
    position, has_gauss, cached = states["numpy_rest"].tolist()
    keys = states["numpy"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, int(position), int(has_gauss), cached))  # noqa: NPY002
    version, gauss = states["python_rest"].tolist()
    random.setstate((int(version), tuple(states["python"].tolist()), None if gauss != gauss else gauss))
    if torch.cuda.is_available() and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"])
