"""Systems, one per file, and the register that builds them by name."""

from typing import Any

import torch

from posekit.systems.base import System, choose
from posekit.systems.baselines import CopySource
from posekit.systems.coordinate_inpainting import CoordinateInpainting
from posekit.systems.deformable_gan import DeformableGAN
from posekit.systems.spatial_transformation import SpatialTransformation
from posekit.systems.texel_fill import TexelFill

SYSTEMS: dict[str, type[System]] = {
    cls.name: cls for cls in (CoordinateInpainting, CopySource, DeformableGAN, SpatialTransformation, TexelFill)
}


def build(name: str, preset: str = "laptop", variant: str | None = None, *, seed: int = 0, **overrides: Any) -> System:
    """A system with fresh weights, the same for the same ``seed``.

    build("coordinate_inpainting")                          the full system at laptop size
    build("coordinate_inpainting", "paper")                 at the published size
    build("coordinate_inpainting", variant="no_deform")     an ablation
    build("coordinate_inpainting", g_width=32)              one setting overridden

    Raises InputError for unknown names, with the known ones.
    """
    cls = SYSTEMS[choose("system", name, SYSTEMS)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return cls.from_preset(preset, variant, **overrides)
