"""Checkers for the exercises of notebook 05: the mutual filter, unit length, the flow that undoes an affine map, and
absolute positions.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit.ops.affine import affine_flow, invert
from posekit.ops.correlation import correlate, mutual_filter, unit_length
from posekit.ops.grids import identity_grid, norm_to_index
from posekit_course.checks.judging import Mistake, accept, answer_of, solved


def check_mutual_filter(function: Callable[[Tensor], Tensor]) -> None:
    """`filtered(C)` -> (b, n, h, w): gamma C of equation (9); C: (b, n, h, w), channels are source pixels."""
    random = torch.Generator().manual_seed(1)
    z_s, z_t = (unit_length(torch.rand(2, 5, *size, generator=random) + 0.1) for size in ((4, 3), (3, 5)))
    C = correlate(z_s, z_t)
    got = answer_of(function, C)
    over_source, over_target = C.amax(1, keepdim=True), C.amax((2, 3), keepdim=True)
    gamma = C / over_source * C / over_target
    soft_s, soft_t = C.softmax(1), C.flatten(2).softmax(2).view_as(C)
    one_side = "One maximum is forgotten: over the {} pixels. A pixel must be the best of *both* sides to be kept."
    mistakes = [
        Mistake("This is gamma alone; the filter is gamma times C: C stands in it three times.", gamma),
        Mistake(one_side.format("target"), C * C / over_source),
        Mistake(one_side.format("source"), C * C / over_target),
        Mistake(one_side.format("target"), C * (C / over_source).square()),
        Mistake(one_side.format("source"), C * (C / over_target).square()),
        Mistake("A softmax is no maximum: (9) divides by the largest value, and the best match keeps all of its C.",
                C * soft_s * soft_t),
        Mistake("A softmax is no maximum, and here over the source pixels alone.", C * soft_s),
        Mistake("A softmax is no maximum, and here over the target pixels alone.", C * soft_t),
        Mistake("gamma is the product of the two ratios, not their sum.", C * (C / over_source + C / over_target)),
        Mistake("gamma is the product of the two ratios, not the smaller one.",
                C * torch.minimum(C / over_source, C / over_target)),
        Mistake("Only the rows are searched for the best target pixel; the maximum is over v *and* u.",
                C * (C / over_source) * (C / C.amax(2, keepdim=True))),
        Mistake("Only the columns are searched for the best target pixel; the maximum is over v *and* u.",
                C * (C / over_source) * (C / C.amax(3, keepdim=True))),
        Mistake("This divides by the one largest value of all; every pixel has a maximum of its own.",
                C * (C / C.amax((1, 2, 3), keepdim=True)).square()),
        Mistake("These are means; (9) divides by maxima.",
                C * (C / C.mean(1, keepdim=True)) * (C / C.mean((2, 3), keepdim=True))),
        Mistake("This keeps each other's best match and sets all else to zero: a hard filter; (9) shrinks softly.",
                C * (over_source == C) * (over_target == C)),
        Mistake("This is C, unfiltered.", C),
    ]  # fmt: skip
    accept("gamma C", got, [mutual_filter(C)], mistakes)
    solved("filtered: the square of C over both maxima, times C")


def check_unit_length(function: Callable[[Tensor], Tensor]) -> None:
    """`normalised(Q)` -> (b, n, h, w): equation (2), every target pixel's n numbers have length 1."""
    Q = torch.rand(2, 6, 3, 4, generator=torch.Generator().manual_seed(2)) + 0.05
    length = Q.square().sum(1, keepdim=True)
    mistakes = [
        Mistake("The wrong axes: here every *source* pixel has length 1; sum over the source pixels, the channels.",
                Q / Q.square().sum((2, 3), keepdim=True).sqrt()),
        Mistake("The wrong axes: this sums over everything; every target pixel has a length of its own.",
                Q / Q.square().sum((1, 2, 3), keepdim=True).sqrt()),
        Mistake("The batch is summed over too: pairs must not see one another.", Q / Q.square().sum().sqrt()),
        Mistake("The root is missing: divide by the length, not by its square.", Q / length),
        Mistake("The squares are missing: this makes sums 1, not lengths.", Q / Q.sum(1, keepdim=True)),
        Mistake("The squares are missing under the root.", Q / Q.sum(1, keepdim=True).sqrt()),
        Mistake("This divides by the maximum, as (9) does; (2) divides by the length.", Q / Q.amax(1, keepdim=True)),
        Mistake("This is a softmax; (2) divides by the length.", Q.softmax(1)),
        Mistake("This is the root of the mean; (2) has a sum.", Q / Q.square().mean(1, keepdim=True).sqrt()),
        Mistake("The wrong axis: this sums over one row of target pixels.",
                Q / Q.square().sum(3, keepdim=True).sqrt()),
        Mistake("The wrong axis: this sums over one column of target pixels.",
                Q / Q.square().sum(2, keepdim=True).sqrt()),
    ]  # fmt: skip
    accept("the normalised Q", answer_of(function, Q), [Q / length.sqrt()], mistakes, "; is a length 0?")
    solved("normalised: a length of 1 for every target pixel, over all source pixels")


