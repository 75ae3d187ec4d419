"""The predictive stream of Dense Pose Transfer: a photograph and two poses to a photograph, without any geometry.

Source: N. Neverova, R. A. Gueler, I. Kokkinos, Dense Pose Transfer, section 3.1.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.residual import ResidualBlock
from posekit.util.errors import InputError


class PredictiveStream(nn.Module):
    """Picture and poses ``b c h w``, colours in [-1, 1], to colours ``b 3 h w`` in [-1, 1].

    | layers              | kernel / stride | channels (in units of ``width``) | side  |
    |---------------------|-----------------|----------------------------------|-------|
    | convolution         | 3 / 1           | 1                                | h     |
    | convolutions        | 3 / 2, 3 / 2    | 2, 4                             | h / 4 |
    | 6 residual blocks   | 3 / 1, twice    | 4                                | h / 4 |
    | deconvolutions      | 3 / 2, 3 / 2    | 2, 1                             | h     |
    | convolution, tanh   | 3 / 1           | 3 channels                       | h     |

    InstanceNorm without parameters and ReLU after every layer but the last.  The text gives 256 channels at a quarter
    of the size and 3 x 3 kernels; widths between, biases and what a residual block is made of are read from the network
    it names as its model.  Width 64 with 9 channels in has 7,825,795 parameters.

    Args:
        in_channels: 9 for the photograph and the two IUV pictures; other poses have other numbers of planes.
        width: channels of the first layer.
    """

    def __init__(self, in_channels: int = 9, width: int = 64):
        super().__init__()
        if width < 1 or in_channels < 1:
            raise InputError(f"The predictive stream has positive numbers of channels, got {in_channels} and {width}.")
        w = width

        def layer(conv: nn.Module) -> list[nn.Module]:
            return [conv, nn.InstanceNorm2d(conv.out_channels), nn.ReLU()]

        up = {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}
        self.layers = nn.Sequential(
            *layer(nn.Conv2d(in_channels, w, 3, padding=1)),
            *layer(nn.Conv2d(w, 2 * w, 3, stride=2, padding=1)),
            *layer(nn.Conv2d(2 * w, 4 * w, 3, stride=2, padding=1)),
            *(ResidualBlock(4 * w) for _ in range(6)),
            *layer(nn.ConvTranspose2d(4 * w, 2 * w, **up)),
            *layer(nn.ConvTranspose2d(2 * w, w, **up)),
            nn.Conv2d(w, 3, 3, padding=1),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 3 h w"]:
        h, w = x.shape[-2:]
        if h % 4 or w % 4 or min(h, w) < 8:
            raise InputError(f"The predictive stream takes sides that are multiples of 4, 8 or more, got {h} x {w}.")
        made = self.layers(x)
        return torch.tanh(made.to(torch.promote_types(made.dtype, torch.float32)))
