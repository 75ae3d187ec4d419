"""The table of an evaluation: what was measured of each system on each pair, the means, and their intervals."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import fill

import numpy as np

from posekit.metrics.protocol import Protocol, check_same
from posekit.util.errors import InputError
from posekit.util.files import write_json
from posekit.util.reading import read_json

WIDTH = 110  # columns of a printed table


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

    def by_person(self, system: str) -> dict[str, list[float]]:
        """Metric -> one mean for each person over that person's pairs, people in the order in which they first appear.

        NaN where none of a person's pairs has a number; a metric that is missing for the system is left out.
        """
        if system not in self.values:
            raise InputError(f"The evaluation has no system {system!r}; it has {', '.join(self.values)}.")
        whose = np.array(self.people)
        means: dict[str, list[float]] = {}
        for metric, column in self.values[system].items():
            if column is not None:
                numbers = [np.array(column, float)[whose == who] for who in dict.fromkeys(self.people)]
                numbers = [own[np.isfinite(own)] for own in numbers]
                means[metric] = [float(own.mean()) if len(own) else float("nan") for own in numbers]
        return means

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
            stored = read_json(path)
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
        """A table: metrics in rows, systems in columns, mean and interval in the cells."""
        cells = [["", *self.values]]
        for metric in dict.fromkeys(row.metric for row in self.rows):
            known = {row.system: row for row in self.rows if row.metric == metric}
            # empty: a measure of some systems only, such as warped.l1
            cells.append([metric, *(_cell(known[system]) if system in known else "" for system in self.values)])
        lines = aligned(cells)
        resampled = f"bootstrap over {len(set(self.people))} people"
        words = [f"mean [{self.protocol.confidence:.0%} interval, {resampled}]; {self.protocol}", *self.notes]
        folded = [fill(text, WIDTH, break_long_words=False, break_on_hyphens=False) for text in words]
        return "\n".join([*lines, *folded])


def aligned(cells: list[list[str]], width: int = WIDTH) -> list[str]:
    """Lines of text, the cells of a column below each other; columns that pass ``width`` go on below, named again."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    blocks, first = [[]], widths[0]
    for n, w in enumerate(widths[1:], 1):
        used = first + sum(2 + widths[k] for k in blocks[-1])
        if blocks[-1] and used + 2 + w > width:
            blocks.append([])
        blocks[-1].append(n)
    texts = [
        [_line([line[n] for n in (0, *block)], [widths[n] for n in (0, *block)]) for line in cells] for block in blocks
    ]
    return texts[0] + [line for text in texts[1:] for line in ("", *text)]


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(f"{cell:<{w}}" for cell, w in zip(cells, widths, strict=True)).rstrip()


def _cell(row: MetricRow) -> str:
    if row.mean is None:
        return "missing"
    return f"{row.mean:.4f}" + ("" if row.low is None else f" [{row.low:.4f}, {row.high:.4f}]")


def _null(values: list[float] | None) -> list[float | None] | None:
    """As JSON has them: a value that is not a number is null."""
    return values and [value if np.isfinite(value) else None for value in values]


def _nan(values: list[float | None] | None) -> list[float] | None:
    return values and [float("nan") if value is None else value for value in values]
