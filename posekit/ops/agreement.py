"""Do neighbouring texels look at one place?  Where they do not, the mean of their positions is a third place.

A map of positions is interpolated when it is sampled.  On a smooth surface the mean of two neighbours' positions lies
between them; at the border of two islands of an atlas it lies anywhere, and shows something else.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.ops.sample import sample

AGREE = 2.0  # pixels


def agreeing(
    D: Float[Tensor, "b 2 t1 t2"], uv: Float[Tensor, "b 2 h w"], size: tuple[int, int], pixels: float = AGREE
) -> Float[Tensor, "b 1 h w"]:
    """1 where the four texels around each place of ``uv`` look at one place of the photograph, else 0.

        sqrt(E[D^2] - E[D]^2) < pixels,   E: the weights with which the texels are interpolated

    D: positions (x, y) in [-1, 1] of a photograph of ``size`` = (height, width).  uv: places in the atlas, in [-1, 1].
    pixels: standard deviation, along x and along y, from which on they disagree.  Nothing is differentiated.

    >>> D = torch.zeros(1, 2, 4, 4)
    >>> D[..., 2:] = 0.5                            # the right half of the atlas looks elsewhere
    >>> uv = torch.tensor([-0.75, 0.0, 0.75]).view(1, 1, 1, 3).expand(1, 2, 1, 3)
    >>> agreeing(D, uv, (64, 64)).flatten().tolist()
    [1.0, 0.0, 1.0]
    """
    positions = D.detach()
    mean, square = sample(torch.cat([positions, positions**2], 1), uv, padding="border").chunk(2, 1)
    spread = (square - mean**2).clamp(min=0).sqrt() * torch.tensor(size[::-1]).to(D).view(1, 2, 1, 1) / 2
    return (spread < pixels).all(1, keepdim=True).to(D)
