"""Surface maps in the SMPL atlas, as the authors of coordinate-based texture inpainting store them.

A ``.npy`` array of shape (h, w, 2), float32 or float64: x = 2 u - 1 and y = 1 - 2 v of the SMPL texture, whose v
points up, so that y points down as everywhere in this library; NaN off the body.
"""

import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from posekit.data.photo import MOST_PIXELS
from posekit.ops.surface import ChartTable
from posekit.util.archives import DAMAGED
from posekit.util.cache import cache_dir
from posekit.util.errors import InputError

TABLE_FILE, MIRROR_FILE = "smpl_atlas.npz", "smpl_mirror.npz"  # in `cache_dir`, made by the data script
SCRIPT = "data_scripts/build_smpl_atlas_table.py"
ENOUGH = 100  # body pixels: fewer may all lie in one quarter of the atlas
BACKGROUND = 0.05  # a value that more than this share of the pixels hold is no surface
TOLERANCE = 1e-3  # how far rounding may carry a value beyond [-1, 1]; an eighth of a texel of a 256 texture


def read_smpl_atlas(path: str | os.PathLike) -> tuple[Float[Tensor, "2 h w"], Float[Tensor, "1 h w"]]:
    """Read a map as (uv, mask): uv in [-1, 1] with v down and 0 off the body, mask 1 on the body.

    No NaN leaves this function: a pixel with NaN in either channel is off the body.  Raises `InputError` for a file
    that is missing, cut short, of another shape or type, out of range, in [0, 1] as SMPL's own (u, v) are, or with a
    background of one value in place of NaN; arrays of Python objects are refused without being loaded, because loading
    them runs code from the file.
    """
    array = open_array(path)
    if array.size > 2 * MOST_PIXELS:
        raise InputError(f"{path} has shape {array.shape}, too large for a map of a photograph; scale it down.")
    if array.ndim != 3 or array.shape[2] != 2 or 0 in array.shape:
        hint = "; its channels come first, transpose it" if array.ndim == 3 and array.shape[0] == 2 else ""
        raise InputError(f"{path} has shape {array.shape}; a surface map has shape (h, w, 2){hint}.")
    if array.dtype.kind != "f":
        raise InputError(f"{path} holds {array.dtype} values; a surface map holds floats, NaN off the body.")
    uv = torch.from_numpy(np.array(array, dtype=np.float32)).permute(2, 0, 1).contiguous()
    mask = ~torch.isnan(uv).any(0, keepdim=True)
    uv = torch.where(mask, uv, torch.zeros(()))
    largest = float(uv.abs().max())
    if largest > 1 + TOLERANCE:
        raise InputError(
            f"{path} reaches {largest:.3g}; positions in the atlas lie in [-1, 1] (x = 2 u - 1, y = 1 - 2 v), "
            "so scale it to that range."
        )
    _check_meaning(path, uv, mask)
    return uv.clamp(-1, 1), mask.float()


def _check_meaning(path: str | os.PathLike, uv: Tensor, mask: Tensor) -> None:
    """InputError for two kinds of array that have the right shape and another meaning."""
    if bool(mask.all()):
        values, counts = uv.flatten(1).unique(dim=1, return_counts=True)
        if int(counts.max()) > BACKGROUND * mask.numel():
            x, y = values[:, counts.argmax()].tolist()
            raise InputError(
                f"{path} has no NaN, and {int(counts.max())} of its {mask.numel()} pixels hold ({x:g}, {y:g}): its "
                "background, it seems; off the body a surface map holds NaN, so set it there."
            )
    inside = uv[:, mask[0]]
    if inside.shape[1] >= ENOUGH and float(inside.min()) >= 0:
        raise InputError(
            f"{path} holds no position below 0, so it seems to be (u, v) in [0, 1] with v up; a surface map holds "
            "x = 2 u - 1 and y = 1 - 2 v, so convert it."
        )


def open_array(path: str | os.PathLike) -> np.ndarray:
    """The array of a .npy file, mapped and not read, so that a false header cannot ask for all the memory.

    Raises `InputError` for everything that is no whole array of numbers; Python objects are refused unread.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"There is no file {path}; check the path.")
    if not path.is_file() and not path.is_dir():
        raise InputError(f"{path} is no file but a device or a pipe; a surface map is a .npy file.")
    try:
        with open(path, "rb") as file:
            if file.read(2) == b"PK":  # numpy would open it, and forget to close a damaged one
                raise InputError(f"{path} is an .npz archive; a surface map is one array in a .npy file.")
        with np.errstate(over="raise"):
            array = np.load(path, mmap_mode="r", allow_pickle=False)
    except InputError:
        raise
    except DAMAGED as error:
        reason = str(error).splitlines()[0].rstrip(".")[:200] if str(error) else type(error).__name__
        reason = "it holds Python objects" if "pickle" in reason else reason  # numpy would advise to load them
        raise InputError(
            f"{path} is not a whole .npy array of numbers ({reason}); write it again with numpy.save as floats, "
            "Python objects are not read."
        ) from error
    return array


def smpl_chart_table() -> ChartTable:
    """The table from DensePose charts to the SMPL atlas, from the user's cache; InputError where it was not built."""
    path = cache_dir() / TABLE_FILE
    if not path.exists():
        raise InputError(
            "The table from DensePose charts to the SMPL atlas is not on this machine (its licence forbids shipping "
            f"it); build it once with {SCRIPT}."
        )
    try:
        return ChartTable.load(path)
    except ValueError as error:
        raise InputError(f"The table {path} is damaged ({error}); build it again with {SCRIPT}.") from error


def smpl_mirror() -> Float[Tensor, "2 a a"]:
    """For each texel of the SMPL atlas the (u, v) of its left-right mirror, NaN where none; from the user's cache."""
    path = cache_dir() / MIRROR_FILE
    if not path.exists():
        raise InputError(
            "The mirror table of the SMPL atlas is not on this machine (its licence forbids shipping it); "
            f"build it once with {SCRIPT}."
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            mirror = torch.from_numpy(file["mirror"])
    except DAMAGED as error:
        raise InputError(f"The table {path} is damaged ({error}); build it again with {SCRIPT}.") from error
    if mirror.ndim != 3 or mirror.shape[0] != 2 or mirror.shape[1] != mirror.shape[2] or mirror.dtype != torch.float32:
        raise InputError(f"The table {path} has shape {tuple(mirror.shape)}; build it again with {SCRIPT}.")
    return mirror
