"""Hair styles: what can be chosen, and where on the head hair grows."""

from dataclasses import dataclass

import numpy as np

from posekit.util.errors import InputError

#: style -> (thickness of the cap in dm: from, to; how the strands run; what hangs down)
#: flows: "crown" away from the crown, "part" to both sides of a parting, "tie" towards where it is tied
_STYLES = {
    "bald": ((0.0, 0.0), "crown", None),
    "buzz": ((0.02, 0.04), "crown", None),
    "crop": ((0.05, 0.09), "crown", None),
    "fade": ((0.14, 0.24), "crown", None),
    "short": ((0.12, 0.24), "part", None),
    "quiff": ((0.14, 0.22), "crown", None),
    "messy": ((0.16, 0.28), "crown", None),
    "curly": ((0.22, 0.40), "curls", None),
    "afro": ((0.40, 0.90), "curls", None),
    "pixie": ((0.12, 0.20), "part", None),
    "medium": ((0.18, 0.28), "part", "curtain"),
    "bob": ((0.15, 0.20), "part", "curtain"),
    "shoulder": ((0.13, 0.18), "part", "curtain"),
    "long": ((0.12, 0.17), "part", "curtain"),
    "half-up": ((0.10, 0.14), "tie", "curtain"),
    "pony": ((0.06, 0.09), "tie", "tail"),
    "bun": ((0.06, 0.09), "tie", "tail"),
    "top-knot": ((0.06, 0.10), "tie", "tail"),
    "braid": ((0.07, 0.10), "tie", "tail"),
    "pigtails": ((0.07, 0.10), "part", "tail"),
}
STYLES = tuple(_STYLES)
_SHARES = {
    True: {
        "long": 0.24,
        "shoulder": 0.12,
        "bob": 0.14,
        "half-up": 0.06,
        "pony": 0.12,
        "bun": 0.08,
        "top-knot": 0.03,
        "braid": 0.05,
        "pigtails": 0.03,
        "pixie": 0.05,
        "curly": 0.04,
        "afro": 0.04,
    },
    False: {
        "short": 0.22,
        "fade": 0.14,
        "crop": 0.12,
        "buzz": 0.09,
        "quiff": 0.09,
        "messy": 0.10,
        "curly": 0.05,
        "afro": 0.04,
        "medium": 0.06,
        "top-knot": 0.02,
        "bald": 0.07,
    },
}
_BANGS = ("long", "shoulder", "bob", "pony")


@dataclass(frozen=True)
class HairStyle:
    """What was drawn for the hair; lengths in dm on the mean head.

    name: one of `STYLES`.  thickness: of the cap.  flow: how strands run.  hangs: None, "curtain" or "tail".
    forehead: how much higher the hairline is.  recession: at the temples.  sideburn: how far it comes down before
    the ear.  peak: -1 .. 1, dip in the middle.  bangs: hair cut straight across the forehead.  jag: raggedness of
    the edge.  part: x of the parting.  lift: swelling at the front.  length, wave, volume: of what hangs, 0 .. 1.
    soft: the hairline is a female one (rounder, no receding temples).
    """

    name: str
    thickness: float
    flow: str
    hangs: str | None
    forehead: float
    recession: float
    sideburn: float
    peak: float
    bangs: bool
    jag: float
    part: float
    lift: float
    length: float
    wave: float
    volume: float
    soft: bool


def choose_hair(rng: np.random.Generator, female: bool, age: float, name: str | None = None) -> HairStyle:
    """Draw a style; ``name`` fixes which, and leaves the other numbers as they would have been."""
    shares = _SHARES[female]
    drawn = str(rng.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values())))
    name = name or drawn
    if name not in _STYLES:
        raise InputError(f"hair must be one of {', '.join(STYLES)}; got {name!r}")
    (thin, thick), flow, hangs = _STYLES[name]
    thickness, forehead, recession = rng.random(), rng.uniform(-0.06, 0.06), rng.random()
    sideburn, peak, bangs, part = rng.random(), rng.uniform(-1, 1), rng.random() < 0.35, rng.random()
    lift, length, wave, volume = rng.uniform(-0.1, 0.8), rng.random(), rng.random(), rng.random()
    bangs = bangs and name in _BANGS
    jags = {"buzz": 0.05, "crop": 0.08, "messy": 0.2, "short": 0.14, "curly": 0.25, "afro": 0.2}
    sides = (-0.28, 0.0, 0.28) if female else (-0.42, 0.42, -0.36)
    return HairStyle(
        name=name,
        thickness=thin + thickness * (thick - thin),
        flow=flow,
        hangs=hangs,
        forehead=forehead,
        recession=0.10 * recession if female else 0.28 * recession * (0.3 + age),
        sideburn=-0.1 + 0.22 * sideburn if female else 0.3 * sideburn,
        peak=peak,
        bangs=bangs,
        jag=0.06 if bangs else jags.get(name, 0.10),
        part=0.0 if name == "pigtails" else sides[int(3 * part)],
        lift=0.7 + 0.6 * max(lift, 0) if name == "quiff" else 0.6 * lift if name in ("short", "fade", "messy") else 0.0,
        length=length,
        wave=wave,
        volume=volume,
        soft=female,
    )


_ANGLES = [0, 18, 36, 52, 64, 72, 77, 84, 98, 106, 118, 140, 180]


def hairline(position: np.ndarray, style: HairStyle) -> np.ndarray:
    """Signed distance in dm above the hairline (positive: hair), by the direction seen from above.

    position: (..., 3) on the mean head.  The hairline is a height for each angle from straight ahead (0) over the
    ears (about 90 degrees) to the nape (180).
    """
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    angle = np.degrees(np.arctan2(np.abs(x), z - 0.45))
    f, r, s = style.forehead, style.recession, style.sideburn
    if style.soft:
        heights = [9.70, 9.69, 9.58, 9.28, 8.95, 8.70 - s, 8.75 - s, 9.02, 9.00, 8.50, 8.00, 7.80, 7.75]
        heights[0], heights[1], heights[2] = heights[0] + f, heights[1] + f, heights[2] + f
    else:
        heights = [9.60 + f - 0.04 * style.peak, 9.62 + f, 9.60 + f + 0.6 * r, 9.30 + 0.5 * r, 8.92]
        heights += [8.62 - s, 8.66 - s, 9.02, 9.00, 8.55, 8.05, 7.85, 7.80]
    line = np.interp(angle, _ANGLES, heights)
    if style.bangs:
        line = np.minimum(line, np.interp(angle, [0, 30, 48, 58, 180], [9.20, 9.18, 9.02, 8.9, 12]))
    return y - line
