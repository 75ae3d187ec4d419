"""The patch discriminator of pix2pix, without a sigmoid, as least squares want it.

Source: P. Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, appendix: the 70 x 70
discriminator C64-C128-C256-C512; InstanceNorm for BatchNorm.
"""

from jaxtyping import Float
from torch import Tensor, nn

from posekit.util.errors import InputError


class PatchGAN(nn.Module):
    """Pictures with what they are judged by, ``b c h w``, to one number for each patch of 70 x 70, ``b 1 H W``.

    Five 4 x 4 convolutions with zeros around: strides 2, 2, 2, 1, 1 and 1, 2, 4, 8 times ``width`` channels, then 1.
    LeakyReLU(0.2) between them, InstanceNorm without parameters before it, but after the first.

    Args:
        in_channels: of everything stacked.
        width: channels of the first convolution.
    """

    def __init__(self, in_channels: int = 9, width: int = 64):
        super().__init__()
        if in_channels < 1 or width < 1:
            raise InputError(f"The discriminator has positive numbers of channels, got {in_channels} and {width}.")
        widths = [width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = [nn.Conv2d(in_channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for a, b, stride in zip(widths[:-1], widths[1:], (2, 2, 1), strict=True):
            layers += [nn.Conv2d(a, b, 4, stride=stride, padding=1), nn.InstanceNorm2d(b), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 H W"]:
        if min(x.shape[-2:]) < 32:
            raise InputError(
                f"The discriminator judges pictures of 32 pixels a side or more, got {tuple(x.shape[-2:])}."
            )
        return self.layers(x).float()
