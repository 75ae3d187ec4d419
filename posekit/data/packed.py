"""Photographs that `posekit pack` has packed: memory-mapped integers, from which people come whole, one or a batch.

A packed folder holds ``pack.json`` (names, size, atlas, hashes) and one ``.npy`` file a field, row i for photograph i:

| file       | numbers      | meaning |
|------------|--------------|---------|
| image      | uint8 3 h w  | 255 times the colour, rounded |
| mask, part | uint8 1 h w  | as they are |
| chart      | uint8 2 h w  | 255 times (U, V), which loses nothing: DensePose stores them so |
| uv         | uint16 2 h w | (u + 1) 32767, rounded; not stored for the tile atlas: it follows from part and chart |
| keypoints  | float32 18 2 | as they are |
| visibility | uint8 18     | as it is |
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from posekit.data.chart_tiles import charts_to_tiles
from posekit.data.smpl_atlas import open_array
from posekit.person import Person
from posekit.util.errors import InputError
from posekit.util.reading import read_json

CARD = "pack.json"
VERSION = 1
BLOCK = 64  # photographs that share a hash
_STEPS = 32767.0
_KINDS = {
    "image": np.uint8, "mask": np.uint8, "part": np.uint8, "chart": np.uint8, "uv": np.uint16,
    "keypoints": np.float32, "visibility": np.uint8,
}  # fmt: skip
_ADVICE = "pack the photographs again: posekit pack --fresh"


def encode(person: Person) -> dict[str, np.ndarray]:
    """The numbers of one photograph, by the names of the files."""
    fields = {
        "image": person.image * 255,
        "mask": person.mask,
        "part": person.part,
        "chart": None if person.chart is None else person.chart * 255,
        "uv": None if person.uv is None or person.atlas == "tiles" else (person.uv + 1) * _STEPS,
        "keypoints": person.keypoints,
        "visibility": person.visibility,
    }
    made = {name: value.numpy() for name, value in fields.items() if value is not None}
    return {
        name: value.astype(_KINDS[name]) if name == "keypoints" else np.rint(value).astype(_KINDS[name])
        for name, value in made.items()
    }


def _decode(numbers: Mapping[str, Tensor], atlas: str) -> dict[str, Tensor]:
    """The fields of a batch of people, on the device where the numbers are; the same bit for bit on each."""
    white = torch.tensor(255.0, device=numbers["image"].device)  # a number would become a product on a GPU
    fields = {"image": numbers["image"].float() / white}
    if "mask" in numbers:
        fields["mask"] = numbers["mask"].float()
    if "part" in numbers:
        fields["part"] = numbers["part"].long()
        fields["chart"] = numbers["chart"].float() / white
    if "uv" in numbers:
        steps = torch.tensor(_STEPS, device=white.device)
        fields["uv"] = ((numbers["uv"].int() & 0xFFFF).float() / steps - 1) * fields["mask"]
    elif atlas == "tiles" and "part" in fields:
        fields["uv"] = charts_to_tiles(fields["part"], fields["chart"])
    if "keypoints" in numbers:
        fields |= {"keypoints": numbers["keypoints"].float(), "visibility": numbers["visibility"].long()}
    return fields


def block_hash(arrays: Mapping[str, np.ndarray], block: int) -> str:
    """SHA-256 of the rows of one block in all files, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name][block * BLOCK : (block + 1) * BLOCK]))
    return digest.hexdigest()


