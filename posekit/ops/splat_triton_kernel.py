"""The kernels of `posekit.ops.splat` on CUDA: one that scatters, one that divides, and one for the way back.

Plain torch operators take dozens of launches for the same sums, and a launch costs more than the work of one.  Triton
comes with torch's CUDA builds; its interpreter runs the same kernels without a GPU (TRITON_INTERPRET=1), which is how
they are tested.  The formulas are derived in `posekit.ops.splat_kernel`.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 256  # source pixels, or texels, of one program


def forward_triton(
    values: Tensor, positions: Tensor, mask: Tensor | None, size: tuple[int, int], affine: tuple, min_weight: float
) -> tuple[Tensor, Tensor, Tensor]:
    """(out, weight, known) of `posekit.ops.splat.splat`; affine: texel index = scale * position + offset, for x, y."""
    b, c, n = values.flatten(2).shape
    height, width = size
    out = values.new_empty(b, c, height, width)
    weight, known = values.new_empty(b, 1, height, width), values.new_empty(b, 1, height, width)
    sums = values.new_zeros(b, height * width, c + 1)  # of a texel: w v_1 .. w v_c, and w
    sources, masked = _sources(values, positions, mask)
    _scatter[(triton.cdiv(n, _BLOCK), b)](*sources, sums, n, height, width, *affine, C=c, MASKED=masked, BLOCK=_BLOCK)
    texels = height * width
    _divide[(triton.cdiv(texels, _BLOCK), b)](sums, out, weight, known, texels, min_weight, C=c, BLOCK=_BLOCK)
    return out, weight, known


def backward_triton(
    grad_out: Tensor,
    grad_weight: Tensor,
    values: Tensor,
    positions: Tensor,
    mask: Tensor | None,
    out: Tensor,
    weight: Tensor,
    known: Tensor,
    affine: tuple,
) -> tuple[Tensor, Tensor]:
    """Gradients of values and positions."""
    b, c, n = values.flatten(2).shape
    height, width = weight.shape[-2:]
    sources, masked = _sources(values, positions, mask)
    grad_values, grad_positions = torch.empty_like(sources[0]), torch.empty_like(sources[1])
    texels = [t.contiguous() for t in (grad_out, grad_weight, out, weight, known)]
    _gather[(triton.cdiv(n, _BLOCK), b)](
        *sources, *texels, grad_values, grad_positions, n, height, width, *affine, C=c, MASKED=masked, BLOCK=_BLOCK
    )
    return grad_values, grad_positions


def _sources(values: Tensor, positions: Tensor, mask: Tensor | None) -> tuple[tuple[Tensor, Tensor, Tensor], bool]:
    """What the kernels read of the source, contiguous, and whether there is a mask; values stand in for none."""
    values, positions = values.contiguous(), positions.contiguous()
    return (values, positions, values if mask is None else mask.contiguous()), mask is not None


@triton.jit
def _place(
    values, positions, mask, i, item, n, height, width, scale_x, offset_x, scale_y, offset_y,
    C: tl.constexpr, MASKED: tl.constexpr,
):  # fmt: skip
    """Of the source pixels ``i``: whether each counts, and its place (x, y) in texels, 0 where it does not."""
    on = i < n
    x = scale_x * tl.load(positions + 2 * item * n + i, mask=on, other=0.0) + offset_x
    y = scale_y * tl.load(positions + (2 * item + 1) * n + i, mask=on, other=0.0) + offset_y
    good = on & (x > -1) & (x < width) & (y > -1) & (y < height)  # false for NaN too
    if MASKED:
        good = good & (tl.load(mask + item * n + i, mask=on, other=0.0) > 0.5)
    for c in tl.static_range(C):
        good = good & (tl.abs(tl.load(values + (item * C + c) * n + i, mask=on, other=0.0)) < float("inf"))
    return good, tl.where(good, x, 0.0), tl.where(good, y, 0.0)


@triton.jit
def _scatter(
    values, positions, mask, sums, n, height, width, scale_x, offset_x, scale_y, offset_y,
    C: tl.constexpr, MASKED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    i, item = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), tl.program_id(1)
    good, x, y = _place(
        values, positions, mask, i, item, n, height, width, scale_x, offset_x, scale_y, offset_y, C, MASKED
    )
    left, above = tl.floor(x), tl.floor(y)
    fx, fy = x - left, y - above
    for corner in tl.static_range(4):
        column, row = left.to(tl.int32) + corner % 2, above.to(tl.int32) + corner // 2
        w = (fx if corner % 2 else 1 - fx) * (fy if corner // 2 else 1 - fy)
        inside = good & (column >= 0) & (column < width) & (row >= 0) & (row < height)
        at = sums + ((item * height + row) * width + column) * (C + 1)
        for c in tl.static_range(C):
            v = tl.load(values + (item * C + c) * n + i, mask=inside, other=0.0)
            tl.atomic_add(at + c, w * v, mask=inside, sem="relaxed")
        tl.atomic_add(at + C, w, mask=inside, sem="relaxed")


@triton.jit
def _divide(sums, out, weight, known, texels, min_weight, C: tl.constexpr, BLOCK: tl.constexpr):
    t, item = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), tl.program_id(1)
    on = t < texels
    row = sums + (item * texels + t) * (C + 1)
    w = tl.load(row + C, mask=on, other=0.0)
    enough = w >= min_weight
    tl.store(weight + item * texels + t, w, mask=on)
    tl.store(known + item * texels + t, tl.where(enough, 1.0, 0.0), mask=on)
    for c in tl.static_range(C):
        total = tl.load(row + c, mask=on, other=0.0)
        mean = tl.where(enough, total / tl.where(enough, w, 1.0), 0.0)
        tl.store(out + (item * C + c) * texels + t, mean, mask=on)


@triton.jit
def _gather(
    values, positions, mask, grad_out, grad_weight, out, weight, known, grad_values, grad_positions,
    n, height, width, scale_x, offset_x, scale_y, offset_y,
    C: tl.constexpr, MASKED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    i, item = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), tl.program_id(1)
    on, texels = i < n, height * width
    good, x, y = _place(
        values, positions, mask, i, item, n, height, width, scale_x, offset_x, scale_y, offset_y, C, MASKED
    )
    left, above = tl.floor(x), tl.floor(y)
    fx, fy = x - left, y - above
    slope_x, slope_y = fx * 0, fx * 0
    for c in tl.static_range(C + 1):  # the last one stands for the weight itself, whose value is 1
        grad_v = fx * 0
        for corner in tl.static_range(4):
            column, row = left.to(tl.int32) + corner % 2, above.to(tl.int32) + corner // 2
            wx, wy = (fx if corner % 2 else 1 - fx), (fy if corner // 2 else 1 - fy)
            inside = good & (column >= 0) & (column < width) & (row >= 0) & (row < height)
            at = item * texels + row * width + column
            total = tl.load(weight + at, mask=inside, other=1.0)
            is_known = inside & (tl.load(known + at, mask=inside, other=0.0) > 0)
            if c < C:  # d loss / d (sum w v_c)
                place = (item * C + c) * texels + row * width + column
                g = tl.where(is_known, tl.load(grad_out + place, mask=inside, other=0.0) / total, 0.0)
                v = tl.load(values + (item * C + c) * n + i, mask=good, other=0.0)
            else:  # d loss / d (sum w) = grad_weight - sum_c g_c out_c
                g = tl.load(grad_weight + at, mask=inside, other=0.0)
                for k in tl.static_range(C):
                    place = (item * C + k) * texels + row * width + column
                    part = tl.load(grad_out + place, mask=inside, other=0.0) / total
                    g -= tl.where(is_known, part * tl.load(out + place, mask=inside, other=0.0), 0.0)
                v = fx * 0 + 1
            grad_v += wx * wy * g
            slope_x += (v * g) * wy * (1 if corner % 2 else -1)
            slope_y += (v * g) * wx * (1 if corner // 2 else -1)
        if c < C:
            tl.store(grad_values + (item * C + c) * n + i, grad_v, mask=on)
    tl.store(grad_positions + 2 * item * n + i, slope_x * scale_x, mask=on)
    tl.store(grad_positions + (2 * item + 1) * n + i, slope_y * scale_y, mask=on)
