"""Perceptual loss on a pyramid of images.

Source: Pose Transfer Using a Single Spatial Transformation, eq. (5); the pyramid and the layers are those of the
first-order motion model (Siarohin et al. 2019), which it names.
"""

from collections.abc import Callable, Mapping

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from posekit.losses.float32 import as_float32
from posekit.util.errors import InputError

SCALES = 4


def pyramid_loss(
    generated: Float[Tensor, "b 3 h w"],
    target: Float[Tensor, "b 3 h w"],
    features: Callable[[Tensor], Mapping[str, Tensor]],
    scales: int = SCALES,
) -> Float[Tensor, ""]:
    """l1 distance of feature maps, of the images at full, half, quarter ... size.

        L = sum_s sum_i mean | phi_i(generated / 2^s) - phi_i(target / 2^s) |

    features: image -> feature maps by name, each averaged by itself: a sum, as (5) is printed, would weigh the first
    layer of VGG-19 eight times as much as the second scale's.  Images are halved by averaging 2 x 2 pixels.
    """
    smallest = min(generated.shape[-2:]) // 2 ** (scales - 1)
    if scales < 1 or smallest < 1:
        raise InputError(f"Images of {tuple(generated.shape[-2:])} pixels cannot be halved {scales - 1} times.")
    loss = generated.new_zeros(())
    for scale in range(scales):
        if scale:
            generated, target = F.avg_pool2d(generated, 2), F.avg_pool2d(target, 2)
        theirs = features(target)
        for name, ours in features(generated).items():
            loss = loss + (as_float32(ours) - as_float32(theirs[name])).abs().mean()
    return loss
