"""The pose network M: joint maps to a feature vector at every pixel.

Source: Pose Transfer Using a Single Spatial Transformation, appendix A.
"""

from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.batch_norm import BatchNorm2d
from posekit.ops.correlation import unit_length
from posekit.util.errors import InputError

LAYERS = 11


class PoseFeatures(nn.Module):
    """Heat maps ``b 18 h w`` to features ``b 35 h/4 w/4`` of unit length.

    | layers | convolution          | channels         | side      |
    |--------|----------------------|------------------|-----------|
    | 1, 2   | 3 x 3, stride 2      | ``width``        | 1/2, 1/4  |
    | 3 - 10 | 3 x 3                | ``width``        | 1/4       |
    | 11     | 3 x 3                | ``out_channels`` | 1/4       |

    BatchNorm follows every convolution, ReLU all but the last.  The paper states the number of layers, BatchNorm and
    the 35 x 64 x 64 that come out; kernels, strides and the width between are ours.

    Without biases in the convolutions, which BatchNorm would subtract again.
    """

    def __init__(self, in_channels: int = 18, out_channels: int = 35, width: int = 64):
        super().__init__()
        if width < 1 or out_channels < 1:
            raise InputError(f"The pose network needs positive widths, got {width} and {out_channels} channels.")
        channels = [in_channels, *[width] * (LAYERS - 1), out_channels]
        layers: list[nn.Module] = []
        for i in range(LAYERS):
            stride = 2 if i < 2 else 1
            layers.append(nn.Conv2d(channels[i], channels[i + 1], 3, stride, padding=1, bias=False))
            layers.append(BatchNorm2d(channels[i + 1]))
            layers.append(nn.ReLU())
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, pose: Float[Tensor, "b c h w"]) -> Float[Tensor, "b m h2 w2"]:
        if pose.shape[-1] % 4 or pose.shape[-2] % 4:
            h, w = pose.shape[-2:]
            raise InputError(f"The sides of a photograph must be multiples of 4, got {h} x {w}.")
        return unit_length(self.layers(pose).float())
