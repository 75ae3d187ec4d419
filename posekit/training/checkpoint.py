"""Checkpoints: folders ``step-00000123`` of safetensors and a JSON card, complete or absent.

    card.json              what it is: system, settings, data, seed, stage, step, versions, metrics, file hashes
    model.safetensors      weights and buffers of all networks
    optimizer.safetensors  Adam's moments, and the states of the random number generators

A checkpoint is written in a folder aside and then renamed, so a kill at any moment leaves the one before.  The last
two are kept; a corrupt newest one is noticed by its hashes and skipped with a warning.

A *weight file* is one safetensors file of the networks that make photographs, with the card in its metadata: enough
to build the system and use it.
"""

from __future__ import annotations

import importlib.resources
import json
import os
import platform
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from posekit import __version__
from posekit.systems import SYSTEMS
from posekit.systems.base import System, choose
from posekit.training.runlog import read_log
from posekit.training.state import load_state, optimizer_tensors, random_states, restore_optimizer, restore_random
from posekit.util.errors import InputError
from posekit.util.files import to_disk, write_json
from posekit.util.tensors import file_hash, read_tensors, write_tensors

FILES = ("model.safetensors", "optimizer.safetensors")
KEEP = 2


def make_card(system: System, **facts: Any) -> dict[str, Any]:
    """The system's card with versions, and whatever else is known (seed, step, data, metrics)."""
    versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
    return {"format": 1, **system.card(), "code_version": __version__, "versions": versions, **facts}


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
        write_json(aside / "card.json", {**card, "files": {name: file_hash(aside / name) for name in FILES}})
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


