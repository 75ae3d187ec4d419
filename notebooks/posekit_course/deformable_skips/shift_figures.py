"""What the nearest-neighbour loss forgives: losses between a photograph and the same photograph moved sideways."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from posekit_lab.pictures import BLUE, GREEN, ORANGE, PURPLE, new_figure, show
from torch import Tensor

from posekit.losses.nearest_neighbour import nearest_neighbour_loss
from posekit.nets.vgg import VGGFeatures
from posekit.plots import picture

WINDOWS = (1, 3, 5, 7)  # a window of one pixel is l1
COLORS = (ORANGE, BLUE, GREEN, PURPLE)


def moved(image: Tensor, shift: float, room: int) -> Tensor:
    """The picture ``1 c h w`` moved right by ``shift`` pixels and cut to its middle columns, ``room`` fewer each side.

    A shift of half a pixel and the like mixes two neighbours linearly, as a warp does.
    """
    whole = int(np.floor(shift))
    part = shift - whole
    if not 0 <= shift <= room:
        raise ValueError(f"moved expected a shift from 0 to {room}, got {shift}.")
    width = image.shape[-1] - 2 * room
    near = image[..., room - whole : room - whole + width]
    if part == 0:
        return near
    return (1 - part) * near + part * image[..., room - whole - 1 : room - whole - 1 + width]


def shift_losses(
    image: Tensor, shifts: Sequence[float], windows: Sequence[int] = WINDOWS, features: str | None = None
) -> np.ndarray:
    """(windows, shifts): mean nearest-neighbour loss between a photograph and itself moved right, over its middle.

    image: ``1 3 h w`` in [0, 1].  features: a kind of `VGGFeatures`, whose relu1_2 are compared, or None for pixels.
    Near the sides of the picture a shift cannot be forgiven: the match lies outside.
    """
    room = int(np.ceil(max(shifts)))
    extract = (lambda x: x) if features is None else _relu1_2(features)
    still = extract(moved(image, 0, room))
    with torch.no_grad():
        other = [extract(moved(image, shift, room)) for shift in shifts]
        return np.array([[nearest_neighbour_loss(x, still, window).item() for x in other] for window in windows])


def _relu1_2(kind: str):
    vgg = VGGFeatures(kind, ("relu1_2",))
    return lambda image: vgg(image)["relu1_2"]


def draw_forgiveness(
    image: Tensor, furthest: int = 6, windows: Sequence[int] = WINDOWS, features: str = "random"
) -> Figure:
    """The photograph and what moving it costs, in pixels and in features, for windows of 1 (l1), 3, 5 and 7.

    Each panel is in percent of its largest l1.  image: ``1 3 h w`` in [0, 1].
    """
    shifts = np.arange(2 * furthest + 1) / 2
    figure, ((photo, *panels),) = new_figure(11, 3.9, 1, 3)
    both = np.concatenate([picture(moved(image, s, furthest)) for s in (0, furthest)], 1)
    show(photo, both, f"a photograph, and moved by {furthest} pixels")
    for panel, kind, name in zip(panels, (None, features), ("pixels", "features, relu1_2"), strict=True):
        losses = shift_losses(image, shifts, windows, kind)
        losses = 100 * losses / losses[list(windows).index(1)].max()
        for window, color, values in zip(windows, COLORS, losses, strict=True):
            label = "l1 (window 1)" if window == 1 else f"window {window}"
            panel.plot(shifts, values, "-", color=color, label=label)
            panel.plot(shifts[::2], values[::2], "o", color=color, markersize=4)
        panel.set_title(name, fontsize=11)
        panel.set(xlabel="moved by (pixels)", ylim=(-3, 105), xlim=(0, furthest + 0.1))
    panels[0].set_ylabel("% of the largest l1")
    panels[0].legend(fontsize=9, frameon=False)
    return figure
