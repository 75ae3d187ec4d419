"""Checkers for the exercises of notebook 01: the pixel grid, the lookup from charts to the atlas, mirroring a map.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posekit.ops.grids import identity_grid, index_to_norm, norm_to_index
from posekit.ops.surface import ChartTable, flip_map
from posekit_course.checks.judging import CheckFailed, Mistake, accept, answer_of, several, solved

SWAPPED = "u and v are swapped: channel 0 is {0} (to the right), channel 1 is {1} (down)."


def check_pixel_grid(grid: Callable[[int, int], Tensor] | Tensor) -> None:
    """`pixel_grid(h, w)` -> (2, h, w): the (x, y) in [-1, 1] of every pixel centre.  A grid itself is accepted too."""
    if not callable(grid):
        h, w = torch.as_tensor(grid).shape[-2:]
        _judge_grid(grid, h, w)
    else:
        for h, w in ((4, 6), (3, 5), (1, 2)):  # even, odd, and a single row
            _judge_grid(answer_of(grid, h, w), h, w)
    solved("pixel_grid: the centres of the pixels, x first, in [-1, 1]")


def _judge_grid(got: object, h: int, w: int) -> None:
    right = identity_grid(h, w)
    x, y = right
    column, row = torch.arange(w).float().expand(h, w), torch.arange(h).float()[:, None].expand(h, w)
    corners = torch.stack((column / max(w - 1, 1), row / max(h - 1, 1))) * 2 - 1
    half = (
        "The grid is half a pixel off: -1 and 1 are the outer edges of the picture, and a pixel's centre lies half a "
        "pixel inside, at (2 i + 1) / n - 1"
    )
    mistakes = [
        Mistake(SWAPPED.format("x", "y"), torch.stack((y, x))),
        Mistake(f"{half} (this is align_corners=True: the outermost centres at -1 and 1).", corners),
        Mistake(f"{half} (here the left edges of the pixels).", torch.stack((column * 2 / w, row * 2 / h)) - 1),
        Mistake(
            f"{half} (here the right edges).", torch.stack((column + 1, row + 1)) * 2 / torch.tensor([[[w]], [[h]]]) - 1
        ),
        Mistake(
            "The normalisation is missing: these are pixel indices; bring them to [-1, 1].", torch.stack((column, row))
        ),
        Mistake("The range is [0, 1]; it should be [-1, 1].", (right + 1) / 2),
        Mistake("y points up; row 0 is the top of the picture and has the smallest y.", torch.stack((x, -y))),
        Mistake("Rows and columns are exchanged: x changes along a row, y along a column.", right.transpose(1, 2)),
    ]
    unknown = "; a single row or column must not divide by zero"
    accept(f"the grid of {h} x {w} pixels", got, [right], mistakes, unknown, as_picture=True)


def check_iuv_to_atlas(function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> None:
    """`iuv_to_atlas(part, u, v, table)` -> (2, h, w): the atlas position of every pixel, 0 on the background.

    part: (h, w), whole numbers 0..24, 0 the background.  u, v: (h, w) in [0, 1], NaN on the background.
    table: (24, n, n, 2), index [I - 1, V, U], node k of n stands for k / (n - 1); the nearest node or a bilinear
    lookup are both right.
    """
    part, u, v, table = _iuv_example()
    uv, _ = ChartTable.from_table(table, 8).to_atlas(part[None], torch.stack((u, v)))
    n = table.shape[1]
    right_index = (u * (n - 1), v * (n - 1))
    body = part > 0

    def read(x: Tensor, y: Tensor, mode: str, shift: int = 1, swap: bool = False) -> Tensor:
        charts = table.transpose(1, 2) if swap else table
        entries = _read_table(
            charts.movedim(-1, 1), x.nan_to_num(0), y.nan_to_num(0), mode, (part - shift).clamp(0, 23)
        )
        return torch.where(body, entries, 0)

    mistakes = []
    for mode in ("bilinear", "nearest"):
        mistakes += [
            Mistake(SWAPPED.format("u", "v"), read(*right_index, mode).flip(0)),
            Mistake(
                "Rows are taken for columns: the table is indexed [I - 1, V, U], V first, as in table[i, row, column].",
                read(*right_index, mode, swap=True),
            ),
            Mistake(
                "The part index is off by one: part I has row I - 1 of the table, because 0 is the background.",
                read(*right_index, mode, shift=0),
            ),
        ]
    half = f"The nodes are missed by up to one: node k of n stands for k / (n - 1), so U = 1 is node {n - 1}; "
    wrong = [(u * n, v * n, mode) for mode in ("nearest", "floor", "bilinear")]
    wrong += [(u * n - 0.5, v * n - 0.5, mode) for mode in ("floor", "bilinear")]
    mistakes += [Mistake(half + "multiply by n - 1 and take off no half pixel.", read(*index)) for index in wrong]
    mistakes.append(Mistake(half + "round to the nearest node, do not cut off.", read(*right_index, "floor")))
    try:
        got = answer_of(function, part, u, v, table)
    except CheckFailed as failed:
        if isinstance(failed.__cause__, IndexError):
            raise CheckFailed(
                "An index is outside the table: part I has row I - 1, so part 24 has row 23, and is not off by one."
            ) from failed
        raise
    unknown = "; u and v are NaN on the background, where the answer is 0"
    accepted = [uv, read(*right_index, "nearest")]
    mistakes += _only_off(
        body, got, accepted, "The background (I = 0) must be 0; here entries of the table stand on it."
    )
    accept("the atlas positions", got, accepted, mistakes, unknown, as_picture=True)
    solved("iuv_to_atlas: part, row, column, and nothing on the background")


def _iuv_example() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Random parts and positions that lie clearly off the middle between nodes, on a smooth table of 9 nodes."""
    random = torch.Generator().manual_seed(3)
    h, w, n = 7, 9, 9
    part = torch.randint(1, 25, (h, w), generator=random)
    part[0], part[-1, -1], part[-1, 0] = 0, 24, 1
    node = torch.randint(1, n - 1, (2, h, w), generator=random)
    u, v = (node + 0.35 * (2 * torch.rand(2, h, w, generator=random) - 1)) / (n - 1)
    u[part == 0] = v[part == 0] = torch.nan
    step = torch.linspace(0, 1, n)
    chart = torch.stack((step.expand(n, n) * 0.2, step[:, None].expand(n, n) * 0.3 + step * 0.05), -1)
    offset = 1.3 * torch.rand(24, 1, 1, 2, generator=random) - 0.9
    return part, u, v, chart + offset


