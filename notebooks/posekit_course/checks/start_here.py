"""The checker for the exercise of notebook 00: the error on the body.

It prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit_course.checks.judging import Mistake, accept, answer_of, solved


def check_body_error(function: Callable[[Tensor, Tensor, Tensor], Tensor | float]) -> None:
    """`body_error(image, truth, mask)` -> number: the mean absolute difference on the mask, over all three channels.

    image, truth: (3, h, w), mask: (1, h, w) of 0 and 1.  A tensor or a plain number.
    """
    random = torch.Generator().manual_seed(1)
    image, truth = torch.rand(2, 3, 5, 4, generator=random)
    mask = (torch.rand(1, 5, 4, generator=random) > 0.6).float()
    difference = (image - truth).abs()
    on = mask.expand(3, -1, -1) > 0.5
    inside = difference[on]
    mistakes = [
        Mistake("You divide by all pixels: a small person would get a small error; divide by those on the mask.",
                (difference * mask).mean()),
        Mistake("The sum runs over three channels, but you divide by pixels: mask has one channel only.",
                3 * inside.mean()),
        Mistake("This is a sum; divide it by the number of pixels on the mask, and by 3.", inside.sum()),
        Mistake("The background counts here, too: multiply the difference by the mask.", difference.mean()),
        Mistake("The background is in the sum: multiply the difference by the mask.",
                difference.sum() / (3 * mask.sum())),
        Mistake("These are squares; the absolute difference is asked for.", inside.square().mean()),
        Mistake("Signs cancel: take the absolute value before the mean.", (image - truth)[on].mean()),
        Mistake("Signs cancel: take the absolute value before the mean.", (truth - image)[on].mean()),
        Mistake("Signs cancel: take the absolute value before the mean.", (truth - image)[on].mean().abs()),
    ]  # fmt: skip
    accept("the error", answer_of(function, image, truth, mask), [inside.mean()], mistakes)
    solved("body_error: the mean over channels and pixels on the mask")
