"""Checkers for the exercises of notebook 10: from the square back to the photograph, joints that are right, outlines.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit_course.checks.judging import Mistake, accept, answer_of, solved


def check_to_photograph(function: Callable[[Tensor, int, int, int], Tensor]) -> None:
    """`to_photograph(points, h, w, side)` -> (n, 2): points of the square, in pixels of the photograph.

    points: (n, 2), (x, y).  The photograph of h x w pixels was made smaller until its longer side had ``side`` pixels,
    and was laid in the middle of the square.  The centre of pixel i lies at i, in both.
    """
    random = torch.Generator().manual_seed(5)
    for h, w, side in ((400, 300, 100), (60, 120, 40)):
        points = side * torch.rand(6, 2, generator=random)
        accept("the points", answer_of(function, points, h, w, side), *_points(points, h, w, side))
    solved("to_photograph: without the border, and larger again")


def _points(points: Tensor, h: int, w: int, side: int) -> tuple[list[Tensor], list[Mistake]]:
    """The right points, and those of the classic mistakes."""
    scale, size = max(h, w) / side, torch.tensor([float(w), float(h)])
    border = (side - size / scale) / 2
    right = (points + 0.5 - border) * scale - 0.5
    mistakes = [
        Mistake("Half a pixel is missing: the centre of pixel i lies at i, its left edge at i - 1/2.",
                (points - border) * scale),
        Mistake("Half a pixel is missing: take it away again after the multiplication.",
                (points + 0.5 - border) * scale),
        Mistake("Half a pixel is missing: add it before the multiplication.", (points - border) * scale - 0.5),
        Mistake("The border is left out: the photograph lies in the middle of the square.",
                (points + 0.5) * scale - 0.5),
        Mistake("The border is left out: the photograph lies in the middle of the square.", points * scale),
        Mistake("Half of the border lies on either side; here all of it was taken away.",
                (points + 0.5 - 2 * border) * scale - 0.5),
        Mistake("The borders along x and y are exchanged: x belongs to the width.",
                (points + 0.5 - border.flip(0)) * scale - 0.5),
        Mistake("The border is in pixels of the square: take it away before you enlarge.",
                (points + 0.5) * scale - border - 0.5),
        Mistake("The photograph was not stretched: both axes have the same scale, that of the longer side.",
                (points + 0.5) * size / side - 0.5),
        Mistake("The *longer* side fills the square, so the scale is max(h, w) / side.",
                (points + 0.5 - (side - size / (min(h, w) / side)) / 2) * (min(h, w) / side) - 0.5),
        Mistake("This makes the points smaller: from the square to the photograph they are enlarged.",
                (points + 0.5 - border) / scale - 0.5),
        Mistake("Columns are exchanged: x comes first.", right.flip(1)),
    ]  # fmt: skip
    return [right], mistakes


def check_pck(function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> None:
    """`pck(guess, truth, seen, torso)` -> one number: the share of the seen joints that lie within 0.2 torsos.

    guess, truth: (n, 18, 2).  seen: (n, 18) of 0 and 1.  torso: (n,), the length of each person's torso.
    """
    random = torch.Generator().manual_seed(8)
    for n in (12, 19):
        truth = torch.randn(n, 18, 2, generator=random)
        guess = truth + 0.2 * torch.randn(n, 18, 2, generator=random)
        seen = (torch.rand(n, 18, generator=random) < 0.6).float()
        seen[0, 1:] = 0  # one joint of the first person alone
        torso = 0.4 + 1.2 * torch.rand(n, generator=random)
        guess = torch.where(seen[..., None] > 0, guess, truth + 3 * (torch.rand(n, 18, 1, generator=random) < 0.5))
        accept("the share", answer_of(function, guess, truth, seen, torso), *_shares(guess, truth, seen, torso))
    solved("pck: near enough, by the person's own size")


def _shares(guess: Tensor, truth: Tensor, seen: Tensor, torso: Tensor) -> tuple[list[Tensor], list[Mistake]]:
    """The right share, and those of the classic mistakes."""

    def share(distance: Tensor, counted: Tensor = seen, reach: float = 0.2) -> Tensor:
        near = (distance < reach * torso[:, None]).float()
        return (near * counted).sum() / counted.sum()

    apart = (guess - truth).norm(dim=-1)
    near = (apart < 0.2 * torso[:, None]).float()
    right = share(apart)
    mistakes = [
        Mistake("Joints that are not seen are counted: nobody knows where they should be.",
                share(apart, torch.ones_like(seen))),
        Mistake("Joints that are not seen count as wrong here: divide by the number of seen joints.",
                (near * seen).mean()),
        Mistake("Joints that are not seen count as right here: leave them out.", 1 - ((1 - near) * seen).mean()),
        Mistake("The reach is 0.2 *torsos*: multiply by each person's own length.",
                ((apart < 0.2).float() * seen).sum() / seen.sum()),
        Mistake("The reach is 0.2 torsos, not a whole one.", share(apart, reach=1.0)),
        Mistake("The reach is 0.2 torsos, not a half.", share(apart, reach=0.5)),
        Mistake("This is the share of wrong joints.", 1 - right),
        Mistake("These are per cent; return a share in [0, 1].", 100 * right),
        Mistake("The distance is that of two points in the plane, sqrt(dx^2 + dy^2); here it is |dx| + |dy|.",
                share((guess - truth).abs().sum(-1))),
        Mistake("The distance is that of two points in the plane, sqrt(dx^2 + dy^2); here the larger of dx and dy.",
                share((guess - truth).abs().amax(-1))),
        Mistake("The distance is that of two points in the plane; here its root is missing.",
                share((guess - truth).square().sum(-1))),
        Mistake("Every joint counts alike; here every person does.",
                ((near * seen).sum(1) / seen.sum(1)).mean()),
        Mistake("This is a share for each person; return one over all joints.", (near * seen).sum(1) / seen.sum(1)),
    ]  # fmt: skip
    return [right], mistakes


def check_iou(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`iou(a, b)` -> one number: the pixels of both outlines by those of either.  a, b: (h, w) of 0 and 1."""
    random = torch.Generator().manual_seed(2)
    for share in (0.4, 0.7):
        a, b = (torch.rand(2, 9, 8, generator=random) < share).float()
        accept("the number", answer_of(function, a, b), *_overlaps(a, b))
    solved("iou: both by either")


def _overlaps(a: Tensor, b: Tensor) -> tuple[list[Tensor], list[Mistake]]:
    """The right number, and those of the classic mistakes."""
    both, either = (a * b).sum(), torch.maximum(a, b).sum()
    mistakes = [
        Mistake("Below the line stand the pixels of *either*; in a + b those of both count twice.",
                both / (a.sum() + b.sum())),
        Mistake("This is Dice's number, 2 both / (a + b); it is larger than both by either.",
                2 * both / (a.sum() + b.sum())),
        Mistake("Divide by the pixels of either, not by those of the first alone.", both / a.sum()),
        Mistake("Divide by the pixels of either, not by those of the second alone.", both / b.sum()),
        Mistake("Divide by the pixels of either, not by the whole picture.", both / a.numel()),
        Mistake("This is the share of pixels on which both agree; the background would count, and there is much of it.",
                (a == b).float().mean()),
        Mistake("This is either by both; turn it around.", either / both),
        Mistake("These are pixels; divide by those of either.", both),
    ]  # fmt: skip
    return [both / either], mistakes
