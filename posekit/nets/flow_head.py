"""The flow network C_l: which source pixels a target pixel resembles, to where it should look.

Source: Pose Transfer Using a Single Spatial Transformation, section 3.1.1 and appendix A.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.batch_norm import BatchNorm2d
from posekit.util.errors import InputError

WIDTHS = (128, 128, 96, 64, 32, 2)


class FlowHead(nn.Module):
    """Rasterised correlation ``b n h w`` to absolute sampling positions ``b 2 h w``, (x, y) in the source's [-1, 1].

    3 x 3 convolutions with 128, 128, 96, 64, 32 and 2 channels; BatchNorm and ReLU follow all but the last.  Of
    ``depth`` layers (Table 2 of the paper) the last has 2 channels and the others are the first of that list.  The
    positions are not squashed: an affine map may look beyond the picture.  The paper states depth and channels.

    The last layer runs in float32 under autocast: a coordinate near 1 in bfloat16 moves in steps of 1/256.

    Args:
        in_channels: source pixels, h w: 4096 at the published size.
        depth: 1 to 6 layers.
        width: channels of the first layer; the others keep their share of it.
    """

    def __init__(self, in_channels: int = 4096, depth: int = 6, width: int = 128):
        super().__init__()
        if not 1 <= depth <= len(WIDTHS):
            raise InputError(f"The flow network has 1 to {len(WIDTHS)} layers, got depth {depth}.")
        if width < 4:
            raise InputError(f"The width of the flow network must be at least 4, got {width}.")
        channels = [in_channels, *(width * w // WIDTHS[0] for w in WIDTHS[: depth - 1])]
        self.layers = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), BatchNorm2d(b), nn.ReLU())
                for a, b in zip(channels[:-1], channels[1:], strict=True)
            )
        )
        self.last = nn.Conv2d(channels[-1], 2, 3, padding=1)

    def forward(self, correlation: Float[Tensor, "b n h w"]) -> Float[Tensor, "b 2 h w"]:
        x = self.layers(correlation)
        with torch.autocast(x.device.type, enabled=False):
            return self.last(x.to(self.last.weight.dtype))
