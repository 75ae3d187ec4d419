"""Tops: T-shirts, shirts with a collar, jumpers, hooded jumpers, sleeveless tops, bodices of dresses, jackets."""

from dataclasses import dataclass

import numpy as np

from posekit.studio.base.paint import Paint
from posekit.studio.base.palette import cloth_color, contrasting
from posekit.studio.base.ramps import smoothstep
from posekit.studio.body.limbs import Places
from posekit.studio.body.wearer import Wearer
from posekit.studio.clothes.drape import Drape
from posekit.studio.clothes.fabric import Fabric, make_cloth
from posekit.studio.clothes.folds import add_folds, fold_relief
from posekit.studio.clothes.garments import NECK_HEIGHT, NECKLINES, Top
from posekit.studio.clothes.prints import maybe_print
from posekit.studio.clothes.sheet import body_sheet
from posekit.studio.clothes.shell import Garment
from posekit.studio.clothes.trims import (
    armhole_seams,
    collar,
    collar_flap,
    cross_stripes,
    hem,
    kangaroo_pocket,
    patch_pocket,
    placket,
    ribbing,
    side_seams,
)
from posekit.util.errors import InputError

#: fit -> (looseness of the hang, thickness in dm, Laplacian steps, strength of the folds)
FITS = {"tight": (0.05, 0.06, 14, 0.6), "regular": (0.5, 0.10, 30, 1.1), "loose": (0.92, 0.15, 30, 1.2)}
#: Fabrics quiet enough for a print, and those that shirts with collars are made of.
QUIET = ("solid", "heather", "stripes", "ombre", "blocks", "knit", "pinstripes")
SHIRTING = ("solid", "plaid", "gingham", "pinstripes", "denim", "dots", "heather", "windowpane", "floral", "leaves")

# sleeves in dm along the arm and how often; necklines and how often; fits and how often
_SLEEVES = {True: ((0.0, 0.9, 1.6, 2.9, 5.15), (0.20, 0.08, 0.30, 0.10, 0.32))}
_SLEEVES[False] = ((0.0, 1.5, 1.9, 5.2), (0.05, 0.40, 0.15, 0.40))
_NECKS = {True: (("crew", "scoop", "v", "turtle", "boat", "square"), (0.28, 0.22, 0.20, 0.13, 0.10, 0.07))}
_NECKS[False] = (("crew", "v", "turtle"), (0.72, 0.18, 0.10))
_FITS = {True: (0.4, 0.4, 0.2), False: (0.12, 0.58, 0.30)}


@dataclass(frozen=True)
class TopStyle:
    """What was drawn for a top.  tucked: worn inside the trousers or skirt.  bodice: upper part of a dress."""

    cut: Top
    fit: str
    shirt: bool
    hooded: bool
    tucked: bool
    bodice: bool


def choose_top(rng: np.random.Generator, female: bool, hem_height: float, tucked: bool, bodice: bool) -> TopStyle:
    """Draw sleeves, neckline and fit."""
    lengths, shares = _SLEEVES[female]
    sleeve = float(rng.choice(lengths, p=shares))
    necks, shares = _NECKS[female]
    neck = str(rng.choice(necks, p=shares))
    fit = str(rng.choice(list(FITS), p=_FITS[female]))
    jitter, strap, depth_scale = rng.normal(0, 0.12), rng.uniform(1.15, 1.6), rng.uniform(0.92, 1.12)
    shirt, hooded = rng.random() < (0.25 if female else 0.35), rng.random() < 0.15
    if sleeve < 3 and neck == "turtle":
        neck = "crew"
    if bodice:
        fit, shirt, hooded = "tight", False, False
    shirt = shirt and sleeve > 0 and neck != "turtle"
    if shirt:
        neck = "crew" if neck != "v" else "v"
    half_width, depth, back = NECKLINES[neck]
    cut = Top(
        neck=neck,
        half_width=half_width,
        depth=depth * depth_scale,
        back_depth=back,
        hem=hem_height,
        hem_dip=0.0 if bodice or tucked else (0.16 if shirt else 0.0),
        sleeve=sleeve + jitter if sleeve else 0.0,
        strap=strap,
    )
    hooded = hooded and not shirt and sleeve > 3 and neck == "crew" and not tucked and fit != "tight"
    return TopStyle(cut, fit, shirt, hooded, tucked, bodice)


