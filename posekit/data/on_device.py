"""Rendered people on the training device: kept as the integers they are stored as, batches made there.

Decoding, converting and stacking a batch on the processor takes longer than a GPU needs to train on it.  A data set of
a few thousand photographs fits into its memory as integers, 11 bytes a pixel; then a batch is three kernels away.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from posekit.ops.grids import points_to_norm
from posekit.person import Pair, Person
from posekit.studio.body.head_atlas import onto_head
from posekit.studio.body.surface_tables import part_labels
from posekit.studio.body.unfolded import unfolded
from posekit.studio.generate import UV_STEPS, atlas_of
from posekit.util.errors import InputError

BYTES = 11  # a pixel: image 3, uv 4 (two int16), part 1, masks 3 while they are read
MOST_SHARE = 0.4  # of a GPU's memory that is free
MOST_OF_A_PROCESSOR = 2 * 2**30  # bytes, as many as a data set keeps decoded anyway
_MASKS = ("head", "hair", "hands")  # bit 0, 1, 2 of one byte


class DevicePairs(Sequence[Pair]):
    """The pairs of ``data``, a `StudioPeople`, on ``device``, the same bit for bit by ``[i]`` and `device_batch`.

    Raises InputError for data whose maps are spoilt anew for each reading (``noise``), which has no integers to keep.
    """

    def __init__(self, data: Any, device: torch.device | str):
        if data.noise is not None:
            raise InputError(
                "Data with the noise of an estimator is made for each reading; it cannot wait on a device."
            )
        self.data, self.device = data, torch.device(device)
        views, (h, w) = data.card.views, data.card.size
        n = len(data.numbers) * views
        self._image = torch.empty(n, 3, h, w, dtype=torch.uint8, device=device)
        self._uv = torch.empty(n, 2, h, w, dtype=torch.int16, device=device)  # bits of uint16, which torch cannot add
        self._part, self._bits = (torch.empty(n, 1, h, w, dtype=torch.uint8, device=device) for _ in range(2))
        points, visibility = [], []
        for i in range(len(data.numbers)):
            for row, shot in enumerate(data.shots(i), start=i * views):
                bits = sum(getattr(shot, name).astype(np.uint8) << bit for bit, name in enumerate(_MASKS))
                self._image[row].copy_(_tensor(shot.image.transpose(2, 0, 1)))
                self._uv[row].copy_(_tensor(shot.uv.transpose(2, 0, 1).view(np.int16)))
                self._part[row].copy_(_tensor(shot.part[None]))
                self._bits[row].copy_(_tensor(bits[None]))
                points.append(points_to_norm(_tensor(shot.keypoints - 0.5, np.float32), (h, w)))
                visibility.append(_tensor(shot.visibility, np.int64))
        self._points, self._visibility = (torch.stack(x).to(device) for x in (points, visibility))
        where = [data.where(i) for i in range(len(data))]
        rows = [[i * views + view for view in (s, t, *data.others(i, s, t))] for i, s, t in where]
        self._rows = torch.tensor(rows)  # source, target and neighbours of every pair
        self._charts, self._labels = (torch.from_numpy(x).to(device) for x in (unfolded(), part_labels()))
        self._white = torch.tensor(255.0, device=device)  # a number would be turned into a product on a GPU

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Pair:
        """Pair ``index``, on the device."""
        self.data.where(index)  # IndexError
        return self.device_batch([int(index) % len(self)])[0]

    def describe(self) -> dict[str, Any]:
        """As `StudioPeople.describe`."""
        return self.data.describe()

    def device_batch(self, indices: Sequence[int]) -> Pair:
        """The pairs of these indices as one batch on the device."""
        source, target, *others = map(self._people, self._rows[torch.as_tensor(indices)].unbind(1))
        return Pair(source, target, tuple(others))

    def _people(self, rows: Tensor) -> Person:
        """What `to_person` makes of these photographs, stacked."""
        at = rows.to(self.device)
        part = self._part[at].long()
        uv = (self._uv[at].int() & 0xFFFF).float() * float(np.float32(2 / UV_STEPS)) - 1
        chart = self._chart_at(uv, part)
        if self.data.card.set == "face":
            uv, part = onto_head(uv, part)
            chart = chart * (part > 0)
        mask = (part > 0).float()
        bits = self._bits[at]
        masks = {name: (bits >> bit & 1).float() for bit, name in enumerate(_MASKS)}
        seed, views = self.data.card.seed, self.data.card.views
        who = [(self.data.numbers[row // views], row % views) for row in rows.tolist()]
        return Person(
            image=self._image[at].float() / self._white,
            uv=uv * mask,
            mask=mask,
            part=part,
            chart=chart,
            keypoints=self._points[at],
            visibility=self._visibility[at],
            **masks,
            identity=tuple(f"studio-{seed}-{number}" for number, _ in who),
            name=tuple(f"studio-{seed}-{number}-{view}" for number, view in who),
            atlas=(atlas_of(self.data.card.set),) * len(who),
        )

    def _chart_at(self, uv: Tensor, part: Tensor) -> Tensor:
        """As `posekit.studio.body.unfolded.chart_at`, the same operations in the same order."""
        size, part = len(self._labels), part[:, 0]
        x, y = ((((axis + 1) * size) - 1) / 2 for axis in uv.unbind(1))
        left, above = x.floor(), y.floor()
        fx, fy = x - left, y - above
        total, weight = torch.zeros_like(uv), torch.zeros_like(x)
        for down in (0, 1):
            for across in (0, 1):
                column, row = (left + across).clamp(0, size - 1).long(), (above + down).clamp(0, size - 1).long()
                w = (fx if across else 1 - fx) * (fy if down else 1 - fy)
                w = torch.where((self._labels[row, column] == part) & (part > 0), w, 0)
                total += w[:, None] * self._charts[:, row, column].movedim(0, 1)
                weight += w
        return total / torch.where(weight > 0, weight, 1)[:, None]


def fits(data: Any, device: torch.device) -> bool:
    """Whether the photographs of ``data`` can be kept there: no noise, and room for them."""
    h, w = data.card.size
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else MOST_OF_A_PROCESSOR / MOST_SHARE
    return data.noise is None and len(data.numbers) * data.card.views * h * w * BYTES <= MOST_SHARE * free


def _tensor(array: np.ndarray, kind: Any = None) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, kind))
