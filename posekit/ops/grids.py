"""The one coordinate convention: (x, y) order, [-1, 1], pixel centres.

A pixel is a small square; -1 and 1 are the outer edges of the picture, so in a row of ``n`` pixels the centre
of pixel ``i`` lies at ``(2 i + 1) / n - 1`` (what PyTorch calls ``align_corners=False``):

    n = 4       |  0  |  1  |  2  |  3  |
    index     -0.5    0.5   1.5   2.5   3.5        edges between the pixels
    norm       -1   -0.5    0    0.5    1

The same number therefore names the same place at every resolution.  A *grid* (or map) is ``b 2 h w``: channel 0
is x (to the right), channel 1 is y (down).  This is the only file that converts between pixels and [-1, 1].
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from posekit.util.errors import InputError

Coordinate = int | float | Tensor  # a number, or a tensor of numbers of any shape
Size = tuple[int, int]


def index_to_norm(index: Coordinate, size: int) -> Coordinate:
    """Pixel index -> normalised coordinate; a whole index is the centre of that pixel.

    >>> index_to_norm(0, 4), index_to_norm(-0.5, 4), index_to_norm(1.5, 4)  # first centre, left edge, the middle
    (-0.75, -1.0, 0.0)
    """
    return (2 * index + 1) / size - 1


def norm_to_index(coord: Coordinate, size: int) -> Coordinate:
    """Normalised coordinate -> pixel index, the inverse of `index_to_norm`.

    >>> norm_to_index(0, 4), norm_to_index(-1, 4)
    (1.5, -0.5)
    """
    return ((coord + 1) * size - 1) / 2


def points_to_norm(points: Float[Tensor, "*b 2"], size: Size) -> Float[Tensor, "*b 2"]:
    """Points (x, y) in pixel indices of a picture of ``size = (h, w)`` -> normalised points."""
    h, w = _checked_size(size)
    return torch.stack((index_to_norm(points[..., 0], w), index_to_norm(points[..., 1], h)), dim=-1)


def norm_to_points(points: Float[Tensor, "*b 2"], size: Size) -> Float[Tensor, "*b 2"]:
    """Normalised points (x, y) -> pixel indices of a picture of ``size = (h, w)``."""
    h, w = _checked_size(size)
    return torch.stack((norm_to_index(points[..., 0], w), norm_to_index(points[..., 1], h)), dim=-1)


def identity_grid(
    h: int, w: int, *, dtype: torch.dtype = torch.float32, device: torch.device | str | None = None
) -> Float[Tensor, "2 h w"]:
    """The (x, y) of every pixel centre: the warp that changes nothing.

    >>> x, y = identity_grid(1, 2)
    >>> x.tolist(), y.tolist()
    ([[-0.5, 0.5]], [[0.0, 0.0]])
    """
    h, w = _checked_size((h, w))
    x = index_to_norm(torch.arange(w, dtype=dtype, device=device), w)
    y = index_to_norm(torch.arange(h, dtype=dtype, device=device), h)
    return torch.stack((x.expand(h, w), y[:, None].expand(h, w)))


def resize_grid(grid: Float[Tensor, "b 2 h w"], size: Size) -> Float[Tensor, "b 2 H W"]:
    """Resize a coordinate map bilinearly to ``size = (H, W)``; the coordinates it holds keep their meaning.

    Outside the outermost pixel centres the map continues linearly (picture resizing would repeat the edge), so that
    every affine map, the identity above all, is the same map at every resolution.  No smoothing when shrinking:
    coordinates on two sides of a cut must not be averaged more than bilinear interpolation does.

    >>> torch.equal(resize_grid(identity_grid(4, 4)[None], (2, 6))[0], identity_grid(2, 6))
    True
    """
    if grid.ndim != 4 or grid.shape[1] != 2:
        raise InputError(f"resize_grid expected a grid of shape (b, 2, h, w), got {tuple(grid.shape)}.")
    height, width = _checked_size(size)
    return _resize_axis(_resize_axis(grid, height, dim=2), width, dim=3)


def resize_mask(mask: Float[Tensor, "b c h w"], size: Size) -> Float[Tensor, "b c H W"]:
    """Resize a mask to ``size = (H, W)``: every new pixel takes the old pixel that contains its centre.

    A centre on the edge between two old pixels takes the later one.

    >>> resize_mask(torch.tensor([[[[0.0, 1.0]]]]), (1, 1)).item()
    1.0
    """
    if mask.ndim != 4:
        raise InputError(f"resize_mask expected a mask of shape (b, 1, h, w), got {tuple(mask.shape)}.")
    return F.interpolate(mask, size=_checked_size(size), mode="nearest-exact")


def _resize_axis(grid: Tensor, size: int, dim: int) -> Tensor:
    """Linear interpolation, and extrapolation at both ends, along one axis."""
    old = grid.shape[dim]
    if old == size:
        return grid
    centres = index_to_norm(torch.arange(size, dtype=grid.dtype, device=grid.device), size)
    position = norm_to_index(centres, old)
    first = position.floor().clamp(0, max(old - 2, 0)).long()
    second = (first + 1).clamp(max=old - 1)
    t = (position - first).reshape([-1 if d == dim else 1 for d in range(grid.ndim)])  # below 0 or above 1 at the ends
    a, b = grid.index_select(dim, first), grid.index_select(dim, second)
    return a + t * (b - a)


def _checked_size(size: Size) -> Size:
    """``size`` as two positive whole numbers (h, w)."""
    if len(size) != 2 or min(size) < 1 or any(int(n) != n for n in size):
        raise InputError(f"A size is two positive whole numbers (height, width), got {size!r}.")
    return int(size[0]), int(size[1])
