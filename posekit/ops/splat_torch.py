"""`posekit.ops.splat` in plain torch operators, for any device: one ``index_add_`` over interleaved rows."""

import torch
from torch import Tensor


def forward_torch(values, positions, mask, size, affine, min_weight):
    """(out, weight, known) of `posekit.ops.splat.splat`; affine: texel index = scale * position + offset, for x, y.

    >>> one = torch.ones(1, 1, 1, 1)  # in the middle of four texels
    >>> forward_torch(7 * one, torch.zeros(1, 2, 1, 1), None, (2, 2), (1.0, 0.5, 1.0, 0.5), 1e-3)[1].tolist()
    [[[[0.25, 0.25], [0.25, 0.25]]]]
    """
    b, c = values.shape[:2]
    height, width = size
    data, index, inside, fx, fy = _corners(values, positions, mask, size, affine)
    kernel = torch.where(inside, _along(fx) * _across(fy), 0)
    sums = values.new_zeros(b * height * width, c + 1)  # one row a texel: sums of w v_1 .. w v_c and of w
    sums.index_add_(0, index.flatten(), (data * kernel[..., None]).flatten(0, 1))
    sums = sums.reshape(b, height, width, c + 1).permute(0, 3, 1, 2)
    weight = sums[:, c:].contiguous()
    known = weight >= min_weight
    out = torch.where(known, sums[:, :c] / torch.where(known, weight, 1), 0)
    return out, weight, known.to(values.dtype)


def backward_torch(grad_out, grad_weight, values, positions, mask, out, weight, known, affine):
    b, c, h, w = values.shape
    size = weight.shape[-2:]
    data, index, inside, fx, fy = _corners(values, positions, mask, size, affine)
    g = torch.where(known > 0, grad_out / weight, 0)  # d loss / d (sum w v)
    total = grad_weight - (g * out).sum(1, keepdim=True)  # d loss / d (sum w)
    texel = torch.cat((g, total), 1).permute(0, 2, 3, 1).reshape(-1, c + 1)
    rows = torch.where(inside[..., None], texel[index], 0)  # 4 n c+1
    grad_values = ((_along(fx) * _across(fy))[..., None] * rows[..., :c]).sum(0)
    slope = (rows * data).sum(-1)  # 4 n: d loss / d w
    scale_x, _, scale_y, _ = affine
    grad_x = scale_x * (slope * _across(fy) * slope.new_tensor([-1, 1, -1, 1])[:, None]).sum(0)
    grad_y = scale_y * (slope * _along(fx) * slope.new_tensor([-1, -1, 1, 1])[:, None]).sum(0)
    grad_positions = torch.stack((grad_x, grad_y), 1).reshape(b, h, w, 2).permute(0, 3, 1, 2)
    return grad_values.reshape(b, h, w, c).permute(0, 3, 1, 2), grad_positions


def _corners(values, positions, mask, size, affine):
    """Of all n source pixels: rows (v, 1), the texels (4, n) around them, whether these count, and the place (fx, fy).

    The four texels are upper left, upper right, lower left, lower right; fx, fy in [0, 1) run from the first of them.
    Those that do not count get any texel, spread out: thousands of additions to one address would wait for each other.
    """
    b, c, h, w = values.shape
    height, width = size
    scale_x, offset_x, scale_y, offset_y = affine
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
