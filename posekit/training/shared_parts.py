"""Networks that two weight files have in common, stored in one of them.

Garment transfer and the target by joints begin with f of the coordinate-based system and leave it as it is: their files
name the file beside them that holds it, ``{"f": {"file": "coordinate_inpainting-laptop.safetensors", "hash": ...}}``.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from posekit.util.errors import InputError
from posekit.util.tensors import read_tensors


def part_tensors(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """The tensors of one network."""
    return {name: tensor for name, tensor in tensors.items() if name.split(".")[0] == part}


def part_hash(tensors: Mapping[str, Tensor]) -> str:
    """16 hexadecimal digits of names and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def share_part(tensors: Mapping[str, Tensor], part: str, other: Path) -> dict[str, str]:
    """The card's entry for a part that ``other`` holds, too; InputError unless it is the very same there."""
    theirs = part_tensors(read_tensors(other)[0], part)
    if not theirs or part_hash(theirs) != part_hash(part_tensors(tensors, part)):
        raise InputError(f"{other.name} holds another {part}, or none; leave shared out, and it is stored here.")
    return {"file": other.name, "hash": part_hash(theirs)}


def read_shared(card: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """The tensors that the card of the weight file ``path`` says lie in files beside it.

    Raises InputError where such a file is missing, lies elsewhere, or holds another network.
    """
    tensors: dict[str, Tensor] = {}
    shared = card.get("shared", {})
    for part, entry in shared.items() if isinstance(shared, dict) else [("", None)]:
        known = isinstance(entry, dict) and isinstance(entry.get("file"), str)
        if not known or Path(entry["file"]).name != entry["file"]:
            raise InputError(f"The card of {path} does not say which file beside it holds what it shares: {shared!r}.")
        other = path.with_name(entry["file"])
        if not other.is_file():
            raise InputError(f"{path.name} shares {part} with {other.name}, which must lie beside it; copy both.")
        theirs = part_tensors(read_tensors(other)[0], part)
        if part_hash(theirs) != entry.get("hash"):
            raise InputError(f"{other.name} holds another {part} than {path.name} needs; take both of one version.")
        tensors |= theirs
    return tensors
