"""Pictures for the notebook on faces: textures, points, targets near and far, errors by the turn of the head.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from posekit_lab.pictures import BLUE, GREY, ORANGE, show
from torch import Tensor

from posekit.person import Pair
from posekit.photo.find_face import FacePoints
from posekit.plots import picture
from posekit.systems.coordinate_results import CoordinateResult
from posekit_course.color_vs_coordinate.figures import grid_of, new_figure
from posekit_course.face_resynthesis import probes
from posekit_course.garments_and_keypoints.figures import map_picture
from posekit_course.garments_and_keypoints.probes import maps_of

__all__ = ["BLUE", "GREY", "ORANGE", "grid_of", "map_picture", "new_figure", "picture", "show"]


def prepare_faces(people: int = 10) -> None:
    """Render and compile what the notebook uses, before it is timed."""
    pair = probes.some_faces(people)[0].batched()
    for variant in ("full", "rgb"):
        maps_of(probes.face_system(variant), pair)
    for name in probes.PORTRAITS:
        probes.portrait(name)


def known_picture(texture: Tensor, known: Tensor) -> np.ndarray:
    """A texture with grey where nothing is known."""
    return picture(texture * known + 0.8 * (1 - known))


def draw_points(portraits: Mapping[str, tuple[Tensor, FacePoints]]) -> Figure:
    """Photographs with the points of their faces, red near the camera and blue far from it."""
    figure, axes = new_figure(2.5 * len(portraits), 2.7, 1, len(portraits))
    for axis, (name, (image, face)) in zip(axes[0], portraits.items(), strict=True):
        x, y, z = face.points.T
        show(axis, picture(image[None]), name)
        dots = axis.scatter(x, y, c=z, s=2, cmap="jet")
        around = 0.8 * np.ptp(y)
        axis.set_xlim(x.mean() - around, x.mean() + around)
        axis.set_ylim(y.mean() + around, y.mean() - around)
        figure.colorbar(dots, ax=axis, shrink=0.7, label="depth, pixels").ax.tick_params(labelsize=8)
    return figure


def draw_targets(people: Sequence[Sequence[tuple[str, Tensor]]]) -> Figure:
    """A row a source: the source, and its targets from near to far, each with its title above it."""
    figure, axes = new_figure(1.5 * len(people[0]), 1.75 * len(people), len(people), len(people[0]))
    for row, line in zip(axes, people, strict=True):
        for axis, (title, image) in zip(row, line, strict=True):
            show(axis, picture(image), title)
    return figure


def steps_shown(pair: Pair, result: CoordinateResult, made: str = "g's picture") -> dict[str, np.ndarray]:
    """Every step from the source to the new photograph, by its title."""
    texture, known = probes.texture_of(pair.source, result.T.shape[-1])
    return {
        "source": picture(pair.source.image),
        "seen texels": known_picture(texture, known),
        "T: completed": picture(result.T),
        "W: on N's map": picture(result.W),
        made: picture(result.image),
        "target": picture(pair.target.image),
    }


def draw_by_turn(turns: np.ndarray, errors: Mapping[str, np.ndarray], edges: Sequence[float]) -> Figure:
    """Error on the head against the turn between source and target: means in bins, with 95 % intervals over pairs."""
    figure, axes = new_figure(7.5, 3.6, 1, 1)
    axis = axes[0, 0]
    for (name, values), colour in zip(errors.items(), (GREY, ORANGE, BLUE), strict=False):
        centres, means, halves = binned(turns, values, edges)
        axis.errorbar(centres, means, yerr=halves, label=name, color=colour, marker="o", capsize=3)
    axis.set_xlabel("degrees between source and target")
    axis.set_ylabel("error on the head (l1)")
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False)
    return figure


def binned(turns: np.ndarray, values: np.ndarray, edges: Sequence[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle of each bin that holds ten values or more, mean, and half of the 95 % interval of the mean."""
    rows = []
    for low, high in zip(edges, edges[1:], strict=False):
        inside = values[(turns >= low) & (turns < high)]
        if len(inside) >= 10:
            rows.append(((low + high) / 2, inside.mean(), 1.96 * inside.std(ddof=1) / np.sqrt(len(inside))))
    return tuple(np.array(rows).T)


def head_of(pair: Pair) -> Tensor:
    """The target's head and hair, 1 1 h w."""
    return ((pair.target.head + pair.target.hair) > 0).to(torch.float32)
