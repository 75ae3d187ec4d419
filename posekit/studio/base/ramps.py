"""Soft steps, lines and bands: the strokes that every pattern, seam and outline of the studio is painted with.

All of them are plain functions of arrays of any shape and return values in [0, 1].
"""

import numpy as np


def smoothstep(x: np.ndarray, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, and the cubic t^2 (3 - 2 t) between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def line(distance: np.ndarray, width: float) -> np.ndarray:
    """A soft stroke: 1 where ``distance`` is 0, exp(-(distance / width)^2) beside it."""
    return np.exp(-((distance / width) ** 2))


def band(x: np.ndarray, period: float, width: float, edge: float, shift: float = 0.0) -> np.ndarray:
    """Parallel bands: 1 within ``width / 2`` of every multiple of ``period`` (after adding ``shift``), else 0.

    The border is a ramp of half-width ``edge`` (same unit as ``x``), which is what keeps the pattern from aliasing.
    """
    distance = np.abs(((x + shift) / period + 0.5) % 1.0 - 0.5) * period
    return smoothstep(width / 2 - distance, -edge, edge)


def soft_mask(signed_distance: np.ndarray, width: float) -> np.ndarray:
    """The cut-out mask of an outline: 0.5 on it, linear over ``width`` across it, 1 inside and 0 outside.

    A ramp several texels wide looks smooth after the bilinear alpha test of the rasteriser (alpha >= 0.5); a ramp
    of one texel shows the texels as teeth.
    """
    return np.clip(0.5 + signed_distance / width, 0.0, 1.0)


def mix(first: np.ndarray, second: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """``first`` where ``amount`` is 0 and ``second`` where it is 1; the amount gets a trailing colour axis."""
    amount = np.asarray(amount)[..., None]
    return first * (1.0 - amount) + second * amount
