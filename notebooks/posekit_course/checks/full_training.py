"""Checkers for the exercises of notebook 06: the least-squares game, the interval of a difference, averaged weights.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from posekit.losses.lsgan import lsgan_discriminator, lsgan_generator
from posekit_course.checks.judging import CheckFailed, Mistake, accept, answer_of, several, solved

# Where a quantile lies between two numbers there are many rules, all in use; numpy's names of them.
_QUANTILE_RULES = (
    "linear",  # the default of torch and numpy
    "lower",
    "higher",
    "midpoint",
    "nearest",
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "median_unbiased",
    "normal_unbiased",
)


def check_paired_interval(function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> None:
    """`paired_interval(a, b, person, draws)` -> (2,): the 95 % percentile interval of the mean difference a - b.

    a, b: (n,), a metric of two systems on the same n pairs.  person: (n,), the number of the person of each pair.
    draws: (r, p) numbers of people, drawn with replacement; a row is a resample.
    Any common rule for quantiles is right.
    """
    for seed, counts in ((1, (1, 6, 2, 3, 9, 2, 4, 1, 5)), (2, (7, 1, 3, 2, 8, 4))):
        a, b, person, draws = _people(seed, torch.tensor(counts))
        got = answer_of(function, a, b, person, draws)
        if isinstance(got, tuple | list):
            try:
                got = torch.stack([torch.as_tensor(end, dtype=torch.float32).reshape(()) for end in got])
            except (TypeError, ValueError, RuntimeError):
                raise CheckFailed("Return two numbers: the lower and the upper end.") from None
        d, p = a - b, len(counts)
        pairs = torch.tensor(counts)
        sums, sums_a, sums_b = (torch.zeros(p).index_add(0, person, values) for values in (d, a, b))
        drawn = pairs[draws].sum(1)
        means, means_a, means_b = (total[draws].sum(1) / drawn for total in (sums, sums_a, sums_b))
        once = torch.zeros(len(draws), p).scatter(1, draws, 1.0)
        ends, signs = torch.tensor([0.025, 0.975]), torch.tensor([-1.96, 1.96])
        right, own_a, own_b = (values.quantile(ends) for values in (means, means_a, means_b))
        mistakes = [
            Mistake("The ends are exchanged: the lower one first.", right.flip(0)),
            Mistake("The sign: this is the interval of b - a.", (-means).quantile(ends)),
            Mistake("5 % are cut off at either end, so 90 % are left; 95 % need 2.5 % at either end.",
                    means.quantile(torch.tensor([0.05, 0.95]))),
            Mistake("These are the smallest and the largest mean; take the quantiles 0.025 and 0.975.",
                    torch.stack([means.min(), means.max()])),
            Mistake("These are the means of people, averaged as if all had as many pairs; divide the summed "
                    "differences of the drawn people by their number of pairs.",
                    (sums / pairs)[draws].mean(1).quantile(ends)),
            Mistake("The sum over the drawn people is divided by n; a resample has as many pairs as its people have.",
                    (sums[draws].sum(1) / len(d)).quantile(ends)),
            Mistake("The sum over the drawn people is divided by their number; divide it by that of their pairs.",
                    sums[draws].mean(1).quantile(ends)),
            Mistake("A person who is drawn twice counts twice; here everybody drawn counts once.",
                    ((once * sums).sum(1) / (once * pairs).sum(1)).quantile(ends)),
            Mistake("The draws are numbers of people; here they are taken for numbers of pairs.",
                    d[draws].mean(1).quantile(ends)),
            Mistake("The intervals of a and b are taken apart, and then their difference; take a - b pair by pair.",
                    own_a - own_b),
            Mistake("The intervals of a and b are taken apart, and then their difference; take a - b pair by pair.",
                    own_a - own_b.flip(0)),
            Mistake("This is the interval of a alone.", own_a),
            Mistake("This is the interval of b alone.", own_b),
            Mistake("These are quantiles of the differences: they say how pairs differ, not how sure the mean is.",
                    d.quantile(ends)),
            Mistake("These are quantiles over people: they say how people differ, not how sure the mean is.",
                    (sums / pairs).quantile(ends)),
            Mistake("This is mean +- 1.96 standard errors, as if all pairs were independent; those of a person are "
                    "not, so resample people.", d.mean() + signs * d.std() / len(d) ** 0.5),
            Mistake("This is mean +- 1.96 standard deviations of the resampled means; take their quantiles.",
                    means.mean() + signs * means.std()),
            Mistake("This is the mean, twice: where are the draws?", d.mean().expand(2)),
        ]  # fmt: skip
        rules = [torch.from_numpy(np.quantile(means, ends, method=rule)).to(right) for rule in _QUANTILE_RULES]
        accept("the interval", got, rules, mistakes)
    solved("paired_interval: subtract pair by pair, resample people, cut 2.5 % off at either end")


def _people(seed: int, counts: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs of `paired_interval`: people with so many pairs each, in no order; some are hard, some differ more."""
    random = torch.Generator().manual_seed(seed)
    n, p = int(counts.sum()), len(counts)
    person = torch.arange(p).repeat_interleave(counts)[torch.randperm(n, generator=random)]
    hard, gain = (torch.rand(p, generator=random)[person] for _ in range(2))
    b = 0.2 + 0.4 * hard + 0.1 * torch.rand(n, generator=random)
    a = b + 0.2 * gain - 0.05 + 0.1 * torch.rand(n, generator=random)
    return a, b, person, torch.randint(p, (400, p), generator=random)


