"""Measure systems side by side on the same pairs: means over pairs, with confidence intervals over people."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from posekit.evaluation.thinned import Thinned
from posekit.metrics import image as metrics
from posekit.metrics import pretrained
from posekit.metrics.interval import interval_over_people
from posekit.metrics.protocol import STANDARD, Protocol, check_same
from posekit.person import Pair, collate_pairs
from posekit.systems.base import System
from posekit.util.errors import InputError
from posekit.util.files import write_json


@dataclass(frozen=True)
class MetricRow:
    """One metric of one system: mean over pairs and its interval, None where the metric could not be computed."""

    system: str
    metric: str
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Evaluation:
    """The table of an evaluation.

    rows: one per system and metric.  values: system -> metric -> one value per pair (None where missing).
    names: "source -> target" of every pair.  people: whom each pair shows.  protocol: how the numbers were made.
    notes: what is missing and why.
    """

    rows: list[MetricRow]
    values: dict[str, dict[str, list[float] | None]]
    names: list[str]
    people: list[str]
    protocol: Protocol
    notes: list[str] = field(default_factory=list)

    def row(self, system: str, metric: str) -> MetricRow:
        """The row of one system and metric."""
        for row in self.rows:
            if (row.system, row.metric) == (system, metric):
                return row
        raise InputError(f"The evaluation has no row for {system!r} and {metric!r}.")

    def save(self, path: str | Path) -> Path:
        """Write everything as JSON, atomically."""
        return write_json(
            path,
            {
                "protocol": self.protocol.to_json(),
                "notes": self.notes,
                "rows": [vars(row) for row in self.rows],
                "names": self.names,
                "people": self.people,
                "values": {system: {k: _null(v) for k, v in own.items()} for system, own in self.values.items()},
            },
        )

    @classmethod
    def load(cls, path: str | Path) -> Evaluation:
        """Read what `save` wrote."""
        try:
            stored = json.loads(Path(path).read_text(encoding="utf-8"))
            rows = [MetricRow(**row) for row in stored["rows"]]
            protocol = Protocol.from_json(stored["protocol"])
            values = {name: {k: _nan(v) for k, v in own.items()} for name, own in stored["values"].items()}
            table = cls(rows, values, stored["names"], stored["people"], protocol, stored["notes"])
            table._check()
            return table
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{path} is not an evaluation saved by posekit ({error}).") from error

    def _check(self) -> None:
        """ValueError unless names, people, values and rows belong together."""
        for name in ("names", "people", "notes"):
            words = getattr(self, name)
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise ValueError(f"{name} should be a list of texts")
        columns = [column for own in self.values.values() for column in own.values() if column is not None]
        if any(len(column) != len(self.names) for column in [self.people, *columns]):
            raise ValueError("there should be one person and one value for each of the pairs")
        for row in self.rows:
            if row.system not in self.values or not isinstance(row.metric, str):
                raise ValueError(f"there are no values for the row {row.system!r}")
            if not all(n is None or isinstance(n, int | float) for n in (row.mean, row.low, row.high)):
                raise ValueError(f"mean and interval of {row.metric} should be numbers")

    def beside(self, other: Evaluation, name: str = "the other one") -> Evaluation:
        """One table of both, this one first; a system of one name in both stands as ``NAME (name)`` the second time,
        and ``NAME (name, 2)`` where that stands there too.

        InputError unless both were made of the same pairs under one protocol.
        """
        check_same({"here": self.protocol, name: other.protocol})
        if self.names != other.names:
            raise InputError(
                f"The results here and {name} are of other pairs ({self.names[0]} and {other.names[0]} first) and "
                "cannot be compared; measure both on the same data."
            )
        known: dict[str, str] = {}
        for system in other.values:
            names = itertools.chain(
                [system, f"{system} ({name})"], (f"{system} ({name}, {n})" for n in itertools.count(2))
            )
            known[system] = next(shown for shown in names if shown not in self.values and shown not in known.values())
        rows = [replace(row, system=known[row.system]) for row in other.rows]
        values = {known[system]: measured for system, measured in other.values.items()}
        protocol = replace(self.protocol, more={**other.protocol.more, **self.protocol.more})
        notes = list(dict.fromkeys([*self.notes, *other.notes]))
        return Evaluation([*self.rows, *rows], {**self.values, **values}, self.names, self.people, protocol, notes)

    def __str__(self) -> str:
        """A table: systems in rows, metrics in columns, mean and interval in the cells."""
        systems, columns = list(self.values), list(dict.fromkeys(row.metric for row in self.rows))
        cells, known = [["", *columns]], {(row.system, row.metric) for row in self.rows}
        for system in systems:
            cells.append([system])
            for column in columns:
                if (system, column) not in known:  # a measure of some systems only, such as warped.l1
                    cells[-1].append("")
                    continue
                row = self.row(system, column)
                number = "missing" if row.mean is None else f"{row.mean:.4f}"
                number += "" if row.low is None else f" [{row.low:.4f}, {row.high:.4f}]"
                cells[-1].append(number)
        widths = [max(len(line[i]) for line in cells) for i in range(len(columns) + 1)]
        lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)).rstrip() for line in cells]
        resampled = f"bootstrap over {len(set(self.people))} people"
        lines.append(f"mean [{self.protocol.confidence:.0%} interval, {resampled}]; {self.protocol}")
        return "\n".join([*lines, *self.notes])


def _null(values: list[float] | None) -> list[float | None] | None:
    """As JSON has them: a value that is not a number is null."""
    return values and [value if np.isfinite(value) else None for value in values]


def _nan(values: list[float | None] | None) -> list[float] | None:
    return values and [float("nan") if value is None else value for value in values]


def evaluate(
    systems: Mapping[str, System],
    pairs: Sequence[Pair],
    *,
    protocol: Protocol = STANDARD,
    batch_size: int = 8,
    device: str | torch.device = "cpu",
    seed: int = 0,
    full: bool = False,
    perceptual_every: int = 1,
    progress: bool = False,
) -> Evaluation:
    """Run every system on every pair and measure the photographs against the targets.

    Of a system whose result has a field ``warped``, that picture is measured too.

    Args:
        systems: by the name they get in the table; anything that maps a batched pair to a result with an ``image``.
        pairs: held-out pairs, all of one size.
        protocol: crop, padding, colour and the metrics' constants; the photographs as they are, if not given.
        seed: of the bootstrap.
        full: also LPIPS with VGG, detection score and Inception score, where their networks are here.
        perceptual_every: the perceptual distance, which costs most, of every so many pairs; NaN for the others, which
            mean and interval leave out.
    """
    look = Thinned(perceptual_every)
    wanted = tuple(pretrained.PROTOCOL) if full else ("lpips",)
    problems = {name: problem for name in wanted if (problem := pretrained.problem(name))}
    features: dict[int, list[Tensor]] = {id(system): [] for system in systems.values()}

    def measure(system: System, batch: Pair) -> dict[str, Tensor | None]:
        result, truth = system(batch), protocol.frame(batch.target.image)
        if not bool(torch.isfinite(result.image).all()):  # left out of the means, the failures would raise them
            raise InputError(
                f"{getattr(system, 'name', type(system).__name__)} made a photograph with NaN or infinite values "
                f"(pairs from {batch.source.name[0]} -> {batch.target.name[0]} on); it cannot be measured."
            )
        body = protocol.frame_mask(batch.target.mask) if batch.target.mask is not None else None
        made = protocol.frame(result.image.float().clamp(0, 1))
        chosen = look.chosen(system, len(made))
        values = {
            "ssim": metrics.ssim(made, truth, protocol=protocol),
            "perceptual": look(chosen, made, truth),
            "ms_ssim": metrics.ms_ssim(made, truth, protocol=protocol),
            "l1": metrics.l1(made, truth),
            "l1_32": metrics.l1_at(made, truth, 32),
            "gradient_energy_ratio": metrics.gradient_energy_ratio(made, truth, body),
            "lpips": pretrained.lpips(made, truth),
        }
        warped = getattr(result, "warped", None)  # the source's own pixels, moved: how good is the flow by itself?
        if warped is not None:
            warped = protocol.frame(warped)
            values |= {
                "warped.ssim": metrics.ssim(warped, truth, protocol=protocol),
                "warped.perceptual": look(chosen, warped.float().clamp(0, 1), truth),
                "warped.l1": metrics.l1(warped, truth),
                "warped.l1_32": metrics.l1_at(warped, truth, 32),
                "warped.body_l1": metrics.l1(warped, truth, body) if body is not None else None,
                "warped.lpips": pretrained.lpips(warped, truth),
            }
        if full:
            values["lpips_vgg"] = pretrained.lpips(made, truth, "vgg")
            values["detection_score"] = pretrained.detection_score(made)
            if "inception_score" not in problems:
                features[id(system)].append(pretrained.inception_features(made).cpu())
        return values

    more = {**look.words, **{name: pretrained.PROTOCOL[name] for name in wanted}}
    table = measure_pairs(
        systems,
        pairs,
        measure,
        protocol=replace(protocol, more={**protocol.more, **more}),
        notes=[*look.notes, *problems.values()],
        batch_size=batch_size,
        device=device,
        seed=seed,
        progress=progress,
    )
    if full:  # one number of all photographs together, so that there is no interval
        for name, system in systems.items():
            seen = features[id(system)]
            score = pretrained.inception_score(torch.cat(seen)) if seen else None
            table.rows.append(MetricRow(name, "inception_score", score, None, None))
    return table


def measure_pairs(
    systems: Mapping[str, System],
    pairs: Sequence[Pair],
    measure: Callable[[System, Pair], Mapping[str, Tensor | None]],
    *,
    protocol: Protocol,
    notes: Sequence[str] = (),
    batch_size: int = 8,
    device: str | torch.device = "cpu",
    seed: int = 0,
    progress: bool = False,
) -> Evaluation:
    """The table of any measures: ``measure(system, batch)`` gives one value per pair, or None for a missing metric.

    Into the protocol go the size and number of the pairs and the ``seed``.
    A value that is not finite (a pair where there is nothing to measure) is kept, and left out of mean and interval.
    """
    if not systems or len(pairs) == 0:
        raise InputError(f"An evaluation needs systems and pairs, got {len(systems)} and {len(pairs)}.")
    values: dict[str, dict[str, list[float] | None]] = {name: {} for name in systems}
    names: list[str] = []
    people: list[str] = []
    size = (0, 0)
    masked: set[bool] = set()
    for system in systems.values():
        system.to(device).eval()
    with tqdm(total=len(pairs), desc="evaluate", disable=not progress) as bar, torch.inference_mode():
        for begin in range(0, len(pairs), batch_size):
            drawn = [pairs[i] for i in range(begin, min(begin + batch_size, len(pairs)))]
            masked |= {pair.target.mask is not None for pair in drawn}
            if len(masked) > 1:  # a batch has masks where all of its pairs have
                raise InputError(
                    "Some target photographs have a body mask and others have none; measure the two kinds apart."
                )
            batch = collate_pairs(drawn).to(device)
            size = batch.target.size
            names += [f"{a} -> {b}" for a, b in zip(batch.source.name, batch.target.name, strict=True)]
            people += [who or name for who, name in zip(batch.source.identity, batch.source.name, strict=True)]
            for name, system in systems.items():
                for metric, value in measure(system, batch).items():
                    if value is None:
                        values[name][metric] = None
                    else:
                        values[name].setdefault(metric, []).extend(value.tolist())
            bar.update(len(batch.source.name))
    protocol = replace(protocol, pairs=len(names), size=size, seed=seed)
    rows = [_row(name, metric, v, people, protocol) for name, own in values.items() for metric, v in own.items()]
    return Evaluation(rows, values, names, people, protocol, list(notes))


def _row(system: str, metric: str, values: list[float] | None, people: Sequence[str], protocol: Protocol) -> MetricRow:
    sample = np.asarray([] if values is None else values)
    sample = sample[np.isfinite(sample)]
    if len(sample) == 0:
        return MetricRow(system, metric, None, None, None)
    low, high = interval_over_people(values, people, protocol) or (None, None)
    return MetricRow(system, metric, float(sample.mean()), low, high)
