"""A photograph of anybody as the systems want it: cut out, framed as the studio frames people, with its surface map.

The networks were trained on rendered people before plain walls, so the person is cut out by the silhouette and laid on
a plain light ground, and a square is cut in which they stand as high as rendered people do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.ops.grids import identity_grid, points_to_norm
from posekit.ops.keypoints import JOINTS
from posekit.ops.outline import trim_mask
from posekit.ops.sample import sample
from posekit.person import Person
from posekit.photo.find_person import FoundPerson, find_person
from posekit.photo.regions import shrunk
from posekit.systems.base import evaluating
from posekit.systems.coordinate_inpainting import CoordinateInpainting
from posekit.util.errors import InputError

GROUND = 0.93  # grey behind the person, as light as the studio's walls
FILL = 0.92  # share of the square's height that a whole figure takes, as in the studio
TRIM = 1  # pixels by which the silhouette of a source is cut before its colours are trusted
_MOST = 1500  # pixels along the longer side of a photograph that is looked at; what is made of it is far smaller
_HEAD = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")
_BODY = tuple(n for n, name in enumerate(JOINTS) if name not in _HEAD)
_LEAST = 20  # pixels along the longer side of a person in the photograph


class Window(NamedTuple):
    """The square of a photograph that is framed.

    middle: (x, y), half: half its sides along x and y, both in [-1, 1] of the photograph.  side: in pixels.
    """

    middle: Float[Tensor, " 2"]
    half: Float[Tensor, " 2"]
    side: float

    def grid(self, size: int) -> Float[Tensor, "2 size size"]:
        """Which place of the photograph each pixel of the framed picture shows."""
        return identity_grid(size, size) * self.half[:, None, None] + self.middle[:, None, None]


def looked_at(image: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h2 w2"]:
    """The photograph as it is looked at: on the CPU, at most 1500 pixels along its longer side."""
    return shrunk(image.cpu(), _MOST / max(image.shape[-2:]))


def window_of(pose: FoundPerson) -> Window:
    """The square in which a person stands as high as rendered people do.

    Where the photograph's lower border cuts the person, the square ends there, as rendered crops do.  Raises InputError
    where the silhouette is empty or smaller than 20 pixels.
    """
    h, w = pose.silhouette.shape[-2:]
    rows, columns = (pose.silhouette[0].amax(axis).nonzero()[:, 0] for axis in (1, 0))
    if not len(rows):
        raise InputError("The silhouette of the person in the photograph is empty; take a clearer photograph.")
    if max(len(rows), len(columns)) < _LEAST:
        raise InputError(f"The person in the photograph is smaller than {_LEAST} pixels; take a larger photograph.")
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    cut_off = bottom >= h - 1
    side = max((bottom - top) / (FILL if not cut_off else (1 + FILL) / 2), (right - left) / FILL)
    y0 = bottom - side if cut_off else (top + bottom - side) / 2
    x0 = (left + right - side) / 2
    middle = points_to_norm(torch.tensor([x0 + side / 2 - 0.5, y0 + side / 2 - 0.5]), (h, w))
    return Window(middle, torch.tensor([side / w, side / h]), side)


def frame_person(image: Float[Tensor, "3 h w"], pose: FoundPerson, size: int) -> Person:
    """The person cut out and framed: a batch of one of ``size`` x ``size`` pixels with joints and silhouette (mask).

    The square is that of `window_of`.
    """
    window = window_of(pose)
    shown = pose.silhouette
    picture = image * shown + GROUND * (1 - shown)
    grid = window.grid(size)
    maps = shrunk(torch.cat([picture, shown]), size / window.side)[None]
    inside = (grid.abs() <= 1).all(0).to(image)
    cut = sample(maps, grid[None], padding="border")
    colours = cut[:, :3].clamp(0, 1) * inside + GROUND * (1 - inside)
    mask = ((cut[:, 3:] > 0.5) & (inside > 0)).to(image)
    keypoints = (pose.keypoints - window.middle) / window.half
    there = (pose.visibility > 0) & (keypoints.abs() <= 1).all(-1)
    return Person(
        colours, mask=mask, keypoints=torch.where(there[:, None], keypoints, 0)[None],
        visibility=(pose.visibility * there)[None], identity=("",), name=("",), atlas=("",),
    )  # fmt: skip


def photographed(
    image: Float[Tensor, "3 h w"], system: CoordinateInpainting, name: str = "photograph", *, trim: int = TRIM
) -> Person:
    """The largest person of a photograph (RGB in [0, 1]), a batch of one with everything that ``system`` needs.

    system, trim: see `with_map`.  Raises InputError for a system that reads no maps, where nobody is to be seen
    (`find_person`), and where the head is all that there is.
    """
    _check_reads(system)
    image = looked_at(image)
    pose = find_person(image)
    if not bool((pose.visibility[list(_BODY)] > 0).any()):
        raise InputError(
            "Only a head is to be seen in the photograph; take one that shows the shoulders at least, or put the face "
            "alone into another pose: posekit transfer --face."
        )
    read = with_map(frame_person(image, pose, system.size[0]), system, trim=trim)
    return replace(read, identity=(name,), name=(name,))


def with_map(person: Person, system: CoordinateInpainting, *, trim: int = TRIM) -> Person:
    """A framed person (`frame_person`) with the map that a system reads from joints and silhouette.

    system: keypoint-guided; used in evaluation mode and left as it was.  The person comes on its device.
    trim: pixels by which the silhouette cuts the map.  The rim of a source holds colours of the wall; give 0 for a
    photograph that only says the pose, or its limbs become thin.
    """
    _check_reads(system)
    person = person.to(next(system.parameters()).device)
    with evaluating(system):
        read = system.read_pose(person, outline=True)
    mask = read.mask * trim_mask(person.mask, trim)
    return replace(read, mask=mask, uv=read.uv * mask, part=read.part * mask.long())


def _check_reads(system: CoordinateInpainting) -> None:
    if getattr(system.config, "variant", None) != "keypoints":
        raise InputError(
            f"A photograph without a map needs keypoint-guided weights, which read one; these are of {system.name}, "
            f"variant {system.config.variant}."
        )
