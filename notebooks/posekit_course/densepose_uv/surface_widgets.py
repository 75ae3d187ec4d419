"""Painting on the atlas and seeing it on the person; what each classic mistake looks like; a transfer, step by step.

A texture T lives on the atlas; a pixel with atlas position M(x, y) shows T there (the backward warp W = T[M]).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as W
import torch
from jaxtyping import Float, Integer
from posekit_lab.pictures import Picture
from torch import Tensor
from torch.nn import functional as F

from posekit.evaluation.transfer import transfer
from posekit.ops.fill import fill_nearest
from posekit.ops.grids import identity_grid, index_to_norm
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import Person
from posekit.studio.body.surface_tables import part_labels
from posekit.systems.base import System
from posekit.util.errors import InputError
from posekit_course.densepose_uv.figures import map_colors, panels, part_palette
from posekit_course.live import Live, live

ATLAS = 256  # texels along an edge of painted atlases
ORANGE, BLUE, CREAM = torch.tensor([[0.90, 0.62, 0.0], [0.0, 0.45, 0.70], [0.98, 0.95, 0.86]])
PATTERNS = ("rows: bands of equal v", "columns: bands of equal u", "checkers", "parts", "coordinates")


def paint(
    pattern: str, bands: int, parts: Integer[Tensor, "a a"] | None = None, size: int = ATLAS
) -> Float[Tensor, "3 t t"]:
    """A painted atlas.

    pattern: one of `PATTERNS` (its first word is enough).  bands: how many bands along an edge of the atlas; "parts"
    and "coordinates" are darkened in every other band.  parts: part of every texel of the atlas, for "parts".
    """
    u, v = identity_grid(size, size)
    column, row = ((u + 1) / 2 * bands).floor().long(), ((v + 1) / 2 * bands).floor().long()
    name = pattern.split(":")[0]
    if name in ("rows", "columns", "checkers"):
        odd = {"rows": row, "columns": column, "checkers": row + column}[name] % 2 == 1
        return torch.where(odd, ORANGE[:, None, None], BLUE[:, None, None])
    shade = torch.where((row + column) % 2 == 1, 1.0, 0.8)
    if name == "coordinates":
        return map_colors(torch.stack((u, v)), torch.ones(1, size, size)) * shade
    if name == "parts" and parts is not None:
        index = (torch.arange(size) * parts.shape[-1]) // size
        return part_palette()[parts[index][:, index]].movedim(-1, 0) * shade
    raise InputError(f"The pattern {pattern!r} is not known or lacks its parts; there are: {', '.join(PATTERNS)}.")


def _on_person(texture: Float[Tensor, "3 t t"], person: Person, strength: float = 1.0) -> Float[Tensor, "3 h w"]:
    """The photograph with the body repainted, W = T[M] on the mask; the photograph's brightness keeps the folds.

    strength: 0 the photograph, 1 paint alone under the photograph's light.
    """
    painted = sample(texture[None], person.uv[None], padding="border")[0]
    grey = person.image.mean(0, keepdim=True)
    usual = grey[person.mask > 0.5].mean().clamp(min=1e-3)
    light = (0.65 + 0.35 * grey / usual).clamp(0.5, 1.15)
    return torch.lerp(person.image, (painted * light).clamp(0, 1), strength * person.mask)


def render_painting(
    person: Person, parts: Integer[Tensor, "a a"], pattern: str = PATTERNS[0], bands: int = 16, strength: float = 1.0
) -> Picture:
    """The painted atlas, and the photograph repainted with it.

    parts: part of every texel of the person's atlas, 0 where it is empty (shown white).
    """
    texture = paint(pattern, bands, parts)
    index = (torch.arange(ATLAS) * parts.shape[-1]) // ATLAS
    shown = torch.where(parts[index][:, index] > 0, texture, 1.0)
    repainted = torch.where(person.mask > 0.5, _on_person(texture, person, strength), 1.0)
    return panels([("T: paint on the atlas", shown), ("W = T[M]: on the person", repainted)], width=6.5)


def painting_panel(person: Person, parts: Integer[Tensor, "a a"]) -> Live:
    """`render_painting` with its controls."""
    return live(lambda **values: render_painting(person, parts, **values).as_image(), **painting_controls())


def painting_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_painting`."""
    style = {"description_width": "5em"}
    return {
        "pattern": W.Dropdown(options=PATTERNS, value="checkers", description="pattern", style=style),
        "bands": W.SelectionSlider(options=[4, 8, 16, 32, 64], value=32, description="bands", style=style),
        "strength": W.FloatSlider(1.0, min=0, max=1, step=0.5, description="strength", style=style),
    }


# ----------------------------------------------------------------------------------------------- a guide to broken maps


def _corners(uv: Tensor, size: int) -> Tensor:
    """What a reader with align_corners=True does to (u, v) on an atlas of ``size``: -1 is the centre of texel 0."""
    return index_to_norm((uv + 1) / 2 * (size - 1), size)


MISTAKES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "no mistake": lambda uv, size: uv,
    "u and v swapped": lambda uv, size: uv.flip(-3),
    "v pointing up": lambda uv, size: torch.stack((uv[0], -uv[1])),
    "[0, 1] not turned into [-1, 1]": lambda uv, size: (uv + 1) / 2,
    "map flipped, photograph not": lambda uv, size: uv.flip(-1),
    "rows taken for columns": lambda uv, size: uv.transpose(-1, -2),
    "align_corners=True": _corners,
    "mask forgotten": lambda uv, size: uv,
}


