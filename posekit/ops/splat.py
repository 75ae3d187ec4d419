"""Forward warp (splatting): put every source pixel where its position says, with a bilinear kernel.

The coordinate texture C of coordinate-based inpainting is made this way (paper, section 3: "scattered interpolation
with bilinear kernel, so that each source pixel [x, y] is rasterized at position [M^1[x, y], M^2[x, y]]"), with the
source coordinates themselves as the values.

On the CPU the loops are compiled by numba; elsewhere the same sums are one ``index_add_`` over interleaved rows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from posekit.ops.grids import norm_to_index
from posekit.util.errors import InputError
from posekit.util.threads import in_threads

NUMPY = {torch.float32: np.float32, torch.float64: np.float64}


class Splat(NamedTuple):
    """What `splat` returns.

    values: ``b c H W``, 0 where unknown.  weight: ``b 1 H W``, the kernel mass that fell on each texel.
    known: ``b 1 H W``, 1 where the weight reaches ``min_weight``, else 0.
    """

    values: Float[Tensor, "b c H W"]
    weight: Float[Tensor, "b 1 H W"]
    known: Float[Tensor, "b 1 H W"]


def splat(
    values: Float[Tensor, "b c h w"],
    positions: Float[Tensor, "b 2 h w"],
    size: tuple[int, int],
    mask: Float[Tensor, "b 1 h w"] | None = None,
    *,
    min_weight: float = 1e-3,
) -> Splat:
    """Scatter ``values`` to ``positions`` in a target of ``size = (H, W)``.

    Source pixel i at p_i spreads over the four texels t around it with the bilinear kernel
    w_it = max(0, 1 - |x_i - x_t|) max(0, 1 - |y_i - y_t|)  (distances in texels), and a texel takes

        weight_t = sum_i w_it,    values_t = sum_i w_it v_i / weight_t.

    values: any channels.  positions: (x, y) in [-1, 1] of the target.  mask: 1 keeps a pixel, 0 drops it (kept
    where > 0.5).  min_weight: least weight of a known texel, above 0.

    - Part of a kernel that lies outside the target is dropped, and with it whole points far outside.
    - A pixel with NaN or infinity in its position or in any of its values contributes nothing, and its gradients are
      0, as those of masked pixels.
    - A texel below ``min_weight`` is unknown: value 0, known 0.  An empty map gives nothing but unknown texels.
    - Differentiable, once, in values and positions, through ``values`` and through ``weight``; on the kinks of the
      kernel (positions at texel centres) the derivative from the right is given.  ``known`` carries no gradient.
    - On the CPU the result is the same bit for bit whatever the number of threads (``torch.set_num_threads``).  On
      CUDA the order of the additions, so the last bits, is free unless ``torch.use_deterministic_algorithms`` is set.

    values     positions  size      result values
    b c h w    b 2 h w    (h, w)    b c h w    positions = identity_grid(h, w): the values themselves
    b 2 h w    b 2 h w    (t, t)    b 2 t t    values = identity_grid(h, w), positions = M_S: the map C

    >>> one = splat(torch.full((1, 1, 1, 1), 7.0), torch.zeros(1, 2, 1, 1), (2, 2))  # a pixel amid four texels
    >>> one.weight.tolist(), one.values.tolist()
    ([[[[0.25, 0.25], [0.25, 0.25]]]], [[[[7.0, 7.0], [7.0, 7.0]]]])

    Raises InputError for shapes or dtypes that do not fit together; float32 and float64 are accepted.
    """
    _check(values, positions, size, mask, min_weight)
    out, weight, known = _Splat.apply(values, positions, mask, (int(size[0]), int(size[1])), float(min_weight))
    return Splat(out, weight, known)


class _Splat(torch.autograd.Function):
    """Forward and backward of `splat`, handed to the numba kernels or to plain torch by device."""

    @staticmethod
    def forward(ctx, values, positions, mask, size, min_weight):
        mask = None if mask is None else mask.to(values.dtype)
        forward = _forward_numba if values.device.type == "cpu" else _forward_torch
        out, weight, known = forward(values, positions, mask, size, min_weight)
        ctx.save_for_backward(values, positions, mask, out, weight, known)
        ctx.mark_non_differentiable(known)
        return out, weight, known

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_out, grad_weight, _):
        values, positions, *_ = ctx.saved_tensors
        backward = _backward_numba if values.device.type == "cpu" else _backward_torch
        grad_values, grad_positions = backward(grad_out, grad_weight, *ctx.saved_tensors)
        return grad_values, grad_positions, None, None, None


def _index_affine(size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Texel index = scale * position + offset: (scale x, offset x, scale y, offset y) from the one convention."""
    h, w = size
    offset_x, offset_y = norm_to_index(0.0, w), norm_to_index(0.0, h)
    return norm_to_index(1.0, w) - offset_x, offset_x, norm_to_index(1.0, h) - offset_y, offset_y


