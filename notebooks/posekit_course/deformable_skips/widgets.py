"""Live figures on deformable skips: a channel of a layer before and after the warp, body parts, and a joint to move.

The drawing functions are pure: the same settings give the same picture.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import lru_cache, partial

import ipywidgets as W
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from posekit.ops.grids import points_to_norm
from posekit.ops.keypoints import BODY_PARTS, JOINTS
from posekit.ops.part_affine import PartMaps, warp_by_parts
from posekit.person import Pair
from posekit_course.deformable_skips import figures, probes
from posekit_course.live import Live, live

LEVELS = ("full size", "half", "quarter")
CHANNELS = 12  # the strongest ones can be chosen
GROUPS = ("body", "head", "upper_leg", "lower_leg", "upper_arm", "lower_arm")
MOVED_JOINTS = {  # the joint, and the part whose map is written out
    "right_wrist": "right_lower_arm",
    "left_elbow": "left_lower_arm",
    "right_shoulder": "right_upper_arm",
    "left_knee": "left_lower_leg",
    "right_hip": "right_upper_leg",
}
Who = tuple[int, int, tuple[int, int]]  # seed, person, (source view, target view)


# ----------------------------------------------------------------------------------------------- a channel of a layer


@lru_cache(maxsize=4)
def strongest(who: Who, level: int, size: int) -> tuple[int, ...]:
    """The channels of a level with the largest spread over the picture, the strongest first."""
    activations, _ = probes.encoded(*who, size)
    return tuple(activations[level][0].flatten(1).std(1).argsort(descending=True)[:CHANNELS].tolist())


def moved_channel(who: Who, level: int, channel: int, kind: str, size: int = 128) -> tuple[Tensor, Tensor]:
    """(h, w) each: the channel of that rank in the source, and as the skip hands it to the decoder."""
    activations, E = probes.encoded(*who, size)
    nth = strongest(who, level, size)[channel - 1]
    one = activations[level][:, nth : nth + 1]
    return one[0, 0], probes.move(one, kind, probes.pair_of(*who, size), E)[0, 0]


def render_channel(level: str, channel: int, kind: str, who: Who, size: int = 128) -> Figure:
    """Source photograph, one channel of it, the same as the skip of this kind hands it on, and the target.

    level: one of LEVELS.  channel: 1 for the strongest, up to CHANNELS.  kind: plain, parts or E.
    """
    pair = probes.pair_of(*who, size)
    before, after = moved_channel(who, LEVELS.index(level), channel, kind, size)
    most = float(before.abs().quantile(0.99))
    figure, (axes,) = figures.new_figure(9, 2.7, 1, 4)
    figures.show(axes[0], figures.picture(pair.source.image), "source")
    figures.show(axes[1], figures.signed(before, most), f"a channel, {before.shape[0]} x {before.shape[1]}")
    figures.show(axes[2], figures.signed(after, most), f"handed on: {kind}")
    figures.show(axes[3], figures.picture(pair.target.image), "target")
    figures.outline(axes[1], pair.source.mask, figures.GREEN)
    for axis in axes[2:]:
        figures.outline(axis, pair.target.mask, figures.GREEN)
    return figure


def channel_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_channel`."""
    return {
        "level": W.ToggleButtons(options=LEVELS, description="layer"),
        "channel": W.IntSlider(1, min=1, max=CHANNELS, description="channel"),
        "kind": W.ToggleButtons(options=probes.MOVES, value="E", description="skip"),
    }


# ------------------------------------------------------------------------------------------------------ parts on, off


def chosen_parts(**on: bool) -> list[str]:
    """The names of the parts whose group is on; GROUPS are the groups, left and right together."""
    return [name for name in BODY_PARTS if any(on[group] and name.endswith(group) for group in GROUPS)]


def render_parts(who: Who, size: int = 128, **on: bool) -> Figure:
    """The source's body on black, moved by the parts whose group is on, and fused."""
    pair = probes.pair_of(*who, size)
    names = chosen_parts(**on)
    maps = probes.joint_maps(pair).without(*(name for name in BODY_PARTS if name not in names))
    figure, (axes,) = figures.new_figure(8.5, 3.2, 1, 3)
    figures.draw_parts(axes[0], pair.source, names)
    figures.draw_parts(axes[1], pair.target, names)
    figures.show(axes[2], figures.lit(warp_by_parts(probes.on_black(pair.source), maps)))
    figures.outline(axes[2], pair.target.mask, figures.GREEN)
    titles = ("source: corners", "target: corners", f"moved by {len(names)} parts")
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, fontsize=11)
    return figure


