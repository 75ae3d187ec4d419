"""Checkers for the exercises of notebook 00: what is seen of the atlas, wrapping it, the error on the body.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit_course.checks.judging import Mistake, accept, answer_of, solved


def check_seen_share(function: Callable[[Tensor, Tensor], Tensor | float]) -> None:
    """`seen_share(known, body)` -> number: of the body's texels the share that the source shows.

    known: (t, t), how much of the photograph fell on a texel, 0 where nothing did.  body: (t, t) of 0 and 1.
    """
    random = torch.Generator().manual_seed(2)
    body = (torch.rand(6, 5, generator=random) > 0.4).float()
    known = torch.rand(6, 5, generator=random) * 3 * (torch.rand(6, 5, generator=random) > 0.5)
    known[0, 0], body[0, 0] = 2, 0  # a texel off the body that got something
    seen = (known > 0).float()
    share = (seen * body).sum() / body.sum()
    mistakes = [
        Mistake("You divide by all texels of the atlas; divide by those of the body.", (seen * body).mean()),
        Mistake("Texels off the body are counted, too: multiply by body.", seen.sum() / body.sum()),
        Mistake("Texels off the body are counted, too: multiply by body.", seen.mean()),
        Mistake("This adds up how much fell on a texel; only whether anything did is asked: known > 0.",
                (known * body).sum() / body.sum()),
        Mistake("This counts texels; divide by the number of the body's texels.", (seen * body).sum()),
        Mistake("This is the share that is *not* seen.", 1 - share),
        Mistake("The share is asked as a number from 0 to 1, not in percent.", 100 * share),
    ]  # fmt: skip
    accept("the share", answer_of(function, known, body), [share], mistakes)
    solved("seen_share: the part of the body that one photograph shows")


def check_wrapped(function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> None:
    """`wrapped(T, column, row, mask)` -> (3, h, w): the atlas T read at every pixel's texel, white off the body.

    T: (3, t, t).  column, row: (h, w), the texel that a pixel of the target shows.  mask: (1, h, w) of 0 and 1.
    """
    random = torch.Generator().manual_seed(3)
    T = torch.rand(3, 6, 6, generator=random)
    column, row = torch.randint(0, 6, (2, 5, 4), generator=random)
    mask = (torch.rand(1, 5, 4, generator=random) > 0.4).float()
    right, swapped = T[:, row, column], T[:, column, row]
    mistakes = [
        Mistake("Rows and columns are swapped: a picture is indexed [channel, row, column].",
                swapped * mask + 1 - mask),
        Mistake("Off the body stands the colour of some texel; it must be white there.", right),
        Mistake("Off the body it is black; add 1 - mask, which is white.", right * mask),
        Mistake("The mask is the wrong way round: the body is white, and the rest has colours.",
                right * (1 - mask) + mask),
        Mistake("Rows and columns are swapped: a picture is indexed [channel, row, column].", swapped),
        Mistake("Channels come first: (3, h, w).", (right * mask + 1 - mask).movedim(0, -1)),
    ]  # fmt: skip
    accept("the picture", answer_of(function, T, column, row, mask), [right * mask + 1 - mask], mistakes)
    solved("wrapped: the atlas, wrapped around the target pose")


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
