"""The body surface in two spellings, and its left-right symmetry.

*Charts* (I, U, V): 24 parts I = 1..24, each with a square of its own, U to the right and V down in [0, 1] (DensePose).
*Atlas* (u, v): one square for the whole body, [-1, 1], v down.  The library works on the atlas; `ChartTable` goes
between the two.  A mask travels with every map, and off the mask all maps are 0.

Tables are read bilinearly, but never across a cut: where the four entries around a position lie apart, or one of them
is missing, the nearest entry counts alone.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.ops.grids import identity_grid, norm_to_index
from posekit.ops.splat import splat
from posekit.util.archives import DAMAGED
from posekit.util.errors import InputError

PARTS = 24

# Neighbouring entries of a table further apart than this many of its own steps across the atlas lie across a cut.
CUT_STEPS = 5
# Neighbouring texels whose chart positions are further apart than this share of the chart lie across a cut.
CUT_CHART = 0.2

# Part i of a mirrored person is part MIRROR_PARTS[i] of the person (0 is the background).
MIRROR_PARTS = (0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15, 18, 17, 20, 19, 22, 21, 24, 23)
MIRROR_FLIPS_U = (5, 6, 23, 24)  # feet and head
MIRROR_FLIPS_V = (1, 2)  # torso


# ---------------------------------------------------------------------------------------------------- charts and atlas


@dataclass(frozen=True, eq=False)
class ChartTable:
    """The map between charts and an atlas; made by `from_table`, `from_boxes` or `load`.

    table: the atlas position (u, v) of node [I - 1, V, U]; node k of n stands for the chart coordinate k / (n - 1),
    so the outermost nodes lie on the edges of the chart.  NaN: no entry.
    inverse_part, inverse_chart: I (0 where no chart is) and (U, V) at the texels of the atlas.
    boxes: of an atlas whose charts are axis-parallel boxes, their (u0, v0, u1, v1); both directions are then exact.
    """

    table: Float[Tensor, "24 n n 2"]
    inverse_part: Integer[Tensor, "a a"]
    inverse_chart: Float[Tensor, "2 a a"]
    boxes: Float[Tensor, "24 4"] | None = None

    @classmethod
    def from_table(cls, table: Float[Tensor, "24 n n 2"], atlas_size: int = 512) -> ChartTable:
        """From the table [I - 1, V, U] -> (u, v) in [-1, 1], NaN for no entry (index [I, U, V] scrambles the face).

        The inverse is splatted from the nodes into an atlas of ``atlas_size`` squared; nodes that were interpolated
        across a seam of the atlas, so lie far from both their neighbours, are left out of it.
        """
        if table.ndim != 4 or table.shape[0] != PARTS or table.shape[1] != table.shape[2] or table.shape[3] != 2:
            raise InputError(
                f"A chart table has the shape (24, n, n, 2) and the index [I - 1, V, U], got {tuple(table.shape)}."
            )
        if table.shape[1] < 2:
            raise InputError("A chart table needs at least 2 nodes along each axis, got 1.")
        if not (table.isnan() | (table.abs() < 1 + 1e-5)).all():
            raise InputError(
                "A chart table holds atlas positions in [-1, 1] or NaN, got others; "
                "turn 0..1 with v up into u = 2 u - 1, v = 1 - 2 v first."
            )
        table = table.float()
        return cls(table, *_inverse_atlas(table, atlas_size))

    @classmethod
    def from_boxes(cls, boxes: Float[Tensor, "24 4"], labels: Integer[Tensor, "a a"], nodes: int = 256) -> ChartTable:
        """From the box (u0, v0, u1, v1) of each part in [-1, 1] and the part that each atlas texel belongs to.

        U runs from u0 to u1 and V from v0 to v1.  labels: 0 where the atlas is empty, else 1..24.  A box should enclose
        the texels of its part; boxes may overlap.  A part that the atlas lacks has a box of NaN.
        """
        if boxes.shape != (PARTS, 4) or labels.ndim != 2 or labels.shape[0] != labels.shape[1]:
            raise InputError(
                "from_boxes expected boxes (24, 4) and square labels (a, a), "
                f"got {tuple(boxes.shape)} and {tuple(labels.shape)}."
            )
        if labels.min() < 0 or labels.max() > PARTS:
            raise InputError(f"Labels are the parts 0..24, got {int(labels.min())}..{int(labels.max())}.")
        boxes, labels = boxes.float(), labels.long()
        there = boxes.isfinite().all(1)
        if (boxes[there, 2:] <= boxes[there, :2]).any():
            raise InputError("A box is (u0, v0, u1, v1) with u0 < u1 and v0 < v1, got one without extent.")
        lost = [i for i in labels.unique().tolist() if i and not there[i - 1]]
        if lost:
            raise InputError(
                f"Labels use the parts {lost}, whose boxes are not finite; give them a box or the label 0."
            )

        step = torch.linspace(0, 1, nodes)
        chart = torch.stack((step.expand(nodes, nodes), step[:, None].expand(nodes, nodes)), -1)
        table = boxes[:, None, None, :2] + chart * (boxes[:, None, None, 2:] - boxes[:, None, None, :2])
        part = torch.arange(1, PARTS + 1)[:, None, None]
        table[_part_at(labels, table.nan_to_num(0.0)) != part] = (
            torch.nan
        )  # entries only where the atlas shows the part
        centres = identity_grid(*labels.shape).movedim(0, -1)
        return cls(table, labels, _into_boxes(boxes, labels, centres).movedim(-1, 0), boxes)

    @property
    def atlas_size(self) -> int:
        """Texels along an edge of the inverse atlas."""
        return self.inverse_part.shape[-1]

    def to(self, device: torch.device | str) -> ChartTable:
        """The same table on another device."""
        boxes = None if self.boxes is None else self.boxes.to(device)
        tensors = (self.table, self.inverse_part, self.inverse_chart)
        return ChartTable(*(t.to(device) for t in tensors), boxes)

    def to_atlas(
        self, part: Integer[Tensor, "*b 1 h w"], chart: Float[Tensor, "*b 2 h w"]
    ) -> tuple[Float[Tensor, "*b 2 h w"], Float[Tensor, "*b 1 h w"]]:
        """Charts (I, (U, V) in [0, 1]) -> atlas map (u, v) in [-1, 1] and its mask.

        The mask is 0 where I = 0, where U or V is not finite, and where the table has no entry near.
        """
        _check_maps("to_atlas", part=(part, 1), chart=(chart, 2))
        if part.numel() and (part.min() < 0 or part.max() > PARTS):
            raise InputError(f"Parts are numbered 0..24, got {int(part.min())}..{int(part.max())}.")
        index, points = part.squeeze(-3).long(), chart.movedim(-3, -1)
        good = (index > 0) & points.isfinite().all(-1)
        index, points = (index - 1).clamp(min=0), torch.where(good[..., None], points, 0).clamp(0, 1)
        if self.boxes is not None:
            box = self.boxes.to(points.dtype)[index]
            uv = box[..., :2] + points * (box[..., 2:] - box[..., :2])
            near = uv.isfinite().all(-1)
        else:
            n = self.table.shape[1]
            rows, columns, weights = _corners(points * (n - 1), n)
            entries = self.table[index, rows, columns].to(points.dtype)
            uv, near = _blend(entries, entries.isfinite().all(-1), weights, CUT_STEPS * 2 / (n - 1))
        return _masked(uv, good & near)

    def to_charts(
        self, uv: Float[Tensor, "*b 2 h w"], mask: Float[Tensor, "*b 1 h w"]
    ) -> tuple[Integer[Tensor, "*b 1 h w"], Float[Tensor, "*b 2 h w"]]:
        """Atlas map (u, v) in [-1, 1] with its mask -> part I and chart position (U, V) in [0, 1].

        Both are 0 off the mask and where the atlas has no chart near.
        """
        _check_maps("to_charts", uv=(uv, 2), mask=(mask, 1))
        points, good = _atlas_points(uv, mask)
        part = _part_at(self.inverse_part, points)
        if self.boxes is not None:
            chart = _into_boxes(self.boxes.to(points.dtype), part, points)
            near = part > 0
        else:
            rows, columns, weights = _corners(norm_to_index(points, self.atlas_size), self.atlas_size)
            same = self.inverse_part[rows, columns] == part
            texels = self.inverse_chart.movedim(0, -1)[rows, columns].to(points.dtype)
            chart, near = _blend(texels, same & (part > 0), weights, CUT_CHART)
            chart = chart.clamp(0, 1)
        chart, kept = _masked(chart, good & near)
        return (part.unsqueeze(-3) * kept.long()), chart

    def save(self, path: str | os.PathLike) -> None:
        """Write an ``.npz`` file, complete or not at all."""
        if self.boxes is not None:
            arrays = {"boxes": self.boxes, "labels": self.inverse_part, "nodes": torch.tensor(self.table.shape[1])}
        else:
            arrays = {f: getattr(self, f) for f in ("table", "inverse_part", "inverse_chart")}
        path = Path(path)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                np.savez_compressed(file, **{name: t.cpu().numpy() for name, t in arrays.items()})
                file.close()
                os.replace(file.name, path)
            except BaseException:
                file.close()
                os.unlink(file.name)
                raise

    @classmethod
    def load(cls, path: str | os.PathLike) -> ChartTable:
        """Read what `save` wrote.  Raises ValueError for a missing, foreign or damaged file; runs no pickles."""
        try:
            with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
                arrays = {name: torch.from_numpy(file[name]) for name in file.files}
            if "boxes" in arrays:
                return cls.from_boxes(arrays["boxes"], arrays["labels"], int(arrays["nodes"]))
            return cls(arrays["table"], arrays["inverse_part"], arrays["inverse_chart"])
        except DAMAGED as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise InputError(f"{path} is not a chart table written by ChartTable.save: {reason}.") from error


# ------------------------------------------------------------------------------------------------------------- symmetry


def mirror_uv(
    uv: Float[Tensor, "*b 2 h w"], mask: Float[Tensor, "*b 1 h w"], mirror: Float[Tensor, "2 a a"]
) -> tuple[Float[Tensor, "*b 2 h w"], Float[Tensor, "*b 1 h w"]]:
    """Replace each atlas position by its mirror image on the body (left hand -> right hand); the picture stays.

    mirror: the atlas position of the mirror texel of every texel, NaN where the atlas is empty; such positions leave
    the mask.  Positions beyond the outermost texel centres continue the table linearly.
    """
    _check_maps("mirror_uv", uv=(uv, 2), mask=(mask, 1))
    if mirror.ndim != 3 or mirror.shape[0] != 2 or mirror.shape[1] != mirror.shape[2] or mirror.shape[1] < 2:
        raise InputError(f"A mirror table has the shape (2, a, a) with a of at least 2, got {tuple(mirror.shape)}.")
    points, good = _atlas_points(uv, mask)
    size = mirror.shape[-1]
    rows, columns, weights = _corners(norm_to_index(points, size), size)
    entries = mirror.movedim(0, -1)[rows, columns].to(uv.dtype)
    twin, near = _blend(entries, entries.isfinite().all(-1), weights, CUT_STEPS * 2 / size)
    return _masked(twin.clamp(-1, 1), good & near)


def flip_map(
    uv: Float[Tensor, "*b 2 h w"], mask: Float[Tensor, "*b 1 h w"], mirror: Float[Tensor, "2 a a"]
) -> tuple[Float[Tensor, "*b 2 h w"], Float[Tensor, "*b 1 h w"]]:
    """The map of the photograph flipped left to right: the picture is flipped, every position becomes its twin.

    Flipping twice gives the map back, as far as mirroring the table twice does.
    """
    uv, mask = mirror_uv(uv, mask, mirror)
    return uv.flip(-1), mask.flip(-1)


def mirror_parts(part: Integer[Tensor, "*b 1 h w"]) -> Integer[Tensor, "*b 1 h w"]:
    """Parts I of the mirrored person: 3 <-> 4, 5 <-> 6, ... 23 <-> 24; torso 1, 2 and background 0 stay.

    >>> mirror_parts(torch.tensor([[[0, 2, 3, 24]]])).tolist()
    [[[0, 2, 4, 23]]]
    """
    if part.numel() and (part.min() < 0 or part.max() > PARTS):
        raise InputError(f"Parts are numbered 0..24, got {int(part.min())}..{int(part.max())}.")
    return torch.tensor(MIRROR_PARTS, dtype=part.dtype, device=part.device)[part.long()]


def mirror_charts(
    part: Integer[Tensor, "*b 1 h w"], chart: Float[Tensor, "*b 2 h w"]
) -> tuple[Integer[Tensor, "*b 1 h w"], Float[Tensor, "*b 2 h w"]]:
    """(I, U, V) of the mirrored person in DensePose's own charts: twin parts, U -> 1 - U or V -> 1 - V by part.

    Torso flips V, head and feet flip U, hands and limbs neither.  The charts of other atlases are not drawn this way:
    there, go through `flip_map` of the atlas map.  The picture stays; flip it with ``.flip(-1)``.
    """
    _check_maps("mirror_charts", part=(part, 1), chart=(chart, 2))
    flips = torch.zeros(PARTS + 1, 2, dtype=torch.bool, device=part.device)
    flips[list(MIRROR_FLIPS_U), 0] = True
    flips[list(MIRROR_FLIPS_V), 1] = True
    flip = flips[part.squeeze(-3).long()].movedim(-1, -3)
    return mirror_parts(part), torch.where(flip, 1 - chart, chart)


# ------------------------------------------------------------------------------------------------------ reading tables


def _corners(index: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, columns and bilinear weights, each (4, ...), of the entries around ``index`` (..., 2) = (x, y).

    Beyond the outermost entries the weights extrapolate.
    """
    first = index.floor().clamp(0, size - 2)
    t = index - first
    first = first.long()
    rows, columns, weights = [], [], []
    for dy in (0, 1):
        for dx in (0, 1):
            rows.append(first[..., 1] + dy)
            columns.append(first[..., 0] + dx)
            weights.append((t[..., 0] if dx else 1 - t[..., 0]) * (t[..., 1] if dy else 1 - t[..., 1]))
    return torch.stack(rows), torch.stack(columns), torch.stack(weights)


