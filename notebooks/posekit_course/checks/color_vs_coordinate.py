"""Checkers for the exercises of notebook 03: the gate, the target-texel loss, and a shift in a coordinate texture.

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
from posekit_course.checks.judging import CheckFailed, Mistake, accept, answer_of, solved


def check_gate(function: Callable[..., Tensor]) -> None:
    """`gate(x, features, gates)` -> (b, d, h, w): ELU of one convolution times the sigmoid of another.

    x: (b, c, h, w).  features, gates: the (weight (d, c, 3, 3), bias (d,)) of the two; the border is reflected.
    """
    random = torch.Generator().manual_seed(1)
    x = torch.randn(2, 3, 5, 6, generator=random)
    features, gates = ((torch.randn(4, 3, 3, 3, generator=random), torch.randn(4, generator=random)) for _ in range(2))
    padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
    f, g = F.conv2d(padded, *features), F.conv2d(padded, *gates)
    zeros = F.elu(F.conv2d(x, *features, padding=1)) * torch.sigmoid(F.conv2d(x, *gates, padding=1))
    mistakes = [
        Mistake("The gate is missing: this is the ELU of the features alone.", F.elu(f)),
        Mistake("The sigmoid is missing: a gate lies between 0 (closed) and 1 (open).", F.elu(f) * g),
        Mistake("The ELU of the features is missing.", f * torch.sigmoid(g)),
        Mistake("The two convolutions are exchanged: the first pair makes the features.", F.elu(g) * torch.sigmoid(f)),
        Mistake("The ELU belongs on the features, before the gate, not on the product.", F.elu(f * torch.sigmoid(g))),
        Mistake("The gate multiplies the features; it is not added to them.", F.elu(f) + torch.sigmoid(g)),
        Mistake("The gate is upside down: 1 is open, 0 is closed.", F.elu(f) * torch.sigmoid(-g)),
        Mistake("ReLU in the place of ELU: negative features are cut off.", F.relu(f) * torch.sigmoid(g)),
        Mistake("tanh in the place of the sigmoid: a gate must not be negative.", F.elu(f) * torch.tanh(g)),
        Mistake("The features make their own gate; it has weights of its own.", F.elu(f) * torch.sigmoid(f)),
        Mistake("The border is padded with zeros; reflect it: F.pad(x, (1, 1, 1, 1), mode='reflect').", zeros),
        Mistake(
            "The padding is missing: every layer would shrink the texture by two texels.",
            F.elu(F.conv2d(x, *features)) * torch.sigmoid(F.conv2d(x, *gates)),
        ),
    ]
    accept("the gated features", answer_of(function, x, features, gates), [F.elu(f) * torch.sigmoid(g)], mistakes)
    solved("gate: ELU(conv_f(x)) * sigmoid(conv_g(x))")


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
    got = answer_of(function, M, mask, t)
    if not isinstance(got, tuple | list) or len(got) != 2:
        raise CheckFailed("Expected two things: the coordinate texture C, and which of its texels are known.")
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
    accept("the coordinate texture", got[0], [right.values], mistakes)
    accept("the mask of known texels", got[1], [right.known], [])
    solved("coordinate_texture: every texel holds the centre of its pixel")
