"""Backward warp: for every target pixel, look up the picture where the grid says; and the composition of warps."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from posekit.ops.grids import identity_grid
from posekit.util.errors import InputError


def sample(
    image: Float[Tensor, "b c h w"], grid: Float[Tensor, "b 2 H W"], *, padding: Literal["zeros", "border"] = "zeros"
) -> Float[Tensor, "b c H W"]:
    """Read ``image`` bilinearly at the positions in ``grid``; differentiable in both.

    This is the [ ] of coordinate-based inpainting: T = S[D] (eq. 2), W = T[M_N] (eq. 3) and E = D[M_N] (eq. 4).

    image: any channels.  grid: the (x, y) in [-1, 1] of ``image`` that each target pixel shows.
    padding: what lies outside the image, "zeros" or the nearest "border" pixel.  A NaN in the grid reads outside,
    beyond (-1, -1), and takes no gradient; keep a mask beside a grid that has holes.

    image      grid       result
    b c h w    b 2 h w    b c h w    identity_grid(h, w) gives the image back
    b c h w    b 2 H W    b c H W    any other size: sampling is resizing

    >>> row = torch.tensor([[[[1.0, 2.0]]]])
    >>> sample(row, torch.tensor([[[[-0.5, 0.0]], [[0.0, 0.0]]]])).tolist()  # the first centre, half way to the other
    [[[[1.0, 1.5]]]]

    Raises InputError for shapes or dtypes that do not fit together.
    """
    if image.ndim != 4 or grid.ndim != 4 or grid.shape[1] != 2 or image.shape[0] != grid.shape[0]:
        raise InputError(
            "sample expected an image (b, c, h, w) and a grid (b, 2, H, W) of one batch size, "
            f"got {tuple(image.shape)} and {tuple(grid.shape)}."
        )
    if image.dtype != grid.dtype or not image.is_floating_point():
        raise InputError(
            f"sample expected image and grid of one floating-point dtype, got {image.dtype} and {grid.dtype}; "
            "convert one with .to(dtype)."
        )
    if padding not in ("zeros", "border"):
        raise InputError(f'sample expected padding "zeros" or "border", got {padding!r}.')
    # torch's own backward reads out of bounds at NaN on the CPU
    grid = grid.nan_to_num(nan=-2.0, posinf=2.0, neginf=-2.0).movedim(1, -1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode=padding, align_corners=False)


def compose(outer: Float[Tensor, "b 2 h w"], inner: Float[Tensor, "b 2 H W"]) -> Float[Tensor, "b 2 H W"]:
    """The grid ``x -> outer(inner(x))``: sampling with it is sampling with ``outer``, then with ``inner``.

    sample(image, compose(outer, inner)) ~ sample(sample(image, outer), inner), with one interpolation of colours
    instead of two.  With x the identity grid, the displacement outer - x is what is interpolated,

        outer(inner(x)) = inner(x) + (outer - x)(inner(x)),

    so the result is exact when either grid is the identity, and a displacement continues unchanged past the border.

    >>> x = identity_grid(2, 2)[None]
    >>> torch.equal(compose(x + 0.5, x), x + 0.5)
    True
    """
    for name, grid in (("outer", outer), ("inner", inner)):
        if grid.ndim != 4 or grid.shape[1] != 2:
            raise InputError(f"compose expected {name} of shape (b, 2, h, w), got {tuple(grid.shape)}.")
    x = identity_grid(*outer.shape[-2:], dtype=outer.dtype, device=outer.device)
    return inner + sample(outer - x, inner, padding="border")
