"""A margin around a photograph: a narrow one becomes a square without stretching anybody."""

import dataclasses

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from posekit.ops.grids import norm_to_points, points_to_norm, resize_mask
from posekit.person import Person
from posekit.util.errors import InputError

MAPS = ("uv", "mask", "part", "chart", "head", "hair", "hands")


def add_margin(person: Person, size: tuple[int, int]) -> Person:
    """The photograph in the middle of a larger one of (height, width) pixels.

    The photograph continues with the colours of its border, the maps with 0, and the joints stay where they are on
    the body.  One photograph or a batch.  Raises `InputError` when ``size`` is smaller than the photograph.
    """
    left, top, right, bottom = _margins(person.size, size)
    image = person.image if person.is_batch else person.image[None]
    image = F.pad(image, (left, right, top, bottom), mode="replicate").reshape(*person.image.shape[:-2], *size)
    changed = {"image": image}
    for name in MAPS:
        value = getattr(person, name)
        if value is not None:
            changed[name] = F.pad(value, (left, right, top, bottom))
    if person.keypoints is not None:
        pixels = norm_to_points(person.keypoints, person.size)
        changed["keypoints"] = points_to_norm(pixels + torch.tensor([left, top]).to(pixels), size)
    return dataclasses.replace(person, **changed)


def fit_person(person: Person, size: tuple[int, int]) -> Person:
    """The photograph brought to (height, width) without stretching anybody: a margin first, where it is too narrow.

    The photograph is averaged, maps take the nearest pixel.  One photograph or a batch.
    """
    h, w = person.size
    if (h, w) == tuple(size):
        return person
    outer = (max(h, round(w * size[0] / size[1])), max(w, round(h * size[1] / size[0])))
    person = add_margin(person, outer)
    if outer == tuple(size):
        return person
    image = person.image if person.is_batch else person.image[None]
    image = F.interpolate(image, size=size, mode="bilinear", antialias=True).clamp(0, 1)
    changed = {"image": image.reshape(*person.image.shape[:-2], *size)}
    for name in MAPS:
        value = getattr(person, name)
        if value is not None:
            lead = value.shape[:-3]
            resized = resize_mask(value.reshape(-1, *value.shape[-3:]).float(), size)
            changed[name] = resized.reshape(*lead, *resized.shape[-3:]).to(value.dtype)
    return dataclasses.replace(person, **changed)


def cut_margin(image: Float[Tensor, "*b c H W"], size: tuple[int, int]) -> Float[Tensor, "*b c h w"]:
    """The middle (height, width) pixels: what `add_margin` was given."""
    left, top, _, _ = _margins(size, (image.shape[-2], image.shape[-1]))
    return image[..., top : top + size[0], left : left + size[1]]


def _margins(inner: tuple[int, int], outer: tuple[int, int]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) pixels around ``inner``; an odd one goes to the right and to the bottom."""
    rows, columns = outer[0] - inner[0], outer[1] - inner[1]
    if rows < 0 or columns < 0:
        raise InputError(
            f"A photograph of {inner[0]} x {inner[1]} pixels does not fit into {outer[0]} x {outer[1]}; scale it down."
        )
    return columns // 2, rows // 2, columns - columns // 2, rows - rows // 2
