"""Cloth laid flat: the coordinates that fabrics are functions of.

A `Sheet` says how far *around* the limb and how far *along* it each point of a cloth is, both in decimetres, and
where it is in space (for noise).  A `Dye` is what a pattern may draw its numbers and colours from.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from posekit.studio.base.noise import Noise
from posekit.studio.body.atlas import Atlas
from posekit.studio.body.limbs import GROUP

#: Radius in dm that turns an angle into a distance around: the body's girth at its typical place, one for each limb
#: so that stripes along it run through the elbow and the knee.
RADIUS = {"torso": 1.35, "head": 1.0, "upper_arm": 0.45, "lower_arm": 0.45, "hand": 0.45}
RADIUS |= {"thigh": 0.72, "calf": 0.72, "foot": 0.72}
#: Once around the torso.  Periods divide it, so that patterns meet at the back.
GIRTH = 2 * np.pi * RADIUS["torso"]
#: `along` at which sleeves and trouser legs continue the trunk's height.
SHOULDER, HIP = 6.3, 1.56


@dataclass(frozen=True)
class Sheet:
    """Points of cloth.  around, along: (...) dm.  position: (..., 3) dm.  texel: distance of neighbours, dm."""

    around: np.ndarray
    along: np.ndarray
    position: np.ndarray
    texel: float

    @property
    def edge(self) -> float:
        """Half-width of the soft border of a figure that does not alias at this resolution."""
        return max(0.03, 0.8 * self.texel)


@cache
def body_sheet(atlas: Atlas) -> Sheet:
    """The valid texels of the atlas as cloth; `along` is the height on the trunk and runs on into the limbs."""
    texels = atlas.texels
    radius = np.ones(len(GROUP), np.float32)
    for name, group in GROUP.items():
        radius[group] = RADIUS[name.removesuffix("_l").removesuffix("_r")]
    along = np.where(texels.arm, SHOULDER - texels.along, np.where(texels.leg, HIP - texels.along, texels.along))
    return Sheet(texels.angle * radius[texels.group], along.astype(np.float32), texels.position, atlas.texel_size)


#: A pattern turns a sheet into its sRGB colour (..., 3) and its relief (...) in dm, or 0.
Pattern = Callable[[Sheet], tuple[np.ndarray, np.ndarray | float]]


@dataclass(frozen=True)
class Dye:
    """What a pattern may draw from: random numbers, noise, and three colours, the first being the ground."""

    rng: np.random.Generator
    noise: Noise
    ground: np.ndarray
    second: np.ndarray
    third: np.ndarray

    def period(self, low: float, high: float) -> float:
        """A random period in dm that divides the girth, so that it has no seam at the back."""
        return float(GIRTH / np.round(GIRTH / self.rng.uniform(low, high)))