def read_checkpoint(path: str | Path) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, Tensor]]:
    """Card, model tensors and optimiser tensors of one checkpoint folder; InputError when absent or corrupt."""
    path = Path(path)
    try:
        card = json.loads((path / "card.json").read_text(encoding="utf-8"))
        hashes = dict(card["files"])
        _ = card["stage"], card["step"], card["total_step"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a checkpoint: its card.json cannot be read ({error}).") from error
    for name in FILES:
        if not (path / name).is_file() or file_hash(path / name) != hashes.get(name):
            raise InputError(f"The checkpoint {path} is corrupt: {name} is not what its card says; use another one.")
    return card, read_tensors(path / FILES[0])[0], read_tensors(path / FILES[1])[0]


def read_latest(folder: str | Path) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, Tensor]] | None:
    """The newest readable checkpoint of ``folder``; None when there is none at all.

    Warns about every corrupt one that is skipped.  Raises InputError when all are corrupt.
    """
    found = _checkpoints(Path(folder))
    for path in found:
        try:
            return read_checkpoint(path)
        except InputError as error:
            warnings.warn(f"Skipped: {error}", stacklevel=2)
    if found:
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
        restore_optimizer(optimizer, under(f"{name}.", rest))
    if states := under(f"random{rank}." if rank else "random.", rest):
        restore_random(states)


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix``, by the rest of their names."""
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def save_weights(
    system: System, path: str | Path, *, half: bool = True, parts: Sequence[str] | None = None, **facts: Any
) -> Path:
    """Write the networks that make photographs (not the critics) to ``path``, atomically.

    ``half=True`` stores parameters in half precision; statistics and spectral-norm vectors stay float32.  ``parts``
    ships only some of the networks, such as ("f",), and the card says which.  ``facts`` go into the card (data, seed,
    steps, metrics).
    """
    card = make_card(system, **facts)
    own = _parts(system)
    there = [part for part in own if not isinstance(getattr(system, part), Absent)]
    if parts is not None and not parts:
        raise InputError(f"Name the parts to keep: {', '.join(there)}; all without `parts`.")
    kept = [choose("part", part, there) for part in (there if parts is None else parts)]
    if len(kept) < len(own):
        card["parts"] = kept
    parameters = {name for name, _ in system.named_parameters()}
    tensors = {
        name: tensor.half() if half and name in parameters else tensor
        for name, tensor in system.state_dict().items()
        if name.split(".")[0] in kept
    }
    return write_tensors(path, tensors, {"posekit": json.dumps(card)})


def read_card(path: str | Path) -> dict[str, Any]:
    """The card inside a weight file."""
    return _card(read_tensors(path)[1], path)


def load_weights(path: str | Path) -> System:
    """The system in a weight file, or in the newest checkpoint of a training folder, in evaluation mode.

    Of a run with a moving average, the average is taken, as in the weight file at its end.

    Where the file holds only some parts (`save_weights`), the others are `Absent` and say so when they are called.
    Raises InputError when the file is absent, corrupt, not ours, or of an unknown system.
    """
    path = Path(path)
    if path.is_dir():
        found = read_latest(path / "checkpoints" if (path / "checkpoints").is_dir() else path)
        if found is None:
            raise InputError(f"The folder {path} holds no checkpoint; give a weight file or a training folder.")
        card, tensors, rest = found
        tensors = tensors | under("ema.", rest)
    else:
        tensors, metadata = read_tensors(path)
        card = _card(metadata, path)
    system = system_from_card(card, path)
    tensors = {k: v.float() if v.dtype == torch.float16 else v for k, v in tensors.items()}
    parts = card.get("parts", _parts(system))
    missing = [k for k in system.state_dict() if k.split(".")[0] in parts and k not in tensors]
    if missing:
        raise InputError(f"{path} lacks {len(missing)} tensors of its system, {missing[0]} first; it is not complete.")
    load_state(system, tensors, str(path), strict=False)
    for part in set(_parts(system)) - set(parts):
        setattr(system, part, Absent(part, path.name))
    return system.eval()


class Absent(nn.Module):
    """Stands for a network whose weights were not shipped: random weights would make a photograph of nothing."""

    def __init__(self, part: str, file: str):
        super().__init__()
        self.sentence = (
            f"The weights {file} hold no {part}: ask for the maps before it alone (image=False), or train {part}."
        )

    def forward(self, *_: Any, **__: Any) -> Tensor:
        raise InputError(self.sentence)


def system_from_card(card: dict[str, Any], origin: str | Path = "card") -> System:
    """A system with fresh weights and the settings of a card."""
    try:
        cls = SYSTEMS[choose("system", card["system"], SYSTEMS)]
        config_type = type(next(iter(cls.PRESETS.values())))
        return cls(config_type(**card["config"]), preset=card["preset"])
    except (KeyError, TypeError) as error:
        raise InputError(
            f"The card of {origin} does not describe a system of this version ({error}); "
            "use weights written by this version."
        ) from error


def reference_weights() -> list[Path]:
    """The weight files that are shipped in the package."""
    folder = importlib.resources.files("posekit") / "weights"
    return sorted(Path(str(f)) for f in folder.iterdir() if f.name.endswith(".safetensors")) if folder.is_dir() else []


def load_reference(name: str = "coordinate_inpainting", preset: str = "laptop", variant: str = "full") -> System:
    """A system with the reference weights that are shipped in the package, in evaluation mode.

    Raises InputError when none are shipped under this name.
    """
    folder = importlib.resources.files("posekit") / "weights"
    file = folder / (f"{name}-{preset}.safetensors" if variant == "full" else f"{name}-{preset}-{variant}.safetensors")
    if not file.is_file():
        shipped = [path.name for path in reference_weights()]
        raise InputError(
            f"No reference weights {file.name} are shipped (there are: {', '.join(shipped) or 'none'}); "
            "train with `posekit train`, or choose another preset."
        )
    with importlib.resources.as_file(file) as path:
        return load_weights(path)


def reference_log(name: str = "coordinate_inpainting", preset: str = "laptop", variant: str = "full") -> list[dict]:
    """The records of the training that `load_reference` ships the weights of; [] where no log is shipped."""
    file = f"{name}-{preset}.log.jsonl" if variant == "full" else f"{name}-{preset}-{variant}.log.jsonl"
    shipped = importlib.resources.files("posekit") / "weights" / file
    if not shipped.is_file():
        return []
    with importlib.resources.as_file(shipped) as path:
        return read_log(path)[1]


def _parts(system: System) -> list[str]:
    """Names of the networks that make this variant's photographs."""
    return [part for part in system.inference_parts if hasattr(system, part)]


def _card(metadata: dict[str, str], path: str | Path) -> dict[str, Any]:
    try:
        card = json.loads(metadata["posekit"])
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} holds tensors but no card of posekit; it was not written by save_weights.") from error
    return card


def _checkpoints(folder: Path) -> list[Path]:
    """Checkpoint folders, newest first."""
    return sorted((p for p in folder.glob("step-*") if p.is_dir()), reverse=True)
