"""Figure patterns: dots, flowers, leaves, blocks of colour, camouflage, gradients.

Scattered figures sit in the cells of a grid; each cell's own random numbers shift, turn and size its figure.
"""

import numpy as np

from posekit.studio.base.palette import CLOTH
from posekit.studio.base.ramps import band, mix, smoothstep
from posekit.studio.clothes.sheet import GIRTH, Dye, Pattern, Sheet


class _Cells:
    """A grid of square cells of edge ``period`` dm, with ``channels`` random numbers in every cell.

    The grid closes around the girth, and its table of 64 rows repeats along the body.
    """

    def __init__(self, rng: np.random.Generator, period: float, channels: int = 3) -> None:
        self.columns = max(1, round(GIRTH / period))
        self.period = GIRTH / self.columns
        self.table = rng.random((channels, 64, self.columns), dtype=np.float32)
        self.shift = float(rng.random())

    def locate(self, sheet: Sheet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, y in dm from the centre of the cell, and the random numbers (channels, ...) of the cell."""
        a, b = sheet.around / self.period, sheet.along / self.period + self.shift
        column, row = np.floor(a), np.floor(b)
        numbers = self.table[:, row.astype(np.int32) % 64, column.astype(np.int32) % self.columns]
        return (a - column - 0.5) * self.period, (b - row - 0.5) * self.period, numbers


def dots(dye: Dye) -> Pattern:
    """Dots in staggered rows."""
    period = dye.period(0.35, 0.9)
    radius = period * dye.rng.uniform(0.14, 0.3)

    def pattern(sheet: Sheet):
        row = np.floor(sheet.along / period)
        x = (sheet.around / period + 0.5 * (row % 2)) % 1 - 0.5
        y = sheet.along / period % 1 - 0.5
        return mix(dye.ground, dye.second, smoothstep(radius - period * np.hypot(x, y), -sheet.edge, sheet.edge)), 0.0

    return pattern


def _scatter(sheet: Sheet, cells: _Cells, petals: int) -> tuple[np.ndarray, np.ndarray]:
    """Mask of one figure per cell and how far out in it (0 centre .. 1 rim); ``petals`` 2 makes a pair of leaves."""
    x, y, (a, b, c) = cells.locate(sheet)
    x, y = x - (a - 0.5) * 0.22 * cells.period, y - (b - 0.5) * 0.22 * cells.period
    radius, angle = np.hypot(x, y), np.arctan2(y, x) + 6.3 * c
    if petals > 2:
        rim = 0.34 * cells.period * (0.6 + 0.4 * c) * (0.55 + 0.45 * np.abs(np.cos(angle * petals / 2)))
    else:
        rim = 0.38 * cells.period * np.abs(np.cos(angle)) ** 2.5 + 0.01
    mask = smoothstep(rim - radius, -sheet.edge, sheet.edge) * (a > 0.15)
    return mask, smoothstep(radius / (rim + 1e-3), 0, 1)


def floral(dye: Dye) -> Pattern:
    """Two layers of flowers and one of leaves."""
    leaf = np.array(CLOTH[("forest", "sage", "olive", "mustard")[dye.rng.integers(4)]], np.float32)
    heart = np.array(CLOTH["mustard"], np.float32)
    layers = [
        (_Cells(dye.rng, dye.rng.uniform(0.55, 1.3)), petals, color)
        for petals, color in ((2, leaf), (int(dye.rng.integers(4, 7)), dye.second), (5, dye.third))
    ]

    def pattern(sheet: Sheet):
        color = np.broadcast_to(dye.ground, (*sheet.along.shape, 3))
        for cells, petals, figure in layers:
            mask, out = _scatter(sheet, cells, petals)
            color = mix(color, figure * (1 - 0.25 * out)[..., None], mask)
            if petals > 2:
                color = mix(color, heart, mask * smoothstep(0.3 - out, -0.08, 0.08))
        return color, 0.0

    return pattern


def leaves(dye: Dye) -> Pattern:
    """Two layers of paired leaves."""
    layers = [(_Cells(dye.rng, dye.rng.uniform(0.6, 1.3)), color) for color in (dye.second, dye.third)]

    def pattern(sheet: Sheet):
        color = np.broadcast_to(dye.ground, (*sheet.along.shape, 3))
        for cells, figure in layers:
            mask, out = _scatter(sheet, cells, 2)
            color = mix(color, figure * (1 - 0.2 * out)[..., None], mask)
        return color, 0.0

    return pattern


def blocks(dye: Dye) -> Pattern:
    """Two fields of colour with a band between, at chest height."""
    height = dye.rng.uniform(3.2, 4.8)

    def pattern(sheet: Sheet):
        above = smoothstep(sheet.along - height, -sheet.edge, sheet.edge)
        color = mix(dye.ground, dye.second, above)
        return mix(color, dye.third, band(sheet.along - height, 1e3, 0.16, sheet.edge)), 0.0

    return pattern


def _abstract(dye: Dye) -> Pattern:
    """Large blots of two colours."""
    first, second = 9 * dye.rng.random(), 5 + 9 * dye.rng.random()

    def pattern(sheet: Sheet):
        a = dye.noise.clouds(sheet.position, 0.55, 2, first)
        b = dye.noise.clouds(sheet.position, 0.7, 2, second)
        color = mix(dye.ground, dye.second, smoothstep(a, 0.47, 0.50))
        return mix(color, dye.third, smoothstep(b, 0.55, 0.58)), 0.0

    return pattern


def _camo(dye: Dye) -> Pattern:
    """Camouflage: three thresholds of noise over olive."""
    blots = (((0.22, 0.25, 0.16), 0.52), ((0.55, 0.48, 0.33), 0.57), ((0.10, 0.11, 0.09), 0.61))
    offsets = dye.rng.uniform(0, 9, len(blots))

    def pattern(sheet: Sheet):
        color = np.broadcast_to(np.array([0.36, 0.38, 0.24], np.float32), (*sheet.along.shape, 3))
        for (blot, threshold), offset in zip(blots, offsets, strict=True):
            value = dye.noise.clouds(sheet.position, 1.1, 2, float(offset))
            color = mix(color, np.array(blot, np.float32), smoothstep(value, threshold, threshold + 0.02))
        return color, 0.0

    return pattern


def ombre(dye: Dye) -> Pattern:
    """A gradient along the body."""
    low, high = dye.rng.uniform(1, 2.5), dye.rng.uniform(4.5, 6.5)
    return lambda sheet: (mix(dye.ground, dye.second, smoothstep(sheet.along, low, high)), 0.0)


MOTIFS = {
    "dots": (dots, 5.0),
    "floral": (floral, 9.0),
    "leaves": (leaves, 4.0),
    "blocks": (blocks, 4.0),
    "abstract": (_abstract, 5.0),
    "camo": (_camo, 1.5),
    "ombre": (ombre, 3.0),
}
