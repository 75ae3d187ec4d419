"""The pictures of a result folder: checked all before the first is measured, then read one after the other."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from posekit.data.photo import open_picture, read_photo
from posekit.data.result_files import ResultFile
from posekit.util.errors import InputError

Size = tuple[int, int]  # height, width


class _Head(NamedTuple):
    height: int
    width: int
    mode: str
    format: str | None
    transparent: bool


def check_pictures(files: Sequence[ResultFile], *, strip: int = 1, sized: bool = False, one: bool = True) -> list[str]:
    """What a reader of the numbers must know: how many are grey, have transparency, or are JPEG files.

    Args:
        strip: a generated file holds so many pictures side by side.
        sized: both pictures are brought to one size later, so that theirs do not matter.
        one: a prediction has the size of its truth.

    InputError for files that are no whole picture or have more than 8 bits a channel, for strips that do not divide,
    and for sizes that differ, with how many there are and an example.  Decodes every file once.
    """
    heads: dict[Path, _Head] = {}
    damaged: dict[Path, str] = {}
    for path in dict.fromkeys(p for file in files for p in (file.prediction, file.truth)):
        try:
            picture = open_picture(path)
            seen_through = picture.has_transparency_data and picture.convert("RGBA").getextrema()[3][0] < 255
            heads[path] = _Head(picture.height, picture.width, picture.mode, picture.format, seen_through)
        except InputError as error:
            damaged[path] = str(error)
    if damaged:
        count = f"{len(damaged)} of {len(heads) + len(damaged)} pictures cannot be used"
        raise InputError(f"{count}, for example: {next(iter(damaged.values()))}")
    if deep := [path for path, head in heads.items() if head.mode.startswith(("I", "F"))]:
        raise InputError(
            f"{len(deep)} of {len(heads)} pictures have more than 8 bits a channel, for example {deep[0]}; save them "
            "as 8-bit RGB."
        )
    notes = []
    made = {file.prediction: heads[file.prediction] for file in files}
    for what, those, of in (
        ("grey: compared as three equal channels", [p for p, h in heads.items() if h.mode in ("1", "L", "LA")], heads),
        ("transparent in parts: laid over white", [p for p, h in heads.items() if h.transparent], heads),
        ("JPEG: its losses are in the numbers", [p for p, h in made.items() if h.format == "JPEG"], made),
    ):
        if those:
            noun = "pictures" if of is heads else "predictions"
            notes.append(f"{len(those)} of {len(of)} {noun}, for example {those[0].name}, are {what}")
    if uneven := [path for path, head in made.items() if head.width % strip]:
        raise InputError(
            f"{len(uneven)} of {len(made)} predictions are no strips of {strip} pictures, for example "
            f"{uneven[0].name}, {made[uneven[0]].width} pixels wide."
        )
    if not sized:
        _check_sizes(files, heads, strip, one)
    return notes


def _check_sizes(files: Sequence[ResultFile], heads: dict[Path, _Head], strip: int, one: bool) -> None:
    sizes = {file.prediction: (heads[file.prediction].height, heads[file.prediction].width // strip) for file in files}
    truths = [(heads[file.truth].height, heads[file.truth].width) for file in files]
    other = [(file, size) for file, size in zip(files, truths, strict=True) if size != sizes[file.prediction]]
    if other and one:
        file, size = other[0]
        raise InputError(
            f"{len(other)} of {len(files)} predictions have another size than their truth, for example "
            f"{file.prediction.name} with {_said(sizes[file.prediction])} pixels and its truth with {_said(size)} "
            "(height x width); bring both to one (--size)."
        )
    kinds = Counter(sizes.values()).most_common()
    if len(kinds) > 1:
        raise InputError(
            f"The predictions have {len(kinds)} sizes, for example {_said(kinds[0][0])} and {_said(kinds[-1][0])} "
            "pixels (height x width), and their numbers do not go into one mean; bring them to one (--size)."
        )


def read_result_pictures(
    files: Sequence[ResultFile], *, strip: int = 1, size: Size | None = None
) -> Iterator[tuple[ResultFile, Float[Tensor, "3 h w"], Float[Tensor, "3 h2 w2"]]]:
    """Each prediction (the last picture of its strip) and its truth, in [0, 1]; brought to ``size`` if it is given.

    By Pillow's bicubic filter, to 256 values again.
    """
    for file in files:
        image, truth = read_photo(file.prediction), read_photo(file.truth)
        image = image[..., image.shape[-1] - image.shape[-1] // strip :]
        yield file, _sized(image, size), _sized(truth, size)


def _sized(image: Tensor, size: Size | None) -> Tensor:
    if size is None or tuple(image.shape[-2:]) == size:
        return image
    pixels = (image * 255).round().byte().permute(1, 2, 0).numpy()
    resized = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1) / 255


def _said(size: Size) -> str:
    return f"{size[0]} x {size[1]}"