def parts_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_parts`."""
    return {group: W.Checkbox(True, description=group.replace("_", " ") + "s" * ("_" in group)) for group in GROUPS}


# ------------------------------------------------------------------------------------------------------ a joint to move


def with_joint(pair: Pair, joint: str, right: int, down: int) -> Pair:
    """The pair with a joint of the target moved by so many pixels."""
    target, n = pair.target, JOINTS.index(joint)
    h, w = target.size
    zero, step = (points_to_norm(torch.tensor([float(x), float(y)]), (h, w)) for x, y in ((0, 0), (right, down)))
    keypoints = target.keypoints.clone()
    keypoints[:, n] += step - zero
    return Pair(pair.source, dataclasses.replace(target, keypoints=keypoints))


def in_words(maps: PartMaps, part: str) -> str:
    """A map from target to source: how far it turns, and how it stretches."""
    k = BODY_PARTS.index(part)
    if not maps.defined[0, k]:
        return "dropped"
    linear = maps.matrix[0, k, :, :2].double()
    turn = torch.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]).rad2deg()
    large, small = torch.linalg.svdvals(linear).tolist()
    return f"turn {float(turn):+.0f}\N{DEGREE SIGN}, stretch {large:.2f} and {small:.2f}"


def changed_maps(before: PartMaps, after: PartMaps) -> int:
    """How many of the ten maps differ, or are there in one of the two alone."""
    apart = (before.matrix - after.matrix).abs().amax((-2, -1)) > 1e-4
    return int((apart | (before.defined != after.defined)).sum())


def render_joint(joint: str, right: int, down: int, who: Who, size: int = 128) -> Figure:
    """Move a joint of the target by (right, down) pixels: its parts, the map of one of them, and the warped source."""
    pair = with_joint(probes.pair_of(*who, size), joint, right, down)
    maps, part = probes.joint_maps(pair), MOVED_JOINTS[joint]
    figure, (axes,) = figures.new_figure(8.5, 3.4, 1, 3)
    figures.draw_parts(axes[0], pair.source, [part])
    figures.draw_parts(axes[1], pair.target, [part])
    point = figures.norm_to_points(pair.target.keypoints[0, JOINTS.index(joint)], pair.target.size)
    axes[1].plot(*point, "o", color=figures.GREEN, markeredgecolor="white", markersize=11, clip_on=False)
    figures.show(axes[2], figures.lit(warp_by_parts(probes.on_black(pair.source), maps)))
    name = part.replace("_", " ")
    changed = changed_maps(probes.joint_maps(probes.pair_of(*who, size)), maps)
    counted = f"target, the joint moved:\n{changed} of {len(BODY_PARTS)} maps change"
    titles = (f"source, {name}\n{in_words(maps, part)}", counted, "moved by all parts")
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, fontsize=10)
    return figure


def joint_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_joint`."""
    return {
        "joint": W.Dropdown(options=[(name.replace("_", " "), name) for name in MOVED_JOINTS], description="joint"),
        "right": W.IntSlider(0, min=-24, max=24, step=12, description="right, px"),
        "down": W.IntSlider(0, min=-24, max=24, step=12, description="down, px"),
    }


def _small(draw: Callable[..., Figure]) -> Callable[..., Image.Image]:
    """The same drawing as a picture in fewer bytes, for the notebook that keeps it."""
    return lambda **settings: draw(**settings).as_image()


def channel(who: Who, size: int = 128) -> Live:
    """A layer, a channel, a kind of skip."""
    return live(_small(partial(render_channel, who=who, size=size)), **channel_controls())


def parts(who: Who, size: int = 128) -> Live:
    """Body parts to switch on and off."""
    return live(_small(partial(render_parts, who, size)), **parts_controls())


def joint(who: Who, size: int = 128) -> Live:
    """A joint of the target to move."""
    return live(_small(partial(render_joint, who=who, size=size)), **joint_controls())
