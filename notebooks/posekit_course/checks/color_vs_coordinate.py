"""Checkers for the exercises of notebook 03: the partial convolution, the target-texel loss, the coordinate texture.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from posekit.losses.masked_l1 import masked_l1
from posekit.ops.grids import identity_grid, norm_to_index
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit_course.checks.judging import CheckFailed, Mistake, accept, answer_of, several, solved


def check_partial_convolution(function: Callable[..., tuple[Tensor, Tensor]]) -> None:
    """`partial_convolution(x, mask, weight, bias)` -> out (b, d, h, w), new mask (b, 1, h, w).

    x: (b, c, h, w), mask: (b, 1, h, w), 1 known, 0 unknown; weight (d, c, 3, 3), bias (d,).  Outside is unknown.
    out: the convolution of what is known, times 9 over the number of known pixels in the window, plus the bias; 0 where
    the window knows nothing.  new mask: 1 where it knows anything.
    """
    random = torch.Generator().manual_seed(1)
    x = torch.randn(2, 3, 7, 8, generator=random)
    weight, bias = torch.randn(4, 3, 3, 3, generator=random), torch.randn(4, generator=random)
    mask = (torch.rand(2, 1, 7, 8, generator=random) < 0.45).float()
    mask[0, :, :4, 4:] = mask[1, :, 3:, :4] = 0  # holes that are wider than a window
    x = torch.where(mask > 0, x, -10)
    answer = answer_of(function, x, mask, weight, bias)
    got = several(answer, 2, "two things: the result, and the new mask")
    right, new_mask, mistakes, mask_mistakes = _partial_answers(x, mask, weight, bias)
    unknown = "; a window without a known pixel divides by 0, and should give 0"
    accept("the result", got[0], [right], mistakes, unknown)
    accept("the new mask", got[1], [new_mask], mask_mistakes)
    solved("partial_convolution: of what is known, scaled up to a full window, and the hole shrinks")


def _partial_answers(
    x: Tensor, m: Tensor, weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, list[Mistake], list[Mistake]]:
    """The right result and new mask, and the answers of the classic mistakes in either."""
    b, c = bias[:, None, None], x.shape[1]
    ones = torch.ones(1, 1, 3, 3)

    def windows(x: Tensor, m: Tensor, border: str = "constant", of_mask: str = "constant") -> tuple[Tensor, Tensor]:
        """The bare sums and the number of known pixels of every window."""
        padded = F.pad(x, (1, 1, 1, 1), mode=border), F.pad(m, (1, 1, 1, 1), mode=of_mask)
        return F.conv2d(padded[0], weight), F.conv2d(padded[1], ones)

    sums, n = windows(x * m, m)
    bare, _ = windows(x, m)
    known, least = n > 0, n.clamp(min=1)
    full = F.conv2d(torch.ones_like(m), ones, padding=1)  # pixels of the picture in a window: 4 in a corner

    def at_known(values: Tensor, known: Tensor = known) -> Tensor:
        return torch.where(known, values, 0)

    whole = m.mean((1, 2, 3), keepdim=True)
    others = windows(x * (1 - m), 1 - m)
    borders = []
    for mode in ("replicate", "reflect"):
        for of_mask in (mode, "constant"):
            s, k = windows(x * m, m, mode, of_mask)
            borders.append(at_known(s * 9 / k.clamp(min=1) + b, k > 0))
    padding = "The border is {}; beyond it nothing is known: pad with zeros, the mask too."
    counted = "The window has 9 pixels, also at the border: those outside are unknown, so the factor is 9 / known."
    one_channel = "The mask has one channel: count the known *pixels* of the window, not their c numbers."
    unmasked = "x is not multiplied by the mask: what stands at unknown pixels goes into the sum."
    scaled = "The renormalisation is missing: times 9 over the number of known pixels in the window."
    whole_picture = "The known pixels of the whole picture are counted; count those in each window."
    right = at_known(sums * 9 / least + b)
    mistakes = [
        Mistake(unmasked, at_known(bare * 9 / least + b)),
        Mistake("This is the ordinary convolution: where is the mask?", bare + b),
        Mistake(unmasked, at_known(bare + b)),
        Mistake(scaled, at_known(sums + b)),
        Mistake(scaled, sums + b),
        Mistake("The bias is scaled too; only the sum lacks the unknown pixels, so only the sum is scaled.",
                at_known((sums + b) * 9 / least)),
        Mistake("The bias is missing.", at_known(sums * 9 / least)),
        Mistake("The bias is left where the window knows nothing; the result is 0 there.", sums * 9 / least + b),
        Mistake("The factor 9 is missing: a window that is all known must give the ordinary convolution.",
                at_known(sums / least + b)),
        Mistake("The factor is upside down: the fewer pixels are known, the more the sum grows.",
                at_known(sums * n / 9 + b)),
        *(Mistake(whole_picture, answer) for share in (whole, m.mean())
          for answer in (at_known(sums / share + b), sums / share + b)),
        Mistake(whole_picture, at_known(sums * 9 / m.sum((1, 2, 3), keepdim=True) + b)),
        Mistake(whole_picture, at_known(sums * 9 / m.sum() + b)),
        Mistake(one_channel, at_known(sums * 9 / (c * least) + b)),
        Mistake(one_channel, at_known(sums * 9 * c / least + b)),
        Mistake(counted, at_known(sums * full / least + b)),
        *(Mistake(padding.format(name), answer)
          for name, answer in zip(("repeated", "repeated", "reflected", "reflected"), borders, strict=True)),
        Mistake("The mask is upside down: 1 is known.",
                at_known(others[0] * 9 / others[1].clamp(min=1) + b, others[1] > 0)),
        Mistake("Only pixels that were known themselves are kept; one known pixel in the window is enough, "
                "or no hole would ever shrink.", right * m),
        Mistake("Windows that are not all known are dropped; one known pixel in the window is enough.",
                at_known(sums + b, n == 9)),
        Mistake("The padding is missing: every layer would shrink the texture by two texels.",
                right[:, :, 1:-1, 1:-1]),
    ]  # fmt: skip
    new_mask = known.to(m)
    mask_mistakes = [
        Mistake("The mask is the old one: whoever sees a known pixel in the window is known from now on.", m),
        Mistake("These are numbers of known pixels; the new mask is 1 where there is any.", n),
        Mistake("This is the share of known pixels; the new mask is 1 where there is any.", n / 9),
        Mistake("This keeps only windows that are all known: the hole grows; one known pixel is enough.",
                (n == 9).to(m)),
        Mistake("The new mask is upside down: 1 is known.", 1 - new_mask),
        Mistake("Everything is called known; a window without a known pixel still knows nothing.", torch.ones_like(m)),
        Mistake("One channel is enough for the mask: all channels know the same.",
                new_mask.expand(-1, len(bias), -1, -1)),
        Mistake("One channel is enough for the mask: all channels know the same.", new_mask.expand(-1, c, -1, -1)),
    ]  # fmt: skip
    return right, new_mask, mistakes, mask_mistakes


def check_target_texel_loss(function: Callable[..., Tensor]) -> None:
    """`target_texel_loss(T, N, M, mask)` -> number: l1 between T and N scattered by M, over the texels that N shows.

    T: (b, 3, t, t) completed texture.  N: (b, 3, h, w) target photograph, M: (b, 2, h, w) its map, mask: (b, 1, h, w).
    """
    random = torch.Generator().manual_seed(2)
    T, N = torch.rand(2, 3, 8, 8, generator=random), torch.rand(2, 3, 12, 10, generator=random)
    M = 0.4 * torch.rand(2, 2, 12, 10, generator=random) + 0.6 * identity_grid(12, 10)
    M[:, 1] *= 0.8  # another range of u than of v
    mask = (torch.rand(2, 1, 12, 10, generator=random) > 0.6).float()
    T.requires_grad_()
    got = answer_of(function, T, N, M, mask)
    with torch.no_grad():
        seen = splat(N, M, (8, 8), mask)
        everywhere, swapped = splat(N, M, (8, 8)), splat(N, M.flip(1), (8, 8), mask)
        right, view = masked_l1(T, seen.values, seen.known), sample(T, M, padding="border")
        off = (T - seen.values).abs()
        bare = (T - seen.values * seen.weight).abs()
        kept = seen.known.sum()
        each = (seen.known * off).sum((1, 2, 3)) / (3 * seen.known.sum((1, 2, 3)))
        mistakes = [
            Mistake("Texels that N does not show take part, as if N were black; multiply by `known`.", off.mean()),
            Mistake(
                "The sum is divided by all texels: a photograph that shows few would count little; divide by those "
                "that it shows.",
                (seen.known * off).mean(),
            ),
            Mistake("Take the mean over the three colours too: divide by 3.", (seen.known * off).sum() / kept),
            Mistake("This is a sum; divide by the number of known texels and by 3.", (seen.known * off).sum()),
            Mistake("These are squares; l1 takes absolute values.", (seen.known * off.square()).sum() / (3 * kept)),
            Mistake("Absolute values are missing: errors of different sign cancel.",
                    (seen.known * (T - seen.values)).sum() / (3 * kept)),
            Mistake("Absolute values are missing: errors of different sign cancel.",
                    (seen.known * (seen.values - T)).sum() / (3 * kept)),
            Mistake("The mask of N is missing: its background is scattered too.",
                    masked_l1(T, everywhere.values, everywhere.known)),
            Mistake("u and v are swapped in the map.", masked_l1(T, swapped.values, swapped.known)),
            Mistake("This compares in the target *view*; scatter N into the atlas instead.", masked_l1(view, N, mask)),
            Mistake("Take the mean colour of a texel (`values`), not the bare sum.",
                    (seen.known * bare).sum() / (3 * kept)),
        ]  # fmt: skip
    accept("the loss", got, [right, each.mean()], mistakes, "; is a sum divided by 0?")
    if not (isinstance(got, Tensor) and got.requires_grad):
        raise CheckFailed("The number is right, but no gradient reaches T: keep tensors, without .item() or .detach().")
    (gradient,) = torch.autograd.grad(got, T)
    if not gradient.abs().sum() > 0:
        raise CheckFailed("The number is right, but its gradient in T is zero everywhere.")
    solved("target_texel_loss: only texels that the target shows, and a gradient for T")


def check_coordinate_texture(function: Callable[..., tuple[Tensor, Tensor]]) -> None:
    """`coordinate_texture(M, mask, size)` -> C (b, 2, t, t), known (b, 1, t, t): the pixel positions, scattered by M.

    M: (b, 2, h, w) with its mask (b, 1, h, w).  C holds (x, y) in [-1, 1] of the photograph, pixel centres.
    """
    random = torch.Generator().manual_seed(3)
    h, w, t = 9, 14, 6
    M = 0.9 * (2 * torch.rand(1, 2, h, w, generator=random) - 1)
    mask = (torch.rand(1, 1, h, w, generator=random) > 0.3).float()
    answer = answer_of(function, M, mask, t)
    got = several(answer, 2, "two things: the coordinate texture C, and which of its texels are known")
    x = identity_grid(h, w)[None]
    size = torch.tensor([w, h], dtype=x.dtype)[:, None, None]
    index = torch.stack((norm_to_index(x[:, 0], w), norm_to_index(x[:, 1], h)), 1)
    x_right = torch.cat((x[:, :1], x[:, 1:] - 1 / h), 1)
    y_right = torch.cat((x[:, :1] - 1 / w, x[:, 1:]), 1)
    carried = {
        "Half a pixel off: 2 i / n - 1 is the pixel's left *edge*; its centre is (2 i + 1) / n - 1.": x - 1 / size,
        "Half a pixel off, the other way: (2 i + 2) / n - 1 is the pixel's right edge.": x + 1 / size,
        "x is right, y is still half a pixel off.": x_right,
        "y is right, x is still half a pixel off.": y_right,
        "-1 and 1 are the outer edges of the photograph, not the centres of its outermost pixels; 2 i / (n - 1) - 1 is "
        "align_corners=True.": 2 * index / (size - 1) - 1,
        "x and y are swapped: channel 0 is x, the column.": x.flip(1),
        "Divide x by the width and y by the height; here they are exchanged.": (2 * index + 1) / size.flip(0) - 1,
        "These are pixel indices; C holds coordinates in [-1, 1].": index,
    }
    mistakes = [Mistake(why, splat(values, M, (t, t), mask).values) for why, values in carried.items()]
    mistakes += [
        Mistake("The photograph's mask is missing: its background is scattered too.", splat(x, M, (t, t)).values),
        Mistake("u and v are swapped in the map.", splat(x, M.flip(1), (t, t), mask).values),
        Mistake(
            "The positions are right now, but the map is shifted by half a texel; M is in [-1, 1], as it should be.",
            splat(x, M - 1 / t, (t, t), mask).values,
        ),
    ]
    right = splat(x, M, (t, t), mask)
    accept("the coordinate texture", got[0], [right.values], mistakes, as_picture=True)
    accept("the mask of known texels", got[1], [right.known], [])
    solved("coordinate_texture: every texel holds the centre of its pixel")
