"""Prints: a small picture on the chest or the back, projected straight onto the cloth."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import map_coordinates

from posekit.studio.base.paint import Paint
from posekit.studio.base.palette import cloth_color, contrasting
from posekit.studio.body.limbs import Places

SIZE = 128
MOTIFS = ("word", "number", "badge", "star", "bars", "mountains", "sun", "heart")
WORDS = ("NOVA", "ECHO", "ATLAS", "LUNA", "1984", "PARIS", "WAVE", "KYOTO", "RUN", "OSLO", "HELLO", "BLUE", "TEXEL")


def _rgba(color: np.ndarray) -> tuple[int, int, int, int]:
    return (*(int(255 * c) for c in color), 255)


def draw_print(rng: np.random.Generator, color: np.ndarray) -> np.ndarray:
    """A picture (128, 128, 4) float32, sRGB and opacity in [0, 1], mostly in ``color`` (3,)."""
    first, second = _rgba(color), _rgba(cloth_color(rng))
    motif = MOTIFS[rng.integers(len(MOTIFS))]
    picture = Image.new("RGBA", (SIZE, SIZE), (*first[:3], 0))
    pen = ImageDraw.Draw(picture)
    if motif in ("word", "number"):
        word = str(rng.integers(1, 99)) if motif == "number" else WORDS[rng.integers(len(WORDS))]
        font = ImageFont.load_default(size=96 if motif == "number" else 34)
        left, top, right, bottom = pen.textbbox((0, 0), word, font=font)
        stroke = 2 if rng.random() < 0.5 else 0
        corner = (64 - (left + right) / 2, 64 - (top + bottom) / 2)
        pen.text(corner, word, fill=first, font=font, stroke_width=stroke, stroke_fill=second)
        if motif == "word" and rng.random() < 0.6:
            pen.rectangle([64 - (right - left) / 2, 86, 64 + (right - left) / 2, 91], fill=second)
    elif motif == "badge":
        pen.ellipse([18, 18, 110, 110], fill=first)
        pen.ellipse([28, 28, 100, 100], fill=second)
        pen.polygon([(64, 36), (88, 86), (40, 86)], fill=first)
    elif motif == "star":
        angle = np.arange(10) * np.pi / 5 - np.pi / 2
        radius = np.where(np.arange(10) % 2, 22, 52)
        pen.polygon([(64 + r * np.cos(a), 64 + r * np.sin(a)) for a, r in zip(angle, radius, strict=True)], fill=first)
    elif motif == "bars":
        for row, fill in enumerate((first, second, first)):
            pen.rectangle([8, 28 + 26 * row, 120, 44 + 26 * row], fill=fill)
    elif motif == "mountains":
        pen.ellipse([34, 14, 94, 74], fill=second)
        pen.polygon([(4, 112), (46, 46), (70, 84), (90, 58), (124, 112)], fill=first)
    elif motif == "sun":
        for a in np.arange(12) * np.pi / 6:
            pen.line([64 + 38 * np.cos(a), 64 + 38 * np.sin(a), 64 + 56 * np.cos(a), 64 + 56 * np.sin(a)], first, 6)
        pen.ellipse([34, 34, 94, 94], fill=second)
    else:
        pen.ellipse([18, 24, 68, 74], fill=first)
        pen.ellipse([60, 24, 110, 74], fill=first)
        pen.polygon([(22, 62), (106, 62), (64, 114)], fill=first)
    return np.asarray(picture, np.float32) / 255


def _stamp(
    paint: Paint, places: Places, picture: np.ndarray, centre: tuple[float, float], half: float, back: bool = False
) -> None:
    """Print a picture on the front (or back) of the trunk.

    centre: (x, y) dm on the mean body, as seen from the printed side with x to the right of the picture reversed on
    the back.  half: half the edge of the square, dm.
    """
    x = (-1 if back else 1) * (places.x - centre[0])
    y = centre[1] - places.y
    side = places.z < -0.1 if back else places.z > 0.2
    here = np.flatnonzero(places.torso & side & (np.abs(x) < half) & (np.abs(y) < half))
    column, row = ((v[here] / half * 0.5 + 0.5) * (SIZE - 1) for v in (x, y))
    rgba = np.stack([map_coordinates(picture[..., c], [row, column], order=1) for c in range(4)], axis=-1)
    opacity = rgba[:, 3:]
    paint.color[here] = paint.color[here] * (1 - opacity) + rgba[:, :3] * opacity


def maybe_print(rng: np.random.Generator, paint: Paint, places: Places, cloth: np.ndarray) -> None:
    """Draw a chest print, a small logo on the heart side, or prints on both sides, in colours that stand out."""
    logo, both = rng.random() < 0.2, rng.random() < 0.3
    half, height = rng.uniform(0.65, 1.05), rng.uniform(4.6, 5.1)
    front = draw_print(rng, contrasting(rng, cloth, 0.8))
    behind = draw_print(rng, contrasting(rng, cloth, 0.8))
    if logo:
        _stamp(paint, places, front, (0.75, 5.2), 0.4 * half)
    else:
        _stamp(paint, places, front, (0.0, height), half)
    if both:
        _stamp(paint, places, behind, (0.0, 4.9), 0.9, back=True)
