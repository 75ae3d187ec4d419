"""Checkers for the exercises of notebook 09: barycentric coordinates, targets near and far, the mirrored half.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit_course.checks.judging import Mistake, accept, answer_of, several, solved


def check_barycentric(function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> None:
    """`barycentric(p, a, b, c)` -> (n, 3): p = beta_0 a + beta_1 b + beta_2 c, the sum of the three being 1.

    p: (n, 2), also outside the triangle.  a, b, c: (2,), in either order around the triangle.
    """
    for corners in ([[1.0, 2.0], [6.0, 3.0], [2.0, 7.0]], [[5.0, 1.0], [0.5, 2.0], [4.0, 6.0]]):
        a, b, c = torch.tensor(corners)
        random = torch.Generator().manual_seed(3)
        points = torch.cat([8 * torch.rand(6, 2, generator=random), torch.stack([a, b, c]), (a + b + c)[None] / 3])
        accept("the coordinates", answer_of(function, points, a, b, c), *_coordinates(points, a, b, c))
    solved("barycentric: how much of each corner")


def _coordinates(p: Tensor, a: Tensor, b: Tensor, c: Tensor) -> tuple[list[Tensor], list[Mistake]]:
    """The right coordinates, and those of the classic mistakes."""

    def cross(x: Tensor, y: Tensor) -> Tensor:
        return x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]

    area = cross(b - a, c - a)
    first, second = cross(p - a, c - a) / area, cross(b - a, p - a) / area
    rest = 1 - first - second
    right = torch.stack([rest, first, second], -1)
    mistakes = [
        Mistake("The columns are in another order: that of corner a comes first.",
                torch.stack([first, second, rest], -1)),
        Mistake("The columns of b and c are exchanged.", torch.stack([rest, second, first], -1)),
        Mistake("The columns of a and c are exchanged.", torch.stack([second, first, rest], -1)),
        Mistake("These are areas: divide by (b - a) x (c - a).",
                torch.stack([1 - first * area - second * area, first * area, second * area], -1)),
        Mistake("These are areas: divide by (b - a) x (c - a).", right * area),
        Mistake("One product is turned around, which changes its sign.",
                torch.stack([1 + first - second, -first, second], -1)),
        Mistake("One product is turned around, which changes its sign.",
                torch.stack([1 - first + second, first, -second], -1)),
        Mistake("Two coordinates are not enough: the third makes their sum 1.", torch.stack([first, second], -1)),
        Mistake("Nothing is to be cut off: outside the triangle a coordinate is below 0.", right.clamp(0, 1)),
        Mistake("Nothing is to be cut off: outside the triangle a coordinate is below 0.", right.clamp(min=0)),
        Mistake("The sum of the three has to be 1: the first is 1 - beta_1 - beta_2.",
                torch.stack([1 - first, first, second], -1)),
    ]  # fmt: skip
    return [right], mistakes


def check_four_targets(function: Callable[[Tensor], Tensor]) -> None:
    """`four_targets(cosines)` -> 4 frames, nearest to the quantiles 1/4, 2/4, 3/4 and 1 of all but frame 0.

    cosines: (n,), frame 0 being the source.  No frame is taken twice.
    """
    random = torch.Generator().manual_seed(11)
    spread = torch.cat([torch.ones(1), 1 - torch.rand(12, generator=random)])
    crowded = torch.tensor([1.0, 0.2, 0.9, 0.5, 0.95])  # two levels fall next to one frame
    for cosines in (spread, crowded):
        answer = answer_of(function, cosines)
        if isinstance(answer, list | tuple):
            answer = torch.tensor(several(answer, 4, "four frames"))
        accept("the frames", answer, *_targets(cosines))
    solved("four_targets: near and far, each frame once")


def _targets(cosines: Tensor) -> tuple[list[Tensor], list[Mistake]]:
    """The right frames, and those of the classic mistakes."""

    def chosen(levels: list[float], own: bool = False, twice: bool = False, ranked: bool = False) -> Tensor:
        others = cosines if own else cosines[1:]
        wanted = torch.quantile(others, torch.tensor(levels))
        frames: list[int] = []
        for level in wanted:
            distance = (cosines - level).abs()
            distance[[*([] if own else [0]), *([] if twice else frames)]] = torch.inf
            frames.append(int(distance.argmin()))
        return torch.tensor(frames, dtype=torch.float32)

    quarters = [0.25, 0.5, 0.75, 1.0]
    right = chosen(quarters)
    mistakes = [
        Mistake(
            "The source is among the targets: leave frame 0 out, of the quantiles too.", chosen(quarters, own=True)
        ),
        Mistake("A frame is taken twice.", chosen(quarters, twice=True)),
        Mistake("The quantiles are 1/4, 2/4, 3/4 and 1, not 0 to 3/4.", chosen([0.0, 0.25, 0.5, 0.75])),
        Mistake("The quantiles are 1/4, 2/4, 3/4 and 1, not fifths.", chosen([0.2, 0.4, 0.6, 0.8])),
        Mistake("The order is from far to near: the smallest quantile first.", right.flip(0)),
        Mistake("The numbers are off by one: frame 0 is the source, which was left out.", right - 1),
        Mistake("These are cosines; return the numbers of the frames.", cosines[right.long()]),
    ]
    return [right], mistakes


def check_mirrored(function: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
    """`mirrored(texture, known, twin, there)` -> (texture, known): what was seen stays, the twin fills what it can.

    texture, twin: (3, t, t).  known, there: (1, t, t) of 0 and 1.
    """
    random = torch.Generator().manual_seed(4)
    texture, twin = torch.rand(2, 3, 6, 7, generator=random)
    known, there = (torch.rand(2, 1, 6, 7, generator=random) < 0.5).float()
    texture, twin = texture * known, twin * there
    answer = several(answer_of(function, texture, known, twin, there), 2, "the texture and what is known of it")
    taken = there * (1 - known)
    right = texture + twin * taken
    mistakes = [
        Mistake("What was seen is overwritten: the twin is taken where the texel itself is not known.",
                texture * (1 - there) + twin * there),
        Mistake("Both are added where both are known.", texture + twin),
        Mistake("Where both are known the texel itself counts, not the mean of both.",
                (texture + twin) / (known + there).clamp(min=1)),
        Mistake("This is the twin alone: what was seen stays.", twin * taken),
        Mistake("Nothing was filled in.", texture),
    ]  # fmt: skip
    accept("the texture", answer[0], [right], mistakes)
    masks = [
        Mistake("The mask did not grow: what was filled in is known now.", known),
        Mistake("A mask is 0 or 1: where both are known they are not added.", known + there),
        Mistake("The mask holds the filled texels alone; what was seen is known too.", taken),
        Mistake("Not everything is known now: where the twin is unknown too, nothing is.", torch.ones_like(known)),
    ]
    accept("what is known", answer[1], [known + taken], masks)
    solved("mirrored: the other half, where it was seen")
