"""Packed photographs on the training device: kept as the integers they are stored as, batches made there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from posekit.data.on_device import MOST_OF_A_PROCESSOR, MOST_SHARE
from posekit.data.packed import BLOCK, PackedPeople
from posekit.person import Pair


class PackedOnDevice(Sequence):
    """The pairs of ``data``, a `posekit.data.folder_pairs.FolderPairs` of packed photographs, on ``device``.

    The same bit for bit by ``[i]`` and `device_batch`.  Its numbers are compared with their hashes on the way.
    """

    def __init__(self, data: Any, device: torch.device | str) -> None:
        self.data, self.device = data, torch.device(device)
        people = data.people
        parts = [range(first, min(first + BLOCK, len(people))) for first in range(0, len(people), BLOCK)]
        blocks = [{n: t.to(device) for n, t in people.numbers(part).items()} for part in parts]
        self._numbers = {name: torch.cat([block[name] for block in blocks]) for name in blocks[0]}
        self._rows = torch.tensor([data.where(i) for i in range(len(data))])  # source, target and neighbours

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Pair:
        """Pair ``index``, on the device."""
        return self.device_batch([range(len(self))[index]])[0]

    def describe(self) -> dict[str, Any]:
        """As of the pairs that are kept here."""
        return self.data.describe()

    def device_batch(self, indices: Sequence[int]) -> Pair:
        """The pairs of these indices as one batch on the device."""
        people = []
        for rows in self._rows[torch.as_tensor(indices)].unbind(1):
            at = rows.to(self.device)
            picked = {name: numbers[at] for name, numbers in self._numbers.items()}
            people.append(self.data.people.person_of(picked, rows.tolist()))
        source, target, *others = people
        return Pair(source, target, tuple(others))


def fits_packed(data: Any, device: torch.device) -> bool:
    """Whether the photographs of ``data`` are packed, and have room on the device, twice for a moment."""
    if not isinstance(data.people, PackedPeople):
        return False
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else MOST_OF_A_PROCESSOR / MOST_SHARE
    return data.people.bytes <= MOST_SHARE * free