def _blend(entries: Tensor, valid: Tensor, weights: Tensor, cut: float) -> tuple[Tensor, Tensor]:
    """Bilinear value of the four entries (4, ..., c), or the nearest valid one at a cut; and where there is any."""
    best = torch.where(valid, weights, -torch.inf).argmax(0)
    nearest = entries.gather(0, best[None, ..., None].expand_as(entries[:1]))[0]
    together = ((entries - nearest).norm(dim=-1) <= cut) & valid  # a missing entry, NaN, is never near
    bilinear = (weights[..., None] * torch.where(valid[..., None], entries, 0)).sum(0)
    return torch.where(together.all(0)[..., None], bilinear, nearest), valid.any(0)


def _part_at(labels: Tensor, points: Tensor) -> Tensor:
    """The part at atlas positions (..., 2): of the nearest of the four texels around that has one, else 0."""
    size = labels.shape[-1]
    rows, columns, weights = _corners(norm_to_index(points, size), size)
    around = labels[rows, columns]
    best = torch.where(around > 0, weights, -torch.inf).argmax(0)
    return around.gather(0, best[None])[0]


def _into_boxes(boxes: Tensor, part: Tensor, points: Tensor) -> Tensor:
    """Chart position in [0, 1] of atlas positions (..., 2) in the boxes of their parts, 0 for part 0."""
    box = boxes[(part - 1).clamp(min=0)]
    chart = (points - box[..., :2]) / (box[..., 2:] - box[..., :2])
    return torch.where(part[..., None] > 0, chart, 0).clamp(0, 1)


