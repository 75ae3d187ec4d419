"""Shoes, and the socks and tights that are painted on the legs."""

import numpy as np

from posekit.studio.base.paint import Paint
from posekit.studio.base.palette import cloth_color, contrasting
from posekit.studio.base.ramps import smoothstep
from posekit.studio.body.limbs import Places
from posekit.studio.body.wearer import Wearer
from posekit.studio.clothes.garments import Shoe
from posekit.studio.clothes.shell import Garment
from posekit.studio.clothes.shoe_last import shoe_last

#: kind -> height of the rim (y of the mean body; the ankle is at about -7.2)
RIM = {
    "sneaker": -7.25,
    "high-top": -6.75,
    "boot": -5.4,
    "ankle boot": -6.8,
    "oxford": -7.3,
    "ballet": -7.45,
    "loafer": -7.42,
}
_SHARES = {
    True: {"sneaker": 0.3, "high-top": 0.06, "boot": 0.15, "ankle boot": 0.16, "ballet": 0.23, "loafer": 0.1},
    False: {"sneaker": 0.42, "high-top": 0.12, "ankle boot": 0.18, "oxford": 0.2, "loafer": 0.08},
}
SOLE = -7.98


def choose_shoes(rng: np.random.Generator, female: bool) -> str:
    """Draw a kind of shoe."""
    shares = _SHARES[female]
    return str(rng.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values())))


def make_shoes(wearer: Wearer, rng: np.random.Generator, kind: str) -> Garment:
    """Cut and paint a pair of shoes."""
    places = wearer.atlas.texels
    y, z = places.y, places.z
    sporty = kind in ("sneaker", "high-top")
    light = cloth_color(rng, "white", "white", "black", "crimson", "navy", "grey", "ivory")
    dark = cloth_color(rng, "black", "black", "brown", "camel", "charcoal", "burgundy", "white")
    color = light if sporty else dark
    accent, striped = contrasting(rng, color), rng.random() < 0.6
    shade = 1 + 0.12 * (wearer.noise.clouds(places.position, 6, 2) - 0.5)
    paint = Paint(color * shade[:, None], 0.12 if sporty else 0.4, 0.01 * wearer.noise(places.position, 8))
    across = np.abs(np.abs(places.x) - 1.97)  # from the middle line of the foot
    if sporty:
        toe = smoothstep(z, 1.62, 1.7) * (y < -7.78)
        paint.cover(0.9 * toe, 0.6 + 0.4 * color)
        stripe = smoothstep(0.13 - np.abs((z + 0.6 * y) * 1.6 % 1 - 0.5), -0.03, 0.03)
        stripe = stripe * (z > 0.1) * (z < 0.95) * (y < -7.35) * (y > -7.95)
        if striped:
            paint.cover(stripe, accent)
        tongue = smoothstep(0.2 - across, -0.03, 0.03) * (z > 0.6) * (z < 1.55) * (y > -7.9)
        paint.darken(tongue, 0.15)
        lace = smoothstep(0.16 - across, -0.02, 0.02) * (z > 0.75) * (z < 1.55) * (y > -7.9) * (z * 5 % 1 < 0.45)
        paint.cover(lace, (0.93,) * 3 if color.mean() < 0.6 else (0.3,) * 3)
        paint.raise_by(0.02 * lace)
    elif kind in ("oxford", "ankle boot"):
        cap = np.exp(-(((z - 1.55) / 0.025) ** 2)) * (y > SOLE)
        paint.darken(cap, 0.35)
        lace = smoothstep(0.12 - across, -0.02, 0.02) * (z > 0.75) * (z < 1.35) * (y > -7.9) * (z * 6 % 1 < 0.35)
        paint.darken(lace, 0.5)
    elif kind == "loafer":
        paint.darken(np.exp(-(((z - 1.25) / 0.06) ** 2)) * (y > -7.85), 0.35)
    rim = SOLE - 0.13 * smoothstep(z, 1.3, 1.6)  # lower at the toes, whose sides belong to the upper
    sole = smoothstep(rim - y, -0.015, 0.015)
    paint.cover(sole, (0.92, 0.92, 0.90) if sporty else 0.5 * color if kind == "ballet" else (0.08, 0.07, 0.07))
    paint.darken(np.exp(-(((y - rim) / 0.02) ** 2)) * (z < 1.5), 0.3)
    cut = Shoe(RIM[kind], open_instep=kind in ("ballet", "loafer"))
    thickness = 0.06 if kind in ("ballet", "loafer") else 0.10
    lift = _sole_lift if sporty else None
    return Garment(
        "shoes", cut, paint, 20.0, thickness, 40, lift=lift, mould=shoe_last, hides=0.10 if cut.open_instep else 0.02
    )


def _sole_lift(places: Places) -> np.ndarray:
    """Sneakers have a wider sole."""
    return 0.03 * smoothstep(-7.85 - places.y, 0, 0.1)


def paint_socks(paint: Paint, wearer: Wearer, rim: float, color: np.ndarray) -> None:
    """Colour the skin of the feet and ankles up to ``rim`` as ribbed cotton."""
    places = wearer.atlas.texels
    sock = smoothstep(rim - places.y, -0.03, 0.03) * places.leg
    paint.cover(sock, color)
    paint.specular *= (1 - 0.8 * sock).astype(np.float32)
    paint.raise_by(0.006 * sock * np.sin(24 * places.angle))


def paint_tights(paint: Paint, wearer: Wearer, color: np.ndarray, opacity: float) -> None:
    """Colour legs and feet through thin knitwear; it looks denser where it is seen edge-on, so keep it below 0.95."""
    places = wearer.atlas.texels
    legs = smoothstep(2.2 - places.y, 0, 0.05) * (places.leg | places.torso)
    paint.cover(opacity * legs, color)
    paint.specular *= (1 - 0.5 * legs).astype(np.float32)