# ---------------------------------------------------------------------------------------------- CPU: numba in threads


def _forward_numba(values, positions, mask, size, min_weight):
    from posekit.ops.splat_kernel import kernels  # here, so that importing posekit does not load the compiler

    b, c = values.shape[:2]
    height, width = size
    scatter, _, _ = kernels(c)
    affine = np.array(_index_affine(size), NUMPY[values.dtype])
    out = values.new_empty(b, c, height, width)
    weight, known = values.new_empty(b, 1, height, width), values.new_empty(b, 1, height, width)
    sources = list(zip(_items(values.flatten(2)), _items(positions.flatten(2)), _masks(mask, values), strict=True))
    results = list(zip(_items(out), _items(weight[:, 0]), _items(known[:, 0]), strict=True))

    def work(i: int, top: int, bottom: int) -> None:
        sums = np.empty((bottom - top + 2, width + 2, c + 1), affine.dtype)
        scatter(*sources[i], affine, min_weight, top, bottom, sums, *results[i])

    in_threads(work, b, height, positions.numel() // 2)
    return out, weight, known


def _backward_numba(grad_out, grad_weight, values, positions, mask, out, weight, known):
    from posekit.ops.splat_kernel import kernels

    b, c, h, w = values.shape
    height, width = weight.shape[-2:]
    _, prepare, gather = kernels(c)
    affine = np.array(_index_affine((height, width)), NUMPY[values.dtype])
    grad_values, grad_positions = values.new_empty(b, c, h, w), values.new_empty(b, 2, h, w)
    texel = _items(values.new_empty(b, height + 2, width + 2, c + 1))
    targets = [_items(t) for t in (grad_out, grad_weight[:, 0], out, weight[:, 0], known[:, 0])]
    targets = list(zip(*targets, strict=True))
    sources = list(zip(_items(values.flatten(2)), _items(positions.flatten(2)), _masks(mask, values), strict=True))
    results = list(zip(_items(grad_values.flatten(2)), _items(grad_positions.flatten(2)), strict=True))

    def rows(i: int, top: int, bottom: int) -> None:
        prepare(*targets[i], top, bottom, texel[i])

    def pixels(i: int, first: int, last: int) -> None:
        gather(texel[i], *sources[i], affine, first, last, *results[i])

    in_threads(rows, b, height, b * h * w)
    in_threads(pixels, b, h * w, b * h * w)
    return grad_values, grad_positions


def _items(tensor: Tensor) -> list[np.ndarray]:
    """The items of a batch as contiguous numpy arrays, views of the tensor where they are contiguous in it."""
    return [item.detach().contiguous().numpy() for item in tensor]


def _masks(mask: Tensor | None, values: Tensor) -> list[np.ndarray]:
    return _items(values.new_empty(len(values), 0) if mask is None else mask.flatten(1))


# --------------------------------------------------------------------------------- other devices: plain torch operators


def _forward_torch(values, positions, mask, size, min_weight):
    b, c = values.shape[:2]
    height, width = size
    data, index, inside, fx, fy = _corners(values, positions, mask, size)
    kernel = torch.where(inside, _along(fx) * _across(fy), 0)
    sums = values.new_zeros(b * height * width, c + 1)  # one row a texel: sums of w v_1 .. w v_c and of w
    sums.index_add_(0, index.flatten(), (data * kernel[..., None]).flatten(0, 1))
    sums = sums.reshape(b, height, width, c + 1).permute(0, 3, 1, 2)
    weight = sums[:, c:].contiguous()
    known = weight >= min_weight
    out = torch.where(known, sums[:, :c] / torch.where(known, weight, 1), 0)
    return out, weight, known.to(values.dtype)


def _backward_torch(grad_out, grad_weight, values, positions, mask, out, weight, known):
    b, c, h, w = values.shape
    size = weight.shape[-2:]
    data, index, inside, fx, fy = _corners(values, positions, mask, size)
    g = torch.where(known > 0, grad_out / weight, 0)  # d loss / d (sum w v)
    total = grad_weight - (g * out).sum(1, keepdim=True)  # d loss / d (sum w)
    texel = torch.cat((g, total), 1).permute(0, 2, 3, 1).reshape(-1, c + 1)
    rows = torch.where(inside[..., None], texel[index], 0)  # 4 n c+1
    grad_values = ((_along(fx) * _across(fy))[..., None] * rows[..., :c]).sum(0)
    slope = (rows * data).sum(-1)  # 4 n: d loss / d w
    scale_x, _, scale_y, _ = _index_affine(size)
    grad_x = scale_x * (slope * _across(fy) * slope.new_tensor([-1, 1, -1, 1])[:, None]).sum(0)
    grad_y = scale_y * (slope * _along(fx) * slope.new_tensor([-1, -1, 1, 1])[:, None]).sum(0)
    grad_positions = torch.stack((grad_x, grad_y), 1).reshape(b, h, w, 2).permute(0, 3, 1, 2)
    return grad_values.reshape(b, h, w, c).permute(0, 3, 1, 2), grad_positions


def _corners(values, positions, mask, size):
    """Of all n source pixels: rows (v, 1), the texels (4, n) around them, whether these count, and the place (fx, fy).

    The four texels are upper left, upper right, lower left, lower right; fx, fy in [0, 1) run from the first of them.
    Those that do not count get any texel, spread out: thousands of additions to one address would wait for each other.
    """
    b, c, h, w = values.shape
    height, width = size
    scale_x, offset_x, scale_y, offset_y = _index_affine(size)
    x = (scale_x * positions[:, 0] + offset_x).flatten()
    y = (scale_y * positions[:, 1] + offset_y).flatten()
    data = values.permute(0, 2, 3, 1).reshape(b * h * w, c)
    good = (x > -1) & (x < width) & (y > -1) & (y < height) & data.isfinite().all(1)
    if mask is not None:
        good = good & (mask.flatten() > 0.5)
    # Pixels that do not count are set to 0, so that no NaN enters a product.
    x, y = torch.where(good, x, 0), torch.where(good, y, 0)
    data = torch.where(good[:, None], data, 0)
    data = torch.cat((data, data.new_ones(len(data), 1)), 1)
    left, above = x.floor(), y.floor()
    column = left.long() + torch.tensor([0, 1, 0, 1], device=x.device)[:, None]
    row = above.long() + torch.tensor([0, 0, 1, 1], device=x.device)[:, None]
    item = torch.arange(b, device=x.device).repeat_interleave(h * w)
    inside = good & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    anywhere = torch.arange(len(data), device=x.device) % max(1, b * height * width)
    index = torch.where(inside, (item * height + row) * width + column, anywhere)
    return data, index, inside, x - left, y - above


def _along(fx: Tensor) -> Tensor:
    """The kernel along x at the four texels, 4 n."""
    return torch.stack((1 - fx, fx, 1 - fx, fx))


def _across(fy: Tensor) -> Tensor:
    """The kernel along y at the four texels, 4 n."""
    return torch.stack((1 - fy, 1 - fy, fy, fy))


# --------------------------------------------------------------------------------------------------------------- checks


def _check(values: Tensor, positions: Tensor, size: Sequence[int], mask: Tensor | None, min_weight: float) -> None:
    if values.ndim != 4 or positions.shape != (values.shape[0], 2, *values.shape[2:]):
        raise InputError(
            "splat expected values (b, c, h, w) and positions (b, 2, h, w) of the same batch and size, "
            f"got {tuple(values.shape)} and {tuple(positions.shape)}."
        )
    if mask is not None and mask.shape != (values.shape[0], 1, *values.shape[2:]):
        raise InputError(
            f"splat expected a mask (b, 1, h, w) for values of shape {tuple(values.shape)}, got {tuple(mask.shape)}."
        )
    if values.dtype != positions.dtype or values.dtype not in NUMPY:
        raise InputError(
            "splat expected values and positions that are both float32 or both float64, "
            f"got {values.dtype} and {positions.dtype}; convert with .float() or .double()."
        )
    devices = {t.device for t in (values, positions, mask) if t is not None}
    if len(devices) > 1:
        names = " and ".join(sorted(map(str, devices)))
        raise InputError(f"splat expected all tensors on one device, got {names}; move them with .to(device).")
    if len(size) != 2 or min(size) < 1:
        raise InputError(f"splat expected a target size (height, width) of at least one texel, got {tuple(size)}.")
    if not min_weight > 0:
        raise InputError(f"splat expected min_weight above 0, got {min_weight}.")
