"""Photographs of anybody, rendered people who are treated as strangers, and what is measured of both.

A stranger is a rendered person whose photograph is a JPEG file with nothing beside it.  What was exact is kept apart,
so that every step from the file to a new photograph can be compared with what it should have been.
"""

from __future__ import annotations

import base64
import dataclasses
import io
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import ExifTags, Image
from torch import Tensor

from posekit.data.photo import exif_of, open_picture, read_photo
from posekit.data.studio import StudioPeople
from posekit.metrics.image import l1
from posekit.ops.keypoints import JOINTS
from posekit.ops.sample import sample
from posekit.person import Person
from posekit.photo.find_person import FoundPerson, find_person
from posekit.photo.photographed import GROUND, Window, frame_person, looked_at, window_of, with_map
from posekit.photo.regions import Region, sampled, shrunk
from posekit.plots import picture
from posekit.reference import load_reference
from posekit.systems.base import System
from posekit.systems.rough_pose import silhouette
from posekit.util.errors import InputError
from posekit_course.face_resynthesis.probes import PORTRAITS, texture_of

__all__ = ["PORTRAITS", "texture_of"]  # of the notebook before

# ---------------------------------------------------------------------------------------------------------- photographs


@lru_cache(maxsize=1)
def reading_system() -> System:
    """The shipped system that reads maps from joints and silhouette."""
    return load_reference(variant="keypoints")


@lru_cache(maxsize=8)
def album_photo(name: str) -> Tensor:
    """A photograph (3 h w): one of the two in the public domain, by the name of who is in it, or a file."""
    if name in PORTRAITS:
        package, *parts = PORTRAITS[name][0]
        return looked_at(read_photo(files(package).joinpath(*parts)))
    return looked_at(read_photo(name))


def chosen(me: str, you: str) -> tuple[str, str]:
    """The reader's two files, or the two photographs in the public domain for those that are empty."""
    return tuple(given or default for given, default in zip((me, you), PORTRAITS, strict=True))


def changed(image: Tensor, turn: int = 0, kept: float = 1.0, height: int = 400) -> Tensor:
    """The photograph turned by ``turn`` degrees, its upper part ``kept``, and made ``height`` pixels high at most."""
    h, w = image.shape[-2:]
    if turn:
        angle = torch.tensor(turn).deg2rad()
        up = torch.stack([angle.sin(), -angle.cos()]).double().numpy()
        side = max(h, w)
        middle = torch.tensor([(w - 1) / 2, (h - 1) / 2], dtype=torch.float64).numpy()
        image = sampled(image, Region(middle, side / 2, up), min(side, 512), padding="border").clamp(0, 1)
    image = image[:, : max(1, round(kept * image.shape[1]))]
    return shrunk(image, height / image.shape[1])


def attempt(image: Tensor) -> FoundPerson | str:
    """Who is found, or the sentence that says why nobody is."""
    try:
        return find_person(image)
    except InputError as error:
        return str(error)


# ------------------------------------------------------------------------------------------------------------ strangers


class Stranger(NamedTuple):
    """file: the JPEG.  truth: the photograph as it was rendered, with its exact map and joints, a batch of one."""

    file: Path
    truth: Person


def strangers(people: int, folder: Path, size: int = 256, quality: int = 90, seed: int = 0) -> list[list[Stranger]]:
    """Two photographs of each of the first held-out people, written as JPEG; nothing else is written."""
    numbers = [10 * n + 9 for n in range(people)]
    data = StudioPeople(numbers, views=2, size=size, seed=seed, split="test", progress=False)
    made = []
    for i, number in enumerate(numbers):
        made.append([])
        for view in range(2):
            person, file = data.person(i, view), folder / f"{number}_{view}.jpg"
            Image.fromarray((picture(person.image[None]) * 255).round().astype("uint8")).save(file, quality=quality)
            made[-1].append(Stranger(file, person.batched()))
    return made


class Steps(NamedTuple):
    """One photograph after every step, and what each step should have given; all but ``detected`` in the same square.

    truth: the photograph as it was rendered.  detected: joints and silhouette in it.  cut: cut out and framed, with the
    joints; its mask is the silhouette.  read: the same with the map that was read, without its rim, as a source.
    pose: the same with the rim, as a target.  exact: cut out exactly, with the exact map and joints.
    """

    truth: Person
    detected: FoundPerson
    cut: Person
    read: Person
    pose: Person
    exact: Person


