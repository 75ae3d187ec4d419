"""The skin: tone, blush, lips, brows, lashes, beard, nails, and the shade that lies in the hollows of the body."""

from dataclasses import dataclass

import numpy as np

from posekit.studio.base.mesh import smooth
from posekit.studio.base.paint import Paint
from posekit.studio.base.palette import HAIR, IRIS, LIPSTICK, cloth_color, skin_color
from posekit.studio.base.ramps import line, smoothstep
from posekit.studio.body.wearer import Wearer, skin_neighbours

GLOSS = 18.0
MOUTH_LINE = 8.172  # height of the slit between the lips in the mean body, dm
_HAIR_SHARES = np.array([0.20, 0.20, 0.17, 0.13, 0.10, 0.07, 0.06, 0.04, 0.03])  # in the order of HAIR


@dataclass(frozen=True)
class Complexion:
    """What was drawn for the skin.  tone: 0 light .. 7 dark.  hair, brow, iris: sRGB colours (3,).
    makeup: 0 none .. 1.  beard: 0 clean-shaven .. 1 full.  lipstick, nails: sRGB or None."""

    tone: float
    hair: np.ndarray
    brow: np.ndarray
    iris: np.ndarray
    makeup: float
    beard: float
    freckles: bool
    lipstick: np.ndarray | None
    nails: np.ndarray | None


def choose_complexion(rng: np.random.Generator, female: bool, age: float, ancestry) -> Complexion:
    """Draw tone and colours to go with the body's ancestry weights (african, asian, caucasian) and age."""
    african, asian, caucasian = ancestry
    low = 3.6 * african + 1.0 * asian
    high = 7.0 * african + 3.6 * asian + 3.2 * caucasian
    tone = float(np.clip(rng.uniform(low, max(high, low + 1e-3)) + rng.normal(0, 0.3), 0, 6.99))
    names = list(HAIR)
    light = rng.choice(len(names), p=_HAIR_SHARES)
    dark = rng.choice(3, p=[0.5, 0.35, 0.15])
    name = names[light if tone < 3.5 else dark]
    if rng.random() < 0.5 and age > 0.6:
        name = "grey"
    hair = np.array(HAIR[name], np.float32)
    eye = rng.choice(len(IRIS), p=[0.45, 0.2, 0.1, 0.17, 0.08]), rng.choice(len(IRIS), p=[0.85, 0.15, 0, 0, 0])
    iris = np.array(list(IRIS.values())[eye[0] if tone < 3 else eye[1]], np.float32)
    makeup, lips = rng.uniform(0.2, 1.0), LIPSTICK[rng.integers(len(LIPSTICK))]
    beard, some, full = rng.random(), rng.uniform(0.15, 0.5), rng.uniform(0.7, 0.95)
    return Complexion(
        tone=tone,
        hair=hair,
        brow=0.8 * hair + 0.2 * np.array(HAIR["soft black"], np.float32),
        iris=iris,
        makeup=makeup if female else 0.0,
        beard=0.0 if female or beard < 0.35 else some if beard < 0.75 else full,
        lipstick=np.array(lips, np.float32) if rng.random() < 0.75 and female else None,
        nails=cloth_color(rng) if rng.random() < 0.4 and female else None,
        freckles=rng.random() < 0.25,
    )


def hollows(wearer: Wearer) -> np.ndarray:
    """How hollow the body is at each texel, about -1 (ridge) to 1 (hollow): where the neighbours lie further out.

    The displacement of Laplacian smoothing along the normal is mean curvature; taken after two amounts of smoothing
    it shows fine hollows (nostrils, lips, fingers) and broad ones (collar bones, spine, throat).
    """
    neighbours, skin = skin_neighbours(wearer.body), wearer.skin
    normals = wearer.normals(skin)
    fine = smooth(neighbours, skin, 3, 0.7)
    broad = smooth(neighbours, fine, 25, 0.7)
    depth = ((fine - skin) * normals).sum(1) / 0.02 + ((broad - fine) * normals).sum(1) / 0.07
    return wearer.atlas.from_vertices(np.clip(depth, -1, 1.5).astype(np.float32))


