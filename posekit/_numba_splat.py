"""The loops of `posekit.splat` on the CPU, compiled by numba: one item of a batch, one band of its rows at a time.

Everything here is numpy, and positions become texel indices as ``scale * position + offset`` with the coefficients
that `posekit.grids` gives.  The kernels release the GIL and share no memory that another thread writes, so that the
caller may run them in threads and the result depends neither on the number of threads nor on their timing.
"""

from math import floor, isfinite

from numba import njit


@njit(nogil=True, cache=True, inline="always")
def _inside(x, y, width, height):
    """Whether the kernel around (x, y), in texel indices, touches the target; False for NaN."""
    return x > -1 and x < width and y > -1 and y < height


@njit(nogil=True, cache=True)
def scatter(values, positions, mask, affine, min_weight, top, bottom, sums, out, weight, known):
    """Splat one item into the target rows ``top <= row < bottom``.

    values: (c, n).  positions: (2, n).  mask: (n,) or (0,) for none.  affine: scale x, offset x, scale y, offset y.
    sums: scratch (bottom - top, width, c + 1): sum of w v_1 .. w v_c, and sum of w, side by side for the cache.
    out: (c, height, width).  weight, known: (height, width).
    """
    channels, n = values.shape
    height, width = weight.shape
    scale_x, offset_x, scale_y, offset_y = affine
    sums[:] = 0
    for i in range(n):
        x = scale_x * positions[0, i] + offset_x
        y = scale_y * positions[1, i] + offset_y
        if not (_inside(x, y, width, height) and y > top - 1 and y < bottom):
            continue
        if mask.size and not mask[i] > 0.5:
            continue
        finite = True
        for c in range(channels):
            finite = finite and isfinite(values[c, i])
        if not finite:
            continue
        x0, y0 = int(floor(x)), int(floor(y))
        fx, fy = x - x0, y - y0
        for dy in range(2):
            row = y0 + dy
            if row < top or row >= bottom:
                continue
            wy = fy if dy else 1 - fy
            for dx in range(2):
                column = x0 + dx
                if column < 0 or column >= width:
                    continue
                w = wy * (fx if dx else 1 - fx)
                cell = sums[row - top, column]
                for c in range(channels):
                    cell[c] += w * values[c, i]
                cell[channels] += w
    for row in range(top, bottom):
        for column in range(width):
            w = sums[row - top, column, channels]
            weight[row, column] = w
            enough = w >= min_weight
            known[row, column] = 1 if enough else 0
            for c in range(channels):
                out[c, row, column] = sums[row - top, column, c] / w if enough else 0


@njit(nogil=True, cache=True)
def texel_gradients(grad_out, grad_weight, out, weight, known, top, bottom, texel):
    """Gradients of the sums, for the target rows ``top <= row < bottom``, into texel (height, width, c + 1).

    out_c = (sum w v_c) / (sum w), so  d/d(sum w v_c) = grad_c / weight  and
    d/d(sum w) = grad_weight - sum_c grad_c out_c / weight.
    """
    channels, height, width = grad_out.shape
    for row in range(top, bottom):
        for column in range(width):
            total = grad_weight[row, column]
            scale = 1 / weight[row, column] if known[row, column] > 0 else 0 * weight[row, column]
            for c in range(channels):
                g = grad_out[c, row, column] * scale
                texel[row, column, c] = g
                total -= g * out[c, row, column]
            texel[row, column, channels] = total


@njit(nogil=True, cache=True)
def gather(texel, values, positions, mask, affine, first, last, grad_values, grad_positions):
    """Gradients of the source points ``first <= i < last`` of one item from its `texel_gradients`."""
    channels = values.shape[0]
    height, width, _ = texel.shape
    scale_x, offset_x, scale_y, offset_y = affine
    for i in range(first, last):
        for c in range(channels):
            grad_values[c, i] = 0
        grad_positions[0, i] = 0
        grad_positions[1, i] = 0
        x = scale_x * positions[0, i] + offset_x
        y = scale_y * positions[1, i] + offset_y
        if not _inside(x, y, width, height):
            continue
        if mask.size and not mask[i] > 0.5:
            continue
        finite = True
        for c in range(channels):
            finite = finite and isfinite(values[c, i])
        if not finite:
            continue
        x0, y0 = int(floor(x)), int(floor(y))
        fx, fy = x - x0, y - y0
        slope_x = slope_y = 0 * fx
        for dy in range(2):
            row = y0 + dy
            if row < 0 or row >= height:
                continue
            wy = fy if dy else 1 - fy
            for dx in range(2):
                column = x0 + dx
                if column < 0 or column >= width:
                    continue
                wx = fx if dx else 1 - fx
                cell = texel[row, column]
                total = cell[channels]  # d loss / d w of this source point and this texel
                for c in range(channels):
                    grad_values[c, i] += wx * wy * cell[c]
                    total += cell[c] * values[c, i]
                slope_x += (wy if dx else -wy) * total
                slope_y += (wx if dy else -wx) * total
        grad_positions[0, i] = slope_x * scale_x
        grad_positions[1, i] = slope_y * scale_y
