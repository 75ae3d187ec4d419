"""The colours of the studio, and the step between the colours people name and the light that surfaces reflect.

Palettes are sRGB, the numbers a designer would pick on a screen.  Textures hold linear RGB, because light adds up
linearly; `to_linear` and `to_srgb` use the plain power 2.2.
"""

import numpy as np

GAMMA = 2.2

#: Eight skin tones from light to dark; a person's tone is a position between two neighbours.
SKIN_TONES = np.array(
    [
        (0.96, 0.83, 0.75),
        (0.93, 0.76, 0.66),
        (0.87, 0.68, 0.56),
        (0.80, 0.60, 0.46),
        (0.69, 0.49, 0.36),
        (0.55, 0.37, 0.26),
        (0.42, 0.28, 0.20),
        (0.31, 0.20, 0.15),
    ],
    dtype=np.float32,
)

HAIR = {
    "black": (0.06, 0.05, 0.05),
    "soft black": (0.10, 0.07, 0.06),
    "dark brown": (0.17, 0.11, 0.08),
    "brown": (0.28, 0.18, 0.12),
    "light brown": (0.40, 0.26, 0.16),
    "dark blond": (0.55, 0.40, 0.25),
    "blond": (0.72, 0.58, 0.38),
    "red": (0.45, 0.18, 0.10),
    "grey": (0.55, 0.55, 0.54),
}

IRIS = {
    "dark brown": (0.20, 0.12, 0.07),
    "brown": (0.30, 0.19, 0.09),
    "green": (0.28, 0.36, 0.20),
    "blue": (0.25, 0.42, 0.55),
    "grey": (0.38, 0.45, 0.48),
}

CLOTH = {
    "white": (0.95, 0.95, 0.94),
    "ivory": (0.90, 0.88, 0.83),
    "black": (0.10, 0.10, 0.11),
    "charcoal": (0.16, 0.17, 0.20),
    "grey": (0.45, 0.46, 0.48),
    "silver": (0.68, 0.69, 0.70),
    "navy": (0.12, 0.17, 0.32),
    "royal": (0.20, 0.30, 0.52),
    "sky": (0.45, 0.60, 0.78),
    "crimson": (0.62, 0.12, 0.14),
    "red": (0.80, 0.22, 0.20),
    "coral": (0.86, 0.52, 0.50),
    "blush": (0.90, 0.74, 0.74),
    "burgundy": (0.35, 0.14, 0.20),
    "mustard": (0.85, 0.66, 0.25),
    "camel": (0.72, 0.52, 0.25),
    "brown": (0.55, 0.42, 0.30),
    "sand": (0.78, 0.70, 0.58),
    "olive": (0.33, 0.36, 0.22),
    "forest": (0.20, 0.38, 0.28),
    "sage": (0.45, 0.62, 0.50),
    "teal": (0.18, 0.42, 0.46),
    "purple": (0.40, 0.28, 0.50),
    "lilac": (0.66, 0.58, 0.76),
    "orange": (0.84, 0.44, 0.20),
}

DENIM = {
    "indigo": (0.16, 0.22, 0.36),
    "blue": (0.24, 0.33, 0.48),
    "washed": (0.42, 0.52, 0.65),
    "raw": (0.10, 0.12, 0.17),
    "grey": (0.30, 0.30, 0.32),
}

LIPSTICK = ((0.72, 0.16, 0.20), (0.75, 0.30, 0.32), (0.55, 0.10, 0.16), (0.80, 0.42, 0.40))


def to_linear(color: np.ndarray | tuple) -> np.ndarray:
    """sRGB in [0, 1] to linear RGB, float32: c^2.2."""
    return np.clip(np.asarray(color, dtype=np.float32), 0.0, 1.0) ** np.float32(GAMMA)


def to_srgb(color: np.ndarray | tuple) -> np.ndarray:
    """Linear RGB in [0, 1] to sRGB, float32: c^(1 / 2.2)."""
    return np.clip(np.asarray(color, dtype=np.float32), 0.0, 1.0) ** np.float32(1.0 / GAMMA)


def cloth_color(rng: np.random.Generator, *names: str) -> np.ndarray:
    """One colour of `CLOTH` at random, or of those named (a name given twice is twice as likely)."""
    names = names or tuple(CLOTH)
    return np.array(CLOTH[names[rng.integers(len(names))]], dtype=np.float32)


def contrasting(rng: np.random.Generator, color: np.ndarray, distance: float = 0.7) -> np.ndarray:
    """A cloth colour whose sum of absolute differences to ``color`` exceeds ``distance``; every colour has several."""
    far = [c for c in map(np.array, CLOTH.values()) if np.abs(c - color).sum() > distance]
    if not far:  # a mid grey has no neighbour that far away
        far = [max(map(np.array, CLOTH.values()), key=lambda c: np.abs(c - color).sum())]
    return far[rng.integers(len(far))].astype(np.float32)


def skin_color(tone: float) -> np.ndarray:
    """sRGB colour at position ``tone`` in [0, 7] of the skin palette, linear between neighbours."""
    tone = float(np.clip(tone, 0.0, len(SKIN_TONES) - 1))
    low = min(int(tone), len(SKIN_TONES) - 2)
    return SKIN_TONES[low] * (1 - (tone - low)) + SKIN_TONES[low + 1] * (tone - low)
