"""Pictures for the notebook on photographs: where a person is looked for, what is found, how much each step loses.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon
from posekit_lab.pictures import BLUE, GREEN, GREY, ORANGE, show
from torch import Tensor

from posekit.ops.grids import norm_to_points
from posekit.ops.keypoints import BONES, JOINTS
from posekit.photo.find_person import find_person
from posekit.photo.photographed import photographed
from posekit.photo.regions import Region
from posekit.plots import picture
from posekit_course.color_vs_coordinate.figures import grid_of, new_figure
from posekit_course.face_resynthesis.figures import known_picture
from posekit_course.garments_and_keypoints.figures import map_picture
from posekit_course.garments_and_keypoints.probes import posed_people
from posekit_course.your_own_photo import probes

__all__ = ["BLUE", "GREY", "ORANGE", "grid_of", "known_picture", "map_picture", "new_figure", "picture", "show"]

_SIDES = {"right": ORANGE, "left": BLUE}


def prepare_photographs(people: int = 6) -> None:
    """Render and compile what the notebook uses, before it is timed."""
    with TemporaryDirectory() as folder:
        first, _ = probes.strangers(people, Path(folder))[0]
        probes.estimated_steps(first, probes.reading_system())
    posed_people(4)
    for name in probes.PORTRAITS:
        photographed(probes.album_photo(name), probes.reading_system())
        find_person(probes.album_photo(name))


def draw_search(
    photographs: Mapping[str, Tensor], circles: Mapping[str, np.ndarray], regions: Mapping[str, Region]
) -> Figure:
    """Photographs with the circle around the body (from its middle, through a point) and the square looked at."""
    figure, axes = new_figure(2.6 * len(photographs), 3.0, 1, len(photographs))
    for axis, (name, image) in zip(axes[0], photographs.items(), strict=True):
        show(axis, picture(image[None]), name)
        hips, rim = circles[name]
        axis.add_patch(Circle(hips, float(np.linalg.norm(rim - hips)), fill=False, color=ORANGE, linewidth=1.5))
        axis.plot(*np.stack([hips, rim]).T, "o-", color=ORANGE, markersize=4)
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) @ regions[name].axes().T + regions[name].centre
        axis.add_patch(Polygon(corners, fill=False, color=BLUE, linewidth=1.5))
        h, w = image.shape[-2:]
        low, high = np.minimum(corners.min(0), 0), np.maximum(corners.max(0), (w, h))
        axis.set_xlim(low[0] - 0.02 * w, high[0] + 0.02 * w)
        axis.set_ylim(high[1] + 0.02 * h, low[1] - 0.02 * h)
    return figure


def _draw_bones(axis: Axes, keypoints: Tensor, visibility: Tensor, size: tuple[int, int], alpha: float = 1.0) -> None:
    """The skeleton on an axis that shows a photograph: the person's right side orange, their left side blue.

    keypoints: 18 2 in [-1, 1].  visibility: 18; an occluded joint is drawn hollow.
    """
    points, seen = norm_to_points(keypoints, size).numpy(), visibility.numpy()
    for a, b in BONES:
        if seen[a] and seen[b]:
            axis.plot(*points[[a, b]].T, color=_colour(b), linewidth=1.5, alpha=alpha)
    for n in np.flatnonzero(seen):
        face = _colour(n) if seen[n] == 2 else "white"
        axis.plot(*points[n], "o", color=_colour(n), markerfacecolor=face, markersize=3.5, alpha=alpha)


def _colour(joint: int) -> str:
    return _SIDES.get(JOINTS[joint].partition("_")[0], GREEN)


def draw_attempts(photographs: Mapping[str, Tensor]) -> Figure:
    """What is found in each photograph; where nobody is, the sentence that says so."""
    figure, axes = new_figure(2.6 * len(photographs), 3.1, 1, len(photographs))
    for axis, (name, image) in zip(axes[0], photographs.items(), strict=True):
        draw_attempt(axis, image, name)
    return figure


def draw_attempt(axis: Axes, image: Tensor, title: str) -> None:
    """One photograph: the skeleton and the outline of whoever is found, or the sentence."""
    detected = probes.attempt(image)
    if isinstance(detected, str):
        show(axis, 0.4 * picture(image[None]) + 0.6, title)
        middle = {"ha": "center", "va": "center", "fontsize": 9, "wrap": True, "transform": axis.transAxes}
        words, lines = detected.split(), [""]
        for word in words:
            lines = [*lines[:-1], f"{lines[-1]} {word}"] if len(lines[-1]) < 24 else [*lines, word]
        axis.text(0.5, 0.5, "\n".join(lines).strip(), color="black", **middle)
        return
    shade = 1 - 0.55 * (1 - detected.silhouette[0].numpy()[..., None])
    show(axis, picture(image[None]) * shade, title)
    _draw_bones(axis, detected.keypoints, detected.visibility, tuple(image.shape[-2:]))


def draw_joints(strangers: Sequence[probes.Steps]) -> Figure:
    """Strangers: the joints that were found, with white crosses at the true ones; the map read, and the exact one."""
    figure, axes = new_figure(1.9 * len(strangers), 5.6, 3, len(strangers))
    for column, steps in zip(axes.T, strangers, strict=True):
        truth, size = steps.truth, steps.truth.size
        show(column[0], picture(truth.image), "joints found" if column[0] is axes[0, 0] else "")
        _draw_bones(column[0], steps.detected.keypoints, steps.detected.visibility, size)
        for axis, person, title in ((column[1], steps.pose, "map read"), (column[2], steps.exact, "exact map")):
            show(axis, map_picture(person), title if axis in (axes[1, 0], axes[2, 0]) else "")
        points = norm_to_points(truth.keypoints[0], size)[truth.visibility[0] > 0]
        column[0].plot(*points.T.numpy(), "x", color="white", markersize=5, markeredgewidth=1.2)
    return figure


def draw_ladder(errors: Mapping[str, np.ndarray], copied: float) -> Figure:
    """The mean error of each row of the ladder with its 95 % interval over pairs; the copied source as a line."""
    figure, axes = new_figure(7.2, 2.6, 1, 1)
    axis = axes[0, 0]
    for n, values in enumerate(errors.values()):
        half = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0
        axis.barh(-n, values.mean(), xerr=half, color=BLUE if n else GREY, capsize=3, height=0.6)
    axis.axvline(copied, color=ORANGE, linestyle="--")
    axis.text(copied, 0.55, "the source as it is ", color=ORANGE, ha="right", va="bottom")
    axis.set_yticks([-n for n in range(len(errors))], list(errors))
    axis.set_xlabel("mean absolute error on the target's person")
    return figure
