"""Gated convolution: features times a learnt soft mask.

Source: Yu et al., Free-Form Image Inpainting with Gated Convolution (2018), as used by the supplementary material of
Coordinate-based Texture Inpainting, section 1.1.1.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.batch_norm import BatchNorm2d
from posekit.nets.padding import reflect_pad


class GatedConv(nn.Module):
    """``BatchNorm(ELU(conv_f(x)) * sigmoid(conv_g(x)))`` with reflection padding.

    Where a part of the input is missing, the gate can learn to close, so that the hole's filler value does not leak
    into the features; an ordinary convolution mixes it in.

    Args:
        in_channels, out_channels: channels of input and output.
        kernel: side of the square kernel (odd).
        stride, dilation: as for ``nn.Conv2d``; an even side is halved exactly by stride 2.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1, dilation: int = 1):
        super().__init__()
        self.padding = dilation * (kernel - 1) // 2
        self.features = nn.Conv2d(in_channels, out_channels, kernel, stride, dilation=dilation)
        self.gate = nn.Conv2d(in_channels, out_channels, kernel, stride, dilation=dilation)
        self.norm = BatchNorm2d(out_channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d H W"]:
        x = reflect_pad(x, self.padding)
        # phi(Features) * sigma(Gating), normalised after the product
        return self.norm(F.elu(self.features(x)) * torch.sigmoid(self.gate(x)))
