"""How a margin raises SSIM: two pictures agree perfectly where neither shows anything.

Data sets of people come as narrow photographs on a wider white ground (256 x 176 in 256 x 256, say).  Away from the
photograph every window holds the same white twice, its SSIM is 1, and the mean over all pixels rises with their number:

    SSIM of n0 pixels = s    ->    SSIM of n0 and n1 white pixels = 1 - (1 - s) n0 / (n0 + n1)

up to the seam, where windows see both.  Nothing about the photographs has changed.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float

from posekit.metrics.image import Images, check_images, ssim
from posekit.metrics.protocol import STANDARD, Protocol


def ssim_by_margin(
    image: Images, truth: Images, margins: Sequence[int], *, protocol: Protocol = STANDARD
) -> Float[torch.Tensor, "m b"]:
    """SSIM of every pair with so many pixels of ground added on the left and as many on the right of both.

    Crop and colour are those of the protocol, and so is the grey value of the ground; its own padding is left out.
    """
    check_images(image, truth)
    inner = replace(protocol, padding=None)
    image, truth = inner.frame(image), inner.frame(truth)
    h, w = image.shape[-2:]
    values = []
    for margin in margins:
        outer = replace(STANDARD, padding=(h, w + 2 * margin), padding_value=protocol.padding_value)
        values.append(ssim(outer.frame(image), outer.frame(truth), protocol=protocol))
    return torch.stack(values)


def diluted(value: Float[torch.Tensor, "*s"], share: float) -> Float[torch.Tensor, "*s"]:
    """SSIM after a ground has been added that makes up ``share`` of all pixels: 1 - (1 - value) (1 - share)."""
    return 1 - (1 - value) * (1 - share)
