"""Live figures on flows: where a target pixel looks in the source, and an affine map with the flow that undoes it.

The drawing functions are pure: the same settings give the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import ipywidgets as W
import torch
from posekit_lab.pictures import Picture
from torch import Tensor

from posekit.ops.affine import AffineRanges, affine_flow, affine_matrix, invert
from posekit.ops.correlation import matching
from posekit.ops.grids import index_to_norm, norm_to_index, resize_grid
from posekit.ops.keypoints import heat_maps
from posekit.ops.sample import sample
from posekit.person import Pair, Person
from posekit_course.affine_flow import figures
from posekit_course.live import Live, live

FLOWS = ("A\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT ONE} x", "A x")  # what undoes the map, and what does not
FINER = 4  # the flow is a quarter of the pose's size, as in the network


# ------------------------------------------------------------------------------------------------ a slice of Q


@dataclass(frozen=True)
class Scene:
    """A pair (a batch of one), and by the name of what made them its features z_s, z_t: 1 m h w of unit length."""

    pair: Pair
    features: Mapping[str, tuple[Tensor, Tensor]]


def _slice_of(scene: Scene, features: str, x: int, y: int, filtered: bool) -> Tensor:
    """(h, w): Q of the target pixel (x, y) for every source pixel."""
    z_s, z_t = scene.features[features]
    return matching(z_s, z_t, filtered=filtered)[0, :, y, x].reshape(z_s.shape[-2:])


def render_slice(scene_name: str, features: str, x: int, y: int, filtered: bool, *,
                 scenes: Mapping[str, Scene]) -> Picture:  # fmt: skip
    """Left the target with a pixel marked, right the source: how much this pixel looks where.

    x, y: column and row of the features' grid.
    """
    scene = scenes[scene_name]
    pair, Q = scene.pair, _slice_of(scene, features, x, y, filtered)
    (h, w), (H, W_) = Q.shape, pair.target.size
    figure, ((left, right, close),) = figures.new_figure(10.2, 3.7, 1, 3)
    figures.draw_person(left, pair.target, "target: this pixel looks")
    at = (norm_to_index(index_to_norm(x, w), W_), norm_to_index(index_to_norm(y, h), H))
    left.plot(*at, "s", color="black", fillstyle="none", markersize=11, markeredgewidth=2)
    figures.show(right, figures.slice_picture(Q, pair.source.image[0]), "here in the source")
    best = divmod(int(Q.argmax()), w)
    place = (norm_to_index(index_to_norm(best[1], w), W_), norm_to_index(index_to_norm(best[0], h), H))
    right.plot(*place, "s", color="black", fillstyle="none", markersize=11, markeredgewidth=2)
    ordered = Q.flatten().sort(descending=True).values
    close.semilogx(range(1, len(ordered) + 1), ordered, color=figures.BLUE, linewidth=2)
    close.set(
        xlabel="source pixels, the best first", ylim=(min(0.0, float(ordered.min())), max(0.3, 1.1 * float(ordered[0])))
    )
    close.set_title(f"Q of the best: {float(ordered[0]):.2f}", fontsize=11)
    return figure


def slice_controls(scenes: Mapping[str, Scene], x: int = 10, y: int = 15) -> dict[str, W.ValueWidget]:
    """The controls of `render_slice`; a choice of one is not shown."""
    first = next(iter(scenes.values()))
    names = list(first.features)
    h, w = first.features[names[0]][1].shape[-2:]
    controls = {
        "scene_name": W.Dropdown(options=list(scenes), description="pair"),
        "features": W.ToggleButtons(options=names, description="features"),
        "x": W.IntSlider(x, 0, w - 1, description="x", continuous_update=False),
        "y": W.IntSlider(y, 0, h - 1, description="y", continuous_update=False),
        "filtered": W.Checkbox(True, description="mutual filter"),
    }
    return {name: c for name, c in controls.items() if not hasattr(c, "options") or len(c.options) > 1}


def slices(scenes: Mapping[str, Scene], x: int = 10, y: int = 15) -> Live:
    """Choose a target pixel; see where it looks in the source."""
    first = next(iter(scenes))
    fixed = {"scene_name": first, "features": next(iter(scenes[first].features))}
    controls = slice_controls(scenes, x, y)
    fixed = {name: value for name, value in fixed.items() if name not in controls}
    return _small(partial(render_slice, scenes=scenes, **fixed), controls)


# ------------------------------------------------------------------------------------------------ the affine task


def affine_task(person: Person, parameters: Mapping[str, float]) -> tuple[Tensor, Tensor, Tensor]:
    """p_t, p_st and A of a person (a batch of one) for the seven parameters; angle in degrees."""
    p = {name: torch.tensor([float(value)]) for name, value in parameters.items()}
    A = affine_matrix(
        torch.deg2rad(p["angle"]),
        torch.stack((p["scale_x"], p["scale_y"]), 1),
        torch.stack((p["shear_x"], p["shear_y"]), 1),
        torch.stack((p["right"], p["down"]), 1),
    )
    p_t = heat_maps(person.keypoints, person.visibility, person.size, person.size[0] / 21)
    return p_t, sample(p_t, affine_flow(A, person.size)), A


def undone(p_st: Tensor, A: Tensor, flow: str) -> Tensor:
    """p_st sampled with one of FLOWS, made at a quarter of the size as the network makes it."""
    h, w = p_st.shape[-2:]
    small = affine_flow(invert(A) if flow == FLOWS[0] else A, (h // FINER, w // FINER))
    return sample(p_st, resize_grid(small, (h, w)))


def render_affine(flow: str, *, person: Person, **parameters: float) -> Picture:
    """The pose p_t, p_st(x) = p_t(A x), p_st sampled with a flow, and how far that is from p_t."""
    p_t, p_st, A = affine_task(person, parameters)
    back = undone(p_st, A, flow)
    # What A moved out of the picture is lost: compare where p_st came from inside.
    h, w = person.size
    kept = (sample(torch.ones(1, 1, h, w), affine_flow(invert(A), (h, w))) > 0.99).float()
    wrong = float(((back - p_t).abs().amax(1, keepdim=True) * kept).sum() / kept.sum())
    figure, (axes,) = figures.new_figure(10.2, 3.0, 1, 4)
    figures.show(axes[0], figures.heat_picture(p_t[0]), "p_t, the real pose")
    figures.show(axes[1], figures.heat_picture(p_st[0]), "p_st(x) = p_t(A x)")
    figures.show(axes[2], figures.heat_picture(back[0]), f"p_st sampled with {flow}")
    figures.show(axes[3], figures.heat_picture((back - p_t)[0].abs()), f"off by {wrong:.3f}")
    for axis in axes:
        axis.spines[:].set_visible(True)
    return figure


def affine_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_affine`: the seven parameters within `AffineRanges`, and which flow to try."""
    r, slow = AffineRanges(), {"continuous_update": False}
    low, high = round(1 / (1 + r.scale), 2), 1 + r.scale

    def slider(name: str, value: float, low: float, high: float, step: float) -> W.FloatSlider:
        return W.FloatSlider(value, min=low, max=high, step=step, description=name, **slow)

    angle = round(float(torch.rad2deg(torch.tensor(r.angle))))
    return {
        "angle": slider("angle", 8, -angle, angle, 1),
        "scale_x": slider("scale x", 1.1, low, high, 0.05),
        "scale_y": slider("scale y", 0.9, low, high, 0.05),
        "shear_x": slider("shear x", 0.1, -r.shear, r.shear, 0.05),
        "shear_y": slider("shear y", 0.0, -r.shear, r.shear, 0.05),
        "right": slider("shift x", 0.15, -r.translation, r.translation, 0.05),
        "down": slider("shift y", -0.1, -r.translation, r.translation, 0.05),
        "flow": W.ToggleButtons(options=FLOWS, description="flow"),
    }


def affine(person: Person) -> Live:
    """Move the seven parameters; compare the flow that undoes the map with the one that does not."""
    return _small(partial(render_affine, person=person), affine_controls())


def _small(draw, controls: dict[str, W.ValueWidget]) -> Live:
    """A live figure whose picture takes few bytes."""
    return live(lambda **values: draw(**values).as_image(smallest=True), **controls)
