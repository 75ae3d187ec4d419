"""The cut of garments: signed distance to their outline, for any place on the body.

A cut answers one question: how many decimetres inside the garment is this place (negative: outside)?  It is asked
at vertices, to build the shell, and at texels, to cut it out and to lay seams and trimmings along its edges.
Heights are y in the mean body: soles -8.2, crotch 0, waist 2.4, neck 7.3, crown 10.2.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from posekit.studio.base.ramps import smoothstep
from posekit.studio.body.limbs import Places

OUTSIDE, FAR = -1.0, 9.0
NECK_HEIGHT = 7.35

#: neckline -> (half-width, depth in front, depth behind), dm
NECKLINES = {
    "crew": (0.80, 0.75, 0.42),
    "scoop": (1.00, 1.25, 0.70),
    "v": (0.85, 1.70, 0.50),
    "turtle": (0.80, 1.00, 0.40),
    "boat": (1.25, 0.62, 0.60),
    "square": (0.95, 1.15, 0.55),
}


class Cut(Protocol):
    """An outline on the body."""

    def distance(self, places: Places) -> np.ndarray:
        """Signed distance in dm, positive inside."""
        ...


@dataclass(frozen=True)
class Top:
    """Shirts, jumpers, bodices and open jackets.

    neck: key of `NECKLINES`, its half-width, front and back depth in dm.  hem: height.  hem_dip: how much higher
    the front hem is than the back.  sleeve: dm along the arm, 0 is sleeveless.  strap: half-width between the
    armholes.  opening: half-width of an open front, 0 closed.
    """

    neck: str
    half_width: float
    depth: float
    back_depth: float
    hem: float
    sleeve: float
    hem_dip: float = 0.0
    strap: float = 1.4
    opening: float = 0.0

    def neckline(self, places: Places) -> np.ndarray:
        """Distance outside the neck opening alone (the garment's side is positive)."""
        x, y, z = np.abs(places.x), places.y, places.z
        rise = y - NECK_HEIGHT
        if self.neck == "v":
            front = 0.5 * (x / self.half_width - (rise + self.depth) / self.depth)
        elif self.neck == "square":
            front = np.maximum(x - self.half_width, -(rise + self.depth))
        else:
            front = _ellipse(x, rise, self.half_width, self.depth)
        back = _ellipse(x, rise, self.half_width, self.back_depth)
        outside = np.where(z > np.interp(y, [5, 7], [0.0, 0.25]), front, back)
        return np.where(rise > 0, np.minimum(outside, x - self.half_width), outside)

    def distance(self, places: Places) -> np.ndarray:
        x, y = np.abs(places.x), places.y
        hem = y - (self.hem + self.hem_dip * np.cos(places.angle))
        inside = np.where(places.leg, y - self.hem, hem)
        inside = np.where(places.arm, self.sleeve - places.along, inside)
        if self.neck == "turtle":
            inside = np.where(places.head, NECK_HEIGHT + 0.2 - y - 0.35 * (places.z - 0.3), inside)
        else:
            inside = np.where(places.head, OUTSIDE, np.minimum(inside, self.neckline(places)))
        if self.sleeve < 0.05:
            armhole = np.where(y > 4.9, self.strap - x + 0.5 * np.maximum(0, 5.6 - y), FAR)
            inside = np.where(places.arm, OUTSIDE, np.minimum(inside, armhole))
        if self.opening:
            edge = x - self.opening * (0.55 + 0.45 * smoothstep(y, 2, 7))
            inside = np.minimum(inside, np.where((places.z > 0.2) & ~places.arm, edge, FAR))
        return inside


def _ellipse(x: np.ndarray, y: np.ndarray, a: float, b: float) -> np.ndarray:
    """Approximate distance outside an ellipse with half-axes a and b."""
    return (np.sqrt((x / a) ** 2 + (y / b) ** 2) - 1) * min(a, b)


@dataclass(frozen=True)
class Bottom:
    """Trousers and shorts.  waist: height.  length: dm along the leg."""

    waist: float
    length: float

    def distance(self, places: Places) -> np.ndarray:
        inside = np.where(places.leg, self.length - places.along, self.waist - places.y)
        return np.where(places.arm | places.head, OUTSIDE, inside)


@dataclass(frozen=True)
class Shoe:
    """Shoes and boots.  top: height of the rim at the ankle.  slope: how much higher it is in front.
    open_instep: cut out over the instep, as in a ballet flat."""

    top: float
    slope: float = 0.12
    open_instep: bool = False

    def distance(self, places: Places) -> np.ndarray:
        inside = np.where(places.leg, self.top + self.slope * (places.z - 0.2) - places.y, OUTSIDE)
        if self.open_instep:
            off_middle = 2 * (np.abs(np.abs(places.x) - 1.97) - 0.28)
            opening = np.maximum(np.maximum(0.4 - places.z, places.z - 0.98), off_middle)
            inside = np.minimum(inside, opening)
        return inside
