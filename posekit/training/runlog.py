"""The log of a run: JSON lines, in memory and in ``log.jsonl``, and for TensorBoard where that is asked for."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from posekit.util.errors import InputError
from posekit.util.files import write_text
from posekit.util.reading import read_text


class RunLog:
    """Appends one JSON line per logged step; the first line of a file describes the run.

    A record holds stage, step, total_step, losses, the number of ``steps`` since the record before, their mean
    ``seconds`` a step, and ``waited``, the share of that time spent waiting for data.

    Args:
        folder: where ``log.jsonl`` goes; None keeps the records in memory only.
        resumed_at: total step of the checkpoint that the run goes on from: later lines of the old log are dropped.
            None starts a new log.
        card: what the first line says.
        enabled: False in all processes but the first.
        tensorboard: also write ``folder/tensorboard``; InputError where its writer is not installed.
    """

    def __init__(
        self,
        folder: Path | None,
        resumed_at: int | None,
        card: dict[str, Any],
        enabled: bool = True,
        tensorboard: bool = False,
    ):
        self.enabled = enabled
        self.steps = 0  # since the record before
        self.start_clock()
        self.path = folder / "log.jsonl" if folder is not None and enabled else None
        self.records: list[dict[str, Any]] = []
        header = {"run": {key: card[key] for key in card if key != "stages"}}
        if self.path is not None:
            if resumed_at is not None and self.path.is_file():
                header, self.records = _read(self.path, header, resumed_at)
            text = "".join(json.dumps(line) + "\n" for line in (header, *self.records))
            write_text(self.path, text)
        self._board = _tensorboard(folder, resumed_at) if tensorboard and self.path is not None else None

    @property
    def last(self) -> dict[str, float]:
        """Losses of the last record."""
        return self.records[-1]["losses"] if self.records else {}

    def start_clock(self) -> None:
        """Begin to count steps and time anew."""
        self.steps, self._began, self._waited = 0, time.perf_counter(), 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Time spent inside counts as waiting for data."""
        began = time.perf_counter()
        yield
        self._waited += time.perf_counter() - began

    def write(self, stage: str, step: int, total_step: int, losses: dict[str, float]) -> None:
        """Add the record of one step."""
        passed = time.perf_counter() - self._began
        record = {
            "stage": stage,
            "step": step,
            "total_step": total_step,
            "losses": losses,
            "steps": self.steps,
            "seconds": passed / max(self.steps, 1),
            "waited": self._waited / passed,
        }
        self.start_clock()
        self.records.append(record)
        if self._board is not None:
            for name, value in {**losses, "seconds": record["seconds"], "waited": record["waited"]}.items():
                self._board.add_scalar(f"{stage}/{name}", value, total_step)
        if self.path is not None:
            try:
                with open(self.path, "a", encoding="utf-8") as file:
                    file.write(json.dumps(record) + "\n")
            except OSError as error:
                raise InputError(f"Could not write {self.path} ({error}); check the space on its disk.") from error

    def close(self) -> None:
        """Write out what TensorBoard's writer still holds."""
        if self._board is not None:
            self._board.close()


def summary_writer() -> Any:
    """The class of TensorBoard's writer; InputError where it is not installed."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise InputError('TensorBoard\'s writer is not installed; run `pip install "posekit[tensorboard]"`.') from error
    return SummaryWriter


def _tensorboard(folder: Path, resumed_at: int | None) -> Any:
    """TensorBoard's writer; of a resumed run, points after the checkpoint are dropped by TensorBoard."""
    return summary_writer()(str(folder / "tensorboard"), purge_step=None if resumed_at is None else resumed_at + 1)


def read_log(path: str | Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a run is, and its records so far; ``path`` is a ``log.jsonl`` or the folder that holds it.

    The run may be going on: a line that is not finished is left out.  InputError when there is no log.
    """
    path = Path(path)
    path = path / "log.jsonl" if path.is_dir() else path
    if not path.is_file():
        raise InputError(f"There is no log {path}; give the folder of a run, as in `posekit train -o FOLDER`.")
    header, records = _read(path, {})
    return header.get("run", {}), records


def waited_share(records: Sequence[Mapping[str, Any]]) -> float:
    """The share of the time that a run spent waiting for data, over all its steps; NaN where none is recorded.

    sum over records of  waited * seconds * steps   /   sum of  seconds * steps
    """
    times = [(record["waited"], record["seconds"] * record.get("steps", 1)) for record in records]
    whole = sum(time for _, time in times)
    return sum(share * time for share, time in times) / whole if whole else float("nan")


def stages_of(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Stage -> its records, in order."""
    return {name: [r for r in records if r["stage"] == name] for name in dict.fromkeys(r["stage"] for r in records)}


def logged_minutes(records: Sequence[Mapping[str, Any]]) -> float:
    """How long a training took: of each stage the median seconds a step times its steps; pauses do not count."""
    stages = stages_of(records).values()
    return sum(median(r["seconds"] for r in own) * max(r["step"] for r in own) for own in stages) / 60


def _read(path: Path, header: dict[str, Any], last: int | None = None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Header (the given one, if there is none) and the records up to ``last``; lines that are neither are dropped.

    A kill cuts a line off, a disk may damage some: the checkpoints decide whether a run goes on, not its log.
    """
    records = []
    for line in read_text(path, errors="replace").splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(value, dict):
            continue
        if "run" in value:
            header = value
        elif "total_step" in value and (last is None or value["total_step"] <= last):
            records.append(value)
    return header, records
