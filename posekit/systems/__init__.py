"""Systems, one per file, and the register that builds them by name; a reader's own are added to it."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

import torch

from posekit.systems.base import System, choose
from posekit.systems.baselines import CopySource
from posekit.systems.coordinate_inpainting import CoordinateInpainting
from posekit.systems.deformable_gan import DeformableGAN
from posekit.systems.dense_pose_transfer import DensePoseTransfer
from posekit.systems.garment_paste import GarmentPaste
from posekit.systems.joint_flow import JointFlow
from posekit.systems.spatial_transformation import SpatialTransformation
from posekit.systems.texel_fill import TexelFill
from posekit.util.address import is_address, load_module, object_at
from posekit.util.errors import InputError

SYSTEMS: dict[str, type[System]] = {
    cls.name: cls
    for cls in (
        CoordinateInpainting,
        CopySource,
        DeformableGAN,
        DensePoseTransfer,
        GarmentPaste,
        JointFlow,
        SpatialTransformation,
        TexelFill,
    )
}
_OWN = frozenset(SYSTEMS)
Class = TypeVar("Class")


def register(cls: Class) -> Class:
    """Make a system of your own known by its ``name``: to `build`, to weight files, to every command.

    A decorator of the class.  Defined again, in a notebook, it takes the place of the one before.
    Raises InputError unless it is a `System` with a name of its own and presets whose settings have a ``variant``.
    """
    if not (isinstance(cls, type) and issubclass(cls, System)):
        raise InputError(f"A system is a class derived from posekit.systems.base.System, got {cls!r}.")
    name, presets = getattr(cls, "name", None), getattr(cls, "PRESETS", None)
    if not isinstance(name, str) or not name.isidentifier() or name in _OWN:
        raise InputError(
            f"{cls.__name__} needs a name of its own, such as name = 'my_system', none of {', '.join(sorted(_OWN))}; "
            f"got {name!r}."
        )
    if not isinstance(presets, Mapping) or not presets or not all(map(_has_variant, presets.values())):
        raise InputError(
            f"{cls.__name__} needs PRESETS, such as {{'laptop': MyConfig()}}, where MyConfig is a frozen dataclass "
            "with a field variant."
        )
    SYSTEMS[name] = cls
    return cls


def _has_variant(config: Any) -> bool:
    return dataclasses.is_dataclass(config) and hasattr(config, "variant")


def make_known(text: str) -> None:
    """Import "my_module", which registers its systems, or register the one at "my_module:MySystem"."""
    if is_address(text):
        register(object_at(text))
    else:
        load_module(text)


def system_class(name: str) -> type[System]:
    """The system of that name; "my_module:MySystem" registers one that is not known yet."""
    return register(object_at(name)) if is_address(name) else SYSTEMS[choose("system", name, SYSTEMS)]


def build(name: str, preset: str = "laptop", variant: str | None = None, *, seed: int = 0, **overrides: Any) -> System:
    """A system with fresh weights, the same for the same ``seed``.

    build("coordinate_inpainting")                          the full system at laptop size
    build("coordinate_inpainting", "paper")                 at the published size
    build("coordinate_inpainting", variant="no_deform")     an ablation
    build("coordinate_inpainting", g_width=32)              one setting overridden
    build("my_module:MySystem")                             a system of your own (docs/your_own.md)

    Raises InputError for unknown names, with the known ones.
    """
    cls = system_class(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return cls.from_preset(preset, variant, **overrides)
