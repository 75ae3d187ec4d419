"""The patch discriminator: which regions of a photograph look real in this pose?

Source: Coordinate-based Texture Inpainting, supplementary material, Table 4.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from posekit.nets.batch_norm import BatchNorm2d


class PatchDiscriminator(nn.Module):
    """Photograph and pose ``b c h w`` to a map ``b 1 h/16 w/16`` in [0, 1]: 1 for real regions.

    Five blocks of a spectrally normalised 4 x 4 convolution, BatchNorm and LeakyReLU(0.2), with
    1, 2, 4, 8 times ``width`` and at last 1 channel; strides 2, 2, 2, 2, 1; then a sigmoid.

    The last block is normalised over the batch as printed, so its mean output does not depend on how real the
    batch looks as a whole: show it real and generated photographs **in one batch** (`posekit.losses.lsgan`),
    never one kind alone.

    Args:
        in_channels: 3 colours + 2 surface coordinates.
        width: channels of the first block.
    """

    def __init__(self, in_channels: int = 5, width: int = 16):
        super().__init__()
        channels = [in_channels, width, 2 * width, 4 * width, 8 * width, 1]
        self.convs = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride))
            for a, b, stride in zip(channels[:-1], channels[1:], (2, 2, 2, 2, 1), strict=True)
        )
        self.norms = nn.ModuleList(BatchNorm2d(c) for c in channels[1:])

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 H W"]:
        for conv, norm in zip(self.convs, self.norms, strict=True):
            # zeros around: a 4 x 4 kernel halves the side with 1 + 1 of them (stride 2), keeps it with 1 + 2 (stride 1)
            after = 1 if conv.stride == (2, 2) else 2
            x = F.pad(x, (1, after, 1, after))
            x = F.leaky_relu(norm(conv(x)), 0.2)
        return torch.sigmoid(x.float())