def estimated_steps(stranger: Stranger, system: System) -> Steps:
    """Everything that is estimated of a stranger.  Raises InputError where nobody is found."""
    image = read_photo(stranger.file)
    detected = find_person(image)
    size = system.size[0]
    exact = in_window(stranger.truth, window_of(detected), size)
    cut = frame_person(image, detected, size)
    return Steps(stranger.truth, detected, cut, with_map(cut, system), with_map(cut, system, trim=0), exact)


def all_steps(people: Sequence[Sequence[Stranger]], system: System) -> tuple[list[tuple[Steps, ...]], list[Stranger]]:
    """The steps of everybody who is found in both photographs, and the photographs where nobody is."""
    through, refused = [], []
    for pair in people:
        steps = []
        for one in pair:
            try:
                steps.append(estimated_steps(one, system))
            except InputError:
                refused.append(one)
        if len(steps) == len(pair):
            through.append(tuple(steps))
    return through, refused


def in_window(truth: Person, window: Window, size: int) -> Person:
    """A rendered photograph (a batch of one), cut out by its exact silhouette, as it appears in a window of itself."""
    grid = window.grid(size)[None]
    inside = (grid.abs() <= 1).all(1, keepdim=True).float()
    shown = silhouette(truth)
    colours = shrunk((truth.image * shown + GROUND * (1 - shown))[0], size / window.side)[None]

    def nearest(values: Tensor) -> Tensor:
        read = F.grid_sample(values.float(), grid.movedim(1, -1), mode="nearest", align_corners=False)
        return (read * inside).to(values.dtype)

    smooth = sample(colours, grid, padding="border")
    points = (truth.keypoints - window.middle) / window.half
    there = (truth.visibility > 0) & (points.abs() <= 1).all(-1)
    masks = {name: nearest(getattr(truth, name)) for name in ("mask", "uv", "part", "head", "hair", "hands")}
    return dataclasses.replace(
        truth, image=smooth * inside + GROUND * (1 - inside), keypoints=points, visibility=truth.visibility * there,
        chart=None, **masks,
    )  # fmt: skip


def ladder(source: Steps, target: Steps) -> dict[str, tuple[Person, Person]]:
    """Source and target, from everything exact to everything estimated; each row estimates one thing more."""
    cut = dataclasses.replace(
        source.exact, image=source.cut.image, mask=source.exact.mask * source.cut.mask, part=None, head=None, hair=None
    )
    return {
        "everything exact": (source.exact, target.exact),
        "silhouette of the source found": (cut, target.exact),
        "its map read, too": (source.read, target.exact),
        "map of the target read, too": (source.read, target.pose),
    }


def error_inside(made: Tensor, truth: Person) -> float:
    """Mean absolute error of a picture (1 3 h w) on the silhouette of the truth."""
    return float(l1(made, truth.image, silhouette(truth)))


def joint_distances(steps: Steps) -> Tensor:
    """How far each joint is off, in lengths of the torso (neck to the middle of the hips); NaN where one is missing.

    The photograph is square, as those of `strangers` are.
    """
    detected, truth = steps.detected, steps.truth
    points, seen = truth.keypoints[0], (truth.visibility[0] > 0) & (detected.visibility > 0)
    neck, *hips = (points[JOINTS.index(name)] for name in ("neck", "right_hip", "left_hip"))
    torso = (neck - torch.stack(hips).mean(0)).norm()
    return torch.where(seen, (detected.keypoints - points).norm(dim=-1) / torso, torch.nan)


def overlap(one: Tensor, other: Tensor) -> float:
    """The pixels of both masks by those of either."""
    return float((one * other).sum() / torch.maximum(one, other).sum())


def note_in(file: Path) -> str:
    """The description that a picture file carries, or ""."""
    return str(exif_of(open_picture(file), ExifTags.Base.ImageDescription) or "")


def decoded(address: str) -> np.ndarray:
    """The picture of a page's address (`data:image/png;base64,...`), (h, w, 3) in [0, 1]."""
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as file:
        return np.asarray(file.convert("RGB")) / 255
