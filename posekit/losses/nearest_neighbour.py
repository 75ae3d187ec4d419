"""Nearest-neighbour loss: l1 that forgives a small shift.

Source: Deformable GANs for Pose-based Human Image Generation, supplementary material, equations (1) to (5).

The text stacks n^2 shifted copies of the target.  Here the search keeps one number and one index for every pixel, and
the backward pass looks at the winners again: no copies.  On the CPU the loops are compiled by numba; elsewhere they
are plain torch, one shift at a time.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from posekit.losses.float32 import as_float32
from posekit.util.errors import InputError
from posekit.util.threads import in_threads


def nearest_neighbour_loss(
    generated: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h w"], window: int = 3, *, mean: bool = True
) -> Float[Tensor, ""]:
    """Distance of every generated feature to the most similar target feature in a ``window`` around it.

        S^(i,j)(p) = || generated(p) - target(p + (i, j)) ||_1       +inf outside the border     (1) - (3)
        M(p)       = min over |i|, |j| <= (window - 1) / 2 of S^(i,j)(p)                           (4)
        L          = sum over p of M(p)                                                            (5)

    ``mean=False`` gives (5) as printed, averaged over the batch; ``mean=True`` divides it by c h w, so that one
    weight serves every size.  A published weight belongs to one of the two: 0.01 (this paper) to the sum, 0.5
    (coordinate-based inpainting) to the mean, see `posekit.systems.coordinate_settings.TABLE_5`.

    Differentiable in both; of equally similar targets the first in reading order wins.  Half precision is compared in
    float32, and the result is float32.  Raises InputError for an even window or maps of two shapes.
    """
    if window < 1 or window % 2 == 0:
        raise InputError(f"The window of the nearest-neighbour loss must be a positive odd number, got {window}.")
    if generated.shape != target.shape:
        raise InputError(
            f"The nearest-neighbour loss compares maps of one shape, got {tuple(generated.shape)} "
            f"and {tuple(target.shape)}."
        )
    b, c, h, w = generated.shape
    loss = _SumOfMinima.apply(generated, target, window // 2) / b
    return loss / (c * h * w) if mean else loss


class _SumOfMinima(torch.autograd.Function):
    """sum over p of M(p), over the whole batch.

    Kept for the backward pass: the inputs, which exist anyway, and the winner of every pixel.  S is an l1 norm, so
    the derivative is the sign of the difference to the winner; the winner receives the opposite.
    """

    @staticmethod
    def forward(ctx, generated, target, reach):
        search = _search_numba if generated.device.type == "cpu" else _search_torch
        best, offset = search(generated, target, reach)
        ctx.save_for_backward(generated, target, offset)
        return best.sum()

    @staticmethod
    def backward(ctx, grad):
        generated, target, offset = (t.detach() for t in ctx.saved_tensors)
        slopes = _slopes_numba if generated.device.type == "cpu" else _slopes_torch
        signs, received = slopes(generated, target, offset, ctx.needs_input_grad[1])
        # Integers times one number: grad may be differentiated again.
        by_generated = signs.to(generated.dtype).mul_(grad)
        return by_generated, None if received is None else received.to(target.dtype).mul_(grad), None


# ---------------------------------------------------------------------------------------------- CPU: numba in threads


def _search_numba(generated, target, reach):
    """M(p), and the flat index of the winner less that of p; both ``b h w``."""
    from posekit.ops.nearest_kernel import search  # here, so that importing posekit does not load the compiler

    b, c, h, w = generated.shape
    dtype = torch.result_type(as_float32(generated), as_float32(target))
    best, offset = torch.empty(b, h, w, dtype=dtype), torch.empty(b, h, w, dtype=torch.int32)
    ry, rx = min(reach, h - 1), min(reach, w - 1)
    for i in range(b):
        pair, matches = _arrays(dtype, generated[i], target[i]), (best[i].numpy(), offset[i].numpy())

        def rows(_, top, bottom, pair=pair, matches=matches):
            sums = np.empty((2 * ry + 1, 2 * rx + 1, w), matches[0].dtype)
            search(*pair, ry, rx, top, bottom, sums, *matches)

        in_threads(rows, 1, h, c * h * w)
    return best, offset


def _slopes_numba(generated, target, offset, of_target):
    """Derivative of the sum of M by generated, int8, and by target, int32 or None: ``b c h w``."""
    from posekit.ops.nearest_kernel import slopes

    b, c, h, w = generated.shape
    dtype = torch.result_type(as_float32(generated), as_float32(target))
    signs = torch.empty(b, c, h, w, dtype=torch.int8)
    received = torch.empty(b, c, h, w, dtype=torch.int32) if of_target else None
    for i in range(b):
        pair, winner = _arrays(dtype, generated[i].flatten(1), target[i].flatten(1)), offset[i].flatten().numpy()
        by_target = np.empty((0, 0), np.int32) if received is None else received[i].flatten(1).numpy()
        derivatives = signs[i].flatten(1).numpy(), by_target

        def channels(_, first, last, pair=pair, winner=winner, derivatives=derivatives):
            slopes(*pair, winner, first, last, *derivatives)

        in_threads(channels, 1, c, c * h * w)
    return signs, received


def _arrays(dtype: torch.dtype, *tensors: Tensor) -> list[np.ndarray]:
    """Contiguous arrays of one type; views of the tensors where these are so already."""
    return [t.to(dtype).contiguous().numpy() for t in tensors]


# --------------------------------------------------------------------------------- other devices: plain torch operators


def _search_torch(generated, target, reach):
    """`_search_numba`, one shift of the whole batch at a time."""
    generated, target = as_float32(generated), as_float32(target)
    b, _, h, w = generated.shape
    dtype = torch.result_type(generated, target)
    best = torch.full((b, h, w), torch.inf, dtype=dtype, device=target.device)
    offset = torch.zeros(b, h, w, dtype=torch.int32, device=target.device)
    ry, rx = min(reach, h - 1), min(reach, w - 1)
    for i in range(-ry, ry + 1):
        for j in range(-rx, rx + 1):
            here = (..., slice(max(0, -i), h - max(0, i)), slice(max(0, -j), w - max(0, j)))
            there = (..., slice(max(0, i), h - max(0, -i)), slice(max(0, j), w - max(0, -j)))
            distance = (generated[here] - target[there]).abs_().sum(1)
            closer = (distance < best[here]) | distance.isnan()
            best[here] = torch.where(closer, distance, best[here])
            offset[here] = torch.where(closer, i * w + j, offset[here])
    return best, offset


def _slopes_torch(generated, target, offset, of_target):
    """`_slopes_numba`, one item at a time."""
    b, c, h, w = generated.shape
    signs = torch.empty(b, c, h * w, dtype=torch.int8, device=target.device)
    received = torch.zeros(b, c, h * w, dtype=torch.int32, device=target.device) if of_target else None
    pixel = torch.arange(h * w, device=target.device)
    for i in range(b):
        winner = (pixel + offset[i].flatten()).expand(c, h * w)
        difference = as_float32(generated[i].flatten(1)) - target[i].flatten(1).gather(1, winner)
        signs[i] = difference.sign_()
        if received is not None:
            received[i].scatter_add_(1, winner, -signs[i].int())
    return signs.view(b, c, h, w), None if received is None else received.view(b, c, h, w)
