"""Draw people and photographs of them: everything random about a picture, in one place.

A person is (seed, number); a photograph of them is (seed, number, view).  Each draws from random streams of its
own, so a photograph does not depend on which others were made, in which order, or by how many processes.

    per person        body, skin, hair, one outfit, backdrop, lamps
    per photograph    pose and turn, crop, camera height, small changes of the lamps; an expression for faces

Splits go by person: number % 10 is 8 for validation, 9 for testing, else for training; body shapes are dealt out
by the same rule, so that no shape appears in two splits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from posekit.ops.grids import points_to_norm
from posekit.person import Person
from posekit.studio.base.layers import Figure
from posekit.studio.body import faces
from posekit.studio.body.body import load_body
from posekit.studio.body.head_atlas import onto_head
from posekit.studio.body.pose import RAISED, draw_keys, sample_pose
from posekit.studio.body.surface_tables import part_labels
from posekit.studio.body.unfolded import chart_at
from posekit.studio.dressed_figure import make_figure
from posekit.studio.render.camera import CROP_SHARES, ELEVATION, FILL, Camera, frame, project
from posekit.studio.render.joints import keypoints
from posekit.studio.render.light import Background, Light, random_background, random_light, vary_light
from posekit.studio.render.render import PosedFigure, photograph, pose_figure, prepare_materials
from posekit.studio.render.shade import Material
from posekit.studio.render.surface_maps import part_of, surface_maps
from posekit.util.errors import InputError

SETS = ("body", "face", "sides")
SIDES = (0, -90, 180, 90)  # degrees; of photographs 0, 1, 2, 3 of the set "sides", then again
SIDES_SPREAD = 6.0  # degrees
SPLITS = ("train", "val", "test")
UV_STEPS = 65535  # atlas positions are rounded to multiples of 1 / 65535: off by 1 / 131070 of the atlas at most
_FIGURE, _ROOM, _VIEW = range(3)  # numbers of the random streams


def split_of(person: int) -> str:
    """ "train", "val" or "test": the split that a person belongs to, 8 : 1 : 1."""
    return {8: "val", 9: "test"}.get(person % 10, "train")


@dataclass(frozen=True)
class Sitter:
    """A dressed person in their corner of the studio."""

    figure: Figure
    materials: list[Material]
    light: Light
    background: Background


@dataclass(frozen=True)
class Shot:
    """A photograph with its maps, as it is stored.

    image: (h, w, 3) uint8 sRGB.  uv: (h, w, 2) uint16, atlas position in steps of 1 / 65535, v down, 0 off the map.
    part: (h, w) uint8, DensePose part 1..24, 0 where there is no map.  head, hair, hands: (h, w) bool.
    keypoints: (18, 2) float32 (x, y) in pixels, the centre of pixel i at i + 0.5.  visibility: (18,) uint8.
    """

    image: np.ndarray
    uv: np.ndarray
    part: np.ndarray
    head: np.ndarray
    hair: np.ndarray
    hands: np.ndarray
    keypoints: np.ndarray
    visibility: np.ndarray


@lru_cache(maxsize=2)
def sitter(seed: int, person: int, kind: str = "body") -> Sitter:
    """The person, dressed; the last two are remembered, because dressing takes as long as ten photographs."""
    return _dress(seed, person, kind, {})


def _dress(seed: int, person: int, kind: str, choices: Mapping[str, Any]) -> Sitter:
    if kind not in SETS:
        raise InputError(f"kind must be one of {', '.join(SETS)}; got {kind!r}")
    if seed < 0 or person < 0:
        raise InputError(f"seed and person are numbers from 0 up; got seed {seed} and person {person}")
    rows = range(person % 10, len(load_body().bank), 10)
    # a face without expression is the start for the expressions of the face set
    expression = {} if kind == "face" else None
    stream = np.random.SeedSequence([seed, person, _FIGURE])
    choices = dict(choices)
    owner = choices.pop("clothes_of", None)
    if owner is not None:
        rows_of = range(owner % 10, len(load_body().bank), 10)
        choices |= {"clothes_of": np.random.SeedSequence([seed, owner, _FIGURE]), "clothes_rows": rows_of}
    figure = make_figure(stream, bank_rows=rows, expression=expression, **choices)
    return Sitter(figure, prepare_materials(figure), *_furnish(seed, person))


def _furnish(seed: int, room: int) -> tuple[Light, Background]:
    """Lamps and backdrop of a room; everyone has the room of their own number, unless sent to another one."""
    rng = np.random.default_rng([seed, room, _ROOM])
    return random_light(rng), random_background(rng)


def _view_stream(seed: int, person: int, view: int, kind: str) -> np.random.Generator:
    return np.random.default_rng([seed, person, _VIEW, SETS.index(kind), view])


def arms_raised(seed: int, person: int, view: int) -> bool:
    """Whether a photograph of the set "body" was drawn from a key pose of `posekit.studio.body.pose.RAISED`.

    Nothing is rendered for it.
    """
    return draw_keys(_view_stream(seed, person, view, "body"))[0] in RAISED


def body_turn(seed: int, person: int, view: int) -> float:
    """How far the whole person of a photograph of the set "body" turns to their left: degrees, -180 .. 180, 0 faces the
    camera.  Nothing is rendered for it.
    """
    return (sample_pose(_view_stream(seed, person, view, "body"))["yaw"] + 180) % 360 - 180


def face_expression(seed: int, person: int, view: int) -> faces.Expression:
    """The expression of a photograph of the set "face", strengths by name.  Nothing is rendered for it."""
    return faces.sample_expression(_view_stream(seed, person, view, "face"))


def face_direction(seed: int, person: int, view: int) -> np.ndarray:
    """Where the face of a photograph of the set "face" looks: a unit vector, x right, y up, z towards the camera.

    Nothing is rendered for it.
    """
    rng = _view_stream(seed, person, view, "face")
    faces.sample_expression(rng)
    pose = faces.sample_face_pose(rng)
    yaw, pitch = np.deg2rad(pose["yaw"] + pose["head_yaw"]), -np.deg2rad(pose["head_pitch"])  # which looks down
    return np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])


def make_shot(
    seed: int,
    person: int,
    view: int,
    size: int | tuple[int, int] = 128,
    kind: str = "body",
    skirts: str = "legs",
    room: int | None = None,
    **choices: Any,
) -> Shot:
    """Photograph number ``view`` of a person; arguments as for `make_person`."""
    who = _dress(seed, person, kind, choices) if choices else sitter(seed, person, kind)
    # In the clothes of another, the pose is still the one that the person took in their own.
    stands = sitter(seed, person, kind).figure if "clothes_of" in choices else who.figure
    lamps, backdrop = (who.light, who.background) if room is None else _furnish(seed, room)
    h, w = checked_size(size)
    body = load_body()
    rng = _view_stream(seed, person, view, kind)
    if kind == "face":
        delta = body.expression_delta(faces.sample_expression(rng))
        posed = pose_figure(body, who.figure, faces.sample_face_pose(rng), who.materials, delta)
        crop, elevation, fill = "head", rng.normal(0, 3), rng.uniform(*faces.HEAD_FILL)
    elif kind == "sides":
        yaw = rng.normal(SIDES[view % len(SIDES)], SIDES_SPREAD)
        posed = pose_figure(body, who.figure, sample_pose(rng, yaw, stands), who.materials)
        crop, elevation, fill = "full", rng.uniform(*ELEVATION), FILL
    else:
        posed = pose_figure(body, who.figure, sample_pose(rng, shape=stands), who.materials)
        crop = list(CROP_SHARES)[rng.choice(len(CROP_SHARES), p=list(CROP_SHARES.values()))]
        elevation, fill = rng.uniform(*ELEVATION), FILL
    camera = _frame(posed, (h, w), crop, elevation, fill)
    image = photograph(posed, camera, vary_light(lamps, rng), backdrop)

    labels = part_labels()
    maps = surface_maps(posed, camera, labels, skirts)
    uv = np.round(maps.uv * UV_STEPS).astype(np.uint16)
    part = part_of(uv / np.float32(UV_STEPS), maps.mask, labels)
    points, visibility = keypoints(body, posed, camera, maps.nearness)
    return Shot(
        image,
        np.where(part[..., None] > 0, uv, 0).astype(np.uint16),
        part,
        maps.head,
        maps.hair,
        maps.hands,
        points,
        visibility.astype(np.uint8),
    )


def _frame(posed: PosedFigure, size: tuple[int, int], crop: str, elevation: float, fill: float) -> Camera:
    """A camera that frames the body, from a little further off where the hair would leave the picture."""
    body = load_body()
    camera = frame(body, posed.body, posed.joints, size, crop, elevation=elevation, fill=fill)
    layers = zip(posed.layers, posed.vertices, strict=True)
    hair = [v[np.unique(layer.triangles)] for layer, v in layers if layer.texture.kind == "hair"]
    if hair:
        top = project(np.concatenate(hair), camera)[:, 1].min()
        middle = size[0] / 2
        fill *= min(1.0, 0.97 * middle / (middle - top))
        camera = frame(body, posed.body, posed.joints, size, crop, elevation=elevation, fill=fill)
    return camera


def make_person(
    seed: int,
    person: int,
    view: int,
    size: int | tuple[int, int] = 128,
    kind: str = "body",
    skirts: str = "legs",
    room: int | None = None,
    **choices: Any,
) -> Person:
    """A photograph of a person with all its maps.

    Args:
        seed: of the whole set of people.
        person: number of the person, from 0 up; decides the split, see `split_of`.
        view: number of the photograph.
        size: (h, w) in pixels, or one number for a square.
        kind: "body" for people from head to hips, knees or toes; "face" for close-ups with expressions, whose maps are
            of the atlas "head" (`posekit.studio.body.head_atlas`); "sides" for whole people from the front, one side,
            the back and the other side in turn, as shops photograph clothes.
        skirts: "legs" maps the body under a skirt, "cloth" leaves skirts without a map.
        room: number of the room, lamps and backdrop, that the photograph is taken in; the person's own when None.
        choices: fixed instead of drawn, as in ``make_figure`` (``outfit="dress"``, ``hair="long"``, ...);
            ``clothes_of=7``: in the clothes of person 7, in the same pose and before the same camera.

    Returns:
        A `Person`; identity "studio-<seed>-<person>", name "studio-<seed>-<person>-<view>".  ``uv`` is exact at
        the pixel's centre up to its 16 bits (at most 1 / 65535 off in [-1, 1]).
    """
    return to_person(make_shot(seed, person, view, size, kind, skirts, room, **choices), seed, person, view, kind)


def to_person(shot: Shot, seed: int, person: int, view: int, kind: str = "body") -> Person:
    """The stored photograph in the library's convention: tensors, [-1, 1], charts added; faces in the head's atlas."""
    # numpy, not torch: small arrays, read in every training step, are not worth waking torch's threads for
    part = shot.part
    uv = shot.uv.transpose(2, 0, 1) * np.float32(2 / UV_STEPS) - 1
    charts = chart_at(uv, part)
    if kind == "face":
        uv, part = onto_head(uv, part[None])
        part, charts = part[0], charts * (part > 0)
    mask = (part > 0).astype(np.float32)
    tensor = lambda a, kind=np.float32: torch.from_numpy(np.ascontiguousarray(a, kind))  # noqa: E731
    return Person(
        image=tensor(shot.image.transpose(2, 0, 1) / np.float32(255)),
        uv=tensor(uv * mask),
        mask=tensor(mask[None]),
        part=tensor(part[None], np.int64),
        chart=tensor(charts),
        keypoints=points_to_norm(tensor(shot.keypoints - 0.5), part.shape),
        visibility=tensor(shot.visibility, np.int64),
        head=tensor(shot.head[None]),
        hair=tensor(shot.hair[None]),
        hands=tensor(shot.hands[None]),
        identity=f"studio-{seed}-{person}",
        name=f"studio-{seed}-{person}-{view}",
        atlas=atlas_of(kind),
    )


def atlas_of(kind: str) -> str:
    """The atlas that the maps of a set of photographs are positions in: "head" for faces, else "studio"."""
    return "head" if kind == "face" else "studio"


def checked_size(size: int | tuple[int, int]) -> tuple[int, int]:
    """(h, w) from one number or two; at least 16 pixels, at most 2048."""
    try:
        h, w = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    except (TypeError, IndexError, ValueError):
        h, w = 0, 0
    if not (16 <= h <= 2048 and 16 <= w <= 2048):
        raise InputError(f"size is one number or (height, width), each from 16 to 2048 pixels; got {size!r}")
    return h, w