def _only_off(body: Tensor, got: object, accepted: list[Tensor], sentence: str) -> list[Mistake]:
    """The mistake of an answer that is right on the body and leaves finite values off it."""
    if not isinstance(got, Tensor) or got.shape != accepted[0].shape or not got.isfinite().all():
        return []
    return [Mistake(sentence, torch.where(body, answer, got.to(answer))) for answer in accepted]


def check_mirror_map(function: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
    """`mirror_map(uv, mask, mirror)` -> (uv, mask) of the photograph flipped left to right.

    uv: (2, h, w), mask: (1, h, w), mirror: (2, a, a), the twin of every texel and NaN where the atlas is empty.  The
    picture is flipped and every position becomes its twin; the nearest texel or a bilinear lookup are both right.
    """
    uv, mask, mirror = _mirror_example()
    right_uv, right_mask = flip_map(uv, mask, mirror)
    got = several(answer_of(function, uv, mask, mirror), 2, "two tensors: the mirrored map and the mirrored mask")
    a = mirror.shape[-1]
    on = mask > 0.5

    def twin(x: Tensor, y: Tensor, mode: str, table: Tensor = mirror) -> Tensor:
        entries = _read_table(table[None], x, y, mode, torch.zeros_like(x, dtype=torch.long))
        return torch.where(on, entries, 0).nan_to_num(0)

    right = [norm_to_index(c, a) for c in uv]
    corners = [(c + 1) / 2 * (a - 1) for c in uv]
    edges = [(c + 1) / 2 * a for c in uv]
    mistakes = []
    for mode in ("bilinear", "nearest"):
        good = twin(*right, mode)
        mistakes += [
            Mistake("The picture is not flipped: positions became their twins, but left is still left.", good),
            Mistake(SWAPPED.format("u", "v"), good.flip(0).flip(-1)),
            Mistake("Rows are taken for columns: the picture is flipped top to bottom.", good.flip(-2)),
            Mistake(
                "Rows are taken for columns: read the table as mirror[:, row of v, column of u].",
                twin(*right, mode, mirror.transpose(1, 2)).flip(-1),
            ),
        ]
    half = (
        "The texels are missed by half a pixel: u = -1 is the left edge of the atlas, not the centre of its first texel"
    )
    shifts = [(corners, m) for m in ("nearest", "bilinear", "floor")] + [(edges, m) for m in ("nearest", "bilinear")]
    for index, mode in [*shifts, (right, "floor")]:
        mistakes.append(
            Mistake(f"{half} (see norm_to_index; align_corners is False here).", twin(*index, mode).flip(-1))
        )
    mistakes += [
        Mistake(
            "The positions are not mirrored: the picture is flipped, but a left hand is still a left hand.", uv.flip(-1)
        ),
        Mistake(
            "u -> -u is not the mirror: the twin of a texel stands in the table `mirror`.",
            torch.stack((-uv[0], uv[1])).flip(-1),
        ),
    ]
    accepted = [right_uv, twin(*right, "nearest").flip(-1)]
    mistakes += _only_off(on.flip(-1), got[0], accepted, "Off the mask the map must be 0; here positions stand on it.")
    unknown = "; off the mask the map is 0"
    accept("the mirrored map", got[0], accepted, mistakes, unknown, as_picture=True)
    unflipped = Mistake("The mask is not flipped with the picture.", right_mask.flip(-1))
    accept("the mirrored mask", got[1], [right_mask], [unflipped], as_picture=True)
    solved("mirror_map: the picture flipped, every position its twin, the mask with it")


def _mirror_example() -> tuple[Tensor, Tensor, Tensor]:
    """An atlas with two islands that are each other's twins, upside down: (u, v) <-> (u +- 1, -v)."""
    random = torch.Generator().manual_seed(5)
    h, w, a = 6, 8, 16
    centres = identity_grid(a, a)
    mirror = torch.stack((torch.where(centres[0] < 0, centres[0] + 1, centres[0] - 1), -centres[1]))
    mirror[:, 0, :2] = torch.nan  # a corner where the atlas is empty; no pixel shows it
    column = torch.randint(1, 7, (h, w), generator=random) + 8 * torch.randint(0, 2, (h, w), generator=random)
    row = torch.randint(2, 14, (h, w), generator=random)
    place = torch.stack((column, row)) + 0.35 * (2 * torch.rand(2, h, w, generator=random) - 1)
    mask = (torch.rand(1, h, w, generator=random) > 0.3).float()
    return index_to_norm(place, a) * mask, mask, mirror


def _read_table(table: Tensor, x: Tensor, y: Tensor, mode: str, item: Tensor) -> Tensor:
    """Entries of ``table (k, c, n, n)`` at indices ``x, y (h, w)`` of the slices ``item (h, w)`` -> ``(c, h, w)``."""
    last = table.shape[-1] - 1
    if mode == "nearest":
        x, y = x.round(), y.round()
    elif mode == "floor":
        x, y = x.floor(), y.floor()
    x, y = x.clamp(0, last), y.clamp(0, last)
    x0, y0 = x.floor().clamp(max=max(last - 1, 0)).long(), y.floor().clamp(max=max(last - 1, 0)).long()
    fx, fy = x - x0, y - y0
    result = 0
    for dy, wy in ((0, 1 - fy), (1, fy)):
        for dx, wx in ((0, 1 - fx), (1, fx)):
            weight = (wx * wy)[..., None]
            entry = table[item, :, y0 + dy, x0 + dx]
            result = result + torch.where(weight > 0, weight * entry, 0)
    return result.movedim(-1, 0)
