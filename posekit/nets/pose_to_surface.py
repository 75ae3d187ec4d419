"""From a drawn pose to the body surface: a U-Net whose parts each say where on the surface a pixel would lie.

Source: Coordinate-based Texture Inpainting, section 4.1, keypoint-guided resynthesis.  The text says "fully
convolutional network" and "one bone per map"; scales, widths and the form of the output are ours.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.batch_norm import BatchNorm2d
from posekit.ops.keypoints import BONES
from posekit.ops.surface import PARTS
from posekit.util.errors import InputError

PLANES = 1 + len(BONES)  # the silhouette, and a map for each bone
_WIDTHS = (1, 2, 4, 6, 8, 8)  # of the six scales, in units of ``width``
SIDES = 2 ** (len(_WIDTHS) - 1)  # photographs have sides that are multiples of it


class PoseToSurface(nn.Module):
    """Pose ``b 18 h w`` in; scores of background and 24 parts, and an atlas position for each part, out.

    | layers               | channels (in units of ``width``) | side          |
    |----------------------|----------------------------------|---------------|
    | two convolutions     | 1                                | h             |
    | five times two, the  | 2, 4, 6, 8, 8                    | h / 2, / 32   |
    | first with stride 2  |                                  |               |
    | bilinear x 2 beside  | 8, 6, 4, 2, 1                    | h / 16, ... h |
    | the skip, then two   |                                  |               |
    | convolution 1 x 1    | 25 + 24 * 2 channels             | h             |

    Convolutions are 3 x 3 without bias, with BatchNorm and ReLU behind.  A pixel has 24 positions, one for each part
    that it might belong to: positions on the two sides of a cut of the atlas are never averaged.

    Args:
        width: channels of the first scale.
        in_channels: `PLANES`, the silhouette and the bones.
    """

    def __init__(self, width: int = 24, in_channels: int = PLANES):
        super().__init__()
        if width < 1 or in_channels < 1:
            raise InputError(f"The network has positive numbers of channels, got {in_channels} and {width}.")
        c = [width * factor for factor in _WIDTHS]
        self.down = nn.ModuleList(
            [_two(in_channels, c[0]), *(_two(a, b, 2) for a, b in zip(c[:-1], c[1:], strict=True))]
        )
        self.up = nn.ModuleList([_two(c[i + 1] + c[i], c[i]) for i in range(len(c) - 2, -1, -1)])
        self.last = nn.Conv2d(c[0], 1 + 3 * PARTS, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> tuple[Float[Tensor, "b 25 h w"], Float[Tensor, "b 24 2 h w"]]:
        h, w = x.shape[-2:]
        if h % SIDES or w % SIDES or min(h, w) < 2 * SIDES:
            raise InputError(
                f"The network takes sides that are multiples of {SIDES}, {2 * SIDES} or more, got {h} x {w}."
            )
        skips = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        skips.pop()
        for layer in self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = layer(torch.cat([x, skips.pop()], 1))
        with torch.autocast(x.device.type, enabled=False):  # positions in bfloat16 would move in steps of 1/256
            y = self.last(x.to(self.last.weight.dtype))
        return y[:, : PARTS + 1], y[:, PARTS + 1 :].unflatten(1, (PARTS, 2))


def _two(before: int, after: int, stride: int = 1) -> nn.Sequential:
    layers = []
    for channels, step in ((before, stride), (after, 1)):
        conv = nn.Conv2d(channels, after, 3, step, padding=1, bias=False)
        layers += [conv, BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers)
