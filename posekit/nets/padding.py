"""Reflection padding with a message when the image is too small for it."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from posekit.util.errors import InputError


def reflect_pad(x: Float[Tensor, "b c h w"], pad: int) -> Float[Tensor, "b c H W"]:
    """Pad all four sides by ``pad`` pixels, mirrored at the edge; InputError when a side is not longer than that."""
    h, w = x.shape[-2:]
    if min(h, w) <= pad:
        raise InputError(
            f"A layer that pads by reflection of {pad} pixels got a map of {h} x {w}; "
            "use larger images and atlases (at least 36 pixels a side for the inpainting network)."
        )
    return F.pad(x, (pad, pad, pad, pad), mode="reflect")
