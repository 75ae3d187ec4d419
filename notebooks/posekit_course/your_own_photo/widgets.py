"""Live figures on photographs: when nobody is found, and a photograph in another pose.

The drawing functions are pure: the same settings give the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import ipywidgets as W
from matplotlib.figure import Figure
from PIL import Image

from posekit.data.studio import StudioPeople
from posekit.evaluation.transfer import transfer
from posekit.ops.splat import splat
from posekit.person import Person
from posekit.photo.photographed import photographed
from posekit.systems.base import System
from posekit_course.live import Live, live
from posekit_course.your_own_photo import figures, probes


def render_attempt(name: str, turn: int, kept: float, height: int) -> Figure:
    """A photograph turned, cut and made smaller, with whoever is found in it."""
    figure, axes = figures.new_figure(3.6, 3.8, 1, 1)
    image = probes.changed(probes.album_photo(name), turn, kept, height)
    figures.draw_attempt(axes[0, 0], image, f"{image.shape[-1]} x {image.shape[-2]} pixels")
    return figure


def _attempt_controls(names: Sequence[str]) -> dict[str, W.ValueWidget]:
    """The controls of `render_attempt`."""
    slow = {"continuous_update": False}
    return {
        "name": W.ToggleButtons(options=_labels(names), description="photo"),
        "turn": W.IntSlider(0, min=-90, max=90, step=45, description="turned by", **slow),
        "kept": W.SelectionSlider(options=[("all", 1.0), ("upper half", 0.5), ("upper third", 0.33)],
                                  description="shown", **slow),
        "height": W.SelectionSlider(options=[400, 80, 20], description="pixels", **slow),
    }  # fmt: skip


def render_new_pose(name: str, person: int, view: int, *, system: System, poses: StudioPeople) -> Figure:
    """A photographed person on the map of a rendered one: every step; there is no truth."""
    me, pose = _own(name, system), poses.person(person, view).batched()
    made = transfer(me, pose, system, read=False)
    texels = splat(me.image, me.uv, tuple(made.T.shape[-2:]), me.mask)
    panels = {
        "cut out": figures.picture(me.image),
        "map": figures.map_picture(me),
        "texels": figures.known_picture(texels.values, texels.known),
        "T": figures.picture(made.T),
        "g's picture": figures.picture(made.image),
        "who has this pose": figures.picture(pose.image),
    }
    return figures.grid_of(list(panels), [list(panels.values())], scale=1)


@lru_cache(maxsize=8)
def _own(name: str, system: System) -> Person:
    return photographed(probes.album_photo(name), system)


def _pose_controls(names: Sequence[str], poses: StudioPeople) -> dict[str, W.ValueWidget]:
    """The controls of `render_new_pose`."""
    slow = {"continuous_update": False}
    return {
        "name": W.ToggleButtons(options=_labels(names), description="photo"),
        "person": W.IntSlider(0, min=0, max=len(poses.numbers) - 1, description="pose of", **slow),
        "view": W.IntSlider(0, min=0, max=poses.card.views - 1, description="view", **slow),
    }


def _labels(names: Sequence[str]) -> list[tuple[str, str]]:
    """Files by their last name."""
    return [(name.replace("\\", "/").rpartition("/")[2], name) for name in names]


def _small(draw: Callable[..., Figure]) -> Callable[..., Image.Image]:
    """The same drawing as a picture in fewer bytes, for the notebook that keeps it."""
    return lambda **settings: draw(**settings).as_image()


def attempts(names: Sequence[str]) -> Live:
    """When is somebody found?"""
    return live(_small(render_attempt), **_attempt_controls(names))


def new_poses(names: Sequence[str], system: System, poses: StudioPeople) -> Live:
    """Photographs in other poses."""
    return live(_small(partial(render_new_pose, system=system, poses=poses)), **_pose_controls(names, poses))
