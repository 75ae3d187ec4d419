"""Pictures of what the notebook on surface maps measures: masks on a photograph, and what errors of a map cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from posekit_lab.pictures import Picture
from torch import Tensor

from posekit_course.densepose_uv.figures import DPI


def tinted(
    image: Float[Tensor, "3 h w"], mask: Float[Tensor, "1 h w"], colour: Sequence[float]
) -> Float[Tensor, "3 h w"]:
    """The photograph in pale grey, with a colour (RGB in [0, 1]) where the mask is 1."""
    grey = 0.6 + 0.4 * image.mean(0, keepdim=True).expand(3, -1, -1)
    return torch.lerp(grey, torch.tensor(colour)[:, None, None].expand_as(grey), 0.75 * mask)


def draw_costs(jitters: Sequence[float], curve: np.ndarray, eight_bit: Mapping[str, float]) -> Picture:
    """PSNR over the largest shift of a map: mean and range of some estimates, and levels for maps stored in 8 bits.

    curve: (shifts, estimates) of PSNR in dB; the first shift is 0.  eight_bit: how U, V are read -> PSNR.
    """
    figure = Picture(figsize=(6.5, 3), layout="constrained", dpi=DPI)
    axis = figure.subplots()
    mean, trials = curve.mean(1), curve.shape[1]
    axis.fill_between(jitters, curve.min(1), curve.max(1), color="#56B4E9", alpha=0.35, linewidth=0)
    axis.plot(jitters, mean, "o-", color="#0072B2", label=f"smooth shift (mean and range of {trials} estimates)")
    for (name, value), style in zip(eight_bit.items(), ("--", ":"), strict=True):
        axis.axhline(value, color="#D55E00", linestyle=style, label=f"8-bit U, V, read as {name}")
    axis.set(xlabel="largest shift of the map in pixels", ylabel="PSNR of the photograph in dB")
    lost = dict(zip(jitters, mean[0] - mean, strict=True))
    axis.set_title(f"A map up to one pixel off costs {lost[1]:.0f} dB, up to four pixels {lost[4]:.0f} dB", fontsize=10)
    axis.legend(fontsize=8, frameon=False)
    return figure
