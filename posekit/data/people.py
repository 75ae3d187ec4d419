"""Several people in one surface map: who is who, and which of them is taken.

DensePose writes ``*_INDS.png`` beside ``*_IUV.png``: the number of the person at each pixel.  Without it, patches of
the map that touch belong together, and a patch is another person when it shows a torso or a head, and the largest patch
shows one too: a hand that a bag cuts off is not.
"""

import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Integer
from scipy.ndimage import label
from torch import Tensor

from posekit.data.photo import open_picture
from posekit.util.errors import InputError

TORSO, HEAD = (1, 2), (23, 24)  # parts of which a person has one of each kind
LEAST = 0.02  # a torso or a head counts from this share of the largest patch on: less is noise


def index_picture(iuv: str | os.PathLike) -> Path | None:
    """The ``NAME_INDS.png`` beside a ``NAME_IUV.png``, in either case; None where there is none."""
    path = Path(iuv)
    for ending, index in (("_IUV", "_INDS"), ("_iuv", "_inds")):
        if path.stem.endswith(ending):
            beside = path.with_name(path.stem.removesuffix(ending) + index + path.suffix)
            return beside if beside.is_file() else None
    return None


def read_index_picture(path: str | os.PathLike, size: tuple[int, int]) -> Integer[Tensor, "1 h w"]:
    """The number of the person at each pixel, from 1; 0 where there is nobody.  size: (height, width) of the map."""
    picture = open_picture(path)
    if picture.mode not in ("L", "P", "I", "I;16") or picture.format == "JPEG":
        raise InputError(f"{path} has mode {picture.mode}; an index picture is a PNG with one channel of numbers.")
    if (picture.height, picture.width) != tuple(size):
        raise InputError(
            f"{path} is {picture.height} x {picture.width} pixels (height x width) and its IUV picture {size[0]} x "
            f"{size[1]}; take the one that was written with it, or delete it."
        )
    return torch.from_numpy(np.asarray(picture).astype(np.int64))[None]


def one_person(
    part: Integer[Tensor, "1 h w"], persons: Integer[Tensor, "1 h w"] | None = None
) -> tuple[Float[Tensor, "1 h w"], int]:
    """The mask of the person with most pixels of the part map I, and how many people it shows.

    persons: who is where, of `read_index_picture`; without it the patches decide.
    """
    body = part[0].numpy() > 0
    if persons is not None:
        areas = np.bincount(persons[0].numpy()[body], minlength=1)
        areas[0] = 0
        people = int((areas > 0).sum())
        if people <= 1:  # pixels that the index picture does not know stay with the only person
            return torch.from_numpy(body[None]).float(), min(1, int(body.any()))
        return torch.from_numpy((body & (persons[0].numpy() == areas.argmax()))[None]).float(), people
    patches, _ = label(body, structure=np.ones((3, 3)))
    areas = np.bincount(patches[body], minlength=1)
    largest = int(areas.argmax())
    others = []
    for parts in (TORSO, HEAD):
        of_kind = np.bincount(patches[np.isin(part[0].numpy(), parts)], minlength=len(areas))
        shown = np.flatnonzero(of_kind > LEAST * areas[largest])
        others += [int(p) for p in shown if p != largest and largest in shown]
    kept = body & ~np.isin(patches, others)
    return torch.from_numpy(kept[None]).float(), min(1, int(body.any())) + len(set(others))
