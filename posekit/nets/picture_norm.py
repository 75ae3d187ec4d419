"""Normalisation of a picture's activations by one mean and one variance, over all pixels and channels together.

InstanceNorm gives every channel mean 0 in every picture; which of two pictures is the greener one is then forgotten.
With one mean for all channels, their ratios stay, and so do colours.

Source: the public release of Deformable GANs, whose layer "InstanceNormalization" without an axis does this.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class PictureNorm(nn.Module):
    """y = scale (x - mean x) / sqrt(var x + 1e-3) + shift, mean and variance of each picture of the batch.

    ``scale`` and ``shift`` are one learnt number each.
    """

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.shift = nn.Parameter(torch.zeros(1))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return self.scale * F.group_norm(x, 1, eps=1e-3) + self.shift
