"""Line patterns: solid cloth, stripes, checks and knits.

Every factory draws its numbers from a `Dye` and returns a `Pattern`, a function from a sheet to colour and relief.
Periods are at least 0.25 dm: at 512 texels one texel is about 0.04 dm, and finer lines would turn into moire.
"""

import numpy as np

from posekit.studio.base.palette import CLOTH, DENIM
from posekit.studio.base.ramps import band, mix, smoothstep
from posekit.studio.clothes.sheet import Dye, Pattern, Sheet


def _plain(sheet: Sheet, color: np.ndarray) -> np.ndarray:
    return np.broadcast_to(color, (*sheet.along.shape, 3))


def solid(dye: Dye) -> Pattern:
    """One colour."""
    return lambda sheet: (_plain(sheet, dye.ground), 0.0)


def heather(dye: Dye) -> Pattern:
    """Yarn of slightly different shades: speckles drawn out along the thread."""

    def pattern(sheet: Sheet):
        flat = np.stack([sheet.around, sheet.along, np.zeros_like(sheet.along)], axis=-1)
        shade = 0.25 * (dye.noise(sheet.position, 45) - 0.5) + 0.25 * (dye.noise(flat, (60, 12, 1)) - 0.5)
        return dye.ground * (1 + shade)[..., None], 0.0

    return pattern


def stripes(dye: Dye) -> Pattern:
    """Stripes around the body, sometimes with a thinner one between."""
    period = dye.rng.uniform(0.35, 1.3)
    width = period * dye.rng.uniform(0.3, 0.55)
    double = dye.rng.random() < 0.4

    def pattern(sheet: Sheet):
        color = mix(dye.ground, dye.second, band(sheet.along, period, width, sheet.edge))
        if double:
            thin = band(sheet.along, 2 * period, width / 2, sheet.edge, period / 2)
            color = mix(color, dye.third, thin)
        return color, 0.0

    return pattern


def breton(dye: Dye) -> Pattern:
    """The sailor's shirt: narrow stripes in one of four classic pairs of colours."""
    pairs = (("white", "navy"), ("navy", "white"), ("white", "black"), ("white", "crimson"))
    ground, line = (np.array(CLOTH[name], np.float32) for name in pairs[dye.rng.integers(len(pairs))])
    return lambda sheet: (mix(ground, line, band(sheet.along, 0.42, 0.14, sheet.edge)), 0.0)


def pinstripes(dye: Dye) -> Pattern:
    """Stripes along the body."""
    period = dye.period(0.32, 0.8)
    width = period * dye.rng.uniform(0.12, 0.5)
    return lambda sheet: (mix(dye.ground, dye.second, band(sheet.around, period, width, sheet.edge)), 0.0)


def plaid(dye: Dye) -> Pattern:
    """Three sets of crossing translucent stripes of decreasing width."""
    period = dye.period(0.9, 2.0)
    shifts = [dye.rng.uniform(0, period) for _ in range(3)]
    lines = ((0.42, dye.second), (0.12, dye.third), (0.05, dye.second * 0.5 + 0.5))

    def pattern(sheet: Sheet):
        color = _plain(sheet, dye.ground)
        for (share, line_color), shift in zip(lines, shifts, strict=True):
            across = 0.55 * band(sheet.around, period, period * share, sheet.edge, shift)
            down = 0.55 * band(sheet.along, period, period * share, sheet.edge, shift)
            color = mix(color, line_color, across + down - 0.6 * across * down)
        return color, 0.0

    return pattern


def gingham(dye: Dye) -> Pattern:
    """White with crossing half-period stripes: three tones."""
    period = dye.period(0.25, 0.6)
    white = np.array(CLOTH["white"], np.float32)

    def pattern(sheet: Sheet):
        across = band(sheet.around, period, period / 2, sheet.edge)
        down = band(sheet.along, period, period / 2, sheet.edge)
        return mix(white, dye.second, (across + down) / 2), 0.0

    return pattern


def windowpane(dye: Dye) -> Pattern:
    """A plain ground under a wide grid of thin lines."""
    period = dye.period(0.8, 1.5)

    def pattern(sheet: Sheet):
        across = band(sheet.around, period, 0.08, sheet.edge)
        down = band(sheet.along, period, 0.08, sheet.edge)
        return mix(dye.ground, dye.second, 0.85 * np.maximum(across, down)), 0.0

    return pattern


