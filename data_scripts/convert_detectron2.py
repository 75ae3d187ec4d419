"""Turn a dump of detectron2's DensePose (apply_net.py dump) into IUV pictures, without running anything that it holds.

    python data_scripts/convert_detectron2.py results.pkl --photos photos -o maps

A dump is a pickle, and a pickle is a program: loading one runs every function that it names, such as one that deletes
files or fetches others.  So the script first reads the dump's instructions without carrying them out and prints every
name in them; then it loads with a reader that knows tensors, arrays, plain containers and DensePose's own result, for
which it has a stand-in (neither detectron2 nor its DensePose is needed), and refuses every other name.

Writes for each photograph of the dump NAME_IUV.png, channels as DensePose writes them, U and V = floor(255 * value);
where it shows several people also NAME_INDS.png with their numbers, the best score first and on top.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import pickletools
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from PIL import Image

from posekit.data.iuv import LAST_PART
from posekit.data.photo import open_picture
from posekit.util.errors import InputError
from posekit.util.files import whole_file

MOST_BYTES = 20 * 2**30
RESULT = "densepose.structures.chart_result.DensePoseChartResult"


class ChartResult:
    """Stands for DensePose's result of one person: ``labels`` (h, w), ``uv`` (2, h, w), inside the person's box."""

    def __init__(self, labels: Any = None, uv: Any = None) -> None:
        self.labels, self.uv = labels, uv


def _bytes_as_tensor(content: bytes) -> Any:
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


HARMLESS = {
    RESULT: ChartResult,
    f"{RESULT}WithConfidences": ChartResult,
    "collections.OrderedDict": dict,
    "builtins.dict": dict,
    "builtins.list": list,
    "builtins.tuple": tuple,
    "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
    "torch.storage._load_from_bytes": _bytes_as_tensor,
    "torch.device": torch.device,
    "numpy.dtype": np.dtype,
    "numpy.ndarray": np.ndarray,
    "numpy.core.multiarray._reconstruct": np._core.multiarray._reconstruct,
    "numpy._core.multiarray._reconstruct": np._core.multiarray._reconstruct,
    "numpy.core.multiarray.scalar": np._core.multiarray.scalar,
    "numpy._core.multiarray.scalar": np._core.multiarray.scalar,
}
OF_TORCH = ("torch._utils._rebuild_", "torch.", "collections.OrderedDict")  # names of a file that torch.save wrote


class _Careful(pickle.Unpickler):
    """Loads the names of `HARMLESS` and no other."""

    def find_class(self, module: str, name: str) -> Any:
        return HARMLESS.get(f"{module}.{name}") or _refuse(f"{module}.{name}")


def _refuse(name: str) -> Any:
    raise InputError(
        f"The dump asks to run {name}, which a dump of DensePose never needs; it was not loaded, so make it again."
    )


def names_in(program: bytes) -> list[str]:
    """Every module.name that a pickle would import, found by reading its instructions and carrying out none."""
    names, strings, memo = set(), [], {}
    try:
        for instruction, value, _ in pickletools.genops(program):
            kind = instruction.name
            if kind in ("GLOBAL", "INST"):
                names.add(str(value).replace(" ", "."))
            elif kind == "STACK_GLOBAL":
                names.add(".".join(strings[-2:]) or "?")
            elif kind == "MEMOIZE":
                memo[len(memo)] = strings[-1] if strings else ""
            elif kind in ("BINPUT", "LONG_BINPUT", "PUT"):
                memo[int(value)] = strings[-1] if strings else ""
            elif kind in ("BINGET", "LONG_BINGET", "GET"):
                strings.append(memo.get(int(value), "?"))
            elif isinstance(value, str):
                strings.append(value)
    except (ValueError, IndexError, AttributeError, UnicodeError) as error:
        raise InputError(f"It is no whole pickle ({error}); make the dump again.") from error
    return sorted(names)


def load_dump(path: Path) -> list[dict[str, Any]]:
    """The list of a dump, one dict a photograph.  Raises InputError for another file, and for forbidden names."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path} is larger than {MOST_BYTES / 2**30:.0f} GiB; dump fewer photographs at a time.")
        zipped = zipfile.is_zipfile(path)
        program = _program_of(path) if zipped else path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} could not be read ({error.strerror}); check the path.") from error
    names = names_in(program)
    print(f"{path} is a pickle, a program; it names {', '.join(names) or 'nothing'}")
    for name in names:
        if name not in HARMLESS and not (zipped and name.startswith(OF_TORCH) and name.endswith("Storage")):
            _refuse(name)
    try:
        if zipped:
            stands = [(ChartResult, RESULT), (ChartResult, f"{RESULT}WithConfidences")]
            with torch.serialization.safe_globals(stands):
                dump = torch.load(path, map_location="cpu", weights_only=True)
        else:
            dump = _Careful(io.BytesIO(program)).load()
    except InputError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(f"{path} could not be loaded ({reason}); make the dump again.") from error
    if not isinstance(dump, list) or not all(isinstance(entry, dict) and "file_name" in entry for entry in dump):
        raise InputError(f"{path} is no dump of DensePose; expected a list of dicts with file_name and pred_densepose.")
    return dump


