"""A training that fits into some minutes, begun from weights or afresh, and kept in files that can be carried.

`train_reference.py --minutes 9` uses it: the speed of each stage is measured, and as many steps are taken as the time
allows, so that the rates have fallen to zero when it ends.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from posekit.person import Pair
from posekit.systems.base import System
from posekit.training.dry_run import dry_run
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.training.weights import Absent, load_weights, read_weight_card, save_weights
from posekit.util.errors import InputError
from posekit.util.files import write_text

SHARES = {"inpainting": 0.4, "refinement": 0.6}  # of the time; stages of other names share equally
RESERVE = 0.97  # of the time that is planned: steps are not all equally long
MOST_BYTES = 15e6  # of one file


def train_within(
    system: System, data: Sequence[Pair], minutes: float, run: Path, options: TrainingOptions
) -> list[dict[str, Any]]:
    """Train every stage of ``system``, together within the minutes; returns the log of all.

    What a stage takes less or more, the next one gains or loses.  ``options.steps``: at most so many of each.
    """
    end, records = time.monotonic() + 60 * minutes, []
    asked = options.stages
    stages = [stage for stage in system.stages() if stage.steps and (asked is None or stage.name in asked)]
    for i, stage in enumerate(stages):
        own = replace(options, stages=(stage.name,))
        (estimate,) = dry_run(system, data, own)
        left = end - time.monotonic()
        shares = [SHARES.get(other.name, 1 / len(stages)) for other in stages[i:]]
        steps = int(RESERVE * left * shares[0] / sum(shares) / estimate.seconds)
        if steps < 1:
            raise InputError(
                f"{minutes:g} minutes are too few: a step of {stage.name} takes {estimate.seconds:.2g} s here and "
                f"{max(left, 0):.0f} s are left; give more --minutes, or a smaller --batch-size."
            )
        steps = min(steps, options.steps or steps)
        pairs = options.batch_size or stage.batch_size
        print(f"{stage.name}: {steps} steps of {pairs} pairs, {estimate.seconds:.3g} s each", flush=True)
        records += fit(system, data, run / stage.name, replace(own, steps=steps))
    return records


def save_parts(system: System, out: Path, name: str, **facts: Any) -> list[Path]:
    """Write the networks that make photographs into one file, or into one a part where it would pass `MOST_BYTES`.

    Half precision; NAME.safetensors, or NAME.PART.safetensors.  A part that is larger by itself is an InputError.
    """
    out.mkdir(parents=True, exist_ok=True)
    parts = {part: _half_bytes(getattr(system, part)) for part in system.inference_parts if hasattr(system, part)}
    if too_large := [part for part, size in parts.items() if size > MOST_BYTES]:
        raise InputError(f"{too_large[0]} alone takes {parts[too_large[0]] / 1e6:.0f} MB; make it narrower.")
    if sum(parts.values()) <= MOST_BYTES:
        return [save_weights(system, out / f"{name}.safetensors", half=True, **facts)]
    return [
        save_weights(system, out / f"{name}.{part}.safetensors", half=True, parts=(part,), **facts) for part in parts
    ]


def _half_bytes(part: nn.Module) -> int:
    return sum(2 * p.numel() for p in part.parameters()) + sum(b.numel() * 4 for b in part.buffers())


def load_parts(folder: Path, name: str) -> System:
    """The system that `save_parts` wrote, whole.  InputError where the files are not there, or not of one system."""
    files = sorted({*folder.glob(f"{name}.safetensors"), *folder.glob(f"{name}.*.safetensors")})
    if not files:
        raise InputError(f"{folder} holds no {name}.safetensors and no {name}.PART.safetensors to go on from.")
    if len({json.dumps(read_weight_card(path)["config"], sort_keys=True) for path in files}) > 1:
        raise InputError(f"The files {', '.join(path.name for path in files)} are of different settings.")
    system = load_weights(files[0])
    for path in files[1:]:
        other = load_weights(path)
        for part in other.inference_parts:
            if not isinstance(getattr(other, part), Absent):
                setattr(system, part, getattr(other, part))
    lacking = [part for part in system.inference_parts if isinstance(getattr(system, part, None), Absent)]
    if lacking:
        raise InputError(f"{folder} lacks the weights of {', '.join(lacking)}.")
    return system


def take_weights(system: System, trained: System) -> None:
    """Give ``system`` the networks of ``trained`` that make photographs; its critics, which no file holds, stay.

    The variant for garments is cloned from the whole system.
    """
    if system.config.variant == "garments" != trained.config.variant:
        return system.clone(trained)
    for part in trained.inference_parts:
        if hasattr(system, part):
            getattr(system, part).load_state_dict(getattr(trained, part).state_dict())


def save_log(path: Path, records: list[dict[str, Any]], every: int, before: Sequence[dict[str, Any]] = ()) -> None:
    """Every so many steps of the log, a line each; all lines of an earlier training ``before`` them."""
    kept = [*before, *(record for record in records if record["step"] % every == 0)]
    write_text(path, "".join(json.dumps(record) + "\n" for record in kept))
