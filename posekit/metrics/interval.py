"""The interval of a mean over pairs: a bootstrap that draws people, not pairs.

Two pairs of one person in one outfit are alike: same clothes, same face, often one photograph in both.  Drawn as if
they were independent, they make intervals too narrow.  So people are drawn, with replacement, and each comes with all
of its pairs (the cluster bootstrap; Davison and Hinkley 1997, section 3.8).
"""

import inspect
from collections.abc import Sequence

import numpy as np
from scipy.stats import bootstrap

from posekit.metrics.protocol import STANDARD, Protocol
from posekit.util.errors import InputError


def interval_over_people(
    values: Sequence[float] | np.ndarray, people: Sequence[str] | np.ndarray, protocol: Protocol = STANDARD
) -> tuple[float, float] | None:
    """The percentile interval of the mean of ``values`` at the protocol's confidence; None for fewer than two people.

    Args:
        values: one for every pair; those that are not finite are left out.
        people: who is in each pair.  Where every pair shows somebody else, this is the ordinary bootstrap.
        protocol: confidence, number of resamples and seed.
    """
    sample, who = np.asarray(values, float), np.asarray(people)
    if sample.shape != who.shape or sample.ndim != 1:
        raise InputError(f"An interval needs one person for each value, got {sample.shape} and {who.shape}.")
    kept = np.isfinite(sample)
    sample = sample[kept]
    _, number = np.unique(who[kept], return_inverse=True)
    counts = np.bincount(number)
    if len(counts) < 2:
        return None
    if np.ptp(sample) == 0:
        return float(sample[0]), float(sample[0])
    interval = bootstrap(
        (np.bincount(number, sample), counts),
        lambda total, n, axis=-1: total.sum(axis) / n.sum(axis),
        paired=True,
        n_resamples=protocol.resamples,
        confidence_level=protocol.confidence,
        method="percentile",
        batch=200,
        **{_RNG_NAME: np.random.default_rng(protocol.seed)},
    ).confidence_interval
    return float(interval.low), float(interval.high)


# scipy 1.15 renamed the argument
_RNG_NAME = "rng" if "rng" in inspect.signature(bootstrap).parameters else "random_state"
