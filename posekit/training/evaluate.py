"""Measure systems side by side on the same pairs, with confidence intervals over pairs."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import bootstrap
from torch import Tensor
from tqdm.auto import tqdm

from posekit.data.person import Pair, collate_pairs
from posekit.errors import InputError
from posekit.files import write_json
from posekit.metrics import image as metrics
from posekit.metrics import pretrained
from posekit.systems.base import System

CONFIDENCE = 0.95
RESAMPLES = 2000


@dataclass(frozen=True)
class Row:
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
    names: "source -> target" of every pair.  protocol: how the numbers were made.  notes: what is missing and why.
    """

    rows: list[Row]
    values: dict[str, dict[str, list[float] | None]]
    names: list[str]
    protocol: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def row(self, system: str, metric: str) -> Row:
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
                "protocol": self.protocol,
                "notes": self.notes,
                "rows": [vars(row) for row in self.rows],
                "names": self.names,
                "values": self.values,
            },
        )

    @classmethod
    def load(cls, path: str | Path) -> Evaluation:
        """Read what `save` wrote."""
        try:
            stored = json.loads(Path(path).read_text(encoding="utf-8"))
            rows = [Row(**row) for row in stored["rows"]]
            return cls(rows, stored["values"], stored["names"], stored["protocol"], stored["notes"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is not an evaluation saved by posekit ({error}).") from error

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
        lines.append(f"{self.protocol['pairs']} pairs; mean [{CONFIDENCE:.0%} interval, bootstrap over pairs]")
        return "\n".join([*lines, *self.notes])


def evaluate(
    systems: Mapping[str, System],
    pairs: Sequence[Pair],
    *,
    batch_size: int = 8,
    device: str | torch.device = "cpu",
    seed: int = 0,
    full: bool = False,
    progress: bool = False,
) -> Evaluation:
    """Run every system on every pair and measure the photographs against the targets.

    Of a system whose result has a field ``warped``, that picture is measured too.

    Args:
        systems: by the name they get in the table; anything that maps a batched pair to a result with an ``image``.
        pairs: held-out pairs, all of one size.
        seed: of the bootstrap.
        full: also LPIPS with VGG, detection score and Inception score, where their networks are here.
    """
    wanted = tuple(pretrained.PROTOCOL) if full else ("lpips",)
    problems = {name: found for name in wanted if (found := pretrained.problem(name))}
    features: dict[int, list[Tensor]] = {id(system): [] for system in systems.values()}

    def measure(system: System, batch: Pair) -> dict[str, Tensor | None]:
        result, truth = system(batch), batch.target.image
        made = result.image.float().clamp(0, 1)
        values = {
            "ssim": metrics.ssim(made, truth),
            "ms_ssim": metrics.ms_ssim(made, truth),
            "l1": metrics.l1(made, truth),
            "l1_32": metrics.l1_at(made, truth, 32),
            "gradient_energy_ratio": metrics.gradient_energy_ratio(made, truth, batch.target.mask),
            "lpips": pretrained.lpips(made, truth),
        }
        warped = getattr(result, "warped", None)  # the source's own pixels, moved: how good is the flow by itself?
        if warped is not None:
            body = batch.target.mask
            values |= {
                "warped.ssim": metrics.ssim(warped, truth),
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

    table = measure_pairs(
        systems,
        pairs,
        measure,
        protocol=metrics.PROTOCOL | {name: pretrained.PROTOCOL[name] for name in wanted},
        notes=list(problems.values()),
        batch_size=batch_size,
        device=device,
        seed=seed,
        progress=progress,
    )
    table.protocol["ms_ssim_scales"] = metrics.ms_ssim_scales(tuple(table.protocol["size"]))
    if full:  # one number of all photographs together, so that there is no interval over pairs
        for name, system in systems.items():
            seen = features[id(system)]
            score = pretrained.inception_score(torch.cat(seen)) if seen else None
            table.rows.append(Row(name, "inception_score", score, None, None))
    return table


def measure_pairs(
    systems: Mapping[str, System],
    pairs: Sequence[Pair],
    measure: Callable[[System, Pair], Mapping[str, Tensor | None]],
    *,
    protocol: Mapping[str, Any],
    notes: Sequence[str] = (),
    batch_size: int = 8,
    device: str | torch.device = "cpu",
    seed: int = 0,
    progress: bool = False,
) -> Evaluation:
    """The table of any measures: ``measure(system, batch)`` gives one value per pair, or None for a missing metric.

    A value that is not finite (a pair where there is nothing to measure) is kept, and left out of mean and interval.
    """
    if not systems or len(pairs) == 0:
        raise InputError(f"An evaluation needs systems and pairs, got {len(systems)} and {len(pairs)}.")
    found: dict[str, dict[str, list[float] | None]] = {name: {} for name in systems}
    names: list[str] = []
    size = (0, 0)
    for system in systems.values():
        system.to(device).eval()
    with tqdm(total=len(pairs), desc="evaluate", disable=not progress) as bar, torch.inference_mode():
        for begin in range(0, len(pairs), batch_size):
            batch = collate_pairs([pairs[i] for i in range(begin, min(begin + batch_size, len(pairs)))]).to(device)
            size = batch.target.size
            names += [f"{a} -> {b}" for a, b in zip(batch.source.name, batch.target.name, strict=True)]
            for name, system in systems.items():
                for metric, value in measure(system, batch).items():
                    if value is None:
                        found[name][metric] = None
                    else:
                        found[name].setdefault(metric, []).extend(value.tolist())
            bar.update(len(batch.source.name))
    rows = [_row(name, metric, v, seed) for name, values in found.items() for metric, v in values.items()]
    how = {
        "pairs": len(names),
        "size": list(size),
        "interval": f"{CONFIDENCE:.0%}, percentile bootstrap over pairs, {RESAMPLES} resamples, seed {seed}",
        **protocol,
    }
    return Evaluation(rows, found, names, how, list(notes))


def _row(system: str, metric: str, values: list[float] | None, seed: int) -> Row:
    if values is None:
        return Row(system, metric, None, None, None)
    sample = np.asarray(values)
    sample = sample[np.isfinite(sample)]
    if len(sample) == 0:
        return Row(system, metric, None, None, None)
    mean = float(sample.mean())
    if len(sample) < 2 or np.ptp(sample) == 0:
        return Row(system, metric, mean, mean, mean)
    generator = {_RNG_NAME: np.random.default_rng(seed)}
    interval = bootstrap(
        (sample,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        batch=200,
        **generator,
    ).confidence_interval
    return Row(system, metric, mean, float(interval.low), float(interval.high))


# scipy 1.15 renamed the argument
_RNG_NAME = "rng" if "rng" in inspect.signature(bootstrap).parameters else "random_state"