def _inverse_atlas(table: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Splat the chart coordinates of all nodes into the atlas; where parts meet, the one with more weight wins."""
    n = table.shape[1]
    step = torch.linspace(0, 1, n, device=table.device)
    chart = torch.stack((step.expand(n, n), step[:, None].expand(n, n)))[None]
    part = torch.zeros(size, size, dtype=torch.long, device=table.device)
    uv = torch.zeros(2, size, size, device=table.device)
    most = torch.zeros(size, size, device=table.device)
    far = CUT_STEPS * 2 / (n - 1)
    for i in range(PARTS):
        nodes = table[i].movedim(-1, 0)
        stray = torch.zeros(n, n, dtype=torch.bool, device=table.device)
        for axis in (-1, -2):
            jump = nodes.diff(dim=axis).norm(dim=0) > far
            inner = stray.narrow(axis, 1, n - 2)
            inner |= jump.narrow(axis, 0, n - 2) & jump.narrow(axis, 1, n - 2)
        drawn = splat(chart, nodes[None], (size, size), (~stray)[None, None].to(table.dtype))
        wins = (drawn.known[0, 0] > 0) & (drawn.weight[0, 0] > most)
        part[wins], most[wins] = i + 1, drawn.weight[0, 0][wins]
        uv[:, wins] = drawn.values[0][:, wins]
    return part, uv


def _atlas_points(uv: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Atlas positions (..., 2) inside [-1, 1] and where they count: on the mask and finite."""
    points = uv.movedim(-3, -1)
    good = (mask.squeeze(-3) > 0.5) & points.isfinite().all(-1)
    return torch.where(good[..., None], points, 0).clamp(-1, 1), good


def _masked(values: Tensor, good: Tensor) -> tuple[Tensor, Tensor]:
    """Values (..., c) as a channel-first map, 0 where not good, and the mask."""
    values = torch.where(good[..., None], values, 0)
    return values.movedim(-1, -3), good.unsqueeze(-3).to(values.dtype)


def _check_maps(name: str, **maps: tuple[Tensor, int]) -> None:
    shapes = {tuple(t.shape[:-3]) + tuple(t.shape[-2:]) for t, _ in maps.values() if t.ndim >= 3}
    if len(shapes) != 1 or any(t.ndim < 3 or t.shape[-3] != c for t, c in maps.values()):
        wanted = " and ".join(f"{key} (..., {c}, h, w)" for key, (_, c) in maps.items())
        came = " and ".join(str(tuple(t.shape)) for t, _ in maps.values())
        raise InputError(f"{name} expected {wanted} of one size, got {came}.")
