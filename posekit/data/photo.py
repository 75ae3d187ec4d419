"""Photographs: any picture file that Pillow reads, as an RGB tensor in [0, 1]."""

import logging
import os
import re
import struct
import warnings
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import ExifTags, Image, ImageOps
from torch import Tensor

from posekit.util.errors import InputError
from posekit.util.files import whole_file

log = logging.getLogger(__name__)

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")  # others would run programs (EPS: Ghostscript)
# what Pillow raises for damaged EXIF data
_DAMAGED = (SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, OSError, struct.error)
MOST_PIXELS = 50_000_000  # of a picture: its colours as float32 are 600 MB


def open_picture(path: str | os.PathLike) -> Image.Image:
    """A fully decoded picture, its format recognised by content: a ``.jpg`` name may hold a PNG.

    Raises `InputError`, one sentence, for a file that is missing, a folder, unreadable, no picture, or cut short.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"There is no file {path}; check the path.")
    if path.is_dir():
        raise InputError(f"{path} is a folder, a picture file was expected; name one file in it.")
    if not path.is_file():
        raise InputError(f"{path} is a device or a pipe, not a file; save the picture to a file.")
    try:
        with warnings.catch_warnings(record=True) as heard:  # Pillow's own words would reach the terminal unasked
            warnings.simplefilter("always")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with open(path, "rb") as file:
                picture = Image.open(file, formats=FORMATS)
                if picture.width * picture.height > MOST_PIXELS:  # before anything is decoded
                    raise Image.DecompressionBombError(f"{picture.width} x {picture.height} pixels")
                picture.load()
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:  # Pillow raises each of these
        raise InputError(
            f"{path} could not be read as a picture ({_first_line(error)}); expected a whole PNG or JPEG file."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{path} is too large to be a photograph ({_first_line(error)}); scale it down.") from error
    for warning in heard:
        log.warning("%s: %s.", path, str(warning.message).strip().rstrip("."))
    return picture


def read_photo(path: str | os.PathLike) -> Float[Tensor, "3 h w"]:
    """A photograph as RGB in [0, 1]: turned upright by its EXIF orientation, transparency laid over white.

    Where the EXIF data is damaged, the picture is taken as it lies, and a warning logged.  Raises `InputError` as
    `open_picture` does, and for pictures of more than 8 bits a channel.
    """
    picture = open_picture(path)
    try:
        with warnings.catch_warnings(record=True):  # said by open_picture
            warnings.simplefilter("always")
            picture = ImageOps.exif_transpose(picture)
    except _DAMAGED as error:
        log.warning("%s: its EXIF data is damaged (%s), so it is not turned upright.", path, _first_line(error))
    if picture.mode.startswith(("I", "F")):
        raise InputError(f"{path} has more than 8 bits a channel (mode {picture.mode}); save it as 8-bit RGB.")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    pixels = np.asarray(picture.convert("RGB"), dtype=np.float32)
    return torch.from_numpy(pixels / 255).permute(2, 0, 1).contiguous()


def write_photo(path: str | os.PathLike, image: Float[Tensor, "3 h w"], *, note: str = "") -> None:
    """Write RGB in [0, 1] (values outside are clipped) as an 8-bit picture, whole or not at all.

    note: a sentence that the file carries as its description (EXIF), for whoever meets the picture later.
    The suffix of ``path`` chooses the format.  Raises `InputError` for an unknown suffix, an image with NaN,
    a folder that cannot be written to, and a full disk.
    """
    path = check_picture_name(path)
    if not bool(torch.isfinite(image).all()):
        raise InputError(f"The picture for {path} holds NaN or infinite values; it was not written.")
    pixels = (image.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    exif = Image.Exif()
    if note:
        exif[ExifTags.Base.ImageDescription] = note
    with whole_file(path) as temporary:
        # the quality is that of JPEG; PNG has no losses
        Image.fromarray(np.ascontiguousarray(pixels)).save(temporary, quality=95, **({"exif": exif} if note else {}))


def exif_of(picture: Image.Image, entry: ExifTags.Base) -> object:
    """One entry of a picture's EXIF data; None where it is missing or the data are damaged."""
    try:
        with warnings.catch_warnings():  # said by open_picture
            warnings.simplefilter("ignore")
            return picture.getexif().get(entry)
    except _DAMAGED:
        return None


def check_picture_name(path: str | os.PathLike) -> Path:
    """The path of a picture to write; `InputError` when its suffix is none of `PICTURES`."""
    path = Path(path)
    if path.suffix.lower() not in PICTURES:
        raise InputError(f"The name {path.name!r} does not say which picture to write; end it in {PICTURES[0]}.")
    return path


def _first_line(error: Exception) -> str:
    text = re.sub(r" <_io\.[^>]*>", "", str(error)) or type(error).__name__  # Pillow names the object it read from
    return text.splitlines()[0].rstrip(".")
