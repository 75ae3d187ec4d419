"""Losses of a network that reads a surface map: which part, and where in it.

Source: R. A. Gueler, N. Neverova, I. Kokkinos, DensePose: Dense Human Pose Estimation In The Wild, section 3.1: cross
entropy over background and parts, and a loss on positions that looks at the true part's alone.  They take a smooth l1;
here it is l1, as everywhere in this library.
"""

import torch.nn.functional as F
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.losses.masked_l1 import masked_l1
from posekit.ops.part_positions import position_of_part


def part_cross_entropy(scores: Float[Tensor, "b 25 h w"], part: Integer[Tensor, "b 1 h w"]) -> Float[Tensor, ""]:
    """Mean over all pixels of -log softmax(scores) at the true part, 0 being the background."""
    return F.cross_entropy(scores, part[:, 0].long())


def part_position_l1(
    positions: Float[Tensor, "b 24 2 h w"], part: Integer[Tensor, "b 1 h w"], uv: Float[Tensor, "b 2 h w"]
) -> Float[Tensor, ""]:
    """Mean over body pixels and both axes of |position of the true part - (u, v)|; other parts' positions are free."""
    return masked_l1(position_of_part(positions, part), uv, (part > 0).to(uv))