def make_top(wearer: Wearer, rng: np.random.Generator, style: TopStyle, kind: str | None) -> tuple[Garment, Fabric]:
    """Cut, paint and trim a top; ``kind`` names its fabric or is None.  Also returns the fabric, for the skirt."""
    places, cut = wearer.atlas.texels, style.cut
    if style.shirt and kind is None:
        kind = str(rng.choice(SHIRTING))
    fabric = make_cloth(rng, wearer.noise, kind)
    raglan, printed, ribbed = rng.random() < 0.14, rng.random() < 0.6, rng.random() < 0.5
    sleeve_stripes = rng.random() < 0.12
    contrast, same = contrasting(rng, fabric.ground), rng.random() < 0.6
    print_rng, fold_offset = np.random.default_rng(int(rng.integers(1 << 31))), 20 * rng.random()

    paint = Paint(*_lay(fabric, wearer))
    inside = cut.distance(places)
    ground = paint.color[places.torso].mean(0)
    if raglan and not style.bodice and fabric.kind in ("solid", "heather", "stripes"):
        paint.cover(smoothstep(wearer.atlas.arm_weight, 0.46, 0.54), contrast)
    if sleeve_stripes and cut.sleeve > 1.2 and not style.shirt and fabric.kind in QUIET:
        cross_stripes(paint, places, places.arm, [contrast, contrast], min(cut.sleeve, 2.2) - 0.75)
    if style.shirt:
        placket(paint, places, 0.3 * ground + 0.6)
        collar(paint, cut, places, None if same else contrast)
        if not printed:
            patch_pocket(paint, places, (0.85, 4.9), (0.36, 0.42))
    elif fabric.kind in QUIET and printed:
        maybe_print(print_rng, paint, places, ground)
    if style.hooded:
        kangaroo_pocket(paint, places, cut.hem + 0.35)
    if ribbed and not style.shirt:
        ribbing(paint, places, inside, 0.75 * ground if same else contrast)
    hem(paint, inside)
    armhole_seams(paint, places)
    side_seams(paint, places, places.torso, 0.15)
    loose, thickness, steps, folds = FITS[style.fit]
    add_folds(paint, fold_relief(wearer.atlas, wearer.noise, fold_offset), folds)
    if not style.bodice and not style.tucked:
        thickness += 0.08
    if style.tucked:
        loose = min(loose, 0.5)
    drapes = [Drape("torso", loose)]
    if cut.sleeve > 0:
        drapes += [Drape(f"arm_{side}", 0.15 + 0.75 * loose) for side in "lr"]
    garment = Garment("top", cut, paint, 8.0, thickness, steps, tuple(drapes), _lift(style))
    return garment, fabric


def _lay(fabric: Fabric, wearer: Wearer) -> tuple[np.ndarray, float, np.ndarray | float]:
    color, relief = fabric(body_sheet(wearer.atlas))
    return color, 0.06, relief


def _lift(style: TopStyle):
    """Extra thickness of the cloth where it is doubled: shirt collars, turtlenecks, the rolled hood at the neck."""
    cut = style.cut

    def lift(places: Places) -> np.ndarray:
        extra = np.zeros(places.along.shape)
        if style.shirt:
            extra = 0.06 * smoothstep(collar_flap(cut, places), -0.05, 0.15)
        elif cut.neck == "turtle":
            extra = 0.07 * smoothstep(places.y, 6.95, 7.15)
        elif style.hooded:
            outside = cut.neckline(places)
            extra = 0.22 * smoothstep(0.75 - outside, 0, 0.6) * (places.z < 0.9) * (places.y > 5.6)
        return extra

    return lift


_JACKETS = ("denim", "solid", "leather", "knit", "plaid", "blazer", "bomber")


def make_jacket(wearer: Wearer, rng: np.random.Generator, kind: str | None, under: float) -> Garment:
    """An open jacket or cardigan; ``kind`` is one of denim, solid, leather, knit, plaid, blazer, bomber or None.

    under: thickness in dm of the top worn beneath.
    """
    places = wearer.atlas.texels
    drawn = str(rng.choice(_JACKETS))
    kind = kind or drawn
    if kind not in _JACKETS:
        raise InputError(f"unknown jacket {kind!r}; known: {', '.join(_JACKETS)}")
    pattern = {"leather": "solid", "blazer": "solid", "bomber": "solid"}.get(kind, kind)
    dark = cloth_color(rng, "black", "charcoal", "brown", "navy", "olive", "ivory", "grey", "camel", "burgundy")
    fabric = make_cloth(rng, wearer.noise, pattern, dark if pattern == "solid" else None)
    half_width, _, back = NECKLINES["v"]
    cut = Top(
        neck="v",
        half_width=half_width + 0.1,
        depth=rng.uniform(1.2, 2.6),
        back_depth=back - 0.05,
        hem=rng.uniform(1.25, 2.2) - (0.5 if kind == "blazer" else 0.0),
        sleeve=5.2,
        opening=rng.uniform(0.25, 0.6),
    )
    color, relief = fabric(body_sheet(wearer.atlas))
    paint = Paint(color, 0.28 if kind == "leather" else 0.08, relief)
    inside = cut.distance(places)
    front = places.torso & (places.z > 0)
    hem(paint, inside)
    lapel = smoothstep(0.36 - inside, -0.06, 0.06) * front * (places.y > (NECK_HEIGHT - cut.depth - 0.8))
    paint.darken(lapel, 0.12 if kind != "blazer" else -0.08)
    paint.raise_by(0.035 * lapel)
    if kind == "bomber":
        ribbing(paint, places, inside, 0.7 * fabric.ground, 0.3)
    for x in (-1.0, 1.0):
        patch_pocket(paint, places, (x, cut.hem + 0.75), (0.34, 0.30))
    armhole_seams(paint, places)
    add_folds(paint, fold_relief(wearer.atlas, wearer.noise, 20 * rng.random()), 0.9)
    drapes = (Drape("torso", 0.85), Drape("arm_l", 0.75), Drape("arm_r", 0.75))
    return Garment("jacket", cut, paint, 26.0 if kind == "leather" else 8.0, under + 0.12, 60, drapes)
