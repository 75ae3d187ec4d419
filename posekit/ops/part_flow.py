"""One flow from the affine maps of body parts: each pixel looks where the parts that it belongs to say, mixed softly.

    F(p) = sum over k of  m_k(p) A_k p,      m_k from blurred regions of the parts, their sum 1

Where limbs cover a pixel they count, elsewhere the map of the whole body.  It is the form in which keypoint-driven
animation joins local affine maps by masks; there a network makes the masks, here the joints do.

Source: First Order Motion Model for Image Animation, section 3.2, equation (4); Motion Representations for Articulated
Animation, section 3.2 (regions in place of points).
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from posekit.ops.affine import affine_flow
from posekit.ops.grids import identity_grid
from posekit.ops.keypoints import BODY_PARTS
from posekit.ops.part_affine import PartMaps
from posekit.util.errors import InputError


def part_flow(maps: PartMaps, sigma: float = 2.0) -> Float[Tensor, "b 2 h w"]:
    """Where in the source every pixel of the target looks, (x, y) in [-1, 1].

    maps: `posekit.ops.part_affine.part_maps`.  sigma: of the blur of the regions, in pixels.  Where no part is known,
    also not the whole body, pixels look where they are.  Raises InputError for a sigma below 0.

    >>> from posekit.ops.part_affine import PartMaps
    >>> shift = torch.eye(2, 3).repeat(1, 10, 1, 1)
    >>> shift[:, 0, 0, 2] = 0.5  # of the whole body, the only part that is there
    >>> there = torch.arange(10)[None] == 0
    >>> maps = PartMaps(shift, there.float()[..., None, None].expand(1, 10, 4, 4), there, ~there)
    >>> (part_flow(maps) - identity_grid(4, 4))[0].mean((1, 2)).tolist()
    [0.5, 0.0]
    """
    if not sigma >= 0:
        raise InputError(f"sigma, the blur of the regions in pixels, is 0 or more; got {sigma}.")
    size = tuple(maps.mask.shape[-2:])
    soft = _blurred(maps.mask[:, 1:], sigma)  # of head and limbs
    limbs = soft.sum(1, keepdim=True)
    rest = (1 - limbs).clamp(min=0)
    body = rest * maps.defined[:, 0, None, None, None]
    weights = torch.cat([body, soft], 1) / torch.maximum(limbs, torch.ones_like(limbs))
    flow = identity_grid(*size, dtype=soft.dtype, device=soft.device) * (1 - weights.sum(1, keepdim=True))
    for k in range(len(BODY_PARTS)):
        flow = flow + weights[:, k, None] * affine_flow(maps.matrix[:, k], size)
    return flow


def _blurred(masks: Tensor, sigma: float) -> Tensor:
    """Masks under a Gaussian of ``sigma`` pixels, cut at three sigma; outside they go on as at the border."""
    reach = math.ceil(3 * sigma)
    if reach == 0:
        return masks
    at = torch.arange(-reach, reach + 1, dtype=masks.dtype, device=masks.device)
    bell = torch.exp(-(at**2) / (2 * sigma**2))
    bell = (bell / bell.sum()).expand(masks.shape[1], 1, 1, -1)
    rows = F.conv2d(F.pad(masks, (reach, reach, 0, 0), mode="replicate"), bell, groups=masks.shape[1])
    return F.conv2d(F.pad(rows, (0, 0, reach, reach), mode="replicate"), bell.mT, groups=masks.shape[1])
