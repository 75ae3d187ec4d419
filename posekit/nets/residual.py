"""The residual block of feed-forward stylisation networks, which Dense Pose Transfer builds on."""

from jaxtyping import Float
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + IN(conv(ReLU(IN(conv(x))))): two biased 3 x 3 convolutions, InstanceNorm without parameters.

    Source: J. Johnson et al., Perceptual Losses for Real-Time Style Transfer, with InstanceNorm for BatchNorm.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.InstanceNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.layers(x)
