"""Checkers for the exercises of notebook 02: scattering by hand, and looking up by hand.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit.ops.grids import identity_grid, index_to_norm, norm_to_index
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit_course.checks.judging import CheckFailed, Mistake, accept, answer_of, several, solved, watched

SWAPPED = "x and y are swapped, or rows taken for columns: channel 0 is x, the column; channel 1 is y, the row."
HALF = "Half a pixel off: -1 and 1 are the outer edges, so the index is ((x + 1) n - 1) / 2"


def check_splat_by_hand(function: Callable[[Tensor, Tensor, tuple[int, int], Tensor], Tensor]) -> None:
    """`splat_by_hand(values, positions, size, confidence)` -> (c, H, W): every value spread over four texels.

    values: (c, h, w), positions: (2, h, w) in [-1, 1] of the target, size = (H, W), confidence: (1, h, w), at least 0.
    What falls outside is dropped; a texel takes the mean of what reached it, weighted by bilinear share times
    confidence, and 0 where these weights do not reach 1e-3 together.  (values, weight) is accepted too.
    """
    for seed, size in ((1, (5, 7)), (2, (8, 4))):
        inputs = _scatter_example(seed, size)
        with watched() as seen:
            got = answer_of(function, *inputs)
        _judge_splat(got, *inputs)
        seen.refuse_library()
    inputs = _large_example()
    with watched() as seen:
        got = answer_of(function, *inputs)
    _judge_splat(got, *inputs)
    four = 4 * (len(inputs[0]) + 1) * inputs[3].numel()  # all weighted data of all four texels at once
    if seen.largest > 2 * four:
        raise CheckFailed(
            f"The numbers are right, but a tensor of {seen.largest:,} numbers compares every pixel with every row or "
            "column of texels; let every pixel touch its four texels only."
        )
    solved("splat_by_hand: bilinear shares times confidence, divided by their sum")


def _judge_splat(got: object, values: Tensor, positions: Tensor, size: tuple[int, int], q: Tensor) -> None:
    if isinstance(got, tuple | list) and got:
        got = got[0]

    def sums(where: Tensor = positions, q: Tensor = q) -> tuple[Tensor, Tensor]:
        drawn = splat(torch.cat((values * q, q))[None], where[None], size)
        return _split((drawn.values * drawn.weight)[0])

    def scattered(where: Tensor = positions, q: Tensor = q) -> Tensor:
        return _mean(*sums(where, q))

    x, y = positions
    (total, weight), (bare_total, bare_weight) = sums(), sums(q=torch.ones_like(q))
    undivided = "The normalisation is missing: divide the sum of weight times value by the sum of the weights."
    little = "Less than 1e-3 of weight says nothing: such a texel should be 0."
    last = (
        "`sums[:, place] += ...` keeps one pixel alone where several meet in a texel; index_add_ adds all that arrive."
    )
    mistakes = [
        Mistake("The confidence is forgotten: the weight of a pixel is its share times its confidence.",
                scattered(q=torch.ones_like(q))),
        Mistake("Confidence is no mask: a pixel of little confidence counts little, not fully.",
                scattered(q=(q > 0).float())),
        Mistake("Confidence is no mask: a pixel of little confidence counts little, not fully.",
                scattered(q=(q > 0.5).float())),
        Mistake("The confidence is in the sum but not in the divisor: divide by the sum of share times confidence.",
                _mean(total, bare_weight)),
        Mistake("The confidence is in the divisor but not in the sum of the values.", _mean(bare_total, weight)),
        Mistake("The confidence enters twice.", scattered(q=q.square())),
        Mistake(undivided, total),
        Mistake(undivided, bare_total),
        *(Mistake(last, _mean(*_one_a_texel(values, positions, size, q, dropped))) for dropped in (True, False)),
        *(Mistake(f"Divide by the weight, not by the weight + {least}: that makes values smaller where little arrived.",
                  answer)
          for least in (1e-3, 1e-2) for answer in (total / (weight + least), _mean(total, weight + least, weight))),
        Mistake(little, torch.where(weight > 0, total / weight, 0)),
        Mistake(little, total / weight.clamp(min=1e-3)),
        Mistake(SWAPPED, scattered(positions.flip(0))),
        *(Mistake(sentence, scattered(where)) for sentence, where in _half_pixel(positions, size)),
        Mistake("Forward is taken for backward: this looks values up at the positions; a splat carries them there.",
                sample(values[None], positions[None])[0]),
        Mistake("The kernel is missing: each value went to the nearest texel alone.",
                scattered(_nearest(positions, size))),
        Mistake("y points up; row 0 is the top and has the smallest y.", scattered(torch.stack((x, -y)))),
        Mistake("What falls outside is dropped; here it is pushed to the border, where it does not belong.",
                _mean(*_folded(torch.cat((values * q, q)), positions, size))),
    ]  # fmt: skip
    unknown = "; a texel that nothing reached has the weight 0, and 0 / 0 is NaN: it should be 0"
    accept(f"the splat of size {size}", got, [scattered()], mistakes, unknown)


def _split(sums: Tensor) -> tuple[Tensor, Tensor]:
    return sums[:-1], sums[-1:]


def _mean(total: Tensor, weight: Tensor, known_by: Tensor | None = None) -> Tensor:
    """The sum over the weight, 0 where the weight (or ``known_by``) is less than 1e-3."""
    known = (weight if known_by is None else known_by) >= 1e-3
    return torch.where(known, total / torch.where(known, weight, 1), 0)


def _one_a_texel(
    values: Tensor, positions: Tensor, size: tuple[int, int], q: Tensor, dropped: bool
) -> tuple[Tensor, Tensor]:
    """The sums of a function that writes `+=` in the place of index_add_.

    dropped: pixels outside are left out; otherwise they write their 0 into the border.
    """
    height, width = size
    x, y = _to_index(positions, size).flatten(1)
    data = torch.cat((values * q, q)).flatten(1)
    sums = torch.zeros(len(data), height * width)
    for column in (x.floor(), x.floor() + 1):
        for row in (y.floor(), y.floor() + 1):
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            share = (1 - (x - column).abs()) * (1 - (y - row).abs()) * inside
            place = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long()
            kept = inside if dropped else torch.ones_like(inside)
            sums[:, place[kept]] += (share * data)[:, kept]
    return _split(sums.reshape(-1, height, width))


def _scatter_example(seed: int, size: tuple[int, int]) -> tuple[Tensor, Tensor, tuple[int, int], Tensor]:
    """24 values at positions on an eighth of a texel, some of them outside, some of them on top of each other.

    Some have no confidence at all, and in one corner two pixels stand alone with next to none.
    """
    random = torch.Generator().manual_seed(seed)
    height, width = size
    values = torch.rand(3, 4, 6, generator=random) + 0.2
    index = torch.rand(2, 4, 6, generator=random) * torch.tensor([width - 1, height - 1])[:, None, None] - 1
    index = (index * 8).round() / 8
    index[:, 0, 0] = index[:, 0, 1] = torch.tensor([1.25, 2.5])
    index[:, 3, 5] = torch.tensor([-0.5, height - 2.75])
    index[:, 2, 5] = torch.tensor([0.25, height - 0.375])
    index[:, 2, 4] = torch.tensor([width - 0.375, 0.5])
    index[:, 3, 4] = index[:, 3, 3] = torch.tensor([width - 1.375, height - 1.25])
    confidence = torch.rand(1, 4, 6, generator=random) + 0.1
    confidence[0, 1, :2] = 0
    confidence[0, 3, 3:5] = torch.tensor([2e-4, 3e-4])
    return values, _to_norm(index, size), size, confidence


def _large_example() -> tuple[Tensor, Tensor, tuple[int, int], Tensor]:
    """One channel of 40 x 40 pixels."""
    random = torch.Generator().manual_seed(3)
    values, confidence = torch.rand(2, 1, 40, 40, generator=random) + 0.1
    positions = 0.95 * (2 * torch.rand(2, 40, 40, generator=random) - 1)
    return values, positions, (40, 36), confidence


def check_backward_warp(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`backward_warp(image, grid)` -> (c, H, W): the image looked up bilinearly at every position of the grid.

    image: (c, h, w), grid: (2, H, W) in [-1, 1] of the image; outside of the image there are zeros.
    """
    for seed, size in ((1, (5, 8)), (2, (7, 4))):
        random = torch.Generator().manual_seed(seed)
        image = torch.rand(3, 5, 8, generator=random) + 0.2
        h, w = image.shape[1:]
        index = torch.rand(2, *size, generator=random) * torch.tensor([w + 1, h + 1])[:, None, None] - 1
        index[:, 0, 0] = -3  # nothing of the image is near
        grid = torch.stack((index_to_norm(index[0], w), index_to_norm(index[1], h)))
        with watched() as seen:
            got = answer_of(function, image, grid)
        _judge_warp(got, image, grid)
        seen.refuse_library()
    solved("backward_warp: four neighbours, bilinear weights, zeros outside")


