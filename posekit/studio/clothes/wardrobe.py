"""Dressing: which clothes go together, and in what order they are put on."""

from dataclasses import dataclass

import numpy as np

from posekit.studio.base.paint import Paint
from posekit.studio.base.palette import cloth_color
from posekit.studio.body.wearer import Wearer
from posekit.studio.clothes.bottoms import BottomStyle, choose_bottom, make_bottom, make_under_shorts
from posekit.studio.clothes.fabric import make_cloth
from posekit.studio.clothes.shell import wear
from posekit.studio.clothes.shoes import RIM, choose_shoes, make_shoes, paint_socks, paint_tights
from posekit.studio.clothes.skirt import add_skirt, choose_length, skirt_top
from posekit.studio.clothes.tops import FITS, TopStyle, choose_top, make_jacket, make_top
from posekit.util.errors import InputError

KINDS = ("trousers", "shorts", "skirt", "dress")
_SHARES = {True: (0.47, 0.10, 0.16, 0.27), False: (0.82, 0.18, 0.0, 0.0)}
JACKET_SHARE = 0.25


@dataclass(frozen=True)
class Wishes:
    """Choices that are fixed instead of drawn; None leaves them to chance.

    outfit: one of `KINDS`.  top: a fabric of `fabric.PATTERNS`.  shoes: one of `shoes.RIM`.  jacket: True, False
    or a kind of `tops.make_jacket`.  skirt_length: share of the way from waist to ankles, 0.2 .. 1.
    """

    outfit: str | None = None
    top: str | None = None
    shoes: str | None = None
    jacket: bool | str | None = None
    skirt_length: float | None = None

    def __post_init__(self) -> None:
        if self.outfit is not None and self.outfit not in KINDS:
            raise InputError(f"outfit must be one of {', '.join(KINDS)}; got {self.outfit!r}")
        if self.shoes is not None and self.shoes not in RIM:
            raise InputError(f"shoes must be one of {', '.join(RIM)}; got {self.shoes!r}")
        if self.skirt_length is not None and not 0.2 <= self.skirt_length <= 1:
            raise InputError(f"skirt_length must lie in [0.2, 1]; got {self.skirt_length}")


def choose_kind(rng: np.random.Generator, female: bool) -> str:
    """Draw trousers, shorts, a skirt or a dress."""
    return str(rng.choice(KINDS, p=_SHARES[female]))


@dataclass(frozen=True)
class Plan:
    """What will be worn.  kind: one of `KINDS`.  waist: height of the waistband or of a skirt's pattern, dm.
    tucked: the top is worn inside.  shoes: one of `shoes.RIM`.  jacket: its kind, "" for any, or None.
    socks: sRGB and height of the rim, or None.  tights: sRGB and opacity, or None."""

    kind: str
    waist: float
    tucked: bool
    belted: bool
    top: TopStyle
    bottom: BottomStyle
    shoes: str
    jacket: str | None
    skirt_length: float
    socks: tuple[np.ndarray, float] | None
    tights: tuple[np.ndarray, float] | None

    @property
    def skirted(self) -> bool:
        return self.kind in ("skirt", "dress")


