"""Positions that miss the body, moved to its nearest pixel."""

import torch
from jaxtyping import Bool, Float, Integer, Shaped
from torch import Tensor

from posekit.ops.grids import index_to_norm, norm_to_index

_MOST_HELD = 1 << 24  # distances in memory at once


def nearest_inside(mask: Bool[Tensor, "b h w"]) -> Integer[Tensor, "b 2 h w"]:
    """(column, row) of the pixel of ``mask`` nearest to each pixel, itself inside; -1 where the mask is empty.

    Exact, in two passes: the nearest row in each column, then of all columns the one nearest by

        (x - x')^2 + (y - row[x'])^2

    (Saito and Toriwaki 1994).  Among equally near pixels any may come.

    >>> nearest_inside(torch.tensor([[[True, False, False, True]]]))[0, 0].tolist()
    [[0, 0, 3, 3]]
    """
    b, h, w = mask.shape
    y = torch.arange(h, device=mask.device).view(1, h, 1)
    far = 2 * (h + w)  # farther than anything inside
    above = torch.where(mask, y, -far).cummax(1).values
    below = torch.where(mask, y, far + h).flip(1).cummin(1).values.flip(1)
    row = torch.where(y - above <= below - y, above, below)
    across = torch.arange(w, device=mask.device)
    across = (across[:, None] - across) ** 2  # x, x'
    columns = []
    step = max(1, _MOST_HELD // (b * w * w))
    for top in range(0, h, step):
        away = (y[:, top : top + step] - row[:, top : top + step]) ** 2
        columns.append((away[:, :, None] + across).argmin(3))
    column = torch.cat(columns, 1)
    nearest = torch.stack([column, row.gather(2, column)], 1)
    return torch.where(mask.flatten(1).any(1).view(b, 1, 1, 1), nearest, -1)


def pull_inside(positions: Float[Tensor, "b 2 t s"], mask: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 2 t s"]:
    """Positions (x, y) in [-1, 1] of a picture; those whose nearest pixel is off ``mask`` at the nearest pixel on it.

    mask: 1 on the body.  Positions outside the picture count as on its border; where the mask is empty, all stay.
    No gradient reaches the positions that were moved; those that stay pass it on.

    >>> pull_inside(torch.tensor([-1, -0.9, 0.4]).view(1, 1, 1, 3).expand(1, 2, 1, 3), torch.eye(2)[None, None])[0, 0]
    tensor([[-1.0000, -0.9000,  0.4000]])
    """
    h, w = mask.shape[-2:]
    column, row = at_nearest_pixel(nearest_inside(mask[:, 0] > 0.5), positions).to(positions.dtype).unbind(1)
    stays = (at_nearest_pixel(mask, positions) > 0.5) | (column < 0)[:, None]
    moved = torch.stack([index_to_norm(column, w), index_to_norm(row, h)], 1)
    return torch.where(stays, positions, moved)


def at_nearest_pixel(
    picture: Shaped[Tensor, "b c h w"], positions: Float[Tensor, "b 2 t s"]
) -> Shaped[Tensor, "b c t s"]:
    """The picture at the pixel nearest to each position (x, y) in [-1, 1], unblended; outside it, at its border.

    NaN counts as the middle.  For labels, masks and whatever else has no values in between; no gradient.

    >>> at_nearest_pixel(torch.arange(4).view(1, 1, 1, 4), torch.tensor([0.9, 0.0]).view(1, 2, 1, 1)).item()
    3
    """
    b, c, h, w = picture.shape
    where = positions.detach().nan_to_num(0.0)
    x = norm_to_index(where[:, 0], w).round().clamp(0, w - 1).long()
    y = norm_to_index(where[:, 1], h).round().clamp(0, h - 1).long()
    at = (y * w + x).flatten(1)[:, None].expand(b, c, -1)
    return picture.flatten(2).gather(2, at).unflatten(2, x.shape[1:])