def _judge_warp(got: object, image: Tensor, grid: Tensor) -> None:
    size = tuple(image.shape[1:])

    def looked_up(where: Tensor, padding: str = "zeros") -> Tensor:
        return sample(image[None], where[None], padding=padding)[0]

    x, y = grid
    h, w = size
    mistakes = [
        Mistake(SWAPPED, looked_up(grid.flip(0))),
        *(Mistake(sentence, looked_up(where)) for sentence, where in _half_pixel(grid, size)),
        Mistake("The interpolation is missing: this takes the nearest pixel.", looked_up(_nearest(grid, size))),
        Mistake("Outside of the image there are zeros; here its border is repeated.", looked_up(grid, "border")),
        Mistake("y points up; row 0 is the top and has the smallest y.", looked_up(torch.stack((x, -y)))),
        Mistake(
            "The grid holds coordinates in [-1, 1]; here they are taken for pixel indices.",
            looked_up(torch.stack((index_to_norm(x, w), index_to_norm(y, h)))),
        ),
    ]
    if grid.shape[1:] == image.shape[1:]:
        drawn = splat(image[None], grid[None], size)
        for answer in (drawn.values[0], (drawn.values * drawn.weight)[0]):
            mistakes.append(
                Mistake(
                    "Forward is taken for backward: this scatters the image; look it up at the grid instead.", answer
                )
            )
    accept("the warped image", got, [looked_up(grid)], mistakes)