def squared(person: Person) -> Person:
    """The photograph and its map in the middle of a square, the rest white and off the mask."""
    h, w = person.size
    n = max(h, w)
    around = ((n - w) // 2, n - w - (n - w) // 2, (n - h) // 2, n - h - (n - h) // 2)
    pad = lambda t, value=0.0: F.pad(t, around, value=value)  # noqa: E731
    return Person(pad(person.image, 1.0), pad(person.uv), pad(person.mask))


def own_texture(person: Person, size: int) -> Float[Tensor, "3 t t"]:
    """The person's colours on the atlas, with empty texels filled from the nearest known one."""
    drawn = splat(person.image[None], person.uv[None], (size, size), person.mask[None])
    return fill_nearest(drawn.values, drawn.known)[0]


def with_mistake(person: Person, mistake: str, size: int) -> tuple[Float[Tensor, "3 h w"], float]:
    """The person painted with their own colours through a broken map, and the mean colour error on the body.

    mistake: a key of `MISTAKES`.  size: texels along an edge of the atlas.  The error is the mean absolute difference
    to the photograph, in [0, 1], over the pixels of the (right) mask.
    """
    if mistake not in MISTAKES:
        raise InputError(f"The mistake {mistake!r} is not known; there are: {', '.join(MISTAKES)}.")
    person = squared(person)  # only in a square picture can rows be taken for columns unnoticed
    uv, mask = MISTAKES[mistake](person.uv, size), person.mask
    if mistake == "rows taken for columns":
        mask = mask.transpose(-1, -2)
    elif mistake == "map flipped, photograph not":
        mask = mask.flip(-1)
    elif mistake == "mask forgotten":
        mask = torch.ones_like(mask)
    painted = sample(own_texture(person, size)[None], uv[None], padding="border")[0]
    image = torch.where(mask > 0.5, painted, 1.0)
    body = person.mask.expand_as(image) > 0.5
    return image, float((image - person.image).abs()[body].mean())


def render_mistake(person: Person, mistake: str = "no mistake", size: int = 128) -> Picture:
    """The photograph, the person through a map with a classic mistake, and the difference of the two.

    On the body, but for the forgotten mask, which leaves the body alone and paints the rest.
    """
    person = squared(person)
    image, error = with_mistake(person, mistake, size)
    truth = torch.where(person.mask > 0.5, person.image, 1.0)  # what the right map and mask show
    difference = 1 - (image - truth).abs().mean(0, keepdim=True) * 2
    if mistake != "mask forgotten":
        difference = torch.where(person.mask > 0.5, difference, 1.0)
    return panels(
        [
            ("photograph", person.image),
            (f"repainted: {mistake}", image),
            (f"difference, on the body {error:.3f}", difference.clamp(min=0).expand(3, -1, -1)),
        ],
        width=8,
    )


def mistake_panel(person: Person) -> Live:
    """`render_mistake` with its controls."""
    return live(lambda **values: render_mistake(person, **values).as_image(), **mistake_controls())


def mistake_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_mistake`."""
    style = {"description_width": "5em"}
    return {
        "mistake": W.Dropdown(options=list(MISTAKES), value="align_corners=True", description="mistake", style=style),
        "size": W.SelectionSlider(options=[32, 64, 128, 256], value=32, description="atlas", style=style),
    }


# ------------------------------------------------------------------------------------------------- a transfer in panels

STEPS = ("source S", "S[C]: what it shows", "T: completed", "W = T[M]: warped", "result")
GREY = 0.85  # texels that the source does not show


def transfer_steps(source: Person, system: System, target: Person) -> list[tuple[str, Tensor]]:
    """(title, picture) of `STEPS` for the person of ``source`` in the pose of ``target``.

    Both are single photographs with maps in the studio's atlas.
    """
    result = transfer(source, target, system)
    body = torch.from_numpy(part_labels(result.T.shape[-1]) > 0)  # texels that lie on the body
    partial = torch.where(result.known[0] > 0, result.observed[0], torch.where(body, GREY, 1.0))
    completed = torch.where(body, result.T[0], 1.0)
    warped = torch.where(target.mask > 0.5, result.W[0], 1.0)
    return list(zip(STEPS, (source.image, partial, completed, warped, result.image[0]), strict=True))


def render_transfer(people: Sequence[Sequence[Person]], system: System, person: int, view: int, pose: int) -> Picture:
    """A transfer and the photograph that lent the pose.

    people: photographs of several people.  person, view: whose photograph is the source.  pose: 0, 1, ... the same
    person's photographs, then those of the next person, and so on round.
    """
    everyone = [photo for other in (*people[person:], *people[:person]) for photo in other]
    lender = everyone[pose]
    shown = transfer_steps(people[person][view], system, lender)
    return panels([*shown, ("who lent the pose", lender.image)], width=10, size=9)


def transfer_panel(people: Sequence[Sequence[Person]], system: System) -> Live:
    """`render_transfer` with its controls."""
    draw = lambda **values: render_transfer(people, system, **values).as_image()  # noqa: E731
    return live(draw, **transfer_controls(people))


def transfer_controls(people: Sequence[Sequence[Person]]) -> dict[str, W.ValueWidget]:
    """The controls of `render_transfer`."""
    style = {"description_width": "5em"}
    count = sum(len(photos) for photos in people)
    fewest = min(len(photos) for photos in people)
    return {
        "person": W.IntSlider(0, min=0, max=len(people) - 1, description="person", style=style),
        "view": W.IntSlider(0, min=0, max=fewest - 1, description="view", style=style),
        "pose": W.IntSlider(min(5, count - 1), min=0, max=count - 1, description="pose", style=style),
    }