def check_undoing_flow(function: Callable[[Tensor, tuple[int, int]], Tensor]) -> None:
    """`undoing_flow(A, size)` -> (2, h, w): s_f, for p_st(x) = p_t(A x); A: (2, 3), linear part and translation."""
    A, size = torch.tensor([[1.1, -0.25, 0.2], [0.15, 0.85, -0.1]]), (5, 7)
    (h, w), x, back = size, identity_grid(5, 7), invert(A[None])[0]
    forward, wanted = affine_flow(A[None], size)[0], affine_flow(back[None], size)[0]
    linear, shift = back[:, :2], A[:, 2]
    turned = torch.einsum("ij,jhw->ihw", linear, x)
    transposed = torch.einsum("ij,jhw->ihw", A[:, :2].T, x - shift[:, None, None])
    ends = torch.stack(torch.meshgrid(torch.linspace(-1, 1, w), torch.linspace(-1, 1, h), indexing="xy"))
    pixels = torch.tensor([w, h])[:, None, None] / 2
    mistakes = [
        Mistake("Forward is taken for backward: this is A x, the flow that *made* p_st; s_f undoes it.", forward),
        Mistake("This is the flow relative to the pixel (s_f - x); s_f holds absolute positions.", wanted - x),
        Mistake("This is A x relative to the pixel; s_f is A^-1 x, absolute.", forward - x),
        Mistake("The translation is not undone: A^-1 (x - t).", turned),
        Mistake("Subtract the translation first: A^-1 (x - t), not A^-1 x - t.", turned - shift[:, None, None]),
        Mistake("The translation has the wrong sign: A^-1 (x - t).",
                turned + torch.einsum("ij,j->i", linear, shift)[:, None, None]),
        Mistake("The transpose undoes rotations only; this map stretches: take the inverse.", transposed),
        Mistake("x and y are swapped: channel 0 is x, to the right.", wanted.flip(0)),
        Mistake("These are pixel indices; a flow holds positions in [-1, 1].",
                torch.stack((norm_to_index(wanted[0], w), norm_to_index(wanted[1], h)))),
        Mistake("-1 and 1 are the outer edges of the picture, not the outermost centres: identity_grid.",
                torch.einsum("ij,jhw->ihw", linear, ends) + back[:, 2, None, None]),
        Mistake("This is the identity: nothing is undone.", x),
        Mistake("This is A^-1 x in units of pixels.", wanted * pixels),
    ]  # fmt: skip
    accept("the flow s_f", answer_of(function, A, size), [wanted], mistakes)
    solved("undoing_flow: the inverse map, applied to the grid")


def check_absolute_flow(function: Callable[[Tensor], Tensor]) -> None:
    """`absolute(displacement)` -> (b, 2, h, w): from displacements in pixels to positions in [-1, 1]."""
    d = 4 * torch.rand(2, 2, 4, 6, generator=torch.Generator().manual_seed(3)) - 2
    h, w = d.shape[-2:]
    size, x = torch.tensor([w, h])[:, None, None], identity_grid(h, w)
    index = torch.stack((norm_to_index(x[0], w), norm_to_index(x[1], h)))
    mistakes = [
        Mistake("This is still relative: add each pixel's own place, the identity grid.", 2 * d / size),
        Mistake("The picture is 2 wide in [-1, 1], not 1: a pixel is 2 / w.", x + d / size),
        Mistake("The displacement is still in pixels, the grid is not.", x + d),
        Mistake("These are pixel indices; turn them into [-1, 1].", index + d),
        Mistake("The sign is turned: a flow says where a pixel *looks*, its place plus the displacement.",
                x - 2 * d / size),
        Mistake("Width and height are exchanged: x goes with the width.", x + 2 * d / size.flip(0)),
        Mistake("x and y of the grid are swapped.", x.flip(0) + 2 * d / size),
        Mistake("Half a pixel off: a pixel's centre is at (2 i + 1) / n - 1.", 2 * (index + d) / size - 1),
        Mistake("align_corners=True: -1 and 1 are the outer edges of the picture.", 2 * (index + d) / (size - 1) - 1),
        Mistake("A pixel is 2 / w wide, not 2 / (w - 1).", x + 2 * d / (size - 1)),
    ]  # fmt: skip
    accept("the positions", answer_of(function, d), [x + 2 * d / size], mistakes)
    solved("absolute: the pixel's own place plus the displacement, in [-1, 1]")
