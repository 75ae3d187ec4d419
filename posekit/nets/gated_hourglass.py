"""The inpainting network f: an hourglass of gated convolutions without skip connections.

Source: Coordinate-based Texture Inpainting, supplementary material, Table 1.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.gated_conv import GatedConv
from posekit.util.errors import InputError

OUTPUTS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}


class GatedHourglass(nn.Module):
    """Completes a texture: ``b c t t`` with holes and their mask in, ``b out t t`` without holes out.

    | layers        | kernel / stride (dilation)          | channels (in units of ``width``) | side  |
    |---------------|-------------------------------------|----------------------------------|-------|
    | block 1       | 5 / 1                               | 1                                | t     |
    | blocks 2, 3   | 3 / 2, 3 / 1                        | 2                                | t / 2 |
    | blocks 4 - 12 | 3 / 2, then 3 / 1 (1 1 2 4 8 8 1 1) | 4                                | t / 4 |
    | block 13      | bilinear x 2, 3 / 1                 | 2                                | t / 2 |
    | blocks 14, 15 | bilinear x 2, 3 / 1, 3 / 1          | 1, 1/2                           | t     |
    | convolution   | 3 / 1                               | out_channels                     | t     |

    Width 32 with 5 channels in and 2 out has the published 2,824,866 parameters.  The known texels are not pasted
    back into the output.  The last layer runs in float32 under autocast: a coordinate near 1 in bfloat16 moves in
    steps of 1/256, half a pixel of a 256-pixel photograph.

    Args:
        in_channels: coordinates (2) + known mask (1) + mesh grid (2) = 5; colours (3) + mask + mesh grid = 6.
        out_channels: 2 coordinates or 3 colours.
        width: channels of the first block, even.
        output: "tanh" for coordinates in [-1, 1], "sigmoid" for colours in [0, 1].
    """

    def __init__(self, in_channels: int = 5, out_channels: int = 2, width: int = 32, output: str = "tanh"):
        super().__init__()
        if width < 2 or width % 2:
            raise InputError(f"The width of the inpainting network must be a positive even number, got {width}.")
        if output not in OUTPUTS:
            raise InputError(f"The output function must be one of {', '.join(OUTPUTS)}, got {output!r}.")
        self.output = output
        w = width
        self.encoder = nn.Sequential(
            GatedConv(in_channels, w, kernel=5),
            GatedConv(w, 2 * w, stride=2),
            GatedConv(2 * w, 2 * w),
            GatedConv(2 * w, 4 * w, stride=2),
            *(GatedConv(4 * w, 4 * w, dilation=dilation) for dilation in (1, 1, 2, 4, 8, 8, 1, 1)),
        )
        self.decoder = nn.ModuleList(
            [GatedConv(4 * w, 2 * w), nn.Sequential(GatedConv(2 * w, w), GatedConv(w, w // 2))]
        )
        self.last = nn.Conv2d(w // 2, out_channels, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Float[Tensor, "b c t t2"]) -> Float[Tensor, "b d t t2"]:
        if x.shape[-1] % 4 or x.shape[-2] % 4:
            h, w = x.shape[-2:]
            raise InputError(f"The sides of a texture must be multiples of 4, got {h} x {w}.")
        x = self.encoder(x)
        for stage in self.decoder:
            x = stage(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
        with torch.autocast(x.device.type, enabled=False):
            return OUTPUTS[self.output](self.last(x.to(self.last.weight.dtype)))
