"""DensePose IUV pictures: which part of the body a pixel shows, and where in the chart of that part.

A picture has three 8-bit channels: the part number I (0 off the body, 1..24) and the chart coordinates U and V,
stored as ``floor(255 * value)``.  Two channel orders are found in the wild:

| order | who writes it                                                                         |
|-------|---------------------------------------------------------------------------------------|
| VUI   | DensePose itself: OpenCV writes I, U, V as blue, green, red, and Pillow reads red first |
| IUV   | tools that write the three channels with Pillow or imageio                            |

The channel whose values stay at or below 24 is I.
"""

import os
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.data.photo import open_picture
from posekit.util.errors import InputError

ORDERS = {"VUI": (2, 1, 0), "IUV": (0, 1, 2)}  # where I, U, V stand among the channels that Pillow sees
LAST_PART = 24


class NobodyError(InputError):
    """A surface map of a photograph in which nobody was detected."""


class IUV(NamedTuple):
    """part: I, 1..24, 0 off the body.  chart: (U, V) in [0, 1], 0 off the body.  mask: 1 on the body.

    order: the channel order that was found, a key of `ORDERS`, for a line of log.
    """

    part: Integer[Tensor, "1 h w"]
    chart: Float[Tensor, "2 h w"]
    mask: Float[Tensor, "1 h w"]
    order: str


def read_iuv(path: str | os.PathLike, order: str | None = None) -> IUV:
    """Read a DensePose IUV picture in either channel order.

    ``order``: "VUI" or "IUV" when the caller knows; None finds out (`find_order`).  Raises `InputError` for a file
    that is no picture, a picture that is no IUV map, and a lossy one (part numbers do not survive JPEG).
    """
    if order is not None and order not in ORDERS:
        raise InputError(f"The channel order is one of {', '.join(ORDERS)} or None to find out, got {order!r}.")
    picture = open_picture(path)
    if picture.format == "JPEG":
        raise InputError(f"{path} holds JPEG data, which changes part numbers; an IUV picture has to be a PNG.")
    if picture.mode not in ("RGB", "RGBA"):
        raise InputError(f"{path} has mode {picture.mode}; an IUV picture has three 8-bit channels (mode RGB).")
    channels = np.asarray(picture)[..., :3]
    try:
        order = order or find_order(channels)
        return charts_of(channels, order)
    except InputError as error:
        raise type(error)(f"{path}: {error}") from None


def find_order(channels: np.ndarray) -> str:
    """The channel order of (h, w, 3) uint8: the part number is the first or the last channel, and at most 24.

    >>> find_order(np.array([[[200, 130, 24]]], np.uint8))
    'VUI'
    """
    if not channels.any():
        raise NobodyError("all of its values are 0: nobody was detected in this picture; use another one.")
    first, last = int(channels[..., 0].max(initial=0)), int(channels[..., 2].max(initial=0))
    if first > LAST_PART and last > LAST_PART:
        raise InputError(
            f"no channel can be the part number: the largest values of the first and last channel are {first} and "
            f"{last} and a part is at most {LAST_PART}; expected an IUV picture, not a photograph or a coloured view."
        )
    if first <= LAST_PART and last <= LAST_PART:
        raise InputError(
            f"first and last channel both stay at or below {LAST_PART} (largest {first} and {last}), so the part "
            "number could be either; name the order, 'VUI' (written by DensePose) or 'IUV'."
        )
    return "IUV" if first <= LAST_PART else "VUI"


def charts_of(channels: np.ndarray, order: str) -> IUV:
    """(h, w, 3) uint8 in a known order as tensors; U and V become ``value / 255``."""
    i, u, v = (channels[..., k] for k in ORDERS[order])
    if int(i.max(initial=0)) > LAST_PART:
        raise InputError(
            f"the part channel of order {order} reaches {int(i.max())} and a part is at most {LAST_PART}; "
            "the other order may be right."
        )
    part = torch.from_numpy(i.astype(np.int64))[None]
    mask = (part > 0).float()
    chart = torch.from_numpy(np.stack([u, v]).astype(np.float32) / 255) * mask
    return IUV(part, chart, mask, order)
