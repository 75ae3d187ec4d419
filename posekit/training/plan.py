"""What a run will do: the stages with their overrides, and whether a checkpoint belongs to the same run."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from posekit.systems.base import Stage, System
from posekit.util.errors import InputError


def plan_stages(
    system: System, names: Sequence[str] | None, steps: int | Mapping[str, int] | None, batch_size: int | None
) -> list[Stage]:
    """The stages to run, with their overrides."""
    plan = system.stages()
    known = [stage.name for stage in plan]
    asked = [*(names or ()), *(steps if isinstance(steps, Mapping) else ())]
    unknown = [name for name in asked if name not in known]
    if unknown or not plan:
        raise InputError(
            f"{system.name} has the stages {', '.join(known) or '(none: it learns nothing)'}"
            + (f", not {', '.join(unknown)}." if unknown else ", so it cannot be trained.")
        )
    chosen = [stage for stage in plan if names is None or stage.name in names]
    for i, stage in enumerate(chosen):
        count = steps.get(stage.name, stage.steps) if isinstance(steps, Mapping) else steps
        chosen[i] = dataclasses.replace(
            stage,
            steps=stage.steps if count is None else count,
            batch_size=stage.batch_size if batch_size is None else batch_size,
        )
    return chosen


def check_shares(plan: Sequence[Stage], processes: int, accumulate: int) -> None:
    """InputError where a batch cannot be cut into equal micro-batches of equal processes."""
    for stage in plan:
        if stage.batch_size % (processes * accumulate):
            raise InputError(
                f"A batch of {stage.batch_size} cannot be shared by {processes} devices with {accumulate} "
                f"micro-batches each; make the batch size a multiple of {processes} x {accumulate}."
            )


def check_same_run(old: dict[str, Any], new: dict[str, Any], out: Path) -> None:
    """InputError when the checkpoint in ``out`` belongs to another run."""
    old = {"stages": None, "accumulate": 1, "ema": 0.0, **old}  # absent from older cards
    new = json.loads(json.dumps(new))
    for key in ("system", "config", "seed", "data", "stages", "precision", "accumulate", "ema"):
        if old.get(key) != new[key]:
            raise InputError(
                f"{out} holds a run with another {key} ({_short(old.get(key))}, now {_short(new[key])}); "
                "choose another folder, or start over with resume=False (--fresh)."
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 120 else text[:117] + "..."


def total_steps(plan: Sequence[Stage], number: int, step: int) -> int:
    """Steps finished in the whole run."""
    return sum(stage.steps for stage in plan[:number]) + step


_OPTIONAL = ("clip", "part_lr", "turns")  # cards of stages without them stay as they were


def stage_card(stage: Stage) -> dict[str, Any]:
    """The stage as JSON values, without clip, turns and rates of parts where it has none."""
    stage = dataclasses.replace(stage, weights=dict(stage.weights), part_lr=dict(stage.part_lr))
    card = {key: value for key, value in dataclasses.asdict(stage).items() if value or key not in _OPTIONAL}
    return json.loads(json.dumps(card))
