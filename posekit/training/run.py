"""A training run on the disk: its folder, its card, its log, where it goes on, what it leaves behind.

OUT/checkpoints/step-00000500/     the last two; see `posekit.training.checkpoint`
OUT/log.jsonl                      what the run is, then one record every few steps
OUT/weights.safetensors            at the end
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric  # not lightning.fabric, which imports torchvision
from torch import Tensor

from posekit.person import Pair
from posekit.systems.base import Stage, System
from posekit.training.checkpoint import read_latest, restore, save_checkpoint, with_prefix
from posekit.training.ema import EMA
from posekit.training.options import TrainingOptions
from posekit.training.plan import check_same_run, stage_card, total_steps
from posekit.training.runlog import RunLog
from posekit.training.state import random_states_of_others
from posekit.training.weights import save_weights, weight_card
from posekit.util.distributed import mean_over_processes
from posekit.util.errors import InputError
from posekit.util.files import alone_in

FACTS = ("seed", "data", "stages", "precision", "accumulate", "ema")  # of the card, into the weight file too


class Run:
    """One run of `fit`; a context, inside which nobody else may write into the folder.

    folder: None keeps nothing.  start: (stage, steps finished in it), where the run goes on.
    """

    def __init__(
        self,
        system: System,
        data: Sequence[Pair],
        plan: Sequence[Stage],
        folder: Path | None,
        options: TrainingOptions,
        fabric: Fabric,
    ):
        self.system, self.plan, self.folder, self.options, self.fabric = system, plan, folder, options, fabric
        self.card = weight_card(
            system,
            seed=options.seed,
            data=_describe(data),
            stages=[stage_card(stage) for stage in plan],
            precision=options.precision,
            accumulate=options.accumulate,
            ema=options.ema,
        )
        self.start = (0, 0)
        self.log: RunLog
        self._writes = folder is not None and fabric.is_global_zero
        self._checkpoint: tuple[dict[str, Any], dict[str, Tensor], dict[str, Tensor]] | None = None
        self._alone = ExitStack()
        self._saved_at = time.monotonic()

    def __enter__(self) -> Run:
        if self._writes:
            self._alone.enter_context(alone_in(self.folder))  # two runs would remove each other's checkpoints
        try:
            self._open()
        except BaseException:
            self._alone.close()
            raise
        return self

    def _open(self) -> None:
        """Find where to go on, or clear the folder of an older run; open the log."""
        if self._writes:
            for left in self.folder.glob(".weights-*.safetensors"):  # of a run that was killed as it wrote them
                left.unlink()
        if self.folder is not None and self.options.resume:
            self._checkpoint = read_latest(self.folder / "checkpoints")
        if self._checkpoint is not None:
            check_same_run(self._checkpoint[0], self.card, self.folder)
            self.start = (self._checkpoint[0]["stage"], self._checkpoint[0]["step"])
            if self.start[0] >= len(self.plan):
                raise InputError(f"{self.folder} was left in stage {self.start[0]}; this run has {len(self.plan)}.")
        elif self._writes:
            shutil.rmtree(self.folder / "checkpoints", ignore_errors=True)
        self.fabric.barrier()
        resumed_at = total_steps(self.plan, *self.start) if self._checkpoint is not None else None
        speaks, board = self.fabric.is_global_zero, self.options.tensorboard
        self.log = RunLog(self.folder, resumed_at, self.card, enabled=speaks, tensorboard=board)

    def __exit__(self, *_: Any) -> None:
        self._alone.close()

    def remaining(self) -> list[tuple[int, Stage, int]]:
        """(number, stage, steps finished in it) of every stage that is not finished."""
        first, step = self.start
        return [(n, stage, step if n == first else 0) for n, stage in enumerate(self.plan) if n >= first]

    def restore(self, number: int, optimizers: Mapping[str, torch.optim.Optimizer], average: EMA) -> dict[str, Tensor]:
        """Put the checkpoint back where stage ``number`` is the one it was written in; the losses since the record."""
        if self._checkpoint is None or number != self.start[0]:
            return {}
        _, model, rest = self._checkpoint
        restore(self.system, optimizers, model, rest, self.fabric.global_rank)
        average.restore(with_prefix("ema.", rest))
        return {name: value.to(self.fabric.device) for name, value in with_prefix("terms.", rest).items()}

    def save(
        self,
        number: int,
        step: int,
        optimizers: Mapping[str, torch.optim.Optimizer],
        average: EMA,
        terms: Mapping[str, Tensor],
    ) -> None:
        """Write a checkpoint after ``step`` steps of stage ``number``; all processes call it, the first one writes."""
        self._saved_at = time.monotonic()
        if self.folder is None:
            return
        extra = {f"ema.{name}": tensor for name, tensor in average.tensors().items()} | random_states_of_others()
        extra |= {f"terms.{name}": mean_over_processes(value) for name, value in terms.items()}
        total = total_steps(self.plan, number, step)
        where = {"stage": number, "step": step, "total_step": total, "metrics": self.log.last}
        if self._writes:
            save_checkpoint(self.folder / "checkpoints", self.system, optimizers, {**self.card, **where}, extra)

    @property
    def is_due(self) -> bool:
        """Whether the minutes of ``options.checkpoint_minutes`` have passed since the start or the last checkpoint."""
        minutes = self.options.checkpoint_minutes
        return minutes is not None and time.monotonic() - self._saved_at >= 60 * minutes

    def record(self, number: int, step: int, losses: dict[str, float]) -> None:
        """One line of the log after ``step`` steps of stage ``number``."""
        self.log.write(self.plan[number].name, step, total_steps(self.plan, number, step), losses)

    def finish(self) -> list[dict[str, Any]]:
        """Close the log, write the weight file, and return the records."""
        self.log.close()
        if self._writes:
            facts = {key: self.card[key] for key in FACTS}
            save_weights(self.system, self.folder / "weights.safetensors", half=False, **facts, metrics=self.log.last)
        return self.log.records


def _describe(data: Sequence[Pair]) -> Any:
    """What the card says about the data."""
    return data.describe() if hasattr(data, "describe") else {"dataset": type(data).__name__, "pairs": len(data)}
