"""Checkers for the exercises of notebook 08: the map of a bone, the part that wins, clothes pasted by hand.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit_course.checks.judging import Mistake, accept, answer_of, solved


def check_bone_map(function: Callable[[Tensor, Tensor, int, float], Tensor]) -> None:
    """`bone_map(a, b, size, width)` -> (size, size): clip(width / 2 + 1 / 2 - d, 0, 1), d the distance to the bone.

    a, b: (2,) ends of the bone, (x, y) in pixel indices.
    """
    for a, b, size, width in (((2.0, 3.0), (9.0, 6.0), 12, 3.0), ((8.0, 1.5), (3.0, 8.0), 10, 2.0)):
        ends = torch.tensor(a), torch.tensor(b)
        accept("the map", answer_of(function, *ends, size, width), *_bones(*ends, size, width))
    solved("bone_map: a line with round ends")


def _bones(a: Tensor, b: Tensor, size: int, width: float) -> tuple[list[Tensor], list[Mistake]]:
    """The right map, and those of the classic mistakes."""
    y, x = torch.meshgrid(torch.arange(size).float(), torch.arange(size).float(), indexing="ij")
    pixels = torch.stack([x, y], -1)

    def line(points: Tensor, begin: Tensor, end: Tensor, clamp: bool = True) -> Tensor:
        along, offset = end - begin, points - begin
        t = (offset * along).sum(-1) / along.square().sum()
        t = t.clamp(0, 1) if clamp else t
        return (offset - t[..., None] * along).norm(dim=-1)

    def drawn(distance: Tensor, half: float = width / 2, more: float = 0.5) -> Tensor:
        return (half + more - distance).clamp(0, 1)

    d = line(pixels, a, b)
    middle = (pixels - (a + b) / 2).norm(dim=-1)
    at_ends = torch.minimum((pixels - a).norm(dim=-1), (pixels - b).norm(dim=-1))
    mistakes = [
        Mistake("This line goes on beyond both joints: keep t between 0 and 1.",
                drawn(line(pixels, a, b, clamp=False))),
        Mistake("x and y are swapped: the first entry of a point is its column.", drawn(d.T)),
        Mistake("These are two dots: take the distance to the whole bone, not to its ends.", drawn(at_ends)),
        Mistake("This is one dot in the middle: take the distance to the whole bone.", drawn(middle)),
        Mistake("The line is twice as wide as asked: half of the width lies on each side.", drawn(d, width)),
        Mistake("The line is one pixel too narrow: add the half pixel that a pixel reaches itself.",
                drawn(d, more=0.0)),
        Mistake("The map is not clipped to [0, 1].", width / 2 + 0.5 - d),
        Mistake("Ink and paper are exchanged: 1 is on the bone.", 1 - drawn(d)),
        Mistake("These are distances; the map is clip(width / 2 + 1 / 2 - d, 0, 1).", d),
        Mistake("The map is hard, 0 or 1: let it fall off over one pixel.", (d <= width / 2).float()),
    ]  # fmt: skip
    return [drawn(d)], mistakes


def check_winning_position(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`winning_position(scores, positions)` -> (2, h, w): the position of the part with the highest score.

    scores: (25, h, w), 0 being the background, where the position is 0.  positions: (24, 2, h, w), of parts 1 to 24.
    """
    random = torch.Generator().manual_seed(5)
    scores = torch.randn(25, 6, 7, generator=random)
    scores[0] += 1.0  # so that the background wins somewhere
    positions = 2 * torch.rand(24, 2, 6, 7, generator=random) - 1
    accept("the positions", answer_of(function, scores, positions), *_positions(scores, positions))
    solved("winning_position: the part that wins says where")


def _positions(scores: Tensor, positions: Tensor) -> tuple[list[Tensor], list[Mistake]]:
    """The right positions, and those of the classic mistakes."""

    def at(index: Tensor) -> Tensor:
        return positions.gather(0, index[None, None].expand(1, 2, -1, -1))[0]

    part = scores.argmax(0)
    body = (part > 0).to(positions)
    right = at((part - 1).clamp(min=0)) * body
    share = scores.softmax(0)[1:, None]
    mean = (share * positions).sum(0) / share.sum(0)
    mistakes = [
        Mistake("Positions are averaged over the parts: across a cut of the atlas the mean is nowhere on the body.",
                mean * body),
        Mistake("Positions are averaged over the parts: across a cut of the atlas the mean is nowhere on the body.",
                mean),
        Mistake("Positions are averaged over the parts: across a cut of the atlas the mean is nowhere on the body.",
                (share * positions).sum(0)),
        Mistake("The part is off by one: positions[0] belongs to part 1.", at(part.clamp(max=23)) * body),
        Mistake("The part is off by one: positions[0] belongs to part 1.", at(part.clamp(max=23))),
        Mistake("Where the background wins, the position is 0.", at((part - 1).clamp(min=0))),
        Mistake("Where the background wins, the position is 0.", at((part - 1) % 24)),
        Mistake("The background takes part too: where its score is the highest, the position is 0.",
                at(scores[1:].argmax(0))),
        Mistake("This is the part with the lowest score.", at((scores.argmin(0) - 1).clamp(min=0))
                * (scores.argmin(0) > 0)),
    ]  # fmt: skip
    return [right], mistakes


def check_pasted(function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> None:
    """`pasted(person, kept, W, mask)` -> (3, h, w): the person's own pixels where kept, else W on the body, else white.

    person, W: (3, h, w).  kept, mask: (1, h, w) of 0 and 1; hair is kept and lies beside the body.
    """
    random = torch.Generator().manual_seed(9)
    person, W = torch.rand(2, 3, 5, 6, generator=random)
    kept, mask = (torch.rand(2, 1, 5, 6, generator=random) < 0.5).float()
    W = W * mask
    dressed = W + 1 - mask
    right = kept * person + (1 - kept) * dressed
    mistakes = [
        Mistake("Off the body is black: lay the person on white.", kept * person + (1 - kept) * W),
        Mistake("Hair is gone: what is kept lies beside the body too.",
                mask * (kept * person + (1 - kept) * W) + 1 - mask),
        Mistake("Clothes cover head and hands: the person's own pixels go over them.", dressed),
        Mistake("Both are added where they overlap: the clothes end where something is kept.",
                (kept * person + dressed)),
        Mistake("The masks are exchanged: kept says where the person's own pixels stay.",
                (1 - kept) * person + kept * dressed),
        Mistake("All of the person is kept: their own clothes too.", mask * person + 1 - mask),
    ]  # fmt: skip
    accept("the photograph", answer_of(function, person, kept, W, mask), [right], mistakes)
    solved("pasted: head and hands over the clothes, all on white")
