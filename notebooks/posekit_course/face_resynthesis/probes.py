"""Faces, how far they turn, and what is measured of them.

Looks are unit vectors of where a face looks, x right, y up, z towards the camera.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import numpy as np
from torch import Tensor

from posekit.data.photo import read_photo
from posekit.data.studio import StudioPeople
from posekit.evaluation.regions import source_shows
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import Pair, Person
from posekit.photo.find_face import FacePoints, find_face
from posekit.photo.photographed_face import PhotographedFace, frame_face
from posekit.reference import load_reference
from posekit.studio.generate import face_direction, face_expression
from posekit.systems.base import System

# Photographs in the public domain that packages bring along: the file, and the middle and height of the face in pixels.
PORTRAITS = {
    "Eileen Collins": (("skimage", "data", "astronaut.png"), (222, 118), 120),
    "Grace Hopper": (("matplotlib", "mpl-data", "sample_data", "grace_hopper.jpg"), (250, 220), 170),
}


@lru_cache(maxsize=3)
def face_system(variant: str = "full") -> System:
    """The shipped system for faces: "full" or "rgb"."""
    return load_reference(preset="face", variant=variant)


@lru_cache(maxsize=4)
def some_faces(people: int, views: int = 8, size: int = 128, seed: int = 0) -> StudioPeople:
    """All ordered pairs of the first people of the test split."""
    numbers = [10 * n + 9 for n in range(people)]
    common = {"views": views, "size": size, "seed": seed, "split": "test", "progress": False}
    return StudioPeople(numbers, kind="face", **common)


def looks_of(faces: StudioPeople) -> np.ndarray:
    """(people, views, 3): where each photograph looks."""
    seed, views = faces.card.seed, range(faces.card.views)
    return np.stack([[face_direction(seed, number, view) for view in views] for number in faces.numbers])


def turn_between(one: np.ndarray, other: np.ndarray) -> float:
    """Degrees between two looks."""
    return float(np.degrees(np.arccos(np.clip(one @ other, -1, 1))))


def yaw(look: np.ndarray) -> float:
    """Degrees by which a face is turned to the side: 0 into the camera, 90 a profile that looks to the right."""
    return float(np.degrees(np.arctan2(look[0], look[2])))


def opened(seed: int, number: int, view: int) -> float:
    """How far a rendered face opens its jaw, 0 to 1."""
    return face_expression(seed, number, view).get("jawOpen", 0.0)


def on_head(image: Tensor, pair: Pair, mask: Tensor | None = None) -> float:
    """Mean absolute error of a picture (1 3 h w) on the target's head and hair, or in another mask (1 1 h w)."""
    head = (((pair.target.head + pair.target.hair) > 0).float()) if mask is None else mask
    return mean_error(image, pair.target.image, head)


def mean_error(made: Tensor, truth: Tensor, mask: Tensor) -> float:
    """Mean absolute error of a picture or texture (1 3 h w) in a mask (1 1 h w)."""
    wrong = (made - truth).abs().mean(1, keepdim=True)
    return float((wrong * mask).sum() / mask.sum().clamp(min=1))


def share_to_complete(pair: Pair) -> float:
    """The share of the target's mapped pixels whose texel no pixel of the source touches; ``pair``: a batch of one."""
    mask = pair.target.mask
    return float(1 - (source_shows(pair) * mask).sum() / mask.sum())


def across(faces: StudioPeople, least: float = 40.0) -> list[int]:
    """The pairs whose source is turned to one side by more than ``least`` degrees, and whose target to the other."""
    looks = looks_of(faces)
    chosen = []
    for n in range(len(faces)):
        i, source, target = faces.where(n)
        one, other = yaw(looks[i, source]), yaw(looks[i, target])
        if abs(one) > least and one * other < 0:
            chosen.append(n)
    return chosen


def texture_of(person: Person, side: int, uv: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """What a photograph (a batch of one) shows of the atlas, 1 3 t t, and where, 1 1 t t; uv: another map."""
    texels = splat(person.image, person.uv if uv is None else uv, (side, side), person.mask)
    return texels.values, texels.known


def mirrored_fill(texture: Tensor, known: Tensor, mirror: Tensor) -> tuple[Tensor, Tensor]:
    """What is known, and where it is not, the colour of the mirrored place, if that one is known.

    texture: 1 3 t t.  known: 1 1 t t.  mirror: 2 t t, see `posekit.studio.body.head_atlas.head_mirror`.
    """
    at = mirror.nan_to_num(2.0)[None]  # outside: unknown
    twin, there = sample(texture * known, at), sample(known, at)
    usable = (there > 0.99).float() * (1 - known)
    return texture * known + twin * usable, known + usable


@lru_cache(maxsize=2)
def portrait(name: str, size: int = 128) -> PhotographedFace:
    """A face of `PORTRAITS`, framed, with its map."""
    image, points = portrait_points(name)
    return frame_face(image, points, size, name=name)


@lru_cache(maxsize=2)
def portrait_points(name: str) -> tuple[Tensor, FacePoints]:
    """The photograph and the points of the face in it."""
    (package, *parts), centre, size = PORTRAITS[name]
    image = read_photo(files(package).joinpath(*parts))
    return image, find_face(image, centre, size)
