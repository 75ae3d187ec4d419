"""Fabrics: a pattern, its colours and its weave, as functions of a position on the cloth.

A `Fabric` draws its numbers (colours, periods, shifts) once and can then be evaluated on any `Sheet`, so that a
bodice and its skirt, or both sleeves, come from the same bolt.  The patterns themselves are in `patterns` (lines
and checks) and `motifs` (scattered and flowing figures).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from posekit.studio.base.noise import Noise
from posekit.studio.base.palette import cloth_color, contrasting
from posekit.studio.clothes.motifs import MOTIFS
from posekit.studio.clothes.patterns import LINES
from posekit.studio.clothes.sheet import Dye, Pattern, Sheet
from posekit.util.errors import InputError

#: name -> (factory, how often it is worn)
PATTERNS: dict[str, tuple[Callable[[Dye], Pattern], float]] = {**LINES, **MOTIFS}


@dataclass(frozen=True)
class Fabric:
    """A bolt of cloth.  kind: name of its pattern.  ground, accent: sRGB colours (3,) that trimmings may repeat."""

    kind: str
    ground: np.ndarray
    accent: np.ndarray
    pattern: Pattern
    noise: Noise

    def __call__(self, sheet: Sheet) -> tuple[np.ndarray, np.ndarray | float]:
        """sRGB colour (..., 3) in [0, 1] and relief (...) in dm on every point of the sheet."""
        color, relief = self.pattern(sheet)
        uneven = self.noise(sheet.position, 30) + self.noise(sheet.position, 3) - 1  # cloth is never of one colour
        color = color * (1 + 0.05 * uneven)[..., None]
        return np.clip(color, 0, 1).astype(np.float32), relief


def make_cloth(
    rng: np.random.Generator, noise: Noise, kind: str | None = None, ground: np.ndarray | None = None
) -> Fabric:
    """Draw a fabric.  kind: one of `PATTERNS`, or None for any.  ground: sRGB colour (3,), or None for any."""
    weights = np.array([weight for _, weight in PATTERNS.values()], float)
    drawn = list(PATTERNS)[rng.choice(len(PATTERNS), p=weights / weights.sum())]
    kind = kind or drawn
    if kind not in PATTERNS:
        raise InputError(f"unknown fabric {kind!r}; known: {', '.join(PATTERNS)}")
    color = cloth_color(rng)
    if ground is not None:
        color = np.asarray(ground, np.float32)
    dye = Dye(rng, noise, color, contrasting(rng, color), contrasting(rng, color))
    factory, _ = PATTERNS[kind]
    return Fabric(kind, dye.ground, dye.second, factory(dye), noise)
