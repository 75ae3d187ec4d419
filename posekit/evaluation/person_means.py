"""The means of each person of an evaluation as one text, for a cell of a table: who is better, and on whom?

A run of a sweep is one training, measured on many people.  Its means alone say how much trainings differ; with one mean
for each person an interval can be over trainings and people together.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

import numpy as np

from posekit.evaluation.table import Evaluation
from posekit.util.errors import InputError

DIGITS = 4  # significant ones


def person_means_text(tables: Mapping[str, Evaluation], system: str) -> str:
    """One line of JSON: ``{"people": [...], "means": {metric: [a mean or null for each person]}}``.

    tables: what stands before the names of its metrics ("" for none) -> an evaluation with ``system``.  People are
    those of any of the tables; who was not measured in one has null there.
    """
    people = list(dict.fromkeys(who for table in tables.values() for who in table.people))
    means = {}
    for prefix, table in tables.items():
        shown = list(dict.fromkeys(table.people))
        for metric, own in table.by_person(system).items():
            of = dict(zip(shown, own, strict=True))
            means[f"{prefix}{metric}"] = [_rounded(of.get(who, float("nan"))) for who in people]
    return json.dumps({"people": people, "means": means}, separators=(",", ":"))


def read_person_means(text: str) -> tuple[list[str], dict[str, np.ndarray]]:
    """People, and metric -> one mean for each of them (NaN where there is none), from `person_means_text`."""
    try:
        stored = json.loads(text)
        people = [str(who) for who in stored["people"]]
        means = {
            str(metric): np.array([np.nan if value is None else value for value in own], float)
            for metric, own in stored["means"].items()
        }
        if any(len(own) != len(people) for own in means.values()):
            raise ValueError("there should be one mean for each person")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"These are no means of people as person_means_text writes them ({error}).") from error
    return people, means


def keep_metrics(text: str, metrics: Collection[str]) -> str:
    """The same text with the means of ``metrics`` alone."""
    read_person_means(text)  # an InputError where it is none
    stored = json.loads(text)
    stored["means"] = {metric: own for metric, own in stored["means"].items() if metric in metrics}
    return json.dumps(stored, separators=(",", ":"))


def _rounded(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
