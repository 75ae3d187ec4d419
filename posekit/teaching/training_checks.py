"""Checkers for the exercises of notebook 06: the interval of a mean, the least-squares game, the average of weights.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit.losses.lsgan import lsgan_discriminator, lsgan_generator
from posekit.teaching.judging import CheckFailed, Mistake, answer_of, judge, solved


def check_bootstrap_mean(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`bootstrap_mean(values, draws)` -> (2,): the 95 % percentile interval of the mean.

    values: (n,), a metric of n pairs.  draws: (r, n) numbers of pairs, drawn with replacement; a row is a resample.
    """
    for seed, n in ((1, 30), (2, 12)):
        random = torch.Generator().manual_seed(seed)
        values = torch.rand(n, generator=random) ** 3
        draws = torch.randint(n, (400, n), generator=random)
        got = answer_of(function, values, draws)
        if isinstance(got, tuple | list):
            try:
                got = torch.stack([torch.as_tensor(end, dtype=torch.float32).reshape(()) for end in got])
            except (TypeError, ValueError, RuntimeError):
                raise CheckFailed("Return two numbers: the lower and the upper end.") from None
        means = values[draws].mean(1)
        ends = torch.tensor([0.025, 0.975])
        half = 1.96 * values.std() / n**0.5
        narrow = means.quantile(torch.tensor([0.05, 0.95]))
        mistakes = [
            Mistake("These are quantiles of the values: they say how pairs differ, not how sure the mean is.",
                    values.quantile(ends)),
            Mistake("These are quantiles of all drawn values; take the mean of each resample (a row) first.",
                    values[draws].flatten().quantile(ends)),
            Mistake("This is the mean over resamples for every place; the mean is over the pairs of a row.",
                    values[draws].mean(0).quantile(ends)),
            Mistake("5 % are cut off at either end, so 90 % are left; 95 % need 2.5 % at either end.", narrow),
            Mistake("The ends are exchanged: the lower one first.", means.quantile(ends).flip(0)),
            Mistake("These are the smallest and the largest mean; take the quantiles 0.025 and 0.975.",
                    torch.stack([means.min(), means.max()])),
            Mistake("This is mean +- 1.96 standard errors; here it is the quantiles of the resampled means.",
                    torch.stack([values.mean() - half, values.mean() + half])),
            Mistake("This is mean +- 1.96 standard deviations of the resampled means; take their quantiles.",
                    torch.stack([means.mean() - 1.96 * means.std(), means.mean() + 1.96 * means.std()])),
            Mistake("This is the mean, twice: where are the draws?", values.mean().expand(2)),
            Mistake("The median of every resample is taken; the mean is asked for.",
                    values[draws].median(1).values.quantile(ends)),
        ]  # fmt: skip
        judge("the interval", got, [means.quantile(ends)], mistakes)
    solved("bootstrap_mean: resample the pairs, take the mean of each resample, cut 2.5 % off at either end")


def check_lsgan(function: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
    """`lsgan(real, fake)` -> (loss of D, loss of G): verdicts in [0, 1] on real and on generated patches."""
    for seed in (1, 2):
        random = torch.Generator().manual_seed(seed)
        real, fake = torch.rand(2, 1, 4, 5, generator=random), torch.rand(2, 1, 4, 5, generator=random) ** 2
        got = answer_of(function, real, fake)
        if not isinstance(got, tuple | list) or len(got) != 2:
            raise CheckFailed("Return two losses: that of D, then that of G.")
        try:
            got = torch.stack([torch.as_tensor(loss, dtype=torch.float32) for loss in got])
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
        judge("the two losses", got, [both(D, G)], mistakes)
    solved("lsgan: 0.5 and 0.25 where D cannot tell")


def check_ema(function: Callable[[Tensor, float], Tensor]) -> None:
    """`ema(weights, decay)` -> (n,): the moving average after the last step.

    weights: (steps, n), one row after every step.  The first row starts the average.
    """
    for seed, decay in ((1, 0.9), (2, 0.7)):
        weights = torch.randn(8, 5, generator=torch.Generator().manual_seed(seed)).cumsum(0)
        first = torch.zeros(5)

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
                    weights[-1].mean().expand(5)),
        ]  # fmt: skip
        judge("the average", answer_of(function, weights, decay), [right], mistakes)
    solved("ema: decay x average + (1 - decay) x weights, from the first weights on")


def _grown(weights: Tensor, decay: float) -> Tensor:
    total = weights[0]
    for row in weights[1:]:
        total = decay * total + row
    return total
