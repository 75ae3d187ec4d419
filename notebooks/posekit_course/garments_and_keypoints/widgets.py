"""Live figures on keypoints and garments: a pose that is turned and thinned out, a fitting, what is kept of a person.

The drawing functions are pure: the same settings give the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import ipywidgets as W
from matplotlib.figure import Figure
from PIL import Image

from posekit.person import Pair
from posekit.systems.base import System
from posekit.systems.cut_out import laid_on_white
from posekit_course.garments_and_keypoints import figures, probes
from posekit_course.live import Live, live


def render_pose(share: float, hidden: str, person: int, *, system: System, pairs: Sequence[Pair]) -> Figure:
    """A pose, turned and thinned out: its skeleton, the network's doubt, the map it reads, the photograph it leads to.

    share: of the way to right and left exchanged.  hidden: one of `probes.GROUPS`.  person: which of the pairs.
    """
    pair = pairs[person]
    pose = probes.without(probes.turned(probes.pose_of(pair.target), share), probes.GROUPS[hidden])
    probability, _ = probes.answers(system, pose)
    made = probes.maps_of(system, Pair(pair.source, pose))
    panels = {
        "source": figures.picture(pair.source.image),
        "joints": figures.bones_picture(pose, pair.target.size[0]),
        f"map: back {probes.back_share(probability):.0%}": figures.map_picture(system.read_pose(pose)),
        "photograph": figures.picture(made.image),
    }
    return figures.grid_of(list(panels), [list(panels.values())], scale=1)


def _pose_controls(people: int) -> dict[str, W.ValueWidget]:
    """The controls of `render_pose`."""
    slow = {"continuous_update": False}
    return {
        "share": W.FloatSlider(0.0, min=0, max=1, step=0.25, description="turned", **slow),
        "hidden": W.ToggleButtons(options=list(probes.GROUPS), value="nothing", description="hidden"),
        "person": W.IntSlider(0, min=0, max=people - 1, description="person", **slow),
    }


def render_fitting(person: int, clothes: int, *, system: System, people: Sequence[int]) -> Figure:
    """Somebody in the clothes of somebody: pasted, made by the network, and the truth.

    person, clothes: which of ``people``, numbers of the studio.
    """
    pair = probes.dressed_pair(people[person], people[clothes], system.size[0])
    made = {}
    for name, one in (("pasted", None), ("network", system)):
        image = probes.dressed(one, pair)
        _, wrong = probes.fitting_errors(image, pair)
        made[f"{name}: off by {wrong:.3f}"] = image
    return figures.draw_fitting(pair, made)


def _fitting_controls(people: int) -> dict[str, W.ValueWidget]:
    """The controls of `render_fitting`."""
    slow = {"continuous_update": False}
    return {
        "person": W.IntSlider(0, min=0, max=people - 1, description="person", **slow),
        "clothes": W.IntSlider(1, min=0, max=people - 1, description="clothes of", **slow),
    }


def render_kept(head: bool, hair: bool, hands: bool, *, system: System, pair: Pair) -> Figure:
    """What g makes when less is kept of the person."""
    own = probes.keeping(pair.neighbours[0], head, hair, hands)
    made = probes.maps_of(system, Pair(pair.source, own)).image
    kept = figures.kept_of(own)
    panels = {
        "clothes": pair.source.image,
        "kept: N'": own.image * kept + 0.82 * (1 - kept),
        "made": made,
        "truth": laid_on_white(pair.target),
    }
    return figures.grid_of(list(panels), [[figures.picture(image) for image in panels.values()]], scale=1)


def _kept_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_kept`."""
    return {name: W.Checkbox(True, description=f"keep {name}") for name in ("head", "hair", "hands")}


def _small(draw: Callable[..., Figure]) -> Callable[..., Image.Image]:
    """The same drawing as a picture in fewer bytes, for the notebook that keeps it."""
    return lambda **settings: draw(**settings).as_image()


def pose(system: System, pairs: Sequence[Pair]) -> Live:
    """A pose that is turned and thinned out."""
    return live(_small(partial(render_pose, system=system, pairs=pairs)), **_pose_controls(len(pairs)))


def fitting(system: System, people: Sequence[int]) -> Live:
    """People and clothes."""
    return live(_small(partial(render_fitting, system=system, people=people)), **_fitting_controls(len(people)))


def kept(system: System, pair: Pair) -> Live:
    """What is kept of the person."""
    return live(_small(partial(render_kept, system=system, pair=pair)), **_kept_controls())
