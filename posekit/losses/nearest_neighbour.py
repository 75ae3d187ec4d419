"""Nearest-neighbour loss: l1 that forgives a small shift.

Source: Deformable GANs for Pose-based Human Image Generation, supplementary material, equations (1) to (5).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.errors import InputError
from posekit.losses.wide import wide


def nearest_neighbour_loss(
    generated: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h w"], window: int = 3, *, mean: bool = True
) -> Float[Tensor, ""]:
    """Distance of every generated feature to the most similar target feature in a ``window`` around it.

        S^(i,j)(p) = || generated(p) - target(p + (i, j)) ||_1       +inf outside the border     (1) - (3)
        M(p)       = min over |i|, |j| <= (window - 1) / 2 of S^(i,j)(p)                           (4)
        L          = sum over p of M(p)                                                            (5)

    ``mean=False`` gives (5) as printed, averaged over the batch; ``mean=True`` divides it by c h w, so that one
    weight serves every size.

    The search for the best shift runs without gradients, one shift at a time; only the difference to the winner is
    kept for the backward pass.
    """
    if window < 1 or window % 2 == 0:
        raise InputError(f"The window of the nearest-neighbour loss must be a positive odd number, got {window}.")
    if generated.shape != target.shape:
        raise InputError(
            f"The nearest-neighbour loss compares maps of one shape, got {tuple(generated.shape)} "
            f"and {tuple(target.shape)}."
        )
    b, c, h, w = generated.shape
    matched = target.flatten(2).gather(2, _best_match(generated, target, window).view(b, 1, h * w).expand(b, c, h * w))
    loss = (wide(generated.flatten(2)) - wide(matched)).abs().sum() / b
    return loss / (c * h * w) if mean else loss


@torch.no_grad()
def _best_match(generated: Tensor, target: Tensor, window: int) -> Tensor:
    """For every pixel, the flat index of the most similar target pixel in the window: ``b h w`` int64."""
    generated, target = wide(generated), wide(target)
    b, _, h, w = generated.shape
    index = torch.arange(h * w, device=target.device).view(1, h, w)
    best = torch.full((b, h, w), torch.inf, dtype=target.dtype, device=target.device)
    match = index.expand(b, h, w).clone()
    r = window // 2
    for dy in range(-min(r, h - 1), min(r, h - 1) + 1):
        for dx in range(-min(r, w - 1), min(r, w - 1) + 1):
            here = (..., slice(max(0, -dy), h - max(0, dy)), slice(max(0, -dx), w - max(0, dx)))
            there = (..., slice(max(0, dy), h - max(0, -dy)), slice(max(0, dx), w - max(0, -dx)))
            distance = (generated[here] - target[there]).abs().sum(1)
            closer = distance < best[here]
            best[here] = torch.where(closer, distance, best[here])
            match[here] = torch.where(closer, index[there].expand_as(distance), match[here])
    return match
