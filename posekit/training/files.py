"""Files that are whole or absent: tensors and JSON written aside, then moved into place."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from posekit.errors import InputError


def write_atomic(path: str | Path, write: Callable[[Path], None]) -> Path:
    """Call ``write`` with a temporary path in the folder of ``path``, then move the result to ``path``.

    Whatever happens, ``path`` is the old file or the complete new one.  Raises InputError when it cannot be written.
    """
    path = Path(path)
    aside = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        aside = Path(name)
        write(aside)
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"Could not write {path} ({error}); check the folder and the space on its disk.") from error
    finally:
        if aside is not None:
            aside.unlink(missing_ok=True)
    return path


def write_json(path: str | Path, value: Any) -> Path:
    """Write ``value`` as indented JSON, atomically."""
    text = json.dumps(value, indent=2) + "\n"
    return write_atomic(path, lambda aside: aside.write_text(text, encoding="utf-8"))


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> Path:
    """Write tensors as safetensors, atomically; they are copied to the CPU."""
    ready = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return write_atomic(path, lambda aside: save_file(ready, aside, metadata))


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
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _hash(file)


def _hash(file: Any) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
