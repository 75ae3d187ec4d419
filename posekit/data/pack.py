"""Pack photographs with their maps and joints once, so that training reads integers instead of decoding files.

    OUT/packing.json            what is being packed, and the hash of each finished block of photographs
    OUT/image.npy, uv.npy, ...  written in place, block by block
    OUT/pack.json               the card, written last: a folder that has it is whole

Killed at any moment, the same command goes on after the last block whose hash was written; everything before is
compared with its hash first.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from posekit.data.packed import BLOCK, CARD, VERSION, PackedPeople, block_hash, encode
from posekit.data.photo_folder import TrainingFolder
from posekit.data.smpl_atlas import open_array
from posekit.util.errors import InputError
from posekit.util.files import alone_in, to_disk, whole_file, write_json
from posekit.util.reading import read_bytes, read_json

STATE = "packing.json"
LISTS = "*pairs*.csv"  # are copied beside the numbers, so that they are found there too


def pack_people(
    folders: Sequence[TrainingFolder], out: str | os.PathLike, *, fresh: bool = False, progress: bool = False
) -> PackedPeople:
    """Pack the photographs of these folders, of one size and atlas, into ``out``; what was packed before is kept.

    fresh: begin again, whatever ``out`` holds of another packing.  Of photographs with one name the first is taken.
    Raises InputError for folders that do not go together, and for an ``out`` that holds something else.
    """
    out, rows = Path(out), _rows(folders)
    with alone_in(out):
        plan = _plan(folders, rows)
        hashes = _finished(out, plan, fresh)
        if hashes is None:
            return PackedPeople(out)
        _write_blocks(folders, rows, out, plan, hashes, progress)
        for root in dict.fromkeys(folder.root for folder in folders):
            for path in sorted(root.glob(LISTS)):
                if path.resolve().parent != out.resolve():
                    content = _content_of(path)
                    with whole_file(out / path.name) as temporary:
                        temporary.write_bytes(content)
        kept = {name: plan[name] for name in ("version", "size", "atlas", "names", "identities", "shapes")}
        write_json(out / CARD, {**kept, "hashes": hashes, "plan": _digest(plan)})
        (out / STATE).unlink(missing_ok=True)
    return PackedPeople(out)


def _content_of(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError as error:
        raise InputError(f"{path} could not be read ({error.strerror}); take it out of the folder.") from error


def _rows(folders: Sequence[TrainingFolder]) -> list[tuple[int, int]]:
    """(folder, number in it) of every photograph that is packed."""
    if not folders or len({(folder.size, folder.atlas) for folder in folders}) > 1:
        raise InputError("Only photographs of one size, with maps of one atlas, are packed together; pack them apart.")
    first: dict[str, tuple[int, int]] = {}
    for number, folder in enumerate(folders):
        for index, name in enumerate(folder.names):
            first.setdefault(name, (number, index))
    return list(first.values())


def _plan(folders: Sequence[TrainingFolder], rows: list[tuple[int, int]]) -> dict[str, Any]:
    """All that decides the numbers: what two packings must have in common so that one goes on with the other."""
    number, index = rows[0]
    example = encode(folders[number][index])
    stats = [os.stat(folders[n].root / folders[n].names[i]) for n, i in rows]
    return {
        "version": VERSION,
        "size": list(folders[0].size),
        "atlas": folders[0].atlas,
        "names": [folders[n].names[i] for n, i in rows],
        "identities": [folders[n].identities[i] for n, i in rows],
        "shapes": {name: list(value.shape) for name, value in example.items()},
        "files": hashlib.sha256(repr([(s.st_size, s.st_mtime_ns) for s in stats]).encode()).hexdigest(),
        "people": [folder.describe() for folder in folders],
    }


def _digest(plan: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def _finished(out: Path, plan: dict[str, Any], fresh: bool) -> list[str] | None:
    """Hashes of the blocks that are whole already; None where all are, and the card is written."""
    ours = {STATE, CARD, ".lock", *(f"{name}.npy" for name in plan["shapes"])}
    others = [p.name for p in out.iterdir() if p.name not in ours and not (p.suffix in (".npy", ".csv") and (
        (out / CARD).is_file() or (out / STATE).is_file()))]  # fmt: skip
    if others:
        raise InputError(f"{out} holds other files ({others[0]}); name an empty folder.")
    states = [path for path in (out / CARD, out / STATE) if path.is_file()]
    if not states or fresh:
        for path in states:
            path.unlink()
        return []
    try:
        state = read_json(states[0])
        same, hashes = state["plan"] == _digest(plan), list(state["hashes"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{states[0]} is damaged; begin again with --fresh.") from error
    if not same:
        raise InputError(f"{out} holds other photographs, or these in another form; name another, or --fresh.")
    return None if states[0].name == CARD else hashes


def _write_blocks(
    folders: Sequence[TrainingFolder],
    rows: list[tuple[int, int]],
    out: Path,
    plan: dict[str, Any],
    hashes: list[str],
    progress: bool,
) -> None:
    """Write what is missing; ``hashes`` grows by one for each block that is on the disk."""
    number, index = rows[0]
    kinds = {name: value.dtype for name, value in encode(folders[number][index]).items()}
    arrays = {}
    for name, shape in plan["shapes"].items():
        path, whole = out / f"{name}.npy", (len(rows), *shape)
        if path.is_symlink():  # what it points to is not ours
            raise InputError(f"{path} is a link; remove it, or name another folder.")
        if hashes and path.is_file():
            if open_array(path).shape != whole:
                raise InputError(f"{path} is not what was being packed; begin again with --fresh.")
            arrays[name] = np.load(path, mmap_mode="r+", allow_pickle=False)
        else:
            arrays[name] = np.lib.format.open_memmap(path, "w+", kinds[name], whole)
    for block, expected in enumerate(hashes):
        if block_hash(arrays, block) != expected:
            del hashes[block:]  # from there on it is written again
            break
    blocks = range(len(hashes), -(-len(rows) // BLOCK))
    with tqdm(total=len(rows), initial=len(hashes) * BLOCK, desc="pack", disable=not progress) as bar:
        for block in blocks:
            for row in range(block * BLOCK, min((block + 1) * BLOCK, len(rows))):
                number, index = rows[row]
                numbers = encode(folders[number][index])
                if set(numbers) != set(arrays):
                    differ = ", ".join(sorted(set(numbers) ^ set(arrays)))
                    raise InputError(
                        f"{folders[number].names[index]} differs in {differ} from the first photograph; pack those "
                        "with joints, with maps and with both apart."
                    )
                for name, value in numbers.items():
                    arrays[name][row] = value
                bar.update()
            for name, array in arrays.items():
                array.flush()
                to_disk(out / f"{name}.npy")
            hashes.append(block_hash(arrays, block))
            write_json(out / STATE, {"plan": _digest(plan), "hashes": hashes})
