"""The relief of cloth: where a garment wrinkles, and the soft shade inside the wrinkles."""

import numpy as np

from posekit.studio.base.noise import Noise
from posekit.studio.base.paint import Paint
from posekit.studio.body.atlas import Atlas


def fold_relief(atlas: Atlas, noise: Noise, offset: float) -> np.ndarray:
    """Height of the folds of a garment over the whole body, (n_texels,) dm; ``offset`` picks the random function.

    Broad undulations everywhere; ridges around the limb where it bends (elbow, knee), where cloth piles up (waist,
    ankle), and diagonal ones that run from the crotch and the armpits.
    """
    texels = atlas.texels
    x, y, z, t = texels.x, texels.y, texels.z, texels.along
    knee_height, ankle_height = atlas.leg[0], sum(atlas.leg)
    elbow = np.exp(-(((t - atlas.arm[0]) / 0.75) ** 2)) * texels.arm
    knee = np.exp(-(((t - knee_height) / 0.9) ** 2)) * texels.leg
    ankle = np.exp(-(((t - ankle_height + 0.3) / 0.7) ** 2)) * texels.leg
    crotch = np.exp(-((t / 0.9) ** 2)) * texels.leg
    waist = np.exp(-(((y - 2.4) / 0.8) ** 2)) * texels.torso
    armpit = np.exp(-((np.abs(x) - 1.8) ** 2 + (y - 5.3) ** 2) / 0.5)

    broad = noise.clouds(texels.position, (0.8, 0.55, 0.8), 2, offset)
    ridges = noise.creases(texels.position, (1.1, 0.7, 1.1), 2, offset)
    relief = 0.10 * broad + 0.055 * ridges * (0.35 + 1.1 * elbow + 0.9 * knee + 0.6 * waist + 0.6 * ankle)
    around = noise.creases(texels.position, (0.7, 2.1, 0.7), 1, offset + 3)
    relief += 0.06 * around * (0.9 * elbow + 0.7 * knee + 0.5 * waist + 0.9 * ankle + 0.1)
    slanted = np.stack([x + 0.6 * np.abs(y), y - 0.8 * np.abs(x), z], axis=-1)
    relief += 0.05 * noise.creases(slanted, (1.3, 1.6, 1.0), 1, offset + 7) * (crotch + armpit)
    return relief.astype(np.float32)


def add_folds(paint: Paint, relief: np.ndarray, strength: float = 1.0) -> None:
    """Put folds into a garment: their height into the bump, and a little of their shade into the colour.

    Light reaches the bottom of a fold from fewer directions; the shade (at most some 10 %) makes folds visible also
    in pictures too small for the bump to show.
    """
    paint.raise_by(strength * relief)
    middle, spread = relief.mean(), relief.std() + 1e-6
    paint.darken(np.clip((middle - relief) / (2 * spread), -0.6, 1.0), 0.10 * min(strength, 1.0))
