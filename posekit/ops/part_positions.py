"""A surface map from scores of parts and a position for each part: the part that wins says where.

Source: R. A. Gueler, N. Neverova, I. Kokkinos, DensePose: Dense Human Pose Estimation In The Wild, section 3: first the
part, then a position inside it, by a regressor of its own.
"""

import torch.nn.functional as F
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.ops.surface import PARTS
from posekit.util.errors import InputError


def position_of_part(
    positions: Float[Tensor, "b 24 2 h w"], part: Integer[Tensor, "b 1 h w"]
) -> Float[Tensor, "b 2 h w"]:
    """The position (u, v) that belongs to each pixel's part; 0 where the part is 0.

    >>> positions = torch.zeros(1, 24, 2, 1, 2)
    >>> positions[0, 6] = 0.5
    >>> position_of_part(positions, torch.tensor([[[[7, 0]]]])).tolist()  # part 7 is the seventh
    [[[[0.5, 0.0]], [[0.5, 0.0]]]]
    """
    if positions.shape[1:3] != (PARTS, 2) or part.shape != (len(positions), 1, *positions.shape[-2:]):
        raise InputError(
            "position_of_part expected positions (b, 24, 2, h, w) and parts (b, 1, h, w), "
            f"got {tuple(positions.shape)} and {tuple(part.shape)}."
        )
    index = (part.long() - 1).clamp(min=0)[:, :, None].expand(-1, -1, 2, -1, -1)
    return positions.gather(1, index)[:, 0] * (part > 0)


def winning_part(
    scores: Float[Tensor, "b 25 h w"], positions: Float[Tensor, "b 24 2 h w"], size: tuple[int, int] | None = None
) -> tuple[Integer[Tensor, "b 1 H W"], Float[Tensor, "b 2 H W"], Float[Tensor, "b 1 H W"]]:
    """Part (0 off the body), position (u, v) in [-1, 1] and mask of every pixel.

    size: (height, width) of the result; scores and positions are enlarged bilinearly, each part by itself, and the part
    is chosen afterwards, so that outlines come out smooth and nothing is averaged across a cut of the atlas.

    >>> scores = torch.zeros(1, 25, 1, 1)
    >>> scores[0, 3] = 1.0
    >>> part, uv, mask = winning_part(scores, torch.full((1, 24, 2, 1, 1), 0.25))
    >>> part.item(), uv.flatten().tolist(), mask.item()
    (3, [0.25, 0.25], 1.0)
    """
    if scores.shape[1] != PARTS + 1 or scores.shape[-2:] != positions.shape[-2:]:
        raise InputError(
            "winning_part expected scores (b, 25, h, w) and positions (b, 24, 2, h, w), "
            f"got {tuple(scores.shape)} and {tuple(positions.shape)}."
        )
    if size is not None and tuple(size) != tuple(scores.shape[-2:]):
        scores = F.interpolate(scores, size=size, mode="bilinear", align_corners=False)
        flat = F.interpolate(positions.flatten(1, 2), size=size, mode="bilinear", align_corners=False)
        positions = flat.unflatten(1, (PARTS, 2))
    part = scores.argmax(1, keepdim=True)
    mask = (part > 0).to(scores)
    return part, position_of_part(positions, part).clamp(-1, 1), mask
