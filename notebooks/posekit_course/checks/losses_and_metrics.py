"""Checkers for the exercises of notebook 11: slope of l1, Gram matrix, nearest neighbour, SSIM, judgements of a study.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from posekit.evaluation.study_answers import judgements_needed
from posekit_course.checks.judging import Mistake, accept, answer_of, solved

Z = 1.959964  # of a 95 % interval


def check_l1_slope(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`l1_slope(x, answers)` -> (n,): the derivative by x of the mean over k of |x - answers[k]|.

    x: (n,) pixels.  answers: (k, n), what each of them may be.
    """
    for seed, k in ((1, 5), (2, 4)):
        random = torch.Generator().manual_seed(seed)
        x, answers = torch.rand(9, generator=random), torch.rand(k, 9, generator=random) ** 2
        right = (x - answers).sign().mean(0)
        mistakes = [
            Mistake("The sign: the slope is positive where x is larger than most answers.", -right),
            Mistake("This is the slope of the squares (up to a factor): that of |x - a| is -1 or 1, however far a is.",
                    (x - answers).mean(0)),
            Mistake("This is the slope of the squares (up to a factor): that of |x - a| is -1 or 1, however far a is.",
                    2 * (x - answers).mean(0)),
            Mistake("This is a sum over the answers; take the mean.", k * right),
            Mistake("The answers are averaged before the sign; take the sign for each answer, then the mean.",
                    (x - answers.mean(0)).sign()),
            Mistake("This is the loss itself; its slope is asked for.", (x - answers).abs().mean(0)),
            Mistake("This is the share of answers below x; those above it pull upwards: count them as -1.",
                    (x > answers).float().mean(0)),
            Mistake("This is the sign of the slope; the slope itself says how many answers pull.", right.sign()),
            Mistake("The mean runs over the pixels; take it over the answers.", (x - answers).sign().mean(1)),
        ]  # fmt: skip
        accept("the slope", answer_of(function, x, answers), [right], mistakes)
    solved("l1_slope: every answer pulls with the same force, however far away it is")


def check_gram(function: Callable[[Tensor], Tensor]) -> None:
    """`gram(features)` -> (c, c): the mean over pixels of feature i times feature j.  features: (c, h, w)."""
    for seed, shape in ((1, (4, 5, 6)), (2, (3, 7, 4))):
        features = torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) + 0.2
        c, n = shape[0], shape[1] * shape[2]
        flat = features.flatten(1)
        right = flat @ flat.T / n
        centred = flat - flat.mean(1, keepdim=True)
        mean = flat.mean(1)
        mistakes = [
            Mistake("This is the sum over pixels; divide by their number, or big pictures weigh more.", flat @ flat.T),
            Mistake("Divided by the channels as well; the Gram matrix here is the mean over pixels alone.", right / c),
            Mistake("Divided by the channels; divide by the number of pixels.", flat @ flat.T / c),
            Mistake("This compares pixels with pixels, so it remembers places; multiply features with features.",
                    flat.T @ flat / n),
            Mistake("This compares pixels with pixels, so it remembers places; multiply features with features.",
                    flat.T @ flat / c),
            Mistake("The mean of each feature is subtracted: that is the covariance. Style keeps the means.",
                    centred @ centred.T / n),
            Mistake("These are the means, multiplied; multiply at every pixel, then take the mean.",
                    torch.outer(mean, mean)),
            Mistake("Only a feature with itself; the pairs of different features say which occur together.",
                    right.diag().diag()),
            Mistake("Only a feature with itself; the pairs of different features say which occur together.",
                    right.diag()),
            Mistake("The features are brought to length 1 at every pixel; here they count as strong as they are.",
                    F.normalize(flat, dim=0) @ F.normalize(flat, dim=0).T / n),
        ]  # fmt: skip
        accept("the Gram matrix", answer_of(function, features), [right], mistakes)
    solved("gram: which features occur together, wherever")


