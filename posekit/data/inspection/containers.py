"""What is said of files that hold others: archives, weights, pickles.  No pickle is opened, whatever it lies in."""

import json
import os
import zipfile
from pathlib import Path

from posekit.data.inspection.report import Fault, FileReport
from posekit.util.archives import DAMAGED
from posekit.util.errors import InputError

_CONVERT = "data_scripts/convert_detectron2.py"
_LARGEST_HEADER = 10_000_000  # bytes
_OTHERS = {
    "video": ("video", "Take its frames out as pictures (ffmpeg -i FILE frames/%06d.png)."),
    "HEIF": ("photograph of a telephone (HEIF)", "Export it as JPEG; no reader here takes HEIF."),
    "HDF5": ("HDF5 archive", "Take the arrays out with h5py, and save them as .npy."),
    "MATLAB": ("MATLAB archive", "Take the arrays out with scipy.io.loadmat, and save them as .npy."),
    "TensorFlow Lite": ("TensorFlow Lite network", ""),
    "PDF": ("PDF document", "Export its pictures as PNG."),
    "PostScript": ("PostScript, which is a program", "Export it as PNG elsewhere; it is not opened here."),
    "compressed": ("compressed archive", "Unpack it first."),
    "unknown": ("bytes of no format that is known here", "If it is a picture, open it elsewhere and save it as PNG."),
}


def report_other(path: str | os.PathLike, content: str) -> FileReport:
    """The report of a file that is only recognised (`posekit.data.inspection.recognise`), not read."""
    path = Path(path)
    kind, mend = _OTHERS[content]
    faults = (Fault("No reader here takes it as it is.", mend),) if mend else ()
    return FileReport(path, kind, {"size": _megabytes(path)}, faults)


def report_pickle(path: str | os.PathLike) -> FileReport:
    """The report of a pickle, which is a program: it is not opened."""
    path = Path(path)
    with open(path, "rb") as file:
        torch_file = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." in file.read(64)
    facts = {"size": _megabytes(path), "opened": "no: a pickle is a program, and loading it can run anything"}
    if torch_file:
        return FileReport(path, "PyTorch checkpoint of the old kind (a pickle)", facts, (_of_torch(),))
    fault = Fault(
        "No reader here opens a pickle.",
        f"If it is a dump of detectron2's DensePose: python {_CONVERT} {path} -o FOLDER.",
    )
    return FileReport(path, "pickle, such as detectron2 dumps", facts, (fault,))


def report_archive(path: str | os.PathLike) -> FileReport:
    """The report of a zip archive by its list of contents; `InputError` where that is damaged."""
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except DAMAGED as error:
        raise InputError(f"{path} begins as an archive and is not whole; fetch or write it again.") from error
    facts = {"size": _megabytes(path), "contents": f"{len(names)}: {', '.join(names[:6])[:150]}"}
    if any(name.endswith("data.pkl") for name in names):
        facts["opened"] = "no: it holds a pickle, and loading it can run anything"
        return FileReport(path, "PyTorch checkpoint (holds a pickle)", facts, (_of_torch(),))
    arrays = {name.removesuffix(".npy") for name in names if name.endswith(".npy")}
    if not arrays:
        return FileReport(path, "archive", facts, (Fault("No reader here looks into it.", "Unpack it first."),))
    if {"table", "inverse_part"} <= arrays:
        return FileReport(path, "table from DensePose charts to an atlas (.npz)", facts)
    if arrays == {"mirror"}:
        return FileReport(path, "mirror table of an atlas (.npz)", facts)
    if path.name == "maps.npz" and (path.parent / "person.json").is_file():
        return FileReport(path, "maps of a rendered person (.npz)", facts)
    fault = Fault("No reader here takes arrays from an archive.", "Save the map alone with numpy.save, as .npy.")
    return FileReport(path, "archive of arrays (.npz)", facts, (fault,))


def report_safetensors(path: str | os.PathLike) -> FileReport:
    """The report of weights by their header; `InputError` where that is damaged."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if length <= _LARGEST_HEADER else None
        metadata = header.pop("__metadata__", {})
        numbers = sum(_product(tensor["shape"]) for tensor in header.values())
        end = max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
        card = json.loads(metadata["posekit"]) if "posekit" in metadata else None
        who = None if card is None else f"{card['system']}, preset {card['preset']}, variant {card['variant']}"
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise InputError(f"{path} begins as safetensors and its header is damaged; fetch or write it again.") from error
    facts = {"size": _megabytes(path), "tensors": f"{len(header)}, {numbers:,} numbers"}
    facts["system"] = who or "not said: not written by posekit"
    faults = []
    if path.stat().st_size != 8 + length + end:
        faults.append(
            Fault(f"It has {path.stat().st_size} bytes, its header says {8 + length + end}.", "Fetch it again.")
        )
    if who is None:
        faults.append(Fault("It has no card of a system.", "Take weights that save_weights wrote."))
    return FileReport(path, "weights (safetensors)", facts, tuple(faults))


def _of_torch() -> Fault:
    return Fault(
        "No reader here opens a pickle.",
        "Load it where you trust it with torch.load(FILE, weights_only=True), and write safetensors.",
    )


def _product(shape: list[int]) -> int:
    total = 1
    for side in shape:
        total *= int(side)
    return total


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.2f} MB"