def _program_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        inner = [name for name in archive.namelist() if name.endswith("data.pkl")]
        if len(inner) != 1:
            raise InputError(f"{path} is an archive without a pickle; give the file that apply_net.py dump wrote.")
        return archive.read(inner[0])


def pictures_of(entry: dict[str, Any], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(IUV, who) of one photograph of (height, width): ``h w 3`` as V, U, I, and ``h w`` person numbers, 0 nobody."""
    h, w = size
    iuv, who = np.zeros((h, w, 3), np.uint8), np.zeros((h, w), np.uint8)
    results = list(entry.get("pred_densepose") or [])
    scores = np.asarray(entry.get("scores", np.zeros(len(results))), dtype=float).reshape(-1)
    boxes = np.asarray(entry.get("pred_boxes_XYXY", np.zeros((len(results), 4))), dtype=float).reshape(-1, 4)
    if not len(results) == len(scores) == len(boxes):
        raise InputError(
            f"{entry['file_name']}: {len(results)} results, {len(scores)} scores and {len(boxes)} boxes; make it again."
        )
    for number, index in reversed(list(enumerate(np.argsort(-scores, kind="stable")[:255], start=1))):
        labels, uv = (np.asarray(getattr(results[index], name, None)) for name in ("labels", "uv"))
        if labels.ndim != 2 or uv.shape != (2, *labels.shape) or labels.max(initial=0) > LAST_PART:
            raise InputError(f"{entry['file_name']}: a result has no labels (h, w) with uv (2, h, w); make it again.")
        x0, y0 = (int(side) for side in boxes[index, :2])
        rows, columns = slice(max(0, -y0), h - y0), slice(max(0, -x0), w - x0)  # what lies inside the photograph
        part, chart = labels[rows, columns], np.floor(255 * np.clip(uv[:, rows, columns], 0, 1))
        top, left = max(0, y0), max(0, x0)
        there = np.s_[top : top + part.shape[0], left : left + part.shape[1]]
        body = part > 0
        iuv[there][body] = np.stack([chart[1], chart[0], part], -1)[body].astype(np.uint8)
        who[there][body] = number
    return iuv, who


def convert(dump: Path, photos: Path, out: Path) -> list[Path]:
    """The pictures that were written.  photos: the folder of the photographs, whose sizes are not in the dump."""
    entries = load_dump(dump)
    written = []
    for entry in entries:
        photo = _photo_of(str(entry["file_name"]), photos)
        with open_picture(photo) as picture:
            size = (picture.height, picture.width)
        iuv, who = pictures_of(entry, size)
        name = photo.relative_to(photos).with_suffix("")
        several = [(who, "INDS")] if who.max(initial=0) > 1 else []
        for pixels, ending in ((iuv, "IUV"), *several):
            place = out / f"{name}_{ending}.png"
            with whole_file(place, make_folder=True) as temporary:
                Image.fromarray(pixels).save(temporary)
            written.append(place)
    return written


def _photo_of(file_name: str, photos: Path) -> Path:
    """The photograph in the folder with the longest end of this path: folders in front of it may have changed."""
    parts = [part for part in PurePosixPath(file_name.replace(os.sep, "/")).parts if part not in ("/", "..", ".")]
    for first in range(len(parts)):
        place = photos.joinpath(*parts[first:])
        if place.is_file():
            return place
    raise InputError(f"{photos} has no photograph {parts[-1] if parts else file_name!r}; give its folder by --photos.")


def main(arguments: list[str] | None = None) -> None:
    """Convert, and say how many pictures there are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photographs")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder to write")
    args = parser.parse_args(arguments)
    written = convert(args.dump, args.photos, args.out)
    print(f"{len(written)} pictures in {args.out}; look at them: posekit inspect {written[0] if written else ''}")


if __name__ == "__main__":
    main()