def check_nearest(function: Callable[[Tensor, Tensor, int], Tensor]) -> None:
    """`nearest(made, truth, reach)` -> (h, w): l1 over channels to the most similar truth pixel around each pixel.

    made, truth: (c, h, w).  Around: up to ``reach`` rows and columns away, inside the picture.
    """
    for seed, shape, reach in ((1, (3, 7, 8), 1), (2, (2, 8, 9), 2)):
        made, truth = torch.rand(2, *shape, generator=torch.Generator().manual_seed(seed)) * 0.9 + 0.1
        made[:, 0] *= 0.1  # nearly black at the border
        apart = _shifted_differences(made, truth, reach)
        right = apart.abs().sum(1).amin(0)
        zeros = _shifted_differences(made, truth, reach, outside=0.0).abs()
        around = torch.stack([truth.roll((i, j), (1, 2)) for i in _steps(reach) for j in _steps(reach)])
        wide = _shifted_differences(made, truth, 2 * reach).abs().sum(1).amin(0)
        length = apart.square().sum(1)
        mistakes = [
            Mistake("This is the least similar neighbour; take the minimum.",
                    apart.abs().sum(1).nan_to_num(posinf=0).amax(0)),
            Mistake("Every channel picks a neighbour of its own; one pixel is picked for all channels.",
                    apart.abs().amin(0).sum(0)),
            Mistake("Outside the picture there is no pixel to pick (infinitely far), and not a black one.",
                    zeros.sum(1).amin(0)),
            Mistake("The search wraps around the border: pixels of the other side are no neighbours.",
                    (made - around).abs().sum(1).amin(0)),
            Mistake("reach pixels to each side are searched; this is twice as far.", wide),
            Mistake("There is no search here: this is l1.", (made - truth).abs().sum(0)),
            Mistake("The search runs the wrong way: look in the truth for what is most similar to each made pixel.",
                    _shifted_differences(truth, made, reach).abs().sum(1).amin(0)),
            Mistake("Differences are squared; take absolute values.", length.amin(0)),
            Mistake("Differences are squared; take absolute values.", length.amin(0).sqrt()),
            Mistake("This is the mean over channels; take the sum.", right / shape[0]),
        ]  # fmt: skip
        accept("the distances", answer_of(function, made, truth, reach), [right], mistakes)
    solved("nearest: each pixel may look around for its like")


def _steps(reach: int) -> range:
    return range(-reach, reach + 1)


def _shifted_differences(made: Tensor, truth: Tensor, reach: int, outside: float = math.inf) -> Tensor:
    """made(p) - truth(p + shift), a row for each shift, ``k c h w``."""
    h, w = made.shape[1:]
    wide = F.pad(truth, [reach] * 4, value=outside)
    side = range(2 * reach + 1)
    return torch.stack([made - wide[:, i : i + h, j : j + w] for i in side for j in side])


def check_ssim(function: Callable[[Tensor, Tensor, Callable[[Tensor], Tensor]], Tensor]) -> None:
    """`ssim_by_hand(x, y, means)` -> a number: the mean over all windows and channels of Wang's fraction.

    x, y: (c, h, w) in [0, 1], float64.  means(x): the weighted mean of each window.
    """
    random = torch.Generator().manual_seed(3)
    for base, spread in ((0.1, 0.1), (0.02, 0.06)):  # dark and flat, so that both constants matter
        x = base + spread * torch.rand(3, 20, 22, generator=random, dtype=torch.float64)
        y = 0.4 * x + 0.3 * spread * torch.rand(x.shape, generator=random, dtype=torch.float64)
        y[..., :11] = x[..., :11]  # a good half: both factors are high there
        accept("SSIM", answer_of(function, x, y, _window_means), *_ssims(x, y))
    solved("ssim_by_hand: alike in mean, in contrast, and in step")


def _window_means(x: Tensor) -> Tensor:
    """Uniform windows of 7 pixels: right formulas are right with any."""
    return F.avg_pool2d(x, 7, stride=1)


