"""How far a surface map is from the true one: the part, the outline, the position.

Maps are parts ``b 1 h w`` (0 off the body, 1..24) and positions ``b 2 h w`` in [-1, 1] of an atlas.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.util.errors import InputError


class MapErrors(NamedTuple):
    """One value a photograph; part_accuracy is NaN where nobody is, median and ninety where both share no pixel.

    part_accuracy: share of the pixels of the true body whose part is right.
    outline_iou: pixels of both bodies by those of either.
    median, ninety: of the distance between the positions, in texels, where both are on the body; half of the pixels
    and nine of ten are nearer.
    """

    part_accuracy: Float[Tensor, " b"]
    outline_iou: Float[Tensor, " b"]
    median: Float[Tensor, " b"]
    ninety: Float[Tensor, " b"]


def map_errors(
    part: Integer[Tensor, "b 1 h w"],
    uv: Float[Tensor, "b 2 h w"],
    true_part: Integer[Tensor, "b 1 h w"],
    true_uv: Float[Tensor, "b 2 h w"],
    atlas_size: int = 64,
) -> MapErrors:
    """Compare maps with the true ones.

    atlas_size: texels along an edge of the atlas that distances are counted in.

    >>> truth = torch.tensor([[[[1, 2, 0]]]])
    >>> where = torch.zeros(1, 2, 1, 3)
    >>> errors = map_errors(torch.tensor([[[[1, 1, 1]]]]), where + 0.5 * (truth == 2), truth, where, 8)
    >>> [round(value.item(), 2) for value in errors]  # one of two parts; two of three pixels; distances 0 and 2.8
    [0.5, 0.67, 1.41, 2.55]
    """
    if part.shape != true_part.shape or uv.shape != true_uv.shape or part.shape[-2:] != uv.shape[-2:]:
        raise InputError(
            "map_errors expected parts (b, 1, h, w) and positions (b, 2, h, w) of one size, got "
            f"{tuple(part.shape)}, {tuple(uv.shape)}, {tuple(true_part.shape)} and {tuple(true_uv.shape)}."
        )
    body, seen = true_part > 0, part > 0
    distance = (uv - true_uv).norm(dim=1, keepdim=True) * (atlas_size / 2)
    rows = []
    for i in range(len(part)):
        both, either = body[i] & seen[i], body[i] | seen[i]
        right = ((part[i] == true_part[i]) & body[i]).sum() / body[i].sum()
        if both.any():
            quantiles = distance[i][both].quantile(torch.tensor([0.5, 0.9], device=uv.device, dtype=uv.dtype))
        else:
            quantiles = uv.new_full((2,), torch.nan)
        rows.append(torch.stack([right.to(uv), (both.sum() / either.sum()).to(uv), *quantiles]))
    return MapErrors(*torch.stack(rows).T) if rows else MapErrors(*uv.new_zeros(4, 0))