def plan_outfit(wearer: Wearer, seeds: dict[str, np.random.Generator], wishes: Wishes) -> Plan:
    """Draw an outfit.  seeds: one generator per subject ("outfit", "bottom", "top", "skirt", "shoes"), so that a
    fixed choice leaves the others as they were."""
    rng, female = seeds["outfit"], wearer.female
    kind = choose_kind(rng, female)
    waist, loose_hem, cropped_hem = rng.uniform(2.0, 2.7), rng.uniform(1.25, 1.9), rng.uniform(2.1, 2.7)
    tucked, cropped = rng.random() < (0.35 if female else 0.2), rng.random() < 0.25
    belted, jacketed = rng.random() < 0.7, rng.random() < JACKET_SHARE
    sock, sock_color = rng.random(), cloth_color(rng, "white", "white", "black", "grey", "navy")
    tights, opacity = rng.random() < 0.3, rng.uniform(0.55, 0.93)
    tight_color = cloth_color(rng, "black", "charcoal", "navy")

    kind = wishes.outfit or kind
    skirted = kind in ("skirt", "dress")
    if skirted:  # hems: under the upper rim of the skirt, under the waistband, or free
        hem = skirt_top(wearer.body) - 0.32
    elif tucked:
        hem = waist - 0.5
    else:
        hem = cropped_hem if cropped and female else loose_hem
    shoes = choose_shoes(seeds["shoes"], female)
    shoes = wishes.shoes or shoes
    length = choose_length(seeds["skirt"])
    socks = None
    if shoes in ("sneaker", "high-top", "oxford", "ankle boot") and sock < 0.7:
        socks = (sock_color, -6.9 + (1.6 if sock < 0.15 else 0.25 * sock))
    jacket = "" if jacketed and kind != "dress" else None
    if wishes.jacket is not None:
        jacket = wishes.jacket if isinstance(wishes.jacket, str) else "" if wishes.jacket else None
    return Plan(
        kind=kind,
        waist=waist,
        tucked=tucked,
        belted=belted,
        top=choose_top(seeds["top"], female, hem, tucked or skirted, kind == "dress"),
        bottom=choose_bottom(seeds["bottom"], female, kind == "shorts", waist, sum(wearer.atlas.leg)),
        shoes=shoes,
        jacket=jacket,
        skirt_length=wishes.skirt_length or length,
        socks=socks,
        tights=(tight_color, opacity) if tights and skirted else None,
    )


def paint_legs(skin: Paint, wearer: Wearer, plan: Plan) -> None:
    """Tights and socks are colour on the skin."""
    if plan.tights:
        paint_tights(skin, wearer, *plan.tights)
    elif plan.socks:
        color, rim = plan.socks
        paint_socks(skin, wearer, rim, color)


def dress(wearer: Wearer, plan: Plan, seeds: dict[str, np.random.Generator], top_fabric: str | None = None) -> dict:
    """Put the planned clothes on; the skin must be the wearer's only layer.  top_fabric: see `Wishes.top`.

    Returns what was worn, for `Figure.meta`.
    """
    top, fabric = make_top(wearer, seeds["top"], plan.top, top_fabric)
    if plan.skirted:
        bottom = make_under_shorts(wearer, plan.top.cut.hem + 0.3)
    else:
        bottom = make_bottom(wearer, seeds["bottom"], plan.bottom, plan.belted and plan.tucked)
    clothes = [top, bottom] if plan.tucked and not plan.skirted else [bottom, top]
    shoes = make_shoes(wearer, seeds["shoes"], plan.shoes)
    over_trousers = plan.skirted or plan.kind == "shorts" or (plan.shoes == "boot" and plan.bottom.style == "leggings")
    for garment in [*clothes, shoes] if over_trousers else [shoes, *clothes]:
        wear(wearer, garment)
    if plan.skirted:
        skirt_fabric = fabric if plan.kind == "dress" else make_cloth(seeds["skirt"], wearer.noise)
        add_skirt(wearer, seeds["skirt"], skirt_fabric, plan.waist, plan.skirt_length, plan.kind == "dress")
    if plan.jacket is not None:
        wear(wearer, make_jacket(wearer, seeds["jacket"], plan.jacket or None, FITS[plan.top.fit][1]))
    return {
        "outfit": plan.kind,
        "top": fabric.kind,
        "neck": plan.top.cut.neck,
        "sleeve": plan.top.cut.sleeve,
        "shirt": plan.top.shirt,
        "bottom": None if plan.skirted else plan.bottom.style,
        "skirt_length": plan.skirt_length if plan.skirted else None,
        "jacket": plan.jacket is not None,
        "shoes": plan.shoes,
        "tucked": plan.tucked,
    }
