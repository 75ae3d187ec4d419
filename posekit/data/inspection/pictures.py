"""What is said of a picture file: a photograph, an IUV picture, a picture of person numbers, a mask."""

import os
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image

from posekit.data.inspection.maps import looks_like_charts, report_charts
from posekit.data.inspection.report import Fault, FileReport
from posekit.data.iuv import LAST_PART
from posekit.data.names import parse_deepfashion, parse_market
from posekit.data.photo import exif_of, open_picture, read_photo
from posekit.data.studio import is_rendered_view
from posekit.util.errors import InputError

SUFFIXES = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg"), "WEBP": (".webp",), "TIFF": (".tif", ".tiff")}
_LONGEST = 200  # characters of a description that are repeated
FLAT = 8 / 255  # how much the colours of a border may differ from each other
_USUAL_SIZES = {
    (256, 256): "DeepFashion as it comes, or cropped photographs",
    (256, 176): "DeepFashion without its borders (columns 40..216): joints carry x - 40",
    (1101, 750): "DeepFashion, high resolution",
    (128, 64): "Market-1501",
    (2240, 1920): "MVC",
}


def report_picture(path: str | os.PathLike) -> FileReport:
    """The report of a picture file; `InputError` where it cannot be decoded."""
    path, picture = Path(path), open_picture(path)
    size = (picture.height, picture.width)
    if picture.mode in ("RGB", "RGBA") and picture.format != "JPEG":
        channels = np.asarray(picture)[..., :3]
        if looks_like_charts(channels):
            return _named(report_charts(path, channels, "DensePose IUV picture"), picture)
    facts = {"size": f"{size[0]} x {size[1]} (height x width)", "format": f"{picture.format}, mode {picture.mode}"}
    if picture.mode.startswith(("I", "F")) and not picture.mode.startswith("I;16") and picture.format != "PNG":
        fault = Fault("It has more than 8 bits a channel.", "Save it as 8-bit RGB.")
        return FileReport(path, "picture of large numbers", facts, (fault,))
    if picture.mode in ("1", "L", "P", "I", "I;16"):
        numbers = np.asarray(picture).astype(np.int64)
        if picture.mode != "P" or numbers.max() <= LAST_PART:
            report = _of_numbers(path, facts, numbers, picture)
            if report is not None:
                return report
    return _photograph(path, facts, picture)


def _of_numbers(path: Path, facts: dict[str, str], numbers: np.ndarray, picture: Image.Image) -> FileReport | None:
    """The report of one channel that holds numbers and no brightness; None where it is a grey photograph."""
    values = np.unique(numbers)
    if picture.mode.startswith("I") and values[-1] > 255:
        fault = Fault("It has more than 8 bits a channel.", "Save it as 8-bit RGB.")
        return FileReport(path, "picture of large numbers", facts, (fault,))
    grey = torch.from_numpy(numbers.astype(np.float32))[None, None]
    grey = (grey / max(1, int(values[-1]))).expand(1, 3, -1, -1)
    if len(values) <= 2 and (values[-1] in (255, 1)) and (picture.mode == "1" or values[-1] == 255):
        facts["values"] = f"0 and {int(values[-1])}; {(numbers > 0).mean():.1%} of the picture inside"
        return FileReport(path, "mask (silhouette)", facts, (), {"mask": grey})
    if picture.format == "JPEG" or values[-1] > LAST_PART:
        return None
    people = [int(v) for v in values if v > 0]
    facts["values"] = ", ".join(f"{v} on {(numbers == v).mean():.1%}" for v in people[:8]) or "0 everywhere"
    faults = [] if people else [Fault("It shows nobody.", "Leave the photograph out, or take another.")]
    if len(people) > 8:
        facts["people"] = "as many as numbers, or these are the parts of one"
        kind = "picture of numbers: parts (I alone), a segmentation, or persons"
        faults.append(
            Fault("A map needs U and V beside I.", "Take the *_IUV.png; a picture of parts alone is not read.")
        )
    else:
        facts["people"] = str(len(people))
        kind = "picture of person numbers (_INDS)"
        if not path.stem.lower().endswith("_inds"):
            faults.append(Fault("It is looked for under another name.", "Call it NAME_INDS.png, beside NAME_IUV.png."))
    return FileReport(path, kind, facts, tuple(faults), {"numbers": grey})