def argyle(dye: Dye) -> Pattern:
    """Diamonds under a lattice of thin diagonals."""
    period = dye.period(0.7, 1.1)
    height = 1.4 * period

    def pattern(sheet: Sheet):
        a, b = sheet.around / period, sheet.along / height
        diamond = 0.5 - np.abs(a % 1 - 0.5) - np.abs(b % 1 - 0.5)
        soft = sheet.edge / period
        color = mix(dye.ground, dye.second, smoothstep(diamond, -soft, soft))
        diagonal = np.minimum(np.abs((a + b + 0.5) % 1 - 0.5), np.abs((a - b + 0.5) % 1 - 0.5))
        return mix(color, dye.third, smoothstep(0.03 - diagonal, -0.7 * soft, 0.7 * soft)), 0.0

    return pattern


def zigzag(dye: Dye) -> Pattern:
    """Stripes that go up and down."""
    period = dye.period(0.5, 0.9)

    def pattern(sheet: Sheet):
        bent = sheet.along + period / 2 * np.abs(sheet.around / period % 1 * 2 - 1)
        return mix(dye.ground, dye.second, band(bent, period, 0.4 * period, sheet.edge)), 0.0

    return pattern


def knit(dye: Dye) -> Pattern:
    """Ribs along the body, in relief, half of the time with wide stripes."""
    rib = dye.period(0.30, 0.34)
    striped, wide = dye.rng.random() < 0.5, dye.rng.uniform(1.5, 3)

    def pattern(sheet: Sheet):
        wave = np.sin(2 * np.pi / rib * sheet.around)
        color = _plain(sheet, dye.ground)
        if striped:
            color = mix(color, dye.second, band(sheet.along, wide, 0.5, sheet.edge))
        return color * (1 + 0.1 * wave)[..., None], 0.02 * wave

    return pattern


def cable(dye: Dye) -> Pattern:
    """A cable-knit jumper: plaits of three strands between ribs, mostly relief."""
    period = dye.period(0.75, 1.0)

    def pattern(sheet: Sheet):
        phase = sheet.around / period % 1 - 0.5
        sway = 0.11 * np.sin(2 * np.pi * sheet.along / 0.55)
        strands = np.exp(-(((phase - sway) / 0.075) ** 2)) + np.exp(-(((phase + sway) / 0.075) ** 2))
        ribs = np.exp(-(((np.abs(phase) - 0.36) / 0.05) ** 2))
        relief = np.minimum(strands, 1.2) + 0.6 * ribs
        return dye.ground * (0.86 + 0.14 * relief)[..., None], 0.035 * relief

    return pattern


def denim(dye: Dye) -> Pattern:
    """Twill in indigo or grey, faded by wear; it keeps a ground that was asked for."""
    blues = [np.array(c, np.float32) for c in DENIM.values()]
    ground = blues[dye.rng.integers(len(blues))]

    def pattern(sheet: Sheet):
        # the thread is 0.05 dm: show it only where the texels can carry it
        thread = np.clip(1.5 - sheet.texel / 0.04, 0, 1) * np.sin(2 * np.pi / 0.05 * (sheet.around + sheet.along))
        fading = dye.noise.clouds(sheet.position, (1.2, 0.8, 1.2))
        shade = 0.78 + 0.45 * fading + 0.05 * thread + 0.18 * (dye.noise(sheet.position, 40) - 0.5)
        return ground * shade[..., None], 0.0

    return pattern


LINES = {
    "solid": (solid, 16.0),
    "heather": (heather, 6.0),
    "stripes": (stripes, 8.0),
    "breton": (breton, 5.0),
    "pinstripes": (pinstripes, 4.0),
    "plaid": (plaid, 8.0),
    "gingham": (gingham, 5.0),
    "windowpane": (windowpane, 2.0),
    "argyle": (argyle, 1.5),
    "zigzag": (zigzag, 2.0),
    "knit": (knit, 5.0),
    "cable": (cable, 2.0),
    "denim": (denim, 0.0),
}
