"""Pictures for the notebook on keypoints and garments: skeletons, answers of the network, people in others' clothes.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from posekit_lab.pictures import BLUE, GREY, ORANGE, show
from torch import Tensor

from posekit.evaluation.table import Evaluation
from posekit.ops.keypoints import BONES, JOINTS, skeleton_maps
from posekit.person import Pair, Person
from posekit.plots import coordinate_colors, picture
from posekit.systems.cut_out import kept_of, laid_on_white
from posekit_course.color_vs_coordinate.figures import grid_of, new_figure
from posekit_course.garments_and_keypoints import probes

__all__ = ["BLUE", "GREY", "ORANGE", "grid_of", "new_figure", "picture", "show"]


def prepare_dressing(people: int = 6) -> None:
    """Render and compile what the notebook uses, before it is timed."""
    data = probes.posed_people(people)
    pair = data[0].batched()
    for variant in ("full", "keypoints"):
        probes.maps_of(probes.package_system(variant), pair)
    probes.dressed(probes.package_system("garments"), probes.dressed_pair(9, 19))


# --------------------------------------------------------------------------------------------------------------- poses


def bones_picture(person: Person, size: int = 128, width: float = 3.0) -> np.ndarray:
    """The bones of a pose (a batch of one) in colours, on white; a bone of the right side is warm, of the left cold."""
    maps = skeleton_maps(person.keypoints, person.visibility, (size, size), width)[0]
    canvas = torch.ones(3, size, size)
    for colour, bone in zip(_bone_colours(), maps, strict=True):
        canvas = canvas * (1 - bone) + colour[:, None, None] * bone
    return picture(canvas)


def _bone_colours() -> Tensor:
    hue = {"right": 0.04, "left": 0.58}
    colours = []
    for n, (_, end) in enumerate(BONES):
        side = JOINTS[end].partition("_")[0]
        colours.append(hsv_to_rgb((hue.get(side, 0.33), 0.9, 0.6 + 0.3 * (n % 3) / 2)))
    return torch.tensor(np.array(colours), dtype=torch.float32)


def map_picture(person: Person) -> np.ndarray:
    """A surface map (a batch of one) as colours, u red and v green; white off the body."""
    return picture(coordinate_colors(person.uv, person.mask))


def draw_planes(person: Person, size: int) -> Figure:
    """The 17 maps of a pose, one a bone."""
    maps = skeleton_maps(person.keypoints, person.visibility, (size, size))
    figure, axes = new_figure(11, 2.6, 2, 9)
    for axis in axes.flat:
        axis.set_axis_off()
    for n, axis in zip(range(len(BONES)), axes.flat, strict=False):
        axis.imshow(1 - maps[0, n].numpy(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(str(n + 1), fontsize=8)
    return figure


def draw_doubt(panels: Mapping[str, tuple[np.ndarray, Tensor]]) -> Figure:
    """Per pose: its skeleton; the probability that a pixel is the torso's back, or its front; the doubt in bits."""
    figure, axes = new_figure(2.4 * len(panels), 7.2, 3, len(panels))
    for column, (title, (bones, probability)) in enumerate(panels.items()):
        show(axes[0, column], bones, title)
        back, front = probability[0, probes.BACK], probability[0, probes.FRONT]
        mixed = torch.stack([1 - front, 1 - front - back, 1 - back]).clamp(0, 1)
        show(axes[1, column], picture(mixed), f"back {probes.back_share(probability):.0%}")
        bits = probes.doubt(probability)[0, 0].numpy()
        axes[2, column].imshow(bits, cmap="magma", vmin=0, vmax=2)
        axes[2, column].set_axis_off()
        axes[2, column].set_title(f"doubt, on the body {probes.body_doubt(probability):.2f} bits", fontsize=10)
    figure.colorbar(axes[2, -1].images[0], ax=list(axes[2]), shrink=0.8, label="bits")
    return figure


# ------------------------------------------------------------------------------------------------------------ clothes


def draw_fitting(pair: Pair, made: Mapping[str, Tensor]) -> Figure:
    """Clothes, the person, what is kept of them, what was made, and the truth."""
    own = pair.neighbours[0]
    kept = kept_of(own)
    panels = {"clothes": pair.source.image, "person": own.image, "kept: N'": own.image * kept + 0.82 * (1 - kept)}
    panels |= {**made, "truth": laid_on_white(pair.target)}
    return grid_of(list(panels), [[picture(image) for image in panels.values()]], scale=1)


def draw_wardrobe(made: Sequence[Sequence[Tensor]], people: Sequence[Tensor], clothes: Sequence[Tensor]) -> Figure:
    """A row for each person, a column for each one's clothes."""
    blank = np.ones_like(picture(clothes[0]))
    rows = [[blank, *(picture(image) for image in clothes)]]
    rows += [[picture(own), *(picture(image) for image in row)] for own, row in zip(people, made, strict=True)]
    titles = ["", *(f"clothes {n + 1}" for n in range(len(clothes)))]
    return grid_of(titles, rows, scale=1)


def draw_try_on(table: Evaluation, metrics: Mapping[str, str]) -> Figure:
    """Bars with intervals: the person as they are, pasted clothes, and the network, by several measures."""
    figure, axes = new_figure(10, 2.8, 1, len(metrics))
    for axis, (metric, title) in zip(axes[0], metrics.items(), strict=True):
        rows = {row.system: row for row in table.rows if row.metric == metric}
        for n, (row, colour) in enumerate(zip(rows.values(), (GREY, ORANGE, BLUE), strict=False)):
            axis.bar(n, row.mean, color=colour)
            if row.low is not None and row.high is not None:
                axis.vlines(n, row.low, row.high, color="black")
        axis.set_xticks(range(len(rows)), list(rows), rotation=20, fontsize=8)
        axis.set_title(title, fontsize=10)
    return figure