def check_lsgan(function: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
    """`lsgan(real, fake)` -> (loss of D, loss of G): verdicts in [0, 1] on real and on generated patches."""
    for seed in (1, 2):
        random = torch.Generator().manual_seed(seed)
        real, fake = torch.rand(2, 1, 4, 5, generator=random), torch.rand(2, 1, 4, 5, generator=random) ** 2
        losses = answer_of(function, *(verdicts.clone().requires_grad_() for verdicts in (real, fake)))
        losses = several(losses, 2, "two losses: that of D, then that of G")
        try:
            got = torch.stack([torch.as_tensor(loss, dtype=torch.float32) for loss in losses])
        except (TypeError, ValueError, RuntimeError):
            raise CheckFailed("Both losses are single numbers: take the mean over all patches.") from None
        D, G = lsgan_discriminator(real, fake), lsgan_generator(fake)
        n = real.numel()

        def both(d: Tensor, g: Tensor) -> Tensor:
            return torch.stack([d, g])

        upside = real.square().mean() + (1 - fake).square().mean()
        cross = -(real.log().mean() + (1 - fake).log().mean())
        linear = (1 - real).mean() + fake.mean()
        mistakes = [
            Mistake("The two losses are exchanged: D's first.", both(G, D)),
            Mistake("D is upside down: it should say 1 to real patches and 0 to generated ones.", both(upside, G)),
            Mistake("G's loss is D's term for fakes: G wants the verdict 1 on its patches, not 0.",
                    both(D, fake.square().mean())),
            Mistake("G's loss is minus D's; least squares has no such symmetry: G wants the verdict 1.", both(D, -D)),
            Mistake("G looks at the real patches; it is judged by its own.", both(D, (1 - real).square().mean())),
            Mistake("D's loss is halved; here it is the plain sum of both means.", both(D / 2, G)),
            Mistake("Both losses are halved; here they are plain means.", both(D / 2, G / 2)),
            Mistake("The squares are missing: this is the game of the single spatial transformation.",
                    both(linear, (1 - fake).mean())),
            Mistake("These are cross-entropies; least squares are asked for.", both(cross, -fake.log().mean())),
            Mistake("These are sums over patches; take means.", both(D * n, G * n)),
            Mistake("D's loss is the mean over real and generated patches together: half of the sum of both means.",
                    both(torch.cat([(1 - real) ** 2, fake**2]).mean(), G)),
            Mistake("Half of D's loss is missing: it also wants 0 for generated patches.",
                    both((1 - real).square().mean(), G)),
            Mistake("Half of D's loss is missing: it also wants 1 for real patches.", both(fake.square().mean(), G)),
            Mistake("The means are squared; square every verdict, then take the mean.",
                    both((1 - real.mean()) ** 2 + fake.mean() ** 2, (1 - fake.mean()) ** 2)),
        ]  # fmt: skip
        accept("the two losses", got, [both(D, G)], mistakes)
        if not all(isinstance(loss, Tensor) and loss.requires_grad for loss in losses):
            raise CheckFailed(
                "Nothing can be learnt from a plain number: return tensors that remember how they were computed."
            )
    solved("lsgan: 0.5 and 0.25 where D cannot tell")


def check_ema(function: Callable[[Tensor, float], Tensor]) -> None:
    """`ema(weights, decay)` -> (n,): the moving average after the last step.

    weights: (steps, n), one row after every step.  The first row starts the average.
    """
    for seed, steps, decay in ((1, 8, 0.9), (2, 5, 0.7)):
        weights = torch.randn(steps, 6, generator=torch.Generator().manual_seed(seed)).cumsum(0)
        first = torch.zeros(6)

        def run(rows: Tensor, start: Tensor, keep: float) -> Tensor:
            for row in rows:
                start = keep * start + (1 - keep) * row
            return start

        right = run(weights[1:], weights[0], decay)
        from_zero = run(weights, first, decay)
        mistakes = [
            Mistake("decay and 1 - decay are exchanged: a decay near 1 changes the average slowly.",
                    run(weights[1:], weights[0], 1 - decay)),
            Mistake("The average starts at 0 and is far too small at first; it starts at the first weights.",
                    from_zero),
            Mistake("This is Adam's bias correction; here the average starts at the first weights instead.",
                    from_zero / (1 - decay ** len(weights))),
            Mistake("This is the plain mean of all steps: old weights should fade.", weights.mean(0)),
            Mistake("These are the last weights: nothing was averaged.", weights[-1]),
            Mistake("The last step is missing.", run(weights[1:-1], weights[0], decay)),
            Mistake("The factor 1 - decay is missing, so the sum grows.", _grown(weights, decay)),
            Mistake("The steps run backwards: the newest weights count most.",
                    run(weights.flip(0)[1:], weights[-1], decay)),
            Mistake("The average is over the weights of a step, not over the steps; give one number for each weight.",
                    weights[-1].mean().expand(6)),
        ]  # fmt: skip
        accept("the average", answer_of(function, weights, decay), [right], mistakes)
    solved("ema: decay x average + (1 - decay) x weights, from the first weights on")


def _grown(weights: Tensor, decay: float) -> Tensor:
    total = weights[0]
    for row in weights[1:]:
        total = decay * total + row
    return total
