"""Random squares of photographs, some of them around the head, for losses that are slow on whole ones."""

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.ops.grids import norm_to_index

HEAD = (0, 14, 15, 16, 17)  # COCO-18: nose, eyes, ears


def random_corners(
    n: int,
    size: tuple[int, int],
    side: int,
    keypoints: Float[Tensor, "b 18 2"] | None = None,
    visibility: Integer[Tensor, "b 18"] | None = None,
    head_share: float = 0.5,
) -> Integer[Tensor, "b 2"]:
    """Upper left corners (row, column) of one square of ``side`` pixels in each of ``n`` photographs.

    size: (h, w) of the photographs, at least ``side``.  A share ``head_share`` of the squares, drawn by chance, lies
    around the head: the middle is up to a quarter of the side away from the mean of the `HEAD` joints that are not
    missing, as far as the photograph reaches.  The others, and all where there are no such joints, lie anywhere.
    Drawn from torch's generator on the CPU: equally many numbers, whatever the photographs show.  The result is where
    the joints are, and nothing waits for it.

    >>> random_corners(2, (8, 4), 4).shape, random_corners(1, (4, 4), 4).tolist()  # the last has one place alone
    (torch.Size([2, 2]), [[0, 0]])
    """
    device = None if keypoints is None else keypoints.device
    drawn = torch.rand(5 * n)
    last = torch.tensor([size[0] - side, size[1] - side], dtype=torch.float32)
    drawn, last = (t.to(device, non_blocking=True) for t in (drawn, last))
    anywhere, nearby, chance = drawn[: 2 * n].view(n, 2), drawn[2 * n : 4 * n].view(n, 2), drawn[4 * n :]
    corners = torch.floor(anywhere * (last + 1))
    if keypoints is not None and visibility is not None:
        joints, there = keypoints[:, HEAD], (visibility[:, HEAD] > 0).float()[..., None]
        x, y = (torch.where(there > 0, joints, 0).sum(1) / there.sum(1).clamp(min=1)).unbind(1)
        middle = torch.stack([norm_to_index(y, size[0]), norm_to_index(x, size[1])], 1)
        around = torch.round(middle - side / 2 + (nearby - 0.5) * side / 2)
        use = (chance < head_share) & (there.sum((1, 2)) > 0)
        corners = torch.where(use[:, None], around, corners)
    return torch.minimum(corners.clamp(min=0), last).long()


def cut_squares(
    images: Float[Tensor, "b c h w"], corners: Integer[Tensor, "b 2"], side: int
) -> Float[Tensor, "b c s s"]:
    """The squares of ``side`` pixels at these corners; the gradient reaches the pixels inside.

    >>> pixels = torch.arange(9.0).view(1, 1, 3, 3)
    >>> cut_squares(pixels, torch.tensor([[1, 0]]), 2)[0, 0].tolist()
    [[3.0, 4.0], [6.0, 7.0]]
    """
    b, c, _, w = images.shape
    row, column = (corners.to(images.device)[:, :, None] + torch.arange(side, device=images.device)).unbind(1)
    rows = images.gather(2, row[:, None, :, None].expand(b, c, side, w))
    return rows.gather(3, column[:, None, None].expand(b, c, side, side))
