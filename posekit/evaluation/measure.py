"""Any measures of several systems on the same pairs, as a table with intervals over people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from posekit.evaluation.table import Evaluation, MetricRow
from posekit.metrics.interval import interval_over_people
from posekit.metrics.protocol import Protocol
from posekit.person import Pair, collate_pairs
from posekit.systems.base import System
from posekit.util.errors import InputError


def evenly_spread(pairs: Sequence[Pair], count: int) -> list[Pair]:
    """So many pairs, of as many people as there are; all of them where there are fewer."""
    count = min(count, len(pairs))
    return [pairs[i * len(pairs) // count] for i in range(count)]


def common_size(systems: Mapping[str, System]) -> tuple[int, int] | None:
    """(height, width) of the photographs that all systems are made for; None where any will do.

    InputError where they are made for different sizes: their numbers cannot be compared.
    """
    sizes = {system.size for system in systems.values() if system.size is not None}
    if len(sizes) > 1:
        raise InputError(
            "Systems are compared on photographs of one size; these are made for "
            f"{' and '.join(f'{h} x {w}' for h, w in sorted(sizes))}: leave some out."
        )
    return next(iter(sizes), None)


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