def paint_skin(wearer: Wearer, rng: np.random.Generator, looks: Complexion) -> Paint:
    """Paint the bare skin of the whole body."""
    atlas, noise = wearer.atlas, wearer.noise
    places, masks = atlas.texels, atlas.masks
    x, z, head = np.abs(places.x), places.z, places.head
    base, dark = skin_color(looks.tone), looks.tone / 7
    paint = Paint(np.broadcast_to(base, places.position.shape))
    blotches = 0.09 * (noise.clouds(places.position, 2.2) - 0.5) + 0.06 * (noise.clouds(places.position, 14, 2) - 0.5)
    paint.darken(-blotches, 1.0)

    hollow = hollows(wearer)
    paint.stain(np.maximum(hollow, 0), (0.10, 0.17, 0.18))
    paint.darken(np.maximum(-hollow, 0), -0.035)

    _blush(paint, wearer, looks, dark)
    _eyes(paint, wearer, rng, looks)
    _lips(paint, wearer, looks, base)
    nails = looks.nails if looks.nails is not None else np.minimum(base * 1.09, 1)
    paint.cover(0.5 * masks["fingernails"] if looks.nails is None else 0.85 * masks["fingernails"], nails)
    _brows(paint, wearer, rng, looks)
    if looks.beard:
        _beard(paint, wearer, looks)
    if looks.freckles:
        spots = smoothstep(noise(places.position, 26), 0.80, 0.90) * head * (z > 1.0) * 0.25 * (1 - dark)
        paint.stain(spots, (0.14, 0.25, 0.33))
    if wearer.age > 0.5:
        _wrinkles(paint, wearer, wearer.age)
    paint.cover(atlas.cavity.astype(np.float32), np.array([0.24, 0.06, 0.06]))

    shine = 0.22 + 0.25 * head * np.exp(-((x / 0.35) ** 2)) + (0.25 + 0.4 * looks.makeup) * masks["lips"]
    paint.specular[:] = shine * (0.75 + 0.5 * noise(places.position, 7))
    paint.raise_by(0.0022 * noise(places.position, 30) + 0.0012 * noise(places.position, 60))
    return paint


def _spot(places, centre: tuple[float, float, float], radius: float) -> np.ndarray:
    """A Gaussian blob on both halves of the face."""
    d = (np.abs(places.x) - centre[0]) ** 2 + (places.y - centre[1]) ** 2 + (places.z - centre[2]) ** 2
    return np.exp(-d / (2 * radius**2)) * places.head


def _blush(paint: Paint, wearer: Wearer, looks: Complexion, dark: float) -> None:
    """Blood near the surface: cheeks, nose, ears, chin, knuckles, elbows and knees."""
    atlas, places = wearer.atlas, wearer.atlas.texels
    red = 0.5 * _spot(places, (0.45, 8.52, 1.35), 0.16) + 0.45 * _spot(places, (0.0, 8.5, 1.75), 0.10)
    red += 0.3 * atlas.masks["ears"] + 0.12 * _spot(places, (0.0, 7.8, 1.5), 0.15)
    paint.stain(red * (1 - 0.5 * dark) * (0.6 + 0.5 * looks.makeup), (0.01, 0.11, 0.10))
    elbow = line(places.along - atlas.arm[0], 0.35) * places.arm * (np.abs(places.angle) > 1.9)
    knee = line(places.along - atlas.leg[0], 0.40) * places.leg * (np.abs(places.angle) < 1.0)
    hand = smoothstep(places.along, sum(atlas.arm) + 0.7, sum(atlas.arm) + 1.6) * places.arm
    paint.stain(0.8 * elbow + 0.7 * knee + 0.5 * hand, (0.02, 0.08, 0.07))
    sole = smoothstep(-7.98 - places.y, 0, 0.1) * places.leg
    paint.cover(sole * dark * 0.6, skin_color(2.0))


def _eyes(paint: Paint, wearer: Wearer, rng: np.random.Generator, looks: Complexion) -> None:
    """Eye sockets, lids with eye shadow, and the lash line around the slit."""
    atlas, places = wearer.atlas, wearer.atlas.texels
    ex, ey, _ = atlas.eye
    x, y, front = np.abs(places.x), places.y, places.head & (places.z > 1.2)
    socket = np.sqrt(((x - ex) / 1.25) ** 2 + ((y - ey) / 0.8) ** 2)
    paint.stain(0.5 * line(socket - 0.15, 0.09) * front, (0.13, 0.16, 0.16))
    under = np.exp(-(((x - ex) / 0.16) ** 2) - ((y - ey + 0.13) / 0.035) ** 2) * front  # tired skin below the eye
    paint.stain((0.35 + 0.5 * wearer.age) * under, (0.10, 0.14, 0.10))
    shadow = np.array([0.35, 0.22, 0.20]) * rng.uniform(0.3, 1)
    paint.stain(atlas.masks["eyelids"] * (0.25 + 0.4 * looks.makeup), tuple(0.5 * (1 - shadow)))
    lashes = line(np.sqrt(((x - ex - 0.01) / 0.150) ** 2 + ((y - ey + 0.005) / 0.052) ** 2) - 1, 0.16) * front
    paint.darken(np.minimum(lashes * (0.36 + 0.3 * looks.makeup), 0.75), 1.0)


