"""Checkers for the exercises of notebook 07: places among the tiles, the loss of many views, one-hot IUV.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit_course.checks.judging import Mistake, accept, answer_of, solved

_ROWS, _COLUMNS, _PARTS = 4, 6, 24


def check_chart_texel(function: Callable[[Tensor, Tensor, Tensor, int], Tensor]) -> None:
    """`chart_texel(part, U, V, side)` -> (2, n): column and row, in texels, in the picture of 4 rows of 6 tiles.

    part: (n,), 1..24.  U, V: (n,) in [0, 1].  side: texels along an edge of a chart, outermost on its edges.
    """
    random = torch.Generator().manual_seed(7)
    for side in (5, 8):
        part = torch.cat([torch.arange(1, _PARTS + 1), torch.tensor([1, 24])])
        U, V = torch.rand(2, len(part), generator=random)
        U[-2:], V[-2:] = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])
        accept("the places", answer_of(function, part, U, V, side), *_places(part, U, V, side))
    solved("chart_texel: six tiles in a row, and texels on the edges of each")


def _places(part: Tensor, U: Tensor, V: Tensor, side: int) -> tuple[list[Tensor], list[Mistake]]:
    """The right answer, and those of the classic mistakes."""

    def place(tile: Tensor, x: Tensor, y: Tensor, columns: int = _COLUMNS) -> Tensor:
        return torch.stack([tile % columns * side + x, tile // columns * side + y])

    tile, x, y = part - 1, U * (side - 1), V * (side - 1)
    right = place(tile, x, y)
    down_first = torch.stack([tile // _ROWS * side + x, tile % _ROWS * side + y])
    across = "Tiles run along the rows, six in each: the row is (part - 1) // 6, the column (part - 1) % 6"
    edges = f"The outermost texels lie *on* the edges of the chart: U = 1 is texel {side - 1} of its {side}"
    width = torch.tensor([[_COLUMNS * side], [_ROWS * side]])
    mistakes = [
        Mistake("Columns and rows are swapped: entry 0 is the column, along U; entry 1 the row, along V.",
                right.flip(0)),
        Mistake("U and V are swapped inside the tile: U runs to the right, V down.", place(tile, y, x)),
        Mistake("The part is off by one: part 1 is the first tile, number 0.", place(part, x, y)),
        Mistake(f"{across}; here they are four in a row.", place(tile, x, y, _ROWS)),
        Mistake(f"{across}; here they run down the columns.", down_first),
        Mistake(f"{edges}, so multiply by side - 1, not by side.", place(tile, U * side, V * side)),
        Mistake(f"{edges}; there is no half pixel here.", place(tile, U * side - 0.5, V * side - 0.5)),
        Mistake(f"{edges}; there is no half pixel here.", place(tile, x + 0.5, y + 0.5)),
        Mistake(f"{edges}; do not round: the kernel shares a pixel out among four texels.",
                place(tile, x.round(), y.round())),
        Mistake("The tile is missing: these are places inside one chart.", torch.stack([x, y])),
        Mistake("The tile is not enlarged: it lies `side` texels further for every tile before it.",
                torch.stack([tile % _COLUMNS + x, tile // _COLUMNS + y])),
        Mistake("The place inside the tile is missing: this is the first texel of the tile.",
                place(tile, 0 * x, 0 * y)),
        Mistake("These are places in [-1, 1]; give texels, from 0 on.", (2 * right + 1) / width - 1),
    ]  # fmt: skip
    return [right], mistakes


def check_multi_view_loss(function: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """`multi_view_loss(completed, charts, known)` -> one number: (6), as a mean over all texels that are shown.

    completed: (24, 3, t, t).  charts, known: (n, 24, 3, t, t) and (n, 24, 1, t, t), what n views show.
    """
    random = torch.Generator().manual_seed(11)
    completed = torch.rand(_PARTS, 3, 4, 4, generator=random)
    for n in (3, 1):
        charts = torch.rand(n, _PARTS, 3, 4, 4, generator=random)
        known = (
            torch.rand(n, _PARTS, 1, 4, 4, generator=random) < torch.tensor([0.2, 0.5, 0.8])[:n].view(-1, 1, 1, 1, 1)
        ).float()
        charts = charts * known
        got = answer_of(function, completed, charts, known)
        accept("the loss", got, *_losses(completed, charts, known), "; divide by the number of shown texels")
    solved("multi_view_loss: every texel that some view shows, each with the same weight")


def _losses(completed: Tensor, charts: Tensor, known: Tensor) -> tuple[list[Tensor], list[Mistake]]:
    """The right answer, and those of the classic mistakes."""
    wrong = (completed - charts).abs()
    shown = known.expand_as(wrong)
    right = (wrong * shown).sum() / shown.sum()
    each = (wrong * shown).flatten(1).sum(1) / shown.flatten(1).sum(1)
    union = known.amax(0)
    mean_chart = (charts * known).sum(0) / known.sum(0).clamp(min=1)
    mistakes = [
        Mistake("Texels that no view shows are counted: multiply by `known`, or the holes pull everything to black.",
                wrong.mean()),
        Mistake("The sum is masked, but the mean is over all texels; divide by the number of shown ones.",
                (wrong * shown).mean()),
        Mistake("This is the sum; divide by the number of shown texels, of every view and colour.",
                (wrong * shown).sum()),
        Mistake("Divide by the three colours too: `known` has one channel, the difference has three.",
                (wrong * shown).sum() / known.sum()),
        Mistake("Each view has the same weight here; each *texel* should: one sum over everything, one division.",
                each.mean()),
        Mistake("The losses of the views are added; divide once, by the shown texels of all of them.", each.sum()),
        Mistake("Only the first view supervises; take all of them.", each[0]),
        Mistake("Only the last view supervises; take all of them.", each[-1]),
        Mistake("These are squares; (6) has absolute differences.",
                ((completed - charts).square() * shown).sum() / shown.sum()),
        Mistake("The views are averaged first; compare with each of them.",
                ((completed - mean_chart).abs() * union).sum() / (3 * union.sum())),
        Mistake("The absolute value is missing: errors of opposite sign cancel.",
                ((completed - charts) * shown).sum() / shown.sum()),
        Mistake("The absolute value is missing: errors of opposite sign cancel.",
                ((charts - completed) * shown).sum() / shown.sum()),
    ]  # fmt: skip
    # with one view several of these are right
    return [right], [m for m in mistakes if not torch.allclose(m.answer, right, rtol=0, atol=1e-4)]


def check_one_hot_iuv(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`one_hot_iuv(part, chart)` -> (26, h, w): a plane for each part, then U, then V; 0 off the body.

    part: (h, w), 0..24.  chart: (2, h, w), anything off the body.
    """
    random = torch.Generator().manual_seed(5)
    part = torch.randint(0, _PARTS + 1, (6, 8), generator=random)
    part[0] = 0
    part[1] = torch.arange(1, 9)
    part[2], part[3] = part[1] + 8, part[1] + 16
    chart = 0.1 + 0.8 * torch.rand(2, 6, 8, generator=random)
    on = (part > 0).float()
    planes = torch.nn.functional.one_hot(part, _PARTS + 1).permute(2, 0, 1).float()
    own = planes[1:]
    right = torch.cat([own, chart * on])
    off = "Off the body U and V mean nothing: multiply them by part > 0."
    extra = "There is a plane too many: the background (part 0) gets none; off the body all planes are 0."
    shifted = "The planes are off by one: plane k is part k + 1, for part 0 is the background."
    mistakes = [
        Mistake(off, torch.cat([own, chart])),
        Mistake(extra, torch.cat([planes, chart * on])),
        Mistake(extra, torch.cat([planes, chart])),
        Mistake(shifted, torch.cat([planes[:-1], chart * on])),
        Mistake(shifted, torch.cat([planes[:-1], chart])),
        Mistake("U and V come first here; the 24 parts come first.", torch.cat([chart * on, own])),
        Mistake("U and V are exchanged.", torch.cat([own, chart.flip(0) * on])),
        Mistake("The planes hold part numbers; a one-hot plane holds 0 and 1.", torch.cat([own * part, chart * on])),
        Mistake("The planes hold part / 24; a one-hot plane holds 0 and 1.", torch.cat([own * part / 24, chart * on])),
        Mistake("The planes are turned round: 1 where the part is, 0 elsewhere.", torch.cat([1 - own, chart * on])),
        Mistake("These are the three planes of IUV; here every part has a plane of its own.",
                torch.cat([part[None] / 24, chart * on])),
        Mistake("U and V are missing: 24 planes of parts, and 2 more.", own),
        Mistake("The channels come last here; they come first, before height and width.", right.permute(1, 2, 0)),
        Mistake("U and V stand in the planes of the parts; they have two planes of their own.",
                torch.cat([own * chart[0], chart * on])),
    ]  # fmt: skip
    accept("the planes", answer_of(function, part, chart), [right], mistakes, as_picture=True)
    solved("one_hot_iuv: a plane for each part, then U and V, nothing off the body")
