"""Sampling correctness: does a flow look at the place of the source that is most like the target?

Source: Deep Image Spatial Transformation for Person Image Generation, section 3.1, equation (3); one of the methods
that Pose transfer using a single spatial transformation compares flows with.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.losses.float32 import as_float32
from posekit.ops.sample import sample
from posekit.util.errors import InputError

_TINY = 1e-8


def sampling_correctness(
    source: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h2 w2"],
    flow: Float[Tensor, "b 2 h2 w2"],
    mask: Float[Tensor, "b 1 h2 w2"] | None = None,
) -> Float[Tensor, ""]:
    """How much worse the features at the sampled places fit than the best there are, a mean over the target's pixels.

        L = mean over p of  exp(-mu(source(F(p)), target(p)) / max over q of mu(source(q), target(p)))

    with mu the cosine of two feature vectors.  1/e where the flow finds the best place of all, more elsewhere; the best
    is looked for at the pixels, so that between two of them a flow may do slightly better.

    source, target: feature maps of both photographs, of one network.  flow: where in the source each pixel looks,
    (x, y) in [-1, 1].  mask: pixels of the target that count, weights of 0 or more; all if not given.  Memory:
    h w h2 w2 numbers for each pair.  Raises InputError for a mask that leaves nothing.
    """
    source, target = as_float32(source), as_float32(target)
    sampled = _directions(sample(source, as_float32(flow)))
    source, target = _directions(source), _directions(target)
    best = torch.einsum("bchw,bcyx->bhwyx", source, target).flatten(1, 2).amax(1)
    fit = (sampled * target).sum(1)
    loss = torch.exp(-fit / best.clamp(min=_TINY))
    if mask is None:
        return loss.mean()
    weight = as_float32(mask)[:, 0].expand_as(loss)
    if not bool((weight.sum() > 0).all()):
        raise InputError("The mask of the sampling correctness leaves no pixel; it should be above 0 somewhere.")
    return (loss * weight).sum() / weight.sum()


def _directions(features: Tensor) -> Tensor:
    return features / torch.linalg.vector_norm(features, dim=1, keepdim=True).clamp(min=_TINY)
