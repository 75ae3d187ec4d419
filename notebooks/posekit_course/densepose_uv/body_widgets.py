"""The body behind the photograph: shape, pose and view as controls; photograph, maps and atlas follow.

`take` is the photographer: shape components, a pose and a turn in, a `Person` with exact maps out.  `render_body`
draws four panels of it, `body_panel` puts sliders around that.  The clothes are those of one figure of the studio, so
that only the body changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import ipywidgets as W
import numpy as np
import torch
from jaxtyping import Float
from posekit_lab.pictures import Picture
from torch import Tensor

from posekit.ops.splat import splat
from posekit.person import Person
from posekit.studio.base.layers import Figure
from posekit.studio.body.body import load_body
from posekit.studio.body.pose import KEY_POSES, Pose, complete
from posekit.studio.body.surface_tables import part_labels
from posekit.studio.dressed_figure import make_figure
from posekit.studio.generate import UV_STEPS, Shot, to_person
from posekit.studio.render.camera import frame
from posekit.studio.render.joints import keypoints
from posekit.studio.render.light import Background, random_light
from posekit.studio.render.render import photograph, pose_figure, prepare_materials
from posekit.studio.render.surface_maps import part_of, surface_maps
from posekit.util.errors import InputError
from posekit_course.densepose_uv.figures import iuv_picture, map_colors, panels
from posekit_course.live import Live, live

POSES = ("stand", "wave", "hand_on_hip", "arms_out", "walk_long", "half_seated")
SIZE = (192, 144)  # (h, w) of the photographs
FILL = 0.72  # of the picture's height for the body as it is; taller bodies and raised arms still fit
ATLAS = 96  # texels along an edge in `render_body`
UNKNOWN = 0.85  # grey of texels that the photograph does not show


@lru_cache(maxsize=2)
def _sitter(seed: int):
    """One figure, its materials, light and backdrop.  Short hair and trousers lie on the body and follow its shape."""
    figure = make_figure(seed, outfit="trousers", hair="crop", top="breton", shoes="sneaker", jacket=False)
    light = random_light(np.random.default_rng(seed))
    backdrop = Background(grey=0.95, tint=np.ones(3), vignette=0.0, gradient=0.0, horizon=None)
    return figure, prepare_materials(figure), light, backdrop


def reshape(figure: Figure, components: Sequence[float]) -> Figure:
    """The figure with another body under the same clothes: x + c_1 b_1 + ... + c_k b_k.

    components: c, standard deviations along the first k shape components, added to those of the figure.  Layers whose
    vertices are numbered like the body's (skin, garments, short hair, eyes) move with it; others stay.
    """
    body = load_body()
    c = np.asarray(components, np.float32)
    if c.ndim != 1 or len(c) > len(body.basis):
        raise InputError(f"A shape is a row of at most {len(body.basis)} components, got shape {c.shape}.")
    delta = np.tensordot(c, body.basis[: len(c)], axes=1)
    skin, joints = delta[: body.n_vertices], delta[body.n_vertices : body.n_vertices + len(body.bones)]
    layers = [
        replace(layer, vertices=layer.vertices + skin[: len(layer.vertices)])
        if len(layer.vertices) in (body.n_skin, body.n_vertices)
        else layer
        for layer in figure.layers
    ]
    return replace(figure, layers=layers, vertices=figure.vertices + skin, joints=figure.joints + joints)


def blend_pose(name: str, amount: float, turn: float) -> Pose:
    """Joint angles on the way from plain standing (amount 0) to a key pose (1); turn: degrees to the left."""
    if name not in KEY_POSES:
        raise InputError(f"The pose {name!r} is not known; there are: {', '.join(KEY_POSES)}.")
    stand, key = complete(KEY_POSES["stand"]), complete(KEY_POSES[name])
    return {angle: (1 - amount) * stand[angle] + amount * key[angle] for angle in stand} | {"yaw": float(turn)}


@lru_cache(maxsize=64)
def take(
    components: tuple[float, ...] = (),
    pose: str = "stand",
    amount: float = 1.0,
    turn: float = 0.0,
    size: tuple[int, int] = SIZE,
    seed: int = 4,
) -> Person:
    """A photograph with exact maps; the camera stands still, so that a taller body looks taller.

    components: shape, see `reshape`.  pose, amount, turn: see `blend_pose`.  size: (h, w) in pixels.
    """
    body = load_body()
    figure, materials, light, background = _sitter(seed)
    plain = pose_figure(body, figure, blend_pose("stand", 0, 0), materials)
    camera = frame(body, plain.body, plain.joints, size, "full", fill=FILL)
    posed = pose_figure(body, reshape(figure, components), blend_pose(pose, amount, turn), materials)
    sole = plain.body[: body.n_skin, 1].min() - posed.body[: body.n_skin, 1].min()
    up = np.array([0, sole, 0], np.float32)  # both stand on the same floor
    posed = replace(posed, vertices=[v + up for v in posed.vertices], body=posed.body + up, joints=posed.joints + up)

    image = photograph(posed, camera, light, background)
    maps = surface_maps(posed, camera, part_labels())
    uv = np.round(maps.uv * UV_STEPS).astype(np.uint16)
    part = part_of(uv / np.float32(UV_STEPS), maps.mask, part_labels())
    points, visibility = keypoints(body, posed, camera, maps.nearness)
    shot = Shot(
        image,
        np.where(part[..., None] > 0, uv, 0).astype(np.uint16),
        part,
        maps.head,
        maps.hair,
        maps.hands,
        points,
        visibility.astype(np.uint8),
    )
    return to_person(shot, seed, 0, 0)


def seen_in_atlas(person: Person, size: int) -> tuple[Float[Tensor, "3 t t"], float]:
    """The colours of a photograph on an atlas of ``size`` squared, and the share of the body's texels that it shows."""
    drawn = splat(person.image[None], person.uv[None], (size, size), person.mask[None])
    body = torch.from_numpy(part_labels(size) > 0)
    colours = torch.where(drawn.known[0] > 0, drawn.values[0], torch.where(body, UNKNOWN, 1.0))
    return colours, float((drawn.known[0, 0] > 0)[body].float().mean())


