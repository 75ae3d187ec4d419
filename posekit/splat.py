"""Forward warp (splatting): put every source pixel where its position says, with a bilinear kernel.

The coordinate texture C of coordinate-based inpainting is made this way (paper, section 3: "scattered interpolation
with bilinear kernel, so that each source pixel [x, y] is rasterized at position [M^1[x, y], M^2[x, y]]"), with the
source coordinates themselves as the values.

On the CPU the loops are compiled by numba; elsewhere the same sums are one ``index_add_`` over interleaved rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from posekit.grids import norm_to_index


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

    Raises ValueError for shapes or dtypes that do not fit together; float32 and float64 are accepted.
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
    from posekit._numba_splat import scatter  # here, so that importing posekit does not load the compiler

    b, c, h, w = values.shape
    height, width = size
    affine = _coefficients(size, values.dtype)
    out = values.new_empty(b, c, height, width)
    weight, known = values.new_empty(b, 1, height, width), values.new_empty(b, 1, height, width)
    arrays = [_items(t, b) for t in (values.flatten(2), positions.flatten(2))]
    masks = _mask_items(mask, values)
    outs, weights, knowns = (_items(t, b) for t in (out, weight[:, 0], known[:, 0]))

    def work(i: int, top: int, bottom: int) -> None:
        sums = np.empty((bottom - top, width, c + 1), outs[i].dtype)
        scatter(
            arrays[0][i], arrays[1][i], masks[i], affine, min_weight, top, bottom, sums, outs[i], weights[i], knowns[i]
        )

    _in_threads(work, b, height)
    return out, weight, known


def _backward_numba(grad_out, grad_weight, values, positions, mask, out, weight, known):
    from posekit._numba_splat import gather, texel_gradients

    b, c, h, w = values.shape
    height, width = weight.shape[-2:]
    affine = _coefficients((height, width), values.dtype)
    grad_values = values.new_empty(b, c, h, w)
    grad_positions = values.new_empty(b, 2, h, w)
    texel = values.new_empty(b, height, width, c + 1)
    texels = _items(texel, b)
    given = [_items(t, b) for t in (grad_out, grad_weight[:, 0], out, weight[:, 0], known[:, 0])]
    points = [_items(t.flatten(2), b) for t in (values, positions)]
    masks = _mask_items(mask, values)
    results = [_items(t.flatten(2), b) for t in (grad_values, grad_positions)]

    def rows(i: int, top: int, bottom: int) -> None:
        texel_gradients(*(g[i] for g in given), top, bottom, texels[i])

    def pixels(i: int, first: int, last: int) -> None:
        gather(texels[i], points[0][i], points[1][i], masks[i], affine, first, last, results[0][i], results[1][i])

    _in_threads(rows, b, height)
    _in_threads(pixels, b, h * w)
    return grad_values, grad_positions


def _coefficients(size: tuple[int, int], dtype: torch.dtype) -> np.ndarray:
    return np.array(_index_affine(size), np.float64 if dtype == torch.float64 else np.float32)


def _items(tensor: Tensor, b: int) -> list[np.ndarray]:
    """The items of a batch as contiguous numpy arrays, without a copy where they are contiguous already."""
    return [tensor[i].detach().contiguous().numpy() for i in range(b)]


def _mask_items(mask: Tensor | None, values: Tensor) -> list[np.ndarray]:
    b = values.shape[0]
    return _items(values.new_empty(b, 0) if mask is None else mask.flatten(1), b)


def _in_threads(work: Callable[[int, int, int], None], items: int, length: int) -> None:
    """Run ``work(item, first, last)`` over all items, each cut into bands of ``length`` when threads would be idle."""
    threads = torch.get_num_threads()
    bands = min(max(1, threads // max(items, 1)), max(length, 1))
    edges = [length * k // bands for k in range(bands + 1)]
    tasks = [(i, first, last) for i in range(items) for first, last in zip(edges, edges[1:], strict=False)]
    if threads == 1 or len(tasks) < 2:
        for task in tasks:
            work(*task)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda task: work(*task), tasks))


# --------------------------------------------------------------------------------- other devices: plain torch operators


def _forward_torch(values, positions, mask, size, min_weight):
    b, c, h, w = values.shape
    height, width = size
    data, corners = _corners(values, positions, mask, size)
    # One row per texel and one spare row for what falls outside; the channels and the weight lie side by side.
    sums = values.new_zeros(b * height * width + 1, c + 1)
    index = torch.cat([row for row, _, _, _ in corners])
    sums.index_add_(0, index, torch.cat([data * weight[:, None] for _, weight, _, _ in corners]))
    sums = sums[:-1].reshape(b, height, width, c + 1).permute(0, 3, 1, 2)
    weight = sums[:, c:].contiguous()
    known = weight >= min_weight
    out = torch.where(known, sums[:, :c] / torch.where(known, weight, 1), 0)
    return out, weight, known.to(values.dtype)


def _backward_torch(grad_out, grad_weight, values, positions, mask, out, weight, known):
    b, c, h, w = values.shape
    size = weight.shape[-2:]
    g = grad_out * known / torch.where(known > 0, weight, 1)  # d loss / d (sum w v)
    total = grad_weight - (g * out).sum(1, keepdim=True)  # d loss / d (sum w)
    texel = torch.cat((g, total), 1).permute(0, 2, 3, 1).reshape(-1, c + 1)
    texel = torch.cat((texel, texel.new_zeros(1, c + 1)))
    data, corners = _corners(values, positions, mask, size)
    rows = [texel[row] for row, _, _, _ in corners]
    grad_values = sum(row[:, :c] * weight[:, None] for row, (_, weight, _, _) in zip(rows, corners, strict=True))
    slopes = [(row * data).sum(1) for row in rows]
    scale_x, _, scale_y, _ = _index_affine(size)
    grad_x = scale_x * sum(s * dx for s, (_, _, dx, _) in zip(slopes, corners, strict=True))
    grad_y = scale_y * sum(s * dy for s, (_, _, _, dy) in zip(slopes, corners, strict=True))
    grad_positions = torch.stack((grad_x, grad_y), 1).reshape(b, h, w, 2).permute(0, 3, 1, 2)
    return grad_values.reshape(b, h, w, c).permute(0, 3, 1, 2), grad_positions


def _corners(values, positions, mask, size):
    """Rows (v, 1) of all source pixels, and for the four texels around each: (texel row, w, dw/dx, dw/dy)."""
    b, c, h, w = values.shape
    height, width = size
    scale_x, offset_x, scale_y, offset_y = _index_affine(size)
    x = (scale_x * positions[:, 0] + offset_x).reshape(-1)
    y = (scale_y * positions[:, 1] + offset_y).reshape(-1)
    data = values.permute(0, 2, 3, 1).reshape(-1, c)
    good = (x > -1) & (x < width) & (y > -1) & (y < height) & data.isfinite().all(1)
    if mask is not None:
        good = good & (mask.reshape(-1) > 0.5)
    # Pixels that do not count become zeros at texel 0, so that no NaN enters a product; their rows are the spare one.
    x, y = torch.where(good, x, 0), torch.where(good, y, 0)
    data = torch.where(good[:, None], data, 0)
    data = torch.cat((data, data.new_ones(len(data), 1)), 1)
    x0, y0 = x.floor(), y.floor()
    fx, fy = x - x0, y - y0
    item = torch.arange(b, device=values.device).repeat_interleave(h * w)
    corners = []
    for dy, wy, slope_y in ((0, 1 - fy, -1), (1, fy, 1)):
        for dx, wx, slope_x in ((0, 1 - fx, -1), (1, fx, 1)):
            column, row = x0.long() + dx, y0.long() + dy
            inside = good & (column >= 0) & (column < width) & (row >= 0) & (row < height)
            index = torch.where(inside, (item * height + row) * width + column, b * height * width)
            corners.append((index, wx * wy, slope_x * wy, slope_y * wx))
    return data, corners


# --------------------------------------------------------------------------------------------------------------- checks


def _check(values: Tensor, positions: Tensor, size: Sequence[int], mask: Tensor | None, min_weight: float) -> None:
    if values.ndim != 4 or positions.shape != (values.shape[0], 2, *values.shape[2:]):
        raise ValueError(
            "splat expected values (b, c, h, w) and positions (b, 2, h, w) of the same batch and size, "
            f"got {tuple(values.shape)} and {tuple(positions.shape)}."
        )
    if mask is not None and mask.shape != (values.shape[0], 1, *values.shape[2:]):
        raise ValueError(
            f"splat expected a mask (b, 1, h, w) for values of shape {tuple(values.shape)}, got {tuple(mask.shape)}."
        )
    if values.dtype != positions.dtype or values.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            "splat expected values and positions that are both float32 or both float64, "
            f"got {values.dtype} and {positions.dtype}; convert with .float() or .double()."
        )
    devices = {t.device for t in (values, positions, mask) if t is not None}
    if len(devices) > 1:
        raise ValueError(
            f"splat expected tensors on one device, got {sorted(map(str, devices))}; move them with .to()."
        )
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"splat expected a target size (height, width) of at least one texel, got {tuple(size)}.")
    if not min_weight > 0:
        raise ValueError(f"splat expected min_weight above 0, got {min_weight}.")
