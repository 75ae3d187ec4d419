"""Where do the edges of feature maps lie: where the source photograph has its own, or where the target has?

A plain U-Net skip hands the decoder the source's activations at the source's places.  Warped activations should have
their edges where the target has them; the correlations here say how far that is true.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, adaptive_max_pool2d, pad

from posekit.util.errors import InputError


class EdgeAlignment(NamedTuple):
    """Correlations between -1 and 1, one for each image, of the features' edges with those of the photographs."""

    source: Float[Tensor, " b"]
    target: Float[Tensor, " b"]


def edge_strength(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 h w"]:
    """Length of the gradient over all channels: how much a map changes at each pixel, whatever its sign.

    e = sqrt( sum_c (dx x_c)^2 + (dy x_c)^2 )        central differences, per pixel; the border is repeated
    """
    p = pad(x, (1, 1, 1, 1), mode="replicate")
    dx, dy = (p[..., 1:-1, 2:] - p[..., 1:-1, :-2]) / 2, (p[..., 2:, 1:-1] - p[..., :-2, 1:-1]) / 2
    return (dx.square() + dy.square()).sum(1, keepdim=True).sqrt()


def edge_correlation(
    features: Float[Tensor, "b c h w"], image: Float[Tensor, "b 3 H W"], mask: Float[Tensor, "b 1 H W"] | None = None
) -> Float[Tensor, " b"]:
    """Pearson's correlation of the edge strengths of ``features`` and of ``image`` over the pixels of ``mask``.

        r = sum (e_f - mean e_f) (e_i - mean e_i) / ( |e_f - mean e_f| |e_i - mean e_i| )

    The photograph is averaged down to the size of the features; a pixel there belongs to the mask (kept where > 0.5)
    if any of the pixels under it does.  1 says that both have the same edges in the same places up to scale, 0 that
    the places have nothing to do with each other.  NaN where one of the two is equally strong everywhere.
    """
    size = features.shape[-2:]
    if len(features) != len(image) or any(a > b for a, b in zip(size, image.shape[-2:], strict=True)):
        raise InputError(
            "Edges are compared between as many feature maps as photographs, none larger than its photograph; got "
            f"{tuple(features.shape)} and {tuple(image.shape)}."
        )
    if mask is None:
        mask = torch.ones_like(image[:, :1])
    if mask.shape != (len(image), 1, *image.shape[-2:]):
        raise InputError(f"The mask must be {(len(image), 1, *image.shape[-2:])}, as its photograph; got {mask.shape}.")
    inside = adaptive_max_pool2d((mask > 0.5).double(), size).flatten(1)

    def centred(x: Tensor) -> Tensor:
        e = edge_strength(x.double()).flatten(1)
        return (e - (e * inside).sum(1, keepdim=True) / inside.sum(1, keepdim=True)) * inside

    a, b = centred(features), centred(adaptive_avg_pool2d(image, size))
    return ((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))).to(image.dtype)


def edge_alignment(
    features: Float[Tensor, "b c h w"],
    source: Float[Tensor, "b 3 H W"],
    target: Float[Tensor, "b 3 H W"],
    mask: Float[Tensor, "b 1 H W"] | None = None,
) -> EdgeAlignment:
    """`edge_correlation` of ``features`` with the source and with the target photograph, over one mask for both.

    Compare within the union of both bodies: over the source's body alone the source's outline is left out, over the
    whole picture the background decides.
    """
    return EdgeAlignment(edge_correlation(features, source, mask), edge_correlation(features, target, mask))