def _photograph(path: Path, facts: dict[str, str], picture: Image.Image) -> FileReport:
    image = read_photo(path)
    kind = "rendered view, with exact maps beside it" if is_rendered_view(path) else "photograph"
    faults = []
    size = (int(image.shape[1]), int(image.shape[2]))
    if size in _USUAL_SIZES:
        facts["size"] += f": the size of {_USUAL_SIZES[size]}"
    sides = _flat_borders(image)
    if sides:
        facts["borders"] = f"{sides[0]} and {sides[1]} flat columns left and right"
    facts["values"] = f"{float(image.min()):.2f}..{float(image.max()):.2f} of 1, mean {float(image.mean()):.2f}"
    damaged = _damaged_charts(picture)
    if damaged:
        kind = "IUV picture that was saved with losses, it seems"
        faults.append(
            Fault(
                "Part numbers do not survive JPEG, and the first or last channel looks like part numbers.",
                "Write the map again as a PNG.",
            )
        )
    elif float(image.max()) == 0:
        kind = "black picture"
        faults.append(Fault("All of it is black; an IUV picture of nobody is too.", "Take another photograph."))
    elif path.stem.lower().endswith(("_iuv", "_inds")):
        faults.append(
            Fault(
                "Its name says map, but no channel can hold part numbers: a coloured view, it seems.",
                "Take the *_IUV.png of DensePose with the raw values 0..24, not a drawing of it.",
            )
        )
    if exif_of(picture, ExifTags.Base.Orientation) not in (None, 0, 1):
        facts["turned"] = "by its EXIF data; readers turn it upright"
    note = "".join(c for c in str(exif_of(picture, ExifTags.Base.ImageDescription) or "") if c.isprintable()).strip()
    if note:
        facts["described as"] = note[:_LONGEST]
    if picture.has_transparency_data:
        facts["transparent"] = "in part; readers lay it over white"
    return _named(FileReport(path, kind, facts, tuple(faults), {"photograph": image[None]}), picture)


def _named(report: FileReport, picture: Image.Image) -> FileReport:
    """With what the file's name says, and where it says something else than the content."""
    facts, faults, path = dict(report.facts), list(report.faults), report.path
    try:
        name = parse_market(path.name)
        facts["name"] = f"Market-1501: identity {name.identity}, camera {name.camera}"
        if not name.is_person:
            what = "a bad detection" if name.identity < 0 else "a distractor"
            faults.append(Fault(f"Its name says {what}.", "Leave it out of training and of pairs."))
    except InputError:
        try:
            name = parse_deepfashion(path)
            facts["name"] = f"DeepFashion: {name.identity}, {name.view_name}"
        except InputError:
            pass
    expected = SUFFIXES.get(picture.format or "", ())
    if expected and path.suffix.lower() not in expected:
        facts["suffix"] = f"{path.suffix or 'none'}, but the file holds {picture.format}; readers look inside"
    return FileReport(path, report.kind, facts, tuple(faults), report.pictures)


def _flat_borders(image: torch.Tensor) -> tuple[int, int] | None:
    """How many columns at the left and the right have one colour each side; None for fewer than 8 on either."""
    counts = []
    for flipped in (image, image.flip(2)):
        same = ((flipped - flipped[:, :1, :1]).abs() <= FLAT).all(0).all(0)
        counts.append(int(torch.cumprod(same.long(), 0).sum()))
    return (counts[0], counts[1]) if min(counts) >= 8 and counts[0] < image.shape[2] else None


def _damaged_charts(picture: Image.Image) -> bool:
    """Whether a lossy picture was an IUV picture: black ground, and one outer channel nearly within 0..24."""
    if picture.mode not in ("RGB", "RGBA"):
        return False
    channels = np.asarray(picture)[..., :3].astype(int)
    if (channels.max(-1) <= 8).mean() < 0.3 or not channels.any():
        return False
    body = channels[channels.max(-1) > 8]
    for part, other in ((0, 2), (2, 0)):
        numbers, *charts = (np.percentile(body[:, k], 90) for k in (part, 1, other))
        if numbers <= 1.5 * LAST_PART and min(charts) >= 100:
            return True
    return False
