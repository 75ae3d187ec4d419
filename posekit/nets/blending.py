"""The blending module of Dense Pose Transfer: two photographs of one pose, each with its own faults, to one.

Source: N. Neverova, R. A. Gueler, I. Kokkinos, Dense Pose Transfer, section 3.3.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.residual import ResidualBlock
from posekit.util.errors import InputError


class Blending(nn.Module):
    """The predicted photograph, corrected where the warped one knows better.

        blended = predicted + net(predicted, warped, target pose)

    "Two convolutional and three residual blocks": a 3 x 3 convolution into ``width`` channels with ReLU, three residual
    blocks, and a 3 x 3 convolution out, whose weights begin at 0 (ours: an untrained module hands the prediction on).
    The first convolution has no norm, which is not stated either way: InstanceNorm would take away how bright and how
    red both photographs are, and the correction is their difference.  The width is not stated; 64 with 9 channels in
    has 228,547 parameters.

    Args:
        in_channels: 3 predicted, 3 warped, 3 of the target's IUV picture.
        width: channels inside.
    """

    def __init__(self, in_channels: int = 9, width: int = 64):
        super().__init__()
        if width < 1 or in_channels < 1:
            raise InputError(f"The blending module has positive numbers of channels, got {in_channels} and {width}.")
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1),
            nn.ReLU(),
            *(ResidualBlock(width) for _ in range(3)),
            nn.Conv2d(width, 3, 3, padding=1),
        )
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(
        self, predicted: Float[Tensor, "b 3 h w"], *others: Float[Tensor, "b _ h w"]
    ) -> Float[Tensor, "b 3 h w"]:
        """others: the warped photograph and the target pose."""
        return predicted + self.layers(torch.cat([predicted, *others], 1)).to(predicted.dtype)
