"""Checkers for the exercises of notebook 05: best matches, shares, the flow that undoes an affine map, and absolute
positions.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit.ops.affine import affine_flow, invert
from posekit.ops.correlation import mutual_filter, unit_length
from posekit.ops.grids import identity_grid, norm_to_index
from posekit_course.checks.judging import Mistake, accept, answer_of, solved


def check_best_matches(function: Callable[[Tensor], Tensor]) -> None:
    """`best_matches(C)` -> (b, n, h, w): C where both pixels are each other's best match, else 0; ties are kept.

    C: (b, n, h, w), channels are source pixels.
    """
    for seed in (1, 2):
        random = torch.Generator().manual_seed(seed)
        C = (torch.randint(1, 13, (2, 12, 3, 5), generator=random) / 16).square()  # with ties
        C[1] *= 0.7
        accept("the matches", answer_of(function, C), *_matches(C), "; an infinity times 0 is no number")
    solved("best_matches: C where both sides agree, 0 elsewhere")


def _matches(C: Tensor) -> tuple[list[Tensor], list[Mistake]]:
    """The right answer, and those of the classic mistakes."""
    over_source, over_target = C.amax(1, keepdim=True), C.amax((2, 3), keepdim=True)
    of_source, of_target = over_source == C, over_target == C  # the best for the target pixel, for the source pixel
    both = of_source & of_target
    first = torch.zeros_like(C).scatter(1, C.argmax(1, keepdim=True), 1.0)
    first_target = torch.zeros_like(C).flatten(2)
    first_target = first_target.scatter(2, C.flatten(2).argmax(2, keepdim=True), 1.0).view_as(C)
    one_side = "One side is forgotten: the {} pixel may have a better match; *both* must prefer each other."
    batch = "The batch is mixed in: another pair's similarities say nothing about this one; no maximum over axis 0."
    ties = (
        "Of several best matches that are equal only the first is kept; compare with the maximum, do not take argmax."
    )
    gamma = C / over_source * (C / over_target)
    batches = [
        (C.amax((0, 1), keepdim=True) == C) & (C.amax((0, 2, 3), keepdim=True) == C),
        (C.amax((0, 1), keepdim=True) == C) & of_target,
        of_source & (C.amax((0, 2, 3), keepdim=True) == C),
        of_source & (C.amax(0, keepdim=True) == C),
        (C.amax(0, keepdim=True) == C) & of_target,
    ]
    mistakes = [
        Mistake(one_side.format("source"), C * of_source),
        Mistake(one_side.format("target"), C * of_target),
        Mistake("These are truth values (or ones); where both agree C itself is kept.", both.to(C)),
        Mistake("One side is enough here; *both* must prefer each other: and, not or.", C * (of_source | of_target)),
        Mistake("This is the soft filter of (9), gamma C, which shrinks; here all else is 0.", gamma * C),
        Mistake("This is Q of section 2, soft and of length 1; here C is kept or 0.", unit_length(gamma * C)),
        Mistake("This is gamma of (9) alone, which shrinks; here C is kept or 0.", gamma),
        Mistake("Only the rows are searched for the best target pixel; the maximum is over v *and* u.",
                C * (of_source & (C.amax(2, keepdim=True) == C))),
        Mistake("Only the columns are searched for the best target pixel; the maximum is over v *and* u.",
                C * (of_source & (C.amax(3, keepdim=True) == C))),
        *(Mistake("This keeps the one largest value of all; every pixel has a best match of its own.", C * (best == C))
          for best in (C.amax((1, 2, 3), keepdim=True), C.max())),
        *(Mistake(batch, C * mixed) for mixed in batches),
        *(Mistake(ties, C * answer) for answer in (first * first_target, first * of_target, of_source * first_target)),
        Mistake("It is upside down: the matches are set to 0, all else is kept.", C * ~both),
        Mistake("This is C, unfiltered.", C),
    ]  # fmt: skip
    return [C * both], mistakes


def check_assignment(function: Callable[[Tensor, float], Tensor]) -> None:
    """`assignment(C, tau)` -> (b, n, h, w): for every target pixel, the softmax of C / tau over the source pixels."""
    for tau in (0.25, 0.005):  # exp(C / 0.005) overflows
        C = torch.rand(2, 6, 3, 4, generator=torch.Generator().manual_seed(2)) + 0.05
        C = C / C.max()
        sharp = C / tau
        power = (sharp - sharp.amax((1, 2, 3), keepdim=True)).exp()
        everything = "The wrong axes: the shares of all target pixels together make 1; every one has shares of its own."
        mistakes = [
            Mistake("The wrong axes: here every *source* pixel deals out 1; each *target* pixel should, over axis 1.",
                    sharp.flatten(2).softmax(2).view_as(C)),
            Mistake(everything, sharp.flatten(1).softmax(1).view_as(C)),
            Mistake("The batch is mixed in, too: pairs must not see one another.",
                    sharp.flatten().softmax(0).view_as(C)),
            Mistake("The softmax runs over the batch: pairs must not see one another.", sharp.softmax(0)),
            Mistake("The wrong axis: the shares of one column of target pixels make 1.", sharp.softmax(2)),
            Mistake("The wrong axis: the shares of one row of target pixels make 1.", sharp.softmax(3)),
            Mistake("C is multiplied by the temperature; divide: a small tau makes it sharp.", (C * tau).softmax(1)),
            Mistake("The temperature is forgotten.", C.softmax(1)),
            Mistake("The temperature comes too late: divide C by it, before the softmax.", C.softmax(1) / tau),
            Mistake("This has length 1, as in (2); shares have the sum 1.", unit_length(C)),
            Mistake("This has length 1, as in (2); shares have the sum 1.", unit_length(power)),
            Mistake("The exponential is missing: this divides C by its sum.", C / C.sum(1, keepdim=True)),
            Mistake("This is the logarithm of the softmax; take the softmax itself.", sharp.log_softmax(1)),
            Mistake("The sum is missing: divide by it, so that the shares make 1.", sharp.exp()),
            Mistake("This divides by the largest; divide by the sum, so that the shares make 1.",
                    (sharp - sharp.amax(1, keepdim=True)).exp()),
            Mistake("The best match takes all; a softmax leaves the others their shares.",
                    (C.amax(1, keepdim=True) == C).to(C)),
            Mistake("The sign: the *most* similar source pixel gets the largest share.", (-sharp).softmax(1)),
            Mistake("This is gamma C of (9), not a softmax.", mutual_filter(C)),
            Mistake("This is Q of section 2, not a softmax.", unit_length(mutual_filter(C))),
        ]  # fmt: skip
        unknown = "; for a small tau exp(C / tau) is infinite: take off the maximum first, or use softmax"
        accept(f"the shares for tau = {tau}", answer_of(function, C, tau), [sharp.softmax(1)], mistakes, unknown)
    solved("assignment: shares that make 1 for every target pixel, over all source pixels")


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
