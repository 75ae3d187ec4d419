"""Live figures on faces: source and target of anybody, and a real face on the heads of others.

The drawing functions are pure: the same settings give the same picture.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import ipywidgets as W
from matplotlib.figure import Figure
from PIL import Image

from posekit.data.studio import StudioPeople
from posekit.person import Pair
from posekit.systems.base import System
from posekit_course.face_resynthesis import figures, probes
from posekit_course.garments_and_keypoints.probes import maps_of
from posekit_course.live import Live, live


def render_turned(person: int, source: int, target: int, *, system: System, faces: StudioPeople) -> Figure:
    """All steps from one photograph of a face to another of it; the turn between them in the last title."""
    pair = Pair(faces.person(person, source), faces.person(person, target)).batched()
    looks = probes.looks_of(faces)[person]
    panels = figures.steps_shown(pair, maps_of(system, pair))
    panels[f"target: turned by {probes.turn_between(looks[source], looks[target]):.0f}°"] = panels.pop("target")
    return figures.grid_of(list(panels), [list(panels.values())], scale=1)


def _turned_controls(faces: StudioPeople) -> dict[str, W.ValueWidget]:
    """The controls of `render_turned`."""
    slow = {"continuous_update": False}
    people, views = len(faces.numbers), faces.card.views
    return {
        "person": W.IntSlider(0, min=0, max=people - 1, description="person", **slow),
        "source": W.IntSlider(0, min=0, max=views - 1, description="source", **slow),
        "target": W.IntSlider(1, min=0, max=views - 1, description="target", **slow),
    }


def render_portrait(name: str, person: int, view: int, *, system: System, faces: StudioPeople) -> Figure:
    """A real face on the map of a rendered head: all steps; there is no truth, so the last picture is the head."""
    pair = Pair(probes.portrait(name, system.size[0]).person, faces.person(person, view)).batched()
    panels = figures.steps_shown(pair, maps_of(system, pair))
    panels["the head it is put on"] = panels.pop("target")
    return figures.grid_of(list(panels), [list(panels.values())], scale=1)


def _portrait_controls(faces: StudioPeople) -> dict[str, W.ValueWidget]:
    """The controls of `render_portrait`."""
    slow = {"continuous_update": False}
    return {
        "name": W.ToggleButtons(options=list(probes.PORTRAITS), description="face"),
        "person": W.IntSlider(0, min=0, max=len(faces.numbers) - 1, description="head of", **slow),
        "view": W.IntSlider(0, min=0, max=faces.card.views - 1, description="view", **slow),
    }


def _small(draw: Callable[..., Figure]) -> Callable[..., Image.Image]:
    """The same drawing as a picture in fewer bytes, for the notebook that keeps it."""
    return lambda **settings: draw(**settings).as_image()


def two_faces(system: System, faces: StudioPeople) -> Live:
    """Source and target of anybody."""
    return live(_small(partial(render_turned, system=system, faces=faces)), **_turned_controls(faces))


def portraits(system: System, faces: StudioPeople) -> Live:
    """A real face on the heads of others."""
    return live(_small(partial(render_portrait, system=system, faces=faces)), **_portrait_controls(faces))
