"""Complete a coordinate texture without learning: from the nearest known texel, or from the body's other half.

These are the baselines that the inpainting network f has to beat, and the way to use a real photograph in an atlas
for which no network was trained.  A coordinate texture C holds, for every known texel, the (x, y) of the source
photograph that shows it; to copy a coordinate from another texel is to copy its colour.
"""

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from posekit.ops.grids import resize_mask
from posekit.ops.sample import sample
from posekit.util.errors import InputError


def fill_nearest(C: Float[Tensor, "b c h w"], known: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c h w"]:
    """Every unknown texel takes the value of the known texel nearest to it (Euclidean, in texels).

    C: any channels.  known: 1 where C holds a value (above 0.5 counts).  Known texels are returned unchanged.
    An item of the batch without any known texel comes back as zeros: there is nothing to copy from.
    Differentiable in C: the gradient of a copy goes to the texel it was copied from.  Runs on the CPU (scipy).
    """
    b, _, h, w = C.shape
    if known.shape != (b, 1, h, w):
        raise InputError(f"fill_nearest expected known of shape {(b, 1, h, w)}, got {tuple(known.shape)}.")
    nearest = [_nearest_index(k[0] > 0.5) for k in known.detach().cpu()]
    index = torch.stack(nearest).to(C.device)[:, None].expand(b, C.shape[1], h * w)
    filled = C.flatten(2).gather(2, index).reshape(C.shape)
    any_known = (known > 0.5).flatten(1).any(1)[:, None, None, None]
    return torch.where(any_known, filled, torch.zeros((), dtype=C.dtype, device=C.device))


def _nearest_index(known: Tensor) -> Tensor:
    """For each texel the flat index of the nearest known one; its own index when none is known."""
    if not bool(known.any()):
        return torch.arange(known.numel())
    rows, columns = distance_transform_edt(~known.numpy(), return_distances=False, return_indices=True)
    return torch.from_numpy(np.ravel_multi_index((rows, columns), known.shape).astype(np.int64).ravel())


def fill_mirror(
    C: Float[Tensor, "b 2 t t"], known: Float[Tensor, "b 1 t t"], mirror: Float[Tensor, "2 a a"]
) -> tuple[Float[Tensor, "b 2 t t"], Float[Tensor, "b 1 t t"]]:
    """Unknown texels take the value of their left-right mirror texel where that one is known.

    mirror: for each texel of an atlas (of any size a) the (u, v) in [-1, 1] of its mirror image; NaN, or a position
    outside [-1, 1], where there is none.  Returns (C, known) with the newly known texels added and 0 where still
    unknown; `fill_nearest` does the rest.

    The mirror texel is read bilinearly among *known* texels only,

        C(m) = sum_t w_t known_t C_t / sum_t w_t known_t,    where sum_t w_t known_t >= 1/2,

    so that the value 0 of unknown texels never mixes in.
    """
    b, _, h, w = C.shape
    if known.shape != (b, 1, h, w):
        raise InputError(f"fill_mirror expected known of shape {(b, 1, h, w)}, got {tuple(known.shape)}.")
    if mirror.shape[0] != 2 or mirror.ndim != 3:
        raise InputError(f"fill_mirror expected a mirror table of shape (2, a, a), got {tuple(mirror.shape)}.")
    # To another size by the nearest entry: the average of two entries across a cut of the atlas means nothing.
    grid = resize_mask(mirror[None].to(C), (h, w)).expand(b, -1, -1, -1)
    exists = (grid.isfinite() & (grid.abs() <= 1)).all(1, keepdim=True)
    grid = torch.where(exists, grid, torch.zeros((), dtype=C.dtype, device=C.device))
    binary = (known > 0.5).to(C)
    weight = sample(binary, grid)
    copied = ((binary == 0) & exists & (weight >= 0.5)).to(C)
    value = sample(C * binary, grid) / weight.clamp(min=0.5)
    return C * binary + value * copied, binary + copied
