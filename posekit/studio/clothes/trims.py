"""Trimmings: hems, ribbing, seams, plackets, collars, pockets, belts; all painted with an edge distance in hand."""

import numpy as np

from posekit.studio.base.paint import Paint
from posekit.studio.base.ramps import band, line, smoothstep
from posekit.studio.body.limbs import Places
from posekit.studio.clothes.garments import Top


def hem(paint: Paint, inside: np.ndarray, distance: float = 0.2, strength: float = 0.28) -> None:
    """A stitched hem: a dark stitching line ``distance`` dm inside the edge, the doubled cloth beyond it raised."""
    paint.darken(line(inside - distance, 0.017), strength)
    paint.raise_by(0.012 * smoothstep(distance + 0.03 - inside, 0, 0.06))
    paint.darken(smoothstep(0.05 - inside, 0, 0.06), 0.22)  # the rounded rim turns away from the light


def ribbing(paint: Paint, places: Places, inside: np.ndarray, color: np.ndarray, width: float = 0.24) -> None:
    """A knitted border of another colour, ribbed across the edge; none along the lower hem of the trunk."""
    rim = smoothstep(width - inside, -0.06, 0.06) * ~(places.torso & (places.y < 3))
    paint.cover(rim, color)
    ribs = np.sin(places.angle * np.where(places.torso | places.head, 40, 22))
    paint.raise_by(0.012 * rim * ribs)
    paint.darken(line(inside - width, 0.02) * ~(places.torso & (places.y < 3)), 0.18)


def side_seams(paint: Paint, places: Places, where: np.ndarray, strength: float = 0.2) -> None:
    """Seams where front and back of the limb or trunk are sewn together."""
    paint.darken(line(np.abs(places.angle) - np.pi / 2, 0.04) * where, strength)


def armhole_seams(paint: Paint, places: Places) -> None:
    """Where the sleeve is set in."""
    paint.darken(line(places.along - 0.12, 0.04) * places.arm, 0.25)


def placket(paint: Paint, places: Places, buttons: np.ndarray | tuple) -> None:
    """The button strip of a shirt: a raised band down the front with a button every 7.5 cm."""
    x, front = np.abs(places.x), places.torso & (places.z > 0)
    strip = smoothstep(0.14 - x, -0.02, 0.02) * front
    paint.darken(strip, 0.06)
    paint.raise_by(0.012 * strip)
    paint.darken(line(x - 0.14, 0.02) * front, 0.4)
    height = (places.y / 0.75 % 1 - 0.5) * 0.75
    button = smoothstep(0.06 - np.hypot(places.x, height), -0.015, 0.015) * front
    paint.cover(button, buttons)
    paint.raise_by(0.02 * button)


def collar_flap(cut: Top, places: Places) -> np.ndarray:
    """How many dm inside a shirt collar's flap a place lies: a band behind, two points in front, open at the throat."""
    outside = cut.neckline(places)
    x = np.abs(places.x)
    points = 0.42 * np.exp(-(((x - 0.52) / 0.22) ** 2)) * (places.z > 0.3)
    width = 0.36 + points
    throat = np.where(places.z > 0.3, x - 0.06 - 0.25 * np.maximum(0, outside - 0.1), 9.0)
    return np.where(places.torso, np.minimum(width - outside, throat), -1.0)


def collar(paint: Paint, cut: Top, places: Places, color: np.ndarray | None) -> None:
    """A turned-down collar, lying raised on the shirt with a shadow under its edge."""
    inside = collar_flap(cut, places)
    flap = smoothstep(inside, -0.03, 0.03)
    if color is not None:
        paint.cover(flap, color)
    paint.darken(flap, -0.05)
    paint.raise_by(0.05 * flap)
    paint.darken(np.exp(-((np.minimum(inside, 0) / 0.09) ** 2)) * (inside < 0) * places.torso, 0.35)


def patch_pocket(paint: Paint, places: Places, centre: tuple[float, float], half: tuple[float, float]) -> None:
    """The outline of a pocket sewn onto the front of the trunk; ``centre`` and ``half`` in dm."""
    frame = np.maximum(np.abs(places.x - centre[0]) - half[0], np.abs(places.y - centre[1]) - half[1])
    front = places.torso & (places.z > 0)
    paint.darken(line(frame, 0.03) * front, 0.35)
    paint.raise_by(0.012 * smoothstep(-frame, -0.02, 0.02) * front)
    paint.darken(line(places.y - (centre[1] + half[1] - 0.1), 0.025) * (frame < 0) * front, 0.25)


def kangaroo_pocket(paint: Paint, places: Places, base: float) -> None:
    """The wide front pocket of a hooded jumper, from height ``base`` up, with slanted openings."""
    x, y = np.abs(places.x), places.y - base
    frame = np.maximum(np.maximum(x - 1.0, x - 1.35 + 0.55 * y), np.maximum(-y, y - 1.1))
    front = places.torso & (places.z > 0)
    paint.darken(line(frame, 0.03) * front, 0.35)
    paint.raise_by(0.02 * smoothstep(-frame, -0.03, 0.03) * front)


def trouser_details(paint: Paint, places: Places, waist: float) -> None:
    """Fly, slanted front pockets, back pockets, waistband and side seams."""
    x, y, z = np.abs(places.x), places.y, places.z
    trunk, front = places.torso, places.torso & (z > 0)
    paint.darken(line(x, 0.03) * front * (y > 0.9), 0.35)
    slanted = (y - (waist - 0.55)) + 1.1 * (x - 1.05)
    paint.darken(line(slanted, 0.035) * front * (x > 0.6), 0.4)
    frame = np.maximum(np.abs(x - 0.75) - 0.42, np.abs(y - (waist - 1.0)) - 0.42)
    paint.darken(line(frame, 0.035) * trunk * (z < -0.1), 0.35)
    paint.raise_by(0.010 * smoothstep(-frame, -0.02, 0.02) * trunk * (z < -0.1))
    paint.darken(line(y - (waist - 0.30), 0.025) * trunk, 0.3)
    side_seams(paint, places, places.leg | trunk, 0.22)


def belt(paint: Paint, places: Places, waist: float, color: np.ndarray, height: float = 0.28) -> None:
    """A belt with a brass buckle just below ``waist``."""
    strap = smoothstep(height / 2 - np.abs(waist - 0.02 - height / 2 - places.y), -0.02, 0.02) * places.torso
    paint.cover(strap, color)
    paint.raise_by(0.03 * strap)
    ring = np.maximum(np.abs(places.x) - 0.17, np.abs(waist - 0.02 - height / 2 - places.y) - height / 2)
    paint.cover(line(ring, 0.035) * (places.z > 0) * places.torso, (0.80, 0.75, 0.60))


def cross_stripes(paint: Paint, places: Places, where: np.ndarray, colors: list[np.ndarray], at: float) -> None:
    """Parallel bands around the limb: ``colors`` one below the other starting ``at`` dm along, 0.16 dm apart."""
    for row, color in enumerate(colors):
        paint.cover(band(places.along - at - 0.16 * row, 1e3, 0.10, 0.03) * where, color)