def render_body(
    tall: float = 0.0,
    build: float = 0.0,
    pose: str = "wave",
    amount: float = 1.0,
    turn: float = 0.0,
    size: tuple[int, int] = SIZE,
) -> Picture:
    """Photograph, IUV picture, atlas map, and what of the atlas this photograph shows.

    tall: standard deviations of body height, component 1 with its sign turned.  build: component 2.
    """
    person = take((-float(tall), float(build)), pose, float(amount), float(turn), size)
    colours, share = seen_in_atlas(person, ATLAS)
    return panels(
        [
            ("photograph", person.image),
            ("charts: I, U, V as colours", iuv_picture(person)),
            ("atlas: u red, v green", map_colors(person.uv, person.mask)),
            (f"{share:.0%} of the body's texels are seen", colours),
        ],
        width=10,
    )


def controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_body`; few values each, so that every picture comes at once."""
    slow = {"continuous_update": False, "style": {"description_width": "5em"}}
    return {
        "tall": W.FloatSlider(0.0, min=-2, max=2, step=1, description="height", **slow),
        "build": W.FloatSlider(0.0, min=-2, max=2, step=1, description="build", **slow),
        "pose": W.Dropdown(
            options=[(name.replace("_", " "), name) for name in POSES if name != "stand"],
            value="wave",
            description="pose",
            style=slow["style"],
        ),
        "amount": W.FloatSlider(1.0, min=0, max=1, step=0.25, description="how far", **slow),
        "turn": W.IntSlider(20, min=-160, max=180, step=20, description="turn", **slow),
    }


def body_panel() -> Live:
    """`render_body` with its controls."""
    return live(lambda **values: render_body(**values).as_image(), **controls())
