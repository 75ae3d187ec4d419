"""Weight files: one safetensors file of the networks that make photographs, with the card in its metadata.

The card (system, settings, data, seed, versions, metrics) is enough to build the system again and use it.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from posekit import __version__
from posekit.systems import SYSTEMS
from posekit.systems.base import System, choose
from posekit.training.checkpoint import read_latest, with_prefix
from posekit.training.shared_parts import read_shared, share_part
from posekit.training.state import load_state
from posekit.util.errors import InputError
from posekit.util.tensors import read_tensors, write_tensors


def weight_card(system: System, **facts: Any) -> dict[str, Any]:
    """The system's card with versions, and whatever else is known (seed, step, data, metrics)."""
    versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
    return {"format": 1, **system.card(), "code_version": __version__, "versions": versions, **facts}


def save_weights(
    system: System,
    path: str | Path,
    *,
    half: bool = True,
    parts: Sequence[str] | None = None,
    shared: Mapping[str, str | Path] | None = None,
    **facts: Any,
) -> Path:
    """Write the networks that make photographs (not the critics) to ``path``, atomically.

    ``half=True`` stores parameters in half precision; statistics and spectral-norm vectors stay float32.  ``parts``
    ships only some of the networks, such as ("f",), and the card says which.  ``shared`` (part -> another weight file
    of the same folder that holds the very same network) leaves out a network, which is read from there.  ``facts`` go
    into the card (data, seed, steps, metrics).
    """
    card = weight_card(system, **facts)
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
    for part, other in (shared or {}).items():
        card.setdefault("shared", {})[part] = share_part(tensors, choose("part", part, kept), Path(other))
        tensors = {name: tensor for name, tensor in tensors.items() if name.split(".")[0] != part}
    return write_tensors(path, tensors, {"posekit": json.dumps(card)})


def read_weight_card(path: str | Path) -> dict[str, Any]:
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
        latest = read_latest(path / "checkpoints" if (path / "checkpoints").is_dir() else path)
        if latest is None:
            raise InputError(f"The folder {path} holds no checkpoint; give a weight file or a training folder.")
        card, tensors, rest = latest
        tensors = tensors | with_prefix("ema.", rest)
    else:
        tensors, metadata = read_tensors(path)
        card = _card(metadata, path)
        tensors |= read_shared(card, path)
    system = _system_from_card(card, path)
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


def _system_from_card(card: dict[str, Any], origin: str | Path = "card") -> System:
    """A system with fresh weights and the settings of a card."""
    try:
        if card["system"] not in SYSTEMS:  # a file must not make a program import what it names
            raise InputError(
                f"{origin} is of the system {card['system']!r}, which is not known here; if it is yours, import the "
                f"module that registers it (posekit --import my_module ...). Known: {', '.join(sorted(SYSTEMS))}."
            )
        cls = SYSTEMS[card["system"]]
        config_type = type(next(iter(cls.PRESETS.values())))
        return cls(config_type(**card["config"]), preset=card["preset"])
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, RuntimeError, MemoryError) as error:  # torch's, for a width
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"The card of {origin} does not describe a system of this version ({reason}); "
            "use weights written by this version."
        ) from error


def _parts(system: System) -> list[str]:
    """Names of the networks that make this variant's photographs."""
    return [part for part in system.inference_parts if hasattr(system, part)]


def _card(metadata: dict[str, str], path: str | Path) -> dict[str, Any]:
    try:
        card = json.loads(metadata["posekit"])
    except (KeyError, ValueError, RecursionError) as error:
        raise InputError(f"{path} holds tensors but no card of posekit; it was not written by save_weights.") from error
    return card
