"""The discriminator of Deformable GANs: does this photograph show the person of that one, in this pose?

Source: the authors' public release.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.picture_norm import PictureNorm


class PairDiscriminator(nn.Module):
    """Two photographs, each with its pose, stacked ``b c h w`` to verdicts ``b 1 H W``: logits, above 0 for real.

    Five 4 x 4 convolutions with stride 2: ``width`` channels (with bias, not padded), 2, 4 and 8 times that, and 1.
    Before each but the first stands LeakyReLU(0.2); the middle three are followed by `PictureNorm`.

    Args:
        channels: 3 + 18 for each of the two photographs.
        width: channels of the first convolution.
    """

    def __init__(self, channels: int = 42, width: int = 64):
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.first = nn.Conv2d(channels, width, 4, stride=2)
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False) for a, b in zip(widths[:-1], widths[1:], strict=True)
        )
        self.norms = nn.ModuleList(PictureNorm() for _ in widths[1:])
        self.last = nn.Conv2d(widths[-1], 1, 4, stride=2, padding=1, bias=False)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 H W"]:
        x = self.first(x)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = norm(conv(F.leaky_relu(x, 0.2)))
        return self.last(F.leaky_relu(x, 0.2)).float()
