"""The outline of a person: cut it back, close the gaps that a splat leaves, and find the colour behind it."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def trim_mask(mask: Float[Tensor, "b 1 h w"], pixels: int) -> Float[Tensor, "b 1 h w"]:
    """The mask without what lies within ``pixels`` (rows or columns) of a pixel off the mask.

    The border of the picture is no outline: a body that continues beyond it keeps its pixels there.
    """
    if pixels == 0:
        return mask
    return 1 - F.max_pool2d(1 - mask, 2 * pixels + 1, stride=1, padding=pixels)  # max_pool2d pads with -infinity


def background(image: Float[Tensor, "b c h w"], mask: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c"]:
    """The flat background colour of photographs: the median of the border pixels that are off the body.

    The border is 1/32 of the shorter side wide, at least one pixel.  Where the body covers all of it, the whole
    border counts.
    """
    h, w = image.shape[-2:]
    width = max(1, min(h, w) // 32)
    border = torch.ones(h, w, dtype=torch.bool, device=image.device)
    border[width : h - width, width : w - width] = False
    colours, body = image[..., border], mask[..., border] > 0.5
    off_body = torch.where(body & ~body.all(-1, keepdim=True), torch.nan, colours)
    return off_body.nanmedian(-1).values


def close_gaps(mask: Float[Tensor, "b 1 h w"], radius: int) -> Float[Tensor, "b 1 h w"]:
    """The morphological closing: gaps up to 2 ``radius`` texels wide become 1, outlines stay where they are.

    Dilated by a square of that radius, then eroded by it.

    >>> close_gaps(torch.tensor([[[[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]]]]), 1).tolist()
    [[[[1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]]]]
    """
    if radius == 0:
        return mask
    side = 2 * radius + 1
    dilated = F.max_pool2d(F.pad(mask, (radius,) * 4), side, stride=1, padding=radius)
    eroded = 1 - F.max_pool2d(1 - dilated, side, stride=1, padding=radius)
    return eroded[..., radius:-radius, radius:-radius]
