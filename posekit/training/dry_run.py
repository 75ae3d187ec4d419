"""What a training would do, and how long it would take: a few steps of every stage, measured."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from posekit.person import Pair
from posekit.systems.base import Stage, System
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.training.plan import plan_stages

MEASURED = 4  # steps of each stage; the first warms up and does not count


@dataclass(frozen=True)
class StageEstimate:
    """seconds: of one step.  waited: share of it spent waiting for data."""

    stage: Stage
    seconds: float
    waited: float

    @property
    def total(self) -> float:
        """Seconds of the whole stage."""
        return self.seconds * self.stage.steps


def dry_run(system: System, data: Sequence[Pair], options: TrainingOptions) -> list[StageEstimate]:
    """Train a copy of ``system`` for a few steps of every stage, keep nothing, and say how long each would take."""
    plan = plan_stages(system, options.stages, options.steps, options.batch_size)
    short = replace(options, steps=MEASURED, log_every=1, tensorboard=False, progress=False)
    log = fit(copy.deepcopy(system), data, None, short)
    estimates = []
    for stage in plan:
        records = [record for record in log if record["stage"] == stage.name][1:]
        seconds = median(record["seconds"] for record in records)
        estimates.append(StageEstimate(stage, seconds, median(record["waited"] for record in records)))
    return estimates


def as_table(estimates: Sequence[StageEstimate]) -> str:
    """The plan as lines of text."""
    lines = [
        f"{e.stage.name}: {e.stage.steps:,} steps of {e.stage.batch_size} pairs, trains {', '.join(e.stage.parts)}; "
        f"{e.seconds:.3g} s a step ({e.waited:.0%} waiting for data) = {duration(e.total)}"
        for e in estimates
    ]
    return "\n".join([*lines, f"in all {duration(sum(e.total for e in estimates))}, checkpoints not counted"])


def duration(seconds: float) -> str:
    """90 -> 1.5 min."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
