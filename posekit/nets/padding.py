"""Reflection padding with a message when the image is too small for it."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from posekit.errors import InputError


def reflect_pad(x: Float[Tensor, "b c h w"], before: int, after: int | None = None) -> Float[Tensor, "b c H W"]:
    """Pad all four sides by reflection: ``before`` pixels at the top and left, ``after`` at the bottom and right.

    ``after`` equals ``before`` unless given.  Raises InputError when a side is not longer than its padding.
    """
    after = before if after is None else after
    if min(x.shape[-2:]) <= max(before, after):
        h, w = x.shape[-2:]
        raise InputError(
            f"A layer that pads by reflection of {max(before, after)} pixels got a map of {h} x {w}; "
            "use larger images and atlases (at least 36 pixels a side for the inpainting network)."
        )
    return F.pad(x, (before, after, before, after), mode="reflect")