def _lips(paint: Paint, wearer: Wearer, looks: Complexion, base: np.ndarray) -> None:
    """Lips, their fine vertical lines, and the dark line between them."""
    places, lips = wearer.atlas.texels, wearer.atlas.masks["lips"]
    color = base * np.array([0.96, 0.74, 0.76], np.float32)
    if looks.lipstick is not None:
        amount = 0.6 * looks.makeup
        color = color * (1 - amount) + amount * looks.lipstick * (0.6 + 0.55 * float(base.mean()))
    grain = 1 + 0.09 * (wearer.noise(places.position, (60, 3, 3)) - 0.5)
    paint.cover(0.85 * lips, color * grain[:, None])
    paint.darken(line(places.y - MOUTH_LINE, 0.012) * lips * (np.abs(places.x) < 0.22), 0.25)
    paint.darken(np.exp(-((places.x / 0.16) ** 2) - ((places.y - 7.97) / 0.035) ** 2) * places.head, 0.07)


def _brows(paint: Paint, wearer: Wearer, rng: np.random.Generator, looks: Complexion) -> None:
    """Eyebrows: an arched stroke of single hairs, thinning outwards."""
    places = wearer.atlas.texels
    thin, thick = rng.uniform(0.028, 0.05), rng.uniform(0.045, 0.075)
    height, arch = 9.115 + rng.normal(0, 0.012), rng.uniform(0.02, 0.06)
    out = (np.abs(places.x) - 0.12) / 0.44  # 0 at the inner end, 1 at the outer
    share = np.clip(out, 0, 1)
    centre = height - 0.02 + arch * np.sin(share * np.pi * 0.9) - 0.05 * np.clip(out - 0.6, 0, 1)
    width = (thin if wearer.female else thick) * (1 - 0.65 * share**2) * (0.45 + 0.55 * smoothstep(out, -0.05, 0.3))
    brow = smoothstep(width - np.abs(places.y - centre), -0.012, 0.02)
    brow = brow * smoothstep(out, -0.05, 0.08) * smoothstep(1.05 - out, 0, 0.12) * places.head * (places.z > 0.9)
    hairs = 0.45 + 0.65 * wearer.noise(places.position, (50, 18, 10))
    paint.cover(np.clip(brow * hairs, 0, 0.93), looks.brow)


def _beard(paint: Paint, wearer: Wearer, looks: Complexion) -> None:
    """Stubble to full beard on jaw, chin and upper lip."""
    places = wearer.atlas.texels
    x, y, z = np.abs(places.x), places.y, places.z
    border = np.interp(x, [0, 0.24, 0.40, 0.56, 0.66, 0.74], [8.44, 8.38, 8.20, 8.16, 8.36, 8.62])
    area = smoothstep(border - y, -0.05, 0.10) * smoothstep(y, 7.60, 7.88) * smoothstep(z, 0.58, 0.82)
    area = area * places.head * (1 - wearer.atlas.masks["lips"])
    area = area * (1 - 0.5 * np.exp(-(x**2 + (y - 8.02) ** 2) / 0.004))  # bare below the lower lip
    hairs = 0.45 + 0.55 * wearer.noise.clouds(places.position, (40, 20, 30), 2)
    paint.cover(area * hairs * looks.beard, 0.85 * looks.hair)
    if looks.beard > 0.6:
        paint.raise_by(0.02 * area * wearer.noise(places.position, (50, 16, 40)))


def _wrinkles(paint: Paint, wearer: Wearer, age: float) -> None:
    """Lines of the forehead, beside the eyes and from the nose to the mouth, in relief and shade."""
    places = wearer.atlas.texels
    x, y, front = np.abs(places.x), places.y, places.head & (places.z > 0.9)
    forehead = np.sin(2 * np.pi * (y + 0.02 * np.sin(9 * x)) / 0.13) ** 8
    forehead = forehead * smoothstep(0.45 - x, 0, 0.2) * smoothstep(y, 9.22, 9.3) * smoothstep(9.62 - y, 0, 0.1)
    smile = line(x - 0.24 - 0.45 * (8.42 - y), 0.04) * smoothstep(y, 8.05, 8.15) * smoothstep(8.45 - y, 0, 0.08)
    crow = np.sin(2 * np.pi * (y - 8.9) / 0.09) ** 8 * np.exp(-((x - 0.62) ** 2 + (y - 8.9) ** 2) / 0.012)
    lines = (0.6 * forehead + 0.6 * smile + 0.7 * crow) * front * smoothstep(age, 0.45, 0.9)
    paint.darken(lines, 0.14)
    paint.raise_by(-0.006 * lines)