def check_to_backward(function: Callable[[Tensor, tuple[int, int]], tuple[Tensor, Tensor]]) -> None:
    """`to_backward(positions, size)` -> grid (2, H, W), known (1, H, W): the forward map turned round.

    positions: (2, h, w), where every source pixel goes, in [-1, 1] of the target; size = (H, W).
    """
    centres, size = identity_grid(6, 9), (7, 5)
    turn = torch.tensor([[0.85, -0.31], [0.31, 0.85]])
    place = torch.einsum("ij,jhw->ihw", turn, centres)
    x, y = torch.linspace(-1, 1, 9), torch.linspace(-1, 1, 6)
    carried = {
        "Each pixel carries its *new* place; the target wants to know the old one.": place,
        "Each pixel carries how far it moves; the target wants to know where it was.": place - centres,
        "x and y are swapped in what is carried.": centres.flip(0),
        "The outermost *edges* are at -1 and 1, not the outermost centres; use identity_grid.": torch.stack(
            torch.meshgrid(x, y, indexing="xy")
        ),
        "Carry positions in [-1, 1], not pixel indices.": _to_index(centres, (6, 9)),
    }
    mistakes = [Mistake(why, splat(values[None], place[None], size).values[0]) for why, values in carried.items()]
    expected = splat(centres[None], place[None], size)
    answer = answer_of(function, place, size)
    got = several(answer, 2, "two tensors: the grid, and the mask of the target pixels that know")
    accept("the backward grid", got[0], [expected.values[0]], mistakes, as_picture=True)
    accept("the mask", got[1], [expected.known[0]], [], as_picture=True)
    solved("to_backward: splat the coordinates, and the forward map is turned round")


def _half_pixel(positions: Tensor, size: tuple[int, int]) -> list[tuple[str, Tensor]]:
    """The positions as they come out with the index formula of another convention, and what to say about it."""
    height, width = size
    extent = torch.tensor([width, height], dtype=positions.dtype)[:, None, None]
    formulas = {
        f"{HALF}; (x + 1) / 2 (n - 1) is align_corners=True.": (positions + 1) / 2 * (extent - 1),
        f"{HALF}; (x + 1) / 2 n forgets that a whole index is the centre of its pixel.": (positions + 1) / 2 * extent,
        f"{HALF}; here the half pixel is taken off twice.": (positions + 1) / 2 * extent - 1,
    }
    return [(sentence, _to_norm(index, size)) for sentence, index in formulas.items()]


def _nearest(positions: Tensor, size: tuple[int, int]) -> Tensor:
    return _to_norm(_to_index(positions, size).round(), size)


def _folded(data: Tensor, positions: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The sums of a function that clamps indices: those on a larger target, whose rim is added to the border."""
    height, width = size
    larger = (height + 2, width + 2)
    index = _to_index(positions, size) + 1
    drawn = splat(data[None], _to_norm(index, larger)[None], larger)
    sums = drawn.values * drawn.weight
    for axis in (2, 3):
        n = sums.shape[axis]
        body = sums.narrow(axis, 1, n - 2).clone()
        body.narrow(axis, 0, 1).add_(sums.narrow(axis, 0, 1))
        body.narrow(axis, n - 3, 1).add_(sums.narrow(axis, n - 1, 1))
        sums = body
    return _split(sums[0])


def _to_index(positions: Tensor, size: tuple[int, int]) -> Tensor:
    return torch.stack((norm_to_index(positions[0], size[1]), norm_to_index(positions[1], size[0])))


def _to_norm(index: Tensor, size: tuple[int, int]) -> Tensor:
    return torch.stack((index_to_norm(index[0], size[1]), index_to_norm(index[1], size[0])))