def _ssims(x: Tensor, y: Tensor) -> tuple[list[Tensor], list[Mistake]]:
    """The right number, and those of the classic mistakes."""
    m, n = _window_means(x), _window_means(y)
    xx, yy, xy = (_window_means(a) for a in (x * x, y * y, x * y))
    vx, vy, cov = xx - m * m, yy - n * n, xy - m * n
    small, large = 0.01**2, 0.03**2

    def value(c: float = small, d: float = large, vx: Tensor = vx, vy: Tensor = vy, cov: Tensor = cov) -> Tensor:
        return ((2 * m * n + c) * (2 * cov + d) / ((m * m + n * n + c) * (vx + vy + d))).mean()

    light = (2 * m * n + small) / (m * m + n * n + small)
    rest = (2 * cov + large) / (vx + vy + large)
    mistakes = [
        Mistake("The constants are 0.01 and 0.03 squared.", value(0.01, 0.03)),
        Mistake("The constants are exchanged: 0.01 squared goes with the means, 0.03 squared with the variances.",
                value(large, small)),
        Mistake("The constants are missing: where a window is flat, 0 is divided by 0.", value(0.0, 0.0)),
        Mistake("These constants belong to values up to 255; here they go up to 1.",
                value(2.55**2, 7.65**2)),
        Mistake("The first factor, of the means, is missing.", rest.mean()),
        Mistake("The second factor, of variances and covariance, is missing.", light.mean()),
        Mistake("These are means of squares: subtract the square of the mean to get a variance.",
                value(vx=xx, vy=yy, cov=xy)),
        Mistake("The variances are right, but the covariance is not: subtract the product of the means.",
                value(cov=xy)),
        Mistake("The 2 before the covariance is missing.", value(cov=cov / 2)),
        Mistake("Variances, not standard deviations, stand in the denominator.",
                value(vx=vx.clamp(min=0).sqrt(), vy=vy.clamp(min=0).sqrt())),
        Mistake("The two factors are multiplied at every window, and then the mean is taken.",
                light.mean() * rest.mean()),
        Mistake("This is 1 - SSIM.", 1 - value()),
    ]  # fmt: skip
    return [value()], mistakes


def check_judgements(function: Callable[[float, float, float], int]) -> None:
    """`needed(margin, share, z)` -> the fewest judgements for which Wilson's half width is at most ``margin``.

    share: the expected p.  z: 1.96 for an interval of 95 %.
    """
    for margin, share in ((0.05, 0.5), (0.03, 0.8), (0.08, 0.35)):
        right = judgements_needed(margin, share)
        simple = Z**2 * share * (1 - share) / margin**2
        answers = {
            "This is the simple formula, z^2 p (1 - p) / margin^2; Wilson's half width is asked for.": math.ceil(
                simple
            ),
            "This is the simple formula; Wilson's half width is asked for, and a whole number.": simple,
            "One too few: with this number the half width is still above the margin.": right - 1,
            "One too many: one judgement less is enough.": right + 1,
            "The margin is the half width; this keeps the whole interval within it.": judgements_needed(
                margin / 2, share
            ),
            "The whole interval is allowed twice as wide; the margin is the half width.": judgements_needed(
                min(2 * margin, 0.49), share
            ),
            "The share is taken as a half; use the expected one.": judgements_needed(margin, 0.5),
            "z is squared once too often or too rarely: z in front of the fraction, its square inside.": _with_square(
                margin, share
            ),
        }
        mistakes = [Mistake(sentence, torch.tensor(float(n))) for sentence, n in answers.items() if n != right]
        accept("the number", answer_of(function, margin, share, Z), [torch.tensor(float(right))], mistakes)
    solved("needed: 381 judgements say 50 % to within 5 %")


def _with_square(margin: float, share: float) -> int:
    n = 1
    while Z**2 / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n * n)) > margin:
        n += 1
    return n
