"""The loops of `posekit.ops.splat` on the CPU, compiled by numba: one item of a batch, one band of pixels a call.

The loops are numpy.  Positions become texel indices as ``scale * position + offset``, with the coefficients that
`posekit.ops.splat` derives from `posekit.ops.grids`.  Scratch arrays have a border of one texel, so that no kernel
reaches outside them: texel (row, column) lies at [row + 1, column + 1], and what falls on the border is lost.
The kernels release the GIL and no two calls write the same memory, so the caller may run them in threads.
"""

from functools import lru_cache
from math import isfinite

import numpy as np
from numba import njit
from torch import Tensor

from posekit.util.threads import in_threads

# "numpy": a division does not look for zero first, which would keep the loops from being vectorised.
OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}
UNROLLED = 4  # up to here the number of channels is compiled in, which halves the time


def forward_numba(values, positions, mask, size, affine, min_weight):
    b, c = values.shape[:2]
    height, width = size
    scatter, _, _ = kernels(c)
    affine = np.array(affine, str(values.dtype).removeprefix("torch."))
    out = values.new_empty(b, c, height, width)
    weight, known = values.new_empty(b, 1, height, width), values.new_empty(b, 1, height, width)
    sources = list(zip(_items(values.flatten(2)), _items(positions.flatten(2)), _masks(mask, values), strict=True))
    results = list(zip(_items(out), _items(weight[:, 0]), _items(known[:, 0]), strict=True))

    def work(i: int, top: int, bottom: int) -> None:
        sums = np.empty((bottom - top + 2, width + 2, c + 1), affine.dtype)
        scatter(*sources[i], affine, min_weight, top, bottom, sums, *results[i])

    in_threads(work, b, height, positions.numel() // 2)
    return out, weight, known


def backward_numba(grad_out, grad_weight, values, positions, mask, out, weight, known, affine):
    b, c, h, w = values.shape
    height, width = weight.shape[-2:]
    _, prepare, gather = kernels(c)
    affine = np.array(affine, str(values.dtype).removeprefix("torch."))
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


@lru_cache
def kernels(channels: int):
    """(scatter, prepare, gather) for values of so many channels."""
    fixed = channels if channels <= UNROLLED else 0
    return _scatter(fixed), _prepare(fixed), _gather(fixed)


@lru_cache
def _scatter(fixed):
    @njit(**OPTIONS)
    def scatter(values, positions, mask, affine, min_weight, top, bottom, sums, out, weight, known):
        """Splat one item into the target rows ``top <= row < bottom``.

        values: (c, n).  positions: (2, n).  mask: (n,), or (0,) for none.  affine: scale x, offset x, scale y,
        offset y.  sums: scratch (bottom - top + 2, width + 2, c + 1) for the sums of w v_1 .. w v_c and of w.
        Results: out (c, height, width), weight and known (height, width).
        """
        count = fixed if fixed else values.shape[0]
        height, width = weight.shape
        scale_x, offset_x, scale_y, offset_y = affine
        one = affine.dtype.type(1)  # a whole number would turn float32 arithmetic into float64
        sums[:] = 0
        for i in range(values.shape[1]):
            if mask.size and not mask[i] > 0.5:
                continue
            x = scale_x * positions[0, i] + offset_x
            y = scale_y * positions[1, i] + offset_y
            if not (x > -1 and x < width and y > top - 1 and y < bottom):  # false for NaN too
                continue
            finite = True
            for c in range(count):
                finite = finite and isfinite(values[c, i])
            if not finite:
                continue
            left, above = np.floor(x), np.floor(y)
            fx, fy = x - left, y - above
            column, row = int(left) + 1, int(above) - top + 1
            upper, lower = sums[row], sums[row + 1]
            w11 = fx * fy
            w01, w10 = fx - w11, fy - w11
            w00 = one - fx - w10
            for c in range(count):
                v = values[c, i]
                upper[column, c] += w00 * v
                upper[column + 1, c] += w01 * v
                lower[column, c] += w10 * v
                lower[column + 1, c] += w11 * v
            upper[column, count] += w00
            upper[column + 1, count] += w01
            lower[column, count] += w10
            lower[column + 1, count] += w11
        for row in range(top, bottom):
            for column in range(width):
                cell = sums[row - top + 1, column + 1]
                w = cell[count]
                enough = w >= min_weight
                weight[row, column] = w
                known[row, column] = 1 if enough else 0
                for c in range(count):
                    out[c, row, column] = cell[c] / w if enough else 0

    return scatter


@lru_cache
def _prepare(fixed):
    @njit(**OPTIONS)
    def prepare(grad_out, grad_weight, out, weight, known, top, bottom, texel):
        """Gradients of the sums in the target rows ``top <= row < bottom`` into texel (height + 2, width + 2, c + 1).

        On the border they are 0: what fell there was lost.

        out_c = (sum w v_c) / (sum w), so  d loss / d(sum w v_c) = grad_c / weight  and
        d loss / d(sum w) = grad_weight - sum_c grad_c out_c / weight.
        """
        count = fixed if fixed else out.shape[0]
        height, width = weight.shape
        if top == 0:
            texel[0] = 0
        if bottom == height:
            texel[height + 1] = 0
        for row in range(top, bottom):
            texel[row + 1, 0] = 0
            texel[row + 1, width + 1] = 0
            for column in range(width):
                cell = texel[row + 1, column + 1]
                total = grad_weight[row, column]
                is_known = known[row, column] > 0
                for c in range(count):
                    g = grad_out[c, row, column] / weight[row, column] if is_known else 0 * total
                    cell[c] = g
                    total -= g * out[c, row, column]
                cell[count] = total

    return prepare


@lru_cache
def _gather(fixed):
    @njit(**OPTIONS)
    def gather(texel, values, positions, mask, affine, first, last, grad_values, grad_positions):
        """Gradients of the source points ``first <= i < last`` of one item, from what `prepare` wrote.

        d loss / d v = sum_t w_t texel_t[c],  d loss / d w_t = texel_t[:c] . v + texel_t[c + 1], and w is bilinear.
        """
        count = fixed if fixed else values.shape[0]
        height, width = texel.shape[0] - 2, texel.shape[1] - 2
        scale_x, offset_x, scale_y, offset_y = affine
        one = affine.dtype.type(1)  # a whole number would turn float32 arithmetic into float64
        for i in range(first, last):
            x = scale_x * positions[0, i] + offset_x
            y = scale_y * positions[1, i] + offset_y
            used = x > -1 and x < width and y > -1 and y < height and (mask.size == 0 or mask[i] > 0.5)
            for c in range(count):
                used = used and isfinite(values[c, i])
            if not used:
                for c in range(count):
                    grad_values[c, i] = 0
                grad_positions[0, i] = 0
                grad_positions[1, i] = 0
                continue
            left, above = np.floor(x), np.floor(y)
            fx, fy = x - left, y - above
            column, row = int(left) + 1, int(above) + 1
            t00, t01 = texel[row, column], texel[row, column + 1]
            t10, t11 = texel[row + 1, column], texel[row + 1, column + 1]
            # Slope along x and y of the bilinear surface through the four d loss / d w.
            slope_x = (t01[count] - t00[count]) * (one - fy) + (t11[count] - t10[count]) * fy
            slope_y = (t10[count] - t00[count]) * (one - fx) + (t11[count] - t01[count]) * fx
            for c in range(count):
                v = values[c, i]
                upper = t00[c] + fx * (t01[c] - t00[c])
                lower = t10[c] + fx * (t11[c] - t10[c])
                grad_values[c, i] = upper + fy * (lower - upper)
                slope_x += v * ((t01[c] - t00[c]) * (one - fy) + (t11[c] - t10[c]) * fy)
                slope_y += v * (lower - upper)
            grad_positions[0, i] = slope_x * scale_x
            grad_positions[1, i] = slope_y * scale_y

    return gather
