"""Live figures on Dense Pose Transfer: a part's chart before and after, the streams and their blend, supervising views.

The drawing functions are pure: the same settings give the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import ipywidgets as W
from matplotlib.figure import Figure
from PIL import Image

from posekit.ops.charts import PARTS, splat_charts
from posekit.person import Pair
from posekit.systems.base import System
from posekit.systems.dense_pose_transfer import iuv_planes
from posekit_course.dense_pose_transfer import figures, probes
from posekit_course.live import Live, live

STREAMS = ("predicted", "warped, as observed", "warped, completed", "blended")


# ------------------------------------------------------------------------------------------------------ a part's chart


def render_part(part: int, person: int, *, system: System, pairs: Sequence[Pair]) -> Figure:
    """One part: where the photographs show it, and its chart as the source shows it, completed, as the target does.

    part: 1..24.  person: which of the pairs.
    """
    pair, side = pairs[person], system.config.chart_size
    maps = probes.run(system, pair)
    theirs, shown = splat_charts(pair.target.image, pair.target.part, pair.target.chart, side)
    whole = {
        "observed in the source": figures.chart_picture(maps.charts, maps.known),
        "completed": figures.chart_picture(maps.completed),
        "observed in the target": figures.chart_picture(theirs, shown),
    }
    figure, axes = figures.new_figure(10.5, 4.6, 2, 4)
    figures.show(axes[0, 0], figures.lit_part(pair.source, part), "source")
    figures.show(axes[1, 0], figures.lit_part(pair.target, part), "target")
    row, column = divmod(part - 1, figures.COLUMNS)
    for n, (title, tiles) in enumerate(whole.items(), 1):
        own = tiles[row * side : (row + 1) * side, column * side : (column + 1) * side]
        figures.show(axes[0, n], tiles, title)
        figures.show(axes[1, n], own, f"chart {part}")
    figure.suptitle(f"part {part}: {probes.NAMES[part]}", fontsize=12)
    return figure


def _part_controls(people: int) -> dict[str, W.ValueWidget]:
    """The controls of `render_part`."""
    slow = {"continuous_update": False}
    return {
        "part": W.IntSlider(2, min=1, max=PARTS, description="part", **slow),
        "person": W.IntSlider(0, min=0, max=people - 1, description="person", **slow),
    }


# ---------------------------------------------------------------------------------------------------- streams, blended


def render_streams(stream: str, person: int, correction: float, *, system: System, pairs: Sequence[Pair]) -> Figure:
    """The photograph of one stream, or of both: predicted + ``correction`` times what the blending module adds.

    stream: one of STREAMS.  person: which of the pairs.  correction: 1 as trained, 0 the prediction alone.
    """
    pair = pairs[person]
    maps = probes.run(system, pair)
    observed, _ = probes.observed_warp(maps, pair)
    residual, wall = maps.blended - maps.predicted, 1 - pair.target.mask
    made = dict(
        zip(
            STREAMS,
            (maps.predicted, observed + wall, maps.W + wall, maps.predicted + correction * residual),
            strict=True,
        )
    )[stream].clamp(0, 1)
    panels = {
        "source": pair.source.image,
        "pose of the target": iuv_planes(pair.target),
        f"{stream}: error {probes.body_error(made, pair):.3f}": made,
        "target": pair.target.image,
    }
    return figures.grid_of(list(panels), [[figures.picture(image) for image in panels.values()]], scale=1)


def _streams_controls(people: int) -> dict[str, W.ValueWidget]:
    """The controls of `render_streams`."""
    slow = {"continuous_update": False}
    return {
        "stream": W.ToggleButtons(options=STREAMS, value="blended", description="stream"),
        "person": W.IntSlider(0, min=0, max=people - 1, description="person", **slow),
        "correction": W.FloatSlider(1.0, min=0, max=2, step=0.5, description="correction", **slow),
    }


# ------------------------------------------------------------------------------------------------ views that supervise


def render_views(views: int, person: int, *, side: int, pairs: Sequence[Pair]) -> Figure:
    """Which texels the first ``views`` photographs of a person say anything about."""
    pair = pairs[person]
    count = probes.supervised(pair, views, side)
    photos = [pair.source, pair.target, *pair.neighbours][:views]
    most = 2 + len(pair.neighbours)
    figure, axes = figures.new_figure(11, 2.6, 1, most + 1)
    axes[0, 0].get_gridspec().set_width_ratios([1] * most + [1.6])
    for axis, person_of, title in zip(axes[0], photos, ("source", "target", "neighbour", "neighbour"), strict=False):
        figures.show(axis, figures.picture(person_of.image), title)
    for axis in axes[0, len(photos) : most]:
        axis.set_axis_off()
    share = float((count > 0).float().mean())
    figures.show(axes[0, -1], figures.counted(count), f"{share:.0%} of all texels are supervised")
    return figure


def _views_controls(people: int, most: int) -> dict[str, W.ValueWidget]:
    """The controls of `render_views`."""
    slow = {"continuous_update": False}
    return {
        "views": W.IntSlider(most, min=1, max=most, description="views", **slow),
        "person": W.IntSlider(0, min=0, max=people - 1, description="person", **slow),
    }


def _small(draw: Callable[..., Figure]) -> Callable[..., Image.Image]:
    """The same drawing as a picture in fewer bytes, for the notebook that keeps it."""
    return lambda **settings: draw(**settings).as_image()


def part(system: System, pairs: Sequence[Pair]) -> Live:
    """A part of the body, and its chart."""
    return live(_small(partial(render_part, system=system, pairs=pairs)), **_part_controls(len(pairs)))


def streams(system: System, pairs: Sequence[Pair]) -> Live:
    """Both streams, and how much of the correction is taken."""
    return live(_small(partial(render_streams, system=system, pairs=pairs)), **_streams_controls(len(pairs)))


def views(side: int, pairs: Sequence[Pair]) -> Live:
    """How many views supervise."""
    most = 2 + len(pairs[0].neighbours)
    return live(_small(partial(render_views, side=side, pairs=pairs)), **_views_controls(len(pairs), most))
