"""Checkpoints: folders ``step-00000123`` of safetensors and a JSON card, complete or absent.

    card.json              what it is: system, settings, data, seed, stage, step, versions, metrics, file hashes
    model.safetensors      weights and buffers of all networks
    optimizer.safetensors  Adam's moments, and the states of the random number generators

A checkpoint is written in a folder aside and then renamed, so a kill at any moment leaves the one before.  The last
two are kept; a corrupt newest one is noticed by its hashes and skipped with a warning.

Weights without the state of a training are in `posekit.training.weights`.
"""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from posekit.training.state import load_state, optimizer_tensors, random_states, restore_optimizer, restore_random
from posekit.util.errors import InputError
from posekit.util.files import to_disk, write_json
from posekit.util.reading import read_json
from posekit.util.tensors import file_hash, read_tensors, write_tensors

FILES = ("model.safetensors", "optimizer.safetensors")
KEEP = 2


def save_checkpoint(
    folder: str | Path,
    system: nn.Module,
    optimizers: Mapping[str, Optimizer],
    card: dict[str, Any],
    extra: Mapping[str, Tensor] | None = None,
) -> Path:
    """Write checkpoint ``folder/step-XXXXXXXX``, numbered by ``card["total_step"]``; older ones but one are removed.

    extra: more tensors to keep: the moving average (``ema.*``), the random states of other processes (``random1.*``).

    Raises InputError when it cannot be written; the checkpoints before are untouched.
    """
    folder = Path(folder)
    final = folder / f"step-{card['total_step']:08d}"
    aside = folder / f".{final.name}.{os.getpid()}"
    try:
        aside.mkdir(parents=True, exist_ok=True)
        write_tensors(aside / FILES[0], system.state_dict())
        rest = dict(extra or {})
        for name, optimizer in optimizers.items():
            rest |= {f"{name}.{key}": value for key, value in optimizer_tensors(optimizer).items()}
        rest |= {f"random.{key}": value for key, value in random_states().items()}
        write_tensors(aside / FILES[1], rest)
        card = {**card, "files": {name: file_hash(aside / name) for name in FILES}}
        write_json(aside / "card.json", {**card, "hash": _card_hash(card)})
        to_disk(aside)
        if final.exists():  # the same step again: nothing is lost while the old one makes room
            final.rename(folder / f".{final.name}.old")
        aside.rename(final)
        to_disk(folder)  # before the oldest one is removed
    except OSError as error:
        raise InputError(
            f"Could not write the checkpoint {final} ({error}); free space on its disk; the older ones are intact."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(folder / f".{final.name}.old", ignore_errors=True)
    for old in (*_checkpoints(folder)[KEEP:], *folder.glob(".step-*")):  # .step-*: what a killed run left behind
        shutil.rmtree(old, ignore_errors=True)
    return final


def _read_checkpoint(path: str | Path) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, Tensor]]:
    """Card, model tensors and optimiser tensors of one checkpoint folder; InputError when absent or corrupt."""
    path = Path(path)
    try:
        card = read_json(path / "card.json")
        hashes = dict(card["files"])
        where = card["stage"], card["step"], card["total_step"]
        if not all(type(number) is int and number >= 0 for number in where):
            raise ValueError(f"stage, step and total_step are {where}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is not a checkpoint: its card.json cannot be read ({error}).") from error
    if card.pop("hash", None) != _card_hash(card):
        raise InputError(f"The checkpoint {path} is corrupt: card.json was changed after it was written.")
    for name in FILES:
        if not (path / name).is_file() or file_hash(path / name) != hashes.get(name):
            raise InputError(f"The checkpoint {path} is corrupt: {name} is not what its card says; use another one.")
    return card, read_tensors(path / FILES[0])[0], read_tensors(path / FILES[1])[0]


def _card_hash(card: Mapping[str, Any]) -> str:
    """SHA-256 of a card without its hash, the same before it is written and after it is read."""
    return hashlib.sha256(json.dumps(card, sort_keys=True, default=str).encode()).hexdigest()


def read_latest(folder: str | Path) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, Tensor]] | None:
    """The newest readable checkpoint of ``folder``; None when there is none at all.

    Warns about every corrupt one that is skipped.  Raises InputError when all are corrupt.
    """
    paths = _checkpoints(Path(folder))
    for path in paths:
        try:
            return _read_checkpoint(path)
        except InputError as error:
            warnings.warn(f"Skipped: {error}", stacklevel=2)
    if paths:
        raise InputError(f"No checkpoint in {folder} can be read; remove the folder to start again.")
    return None


def restore(
    system: nn.Module,
    optimizers: Mapping[str, Optimizer],
    model: dict[str, Tensor],
    rest: dict[str, Tensor],
    rank: int = 0,
) -> None:
    """Put a checkpoint back: weights, optimisers and the random number generators of process ``rank``.

    A checkpoint of fewer processes holds no generators for the others, which stay as they are: what is drawn at random
    then differs from the uninterrupted run, and nothing else does.
    """
    load_state(system, model, "the checkpoint")
    for name, optimizer in optimizers.items():
        restore_optimizer(optimizer, with_prefix(f"{name}.", rest))
    if states := with_prefix(f"random{rank}." if rank else "random.", rest):
        restore_random(states)


def with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix``, by the rest of their names."""
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _checkpoints(folder: Path) -> list[Path]:
    """Checkpoint folders, newest first."""
    return sorted((p for p in folder.glob("step-*") if p.is_dir()), reverse=True)
