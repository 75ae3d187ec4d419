"""Trousers, shorts, leggings, and the shorts that are worn under skirts."""

from dataclasses import dataclass

import numpy as np

from posekit.studio.base.paint import Paint
from posekit.studio.base.palette import cloth_color
from posekit.studio.base.ramps import line
from posekit.studio.body.wearer import Wearer
from posekit.studio.clothes.drape import Drape
from posekit.studio.clothes.fabric import make_cloth
from posekit.studio.clothes.folds import add_folds, fold_relief
from posekit.studio.clothes.garments import Bottom
from posekit.studio.clothes.sheet import body_sheet
from posekit.studio.clothes.shell import Garment
from posekit.studio.clothes.trims import belt, hem, side_seams, trouser_details

STYLES = ("jeans", "chinos", "loose", "leggings", "joggers")
_SHARES = {True: (0.38, 0.22, 0.15, 0.17, 0.08), False: (0.42, 0.35, 0.12, 0.0, 0.11)}
_COLORS = (
    "white",
    "ivory",
    "black",
    "black",
    "charcoal",
    "charcoal",
    "grey",
    "navy",
    "camel",
    "brown",
    "sand",
    "olive",
)


@dataclass(frozen=True)
class BottomStyle:
    """style: one of `STYLES`.  short: ends above the knee."""

    style: str
    cut: Bottom
    short: bool


def choose_bottom(rng: np.random.Generator, female: bool, short: bool, waist: float, leg: float) -> BottomStyle:
    """Draw a style and a length; ``leg`` is the length of the mean body's leg to the ankle, dm."""
    style = str(rng.choice(STYLES, p=_SHARES[female]))
    ankle, thigh = leg - rng.uniform(-0.05, 0.9), rng.uniform(1.3, 3.6)
    if style in ("joggers", "jeans"):
        ankle = leg - 0.3 * (leg - ankle)
    if short and style == "leggings":
        thigh = max(thigh, 2.4)
    return BottomStyle(style, Bottom(waist, thigh if short else ankle), short)


def make_bottom(wearer: Wearer, rng: np.random.Generator, style: BottomStyle, belted: bool) -> Garment:
    """Cut, paint and trim trousers or shorts.  belted: a belt shows (the top is tucked in)."""
    places, kind = wearer.atlas.texels, style.style
    pattern = str(
        rng.choice(["solid", "heather", "plaid", "pinstripes", "windowpane"], p=[0.62, 0.18, 0.08, 0.07, 0.05])
    )
    ground = cloth_color(rng, *_COLORS)
    snug = cloth_color(rng, "black", "charcoal", "black", "navy", "grey", "burgundy", "forest")
    belt_color = cloth_color(rng, "black", "brown", "camel", "charcoal")
    stripe, flared = rng.random() < 0.4, rng.random() < 0.33
    looseness = {
        "jeans": rng.uniform(0.3, 0.85),
        "chinos": rng.uniform(0.5, 0.9),
        "loose": rng.uniform(0.9, 1.0),
        "leggings": 0.0,
        "joggers": rng.uniform(0.5, 0.8),
    }[kind]
    if kind == "jeans":
        pattern = "denim"
    elif kind == "leggings":
        pattern, ground = "solid", snug
    elif kind == "joggers":
        pattern = "heather" if pattern != "solid" else "solid"
    fabric = make_cloth(rng, wearer.noise, pattern, ground)
    color, relief = fabric(body_sheet(wearer.atlas))
    paint = Paint(color, 0.08, relief)
    inside = style.cut.distance(places)
    hem(paint, inside, 0.12 if kind != "joggers" else 0.35)
    if kind == "jeans":  # worn pale on the thighs and the knees
        worn = np.exp(-(((places.along - 2.3) / 1.3) ** 2) - (places.angle / 0.7) ** 2) * places.leg
        paint.darken(worn, -0.22 * rng.random())
    if kind in ("jeans", "chinos", "loose"):
        trouser_details(paint, places, style.cut.waist)
        if belted:
            belt(paint, places, style.cut.waist, belt_color)
        if kind == "chinos":  # pressed crease
            paint.darken(line(places.angle, 0.05) * places.leg, -0.10)
    elif kind == "joggers" and stripe:
        paint.cover(line(np.abs(places.angle) - np.pi / 2, 0.12) * places.leg, (0.93, 0.93, 0.93))
    else:
        side_seams(paint, places, places.leg, 0.12)
    add_folds(paint, fold_relief(wearer.atlas, wearer.noise, 20 * rng.random()), 0.5 if kind == "leggings" else 1.0)
    flare = 0.35 if flared and wearer.female and kind in ("jeans", "loose") else 0.1 if kind == "loose" else 0.0
    drapes = tuple(Drape(f"leg_{side}", looseness, flare) for side in "lr") if looseness else ()
    tight = kind == "leggings"
    return Garment("bottom", style.cut, paint, 8.0, 0.05 if tight else 0.09, 4 if tight else 10, drapes)


def make_under_shorts(wearer: Wearer, waist: float) -> Garment:
    """Plain dark shorts for under a skirt, up to ``waist``."""
    paint = Paint(np.full((wearer.atlas.n_texels, 3), 0.25, np.float32), 0.05)
    return Garment("bottom", Bottom(waist, 1.4), paint, 8.0, 0.03, 2)
