"""Live figures on inpainting: where a texel looks, D as arrows, and textures while two networks learn.

The drawing functions are pure: the same settings give the same picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import ipywidgets as W
import torch
from matplotlib.patches import ConnectionPatch
from posekit_lab.pictures import Picture
from torch import Tensor

from posekit.ops.grids import norm_to_index
from posekit.person import Pair, Person, collate_pairs
from posekit.systems.base import Stage, System
from posekit_course.color_vs_coordinate import figures
from posekit_course.live import Live, live
from posekit_course.scatter_rasterization.figures import skin_texels

SHOW = ("one texel", "all as arrows")
ARROW_STEP = 6  # texels between two arrows
MARKS = 9  # values of the slider over snapshots at most


# ------------------------------------------------------------------------------------------------- where a texel looks


@dataclass(frozen=True)
class Lookup:
    """What a photograph knows and what f makes of it; computed once, so that a slider only draws.

    image: 1 3 h w.  known, D, T: 1 1 t t, 1 2 t t, 1 3 t t.
    """

    image: Tensor
    known: Tensor
    D: Tensor
    T: Tensor


def lookups(system: System, persons: Mapping[tuple[str, int], Person]) -> dict[tuple[str, int], Lookup]:
    """For (name, view) -> photograph: what the system completes from it."""
    completed = {}
    for key, person in persons.items():
        one = person.batched()
        with torch.no_grad():
            result = system(Pair(one, one), image=False)
        completed[key] = Lookup(one.image, result.known, result.D, result.T)
    return completed


def render_lookup(
    person: str, view: int, u: float, v: float, show: str, *, completed: Mapping[tuple[str, int], Lookup]
) -> Picture:
    """Left the completed texture, right the photograph: a line from a texel to the pixel that it copies; or all of D.

    u, v: the texel, in [-1, 1] of the atlas.  show: one of SHOW.  completed: from `lookups`.
    """
    one = completed[person, view]
    t, (h, w) = one.D.shape[-1], one.image.shape[-2:]
    figure, ((left, right),) = figures.new_figure(8.4, 4.5, 1, 2)
    figures.show(left, figures.on_skin(one.T), "completed texture; inside the lines it is known")
    left.contour(one.known[0, 0], levels=[0.5], colors="white", linewidths=0.8)
    figures.show(right, figures.picture(one.image), "source photograph")
    if show == SHOW[0]:
        _one_texel(figure, left, right, one, u, v)
        return figure
    skin = skin_texels(t)[0, 0] > 0
    rows, columns = (torch.arange(ARROW_STEP // 2, t, ARROW_STEP),) * 2
    for r in rows.tolist():
        for c in columns.tolist():
            if skin[r, c]:
                dx, dy = one.D[0, :, r, c].tolist()
                colour = figures.BLUE if one.known[0, 0, r, c] > 0 else figures.ORANGE
                options = {"color": colour, "linewidth": 1.2, "arrowstyle": "->", "mutation_scale": 6}
                end = (c + dx * ARROW_STEP, r + dy * ARROW_STEP)
                left.annotate("", end, (c, r), arrowprops=options)
                x, y = norm_to_index(dx, w), norm_to_index(dy, h)
                right.plot(x, y, "o", color=colour, markeredgecolor="white", markeredgewidth=0.6, markersize=4.5)
    left.set_title("D as arrows: from the middle of the photograph\nto where the texel looks", fontsize=11)
    right.set_title("where they end: blue from known texels,\norange from unknown ones", fontsize=11)
    right.plot((w - 1) / 2, (h - 1) / 2, "+", color="black", markersize=16, markeredgewidth=2)
    return figure


def _one_texel(figure: Picture, left, right, one: Lookup, u: float, v: float) -> None:
    """A line from the texel (u, v) to its pixel, and what it is."""
    t, (h, w) = one.D.shape[-1], one.image.shape[-2:]
    column, row = (min(max(round(norm_to_index(value, t)), 0), t - 1) for value in (u, v))
    known, on_skin = bool(one.known[0, 0, row, column] > 0), bool(skin_texels(t)[0, 0, row, column] > 0)
    colour = figures.BLUE if known else figures.ORANGE
    dx, dy = one.D[0, :, row, column].tolist()
    x, y = norm_to_index(dx, w), norm_to_index(dy, h)
    line = ConnectionPatch((column, row), (x, y), "data", "data", axesA=left, axesB=right)
    line.set(color=colour, linewidth=2.2)
    figure.add_artist(line)
    for axis, place in ((left, (column, row)), (right, (x, y))):
        axis.plot(*place, "o", color=colour, markeredgecolor="white", markersize=11)
    says = "known: the photograph shows this texel" if known else "unknown: f says where to copy from"
    says = says if on_skin else "no skin here: nothing of the body reads this texel"
    figure.suptitle(f"texel ({column}, {row}) copies pixel ({x:.0f}, {y:.0f}); {says}", fontsize=12)


def lookup_controls(completed: Mapping[tuple[str, int], Lookup], u: float = -0.4, v: float = -0.5) -> dict:
    """The controls of `render_lookup`."""
    people = list(dict.fromkeys(person for person, _ in completed))
    views = sorted({view for _, view in completed})
    slow = {"continuous_update": False}
    return {
        "person": W.Dropdown(options=people, description="person"),
        "view": W.IntSlider(views[0], views[0], views[-1], description="view", **slow),
        "u": W.FloatSlider(u, min=-0.95, max=0.95, step=0.05, description="u", **slow),
        "v": W.FloatSlider(v, min=-0.95, max=0.95, step=0.05, description="v", **slow),
        "show": W.ToggleButtons(options=SHOW, description="show"),
    }


def lookup(completed: Mapping[tuple[str, int], Lookup], u: float = -0.4, v: float = -0.5) -> Live:
    """Choose a person, a view, a texel; see where it looks, or the whole field."""
    return _small(partial(render_lookup, completed=completed), lookup_controls(completed, u, v))


# ------------------------------------------------------------------------------------------------ while they learn


def milestones(steps: int) -> list[int]:
    """Steps at which snapshots are taken: 0, and then ever further apart, to the last."""
    count = min(MARKS - 1, steps)
    ladder = [round(math.exp(math.log(steps) * k / max(1, count - 1))) for k in range(count)]
    return sorted({0, *ladder, steps})


@dataclass
class Album:
    """Textures of a few pairs at some steps of a training; give `keep` to `fit` as ``on_step``.

    T, W: step -> b 3 t t, b 3 h w.  loss: step -> what is minimised in common, l1 to the target's texels.
    """

    pairs: Sequence[Pair]
    steps: Sequence[int]
    T: dict[int, Tensor] = field(default_factory=dict)
    W: dict[int, Tensor] = field(default_factory=dict)
    loss: dict[int, float] = field(default_factory=dict)

    def keep(self, system: System, _stage: Stage | None, step: int) -> None:
        """Store what the system makes of the pairs at this step, if it is one of the chosen; changes nothing in it."""
        if step not in self.steps:
            return
        batch = collate_pairs(list(self.pairs))
        was_training = system.f.training
        system.f.eval()
        with torch.no_grad():
            result = system(batch, image=False)
            self.loss[step] = float(system.losses(batch, result, ["texture_target"])["texture_target"])
        system.f.train(was_training)
        self.T[step], self.W[step] = result.T, result.W


def render_training(step: int, pair: int, *, albums: Mapping[str, Album]) -> Picture:
    """Textures and target views of both networks after ``step`` steps, the truth, and the common loss so far.

    pair: which pair of the albums.  albums: title -> Album, of the same pairs and steps.
    """
    figure, axes = figures.new_figure(10, 4.3, 2, 4)
    first = next(iter(albums.values()))
    one = first.pairs[pair].batched()
    for line, (name, album) in zip(axes, albums.items(), strict=True):
        colour = figures.STYLES[name][0]
        figures.show(line[0], figures.on_skin(album.T[step][pair : pair + 1]), f"{name}: texture, step {step}")
        figures.show(line[1], figures.on_pale(album.W[step][pair : pair + 1], one.target), "in the target view")
        axes[0, 3].plot(list(album.loss), list(album.loss.values()), "o-", color=colour, label=name, markersize=4)
    figures.show(axes[0, 2], figures.picture(one.target.image), "target")
    figures.show(axes[1, 2], figures.picture(one.source.image), "source")
    axes[0, 3].axvline(step, color="black", linewidth=1, linestyle=":")
    axes[0, 3].set_xscale("symlog", linthresh=10)
    axes[0, 3].set(xlabel="step", xlim=(-0.5, None), ylim=(0, None))
    axes[0, 3].set_title("l1 to the target's texels", fontsize=11)
    axes[0, 3].legend(fontsize=9, frameon=False)
    axes[1, 3].set_visible(False)
    return figure


def training_controls(albums: Mapping[str, Album]) -> dict[str, W.ValueWidget]:
    """The controls of `render_training`."""
    album = next(iter(albums.values()))
    names = [str(pair.source.name) for pair in album.pairs]
    return {
        "step": W.SelectionSlider(
            options=list(album.steps), value=album.steps[-1], description="step", continuous_update=False
        ),
        "pair": W.Dropdown(options=[(name, i) for i, name in enumerate(names)], description="pair"),
    }


def training(albums: Mapping[str, Album]) -> Live:
    """A slider over the snapshots of two trainings."""
    return _small(partial(render_training, albums=albums), training_controls(albums))


def _small(draw: Callable[..., Picture], controls: dict[str, W.ValueWidget]) -> Live:
    """A live figure whose pictures take few bytes."""
    return live(lambda **values: draw(**values).as_image(smallest=True), **controls)
