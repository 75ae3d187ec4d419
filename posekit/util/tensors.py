"""Tensors in files, and the hashes that tell a whole file from a damaged one."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from posekit.util.errors import InputError
from posekit.util.files import whole_file


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> Path:
    """Write tensors as safetensors, whole or not at all; they are copied to the CPU."""
    ready = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with whole_file(path, make_folder=True) as temporary:
        try:
            save_file(ready, temporary, metadata)
        except SafetensorError as error:
            raise InputError(f"Could not write {path} ({error}); check the space on its disk.") from error
    return Path(path)


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file; InputError when it is absent or corrupt."""
    if not Path(path).is_file():
        raise InputError(f"There is no file {path}; check the path.")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"{path} is not a complete safetensors file ({error}); copy it again or use another."
        ) from error


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