class PackedPeople(Sequence):
    """The photographs of a packed folder, in its order; ``names``, ``identities``, ``size`` and ``atlas`` as of others.

    Each block of 64 photographs is compared with its hash when it is first read.  Raises `InputError`, one sentence,
    for folders that are not packed, not finished, or damaged.
    """

    def __init__(self, root: str | os.PathLike) -> None:
        self.root = Path(root)
        card = _read_card(self.root)
        self.names, self.identities = tuple(card["names"]), tuple(card["identities"])
        self.size, self.atlas = (card["size"][0], card["size"][1]), card["atlas"]
        self._hashes, self._seen = card["hashes"], set()
        self._arrays = {name: open_array(self.root / f"{name}.npy") for name in card["shapes"]}
        for name, array in self._arrays.items():
            expected = (len(self.names), *card["shapes"][name])
            if array.shape != expected or array.dtype != _KINDS[name]:
                raise InputError(
                    f"{self.root / f'{name}.npy'} holds {array.shape} {array.dtype}, its card says {expected} "
                    f"{np.dtype(_KINDS[name])}; {_ADVICE}."
                )

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Person:
        """Photograph ``index``."""
        return self.batch([range(len(self))[index]])[0]

    @property
    def bytes(self) -> int:
        """Of all its numbers."""
        return sum(array.nbytes for array in self._arrays.values())

    def batch(self, rows: Sequence[int]) -> Person:
        """Several photographs as a batch."""
        return self.person_of(self.numbers(rows), rows)

    def numbers(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """The stored numbers of some photographs, checked; uv as int16 of the same bits, which torch can copy."""
        self._check({row // BLOCK for row in rows})
        picked = {name: np.ascontiguousarray(array[list(rows)]) for name, array in self._arrays.items()}
        return {n: torch.from_numpy(a.view(np.int16) if a.dtype == np.uint16 else a) for n, a in picked.items()}

    def person_of(self, numbers: Mapping[str, Tensor], rows: Sequence[int]) -> Person:
        """The people of the stored numbers of these rows, wherever they are."""
        words = {"identity": tuple(self.identities[r] for r in rows), "name": tuple(self.names[r] for r in rows)}
        atlas = self.atlas if "mask" in numbers else ""
        return Person(**_decode(numbers, self.atlas), **words, atlas=(atlas,) * len(rows))

    def describe(self) -> dict[str, Any]:
        """What a card says about the photographs; equal descriptions mean equal numbers."""
        whole = hashlib.sha256("".join(self._hashes).encode()).hexdigest()[:16]
        return {"packed": whole, "photographs": len(self), "atlas": self.atlas}

    def verify(self) -> None:
        """Compare every block with its hash; InputError for the first that differs."""
        self._check(range(len(self._hashes)))

    def _check(self, blocks: Iterable[int]) -> None:
        for block in blocks:
            if block in self._seen:
                continue
            if block_hash(self._arrays, block) != self._hashes[block]:
                first = block * BLOCK
                raise InputError(
                    f"{self.root}: the photographs {first} to {first + BLOCK - 1} are not those that were packed; "
                    f"{_ADVICE}."
                )
            self._seen.add(block)


def _goes_together(shapes: dict[str, list[int]], size: list[int]) -> bool:
    """Whether these files make people of a size."""
    maps = {"mask": 1, "part": 1, "chart": 2, "uv": 2}
    expected = {"image": [3, *size], "keypoints": [18, 2], "visibility": [18]}
    expected |= {name: [channels, *size] for name, channels in maps.items()}
    return (
        "image" in shapes
        and all(name in expected and shape == expected[name] for name, shape in shapes.items())
        and ("part" in shapes) == ("chart" in shapes)
        and ("keypoints" in shapes) == ("visibility" in shapes)
        and ("mask" in shapes or not set(maps) & set(shapes))
    )


def _read_card(root: Path) -> dict[str, Any]:
    path = root / CARD
    try:
        card = read_json(path)
        count = len(card["names"])
        usable = (
            card["version"] == VERSION
            and len(card["identities"]) == count
            and all(isinstance(card[key], list) for key in ("names", "identities", "hashes"))
            and all(isinstance(word, str) for word in (*card["names"], *card["identities"], *card["hashes"]))
            and len(card["hashes"]) == -(-count // BLOCK)
            and [type(side) for side in card["size"]] == [int, int]
            and isinstance(card["atlas"], str)
            and _goes_together(card["shapes"], card["size"])
        )
    except FileNotFoundError as error:
        raise InputError(f"{root} is no packed folder, or not finished; run posekit pack again, it goes on.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is damaged; {_ADVICE}.") from error
    if not usable:
        raise InputError(f"{path} is of another version, or damaged; {_ADVICE}.")
    return card
