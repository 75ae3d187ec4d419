"""Mend an estimated surface map: strays (pixels placed far from all their neighbours) and small holes.

A table from charts to an atlas that was interpolated across the cuts of the atlas puts the pixels of a seam somewhere
between its two sides, in the middle of other limbs.  They are few (2-7 % of the body in the published sample maps), but
each spoils the texels that it lands on, and whatever is filled from them.  Such tables also leave small holes.
"""

import torch
from jaxtyping import Float
from scipy.ndimage import label
from torch import Tensor
from torch.nn import functional as F

from posekit.ops.fill import fill_nearest

NEAR = 3.5  # neighbours count as near within this many times the usual step from pixel to pixel
CUT = 0.1  # larger steps are cuts of the atlas, not slopes; they do not count for the usual step
HOLE = 0.0075  # largest hole that is closed, as a share of the body's area


def find_strays(uv: Float[Tensor, "b 2 h w"], mask: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
    """1 for body pixels with less than half of their body neighbours (of 8) near in the atlas, else 0.

    Near means within `NEAR` times the median step between neighbouring body pixels of that map.
    """
    body = mask > 0.5
    steps, present = [], []
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if (dy, dx) == (0, 0):
                continue
            steps.append((_shift(uv, dy, dx) - uv).norm(dim=1, keepdim=True))
            present.append(_shift(body.to(uv), dy, dx) > 0.5)
    step, there = torch.cat(steps, 1), torch.cat(present, 1) & body
    slopes = torch.where(there & (step < CUT), step, torch.nan).flatten(1)
    usual = slopes.nanmedian(1).values[:, None, None, None]
    near = (there & (step <= NEAR * usual)).sum(1, keepdim=True)  # no body: the median is NaN, nothing is near
    return (body & (2 * near < there.sum(1, keepdim=True))).to(uv)


def mend_map(
    uv: Float[Tensor, "b 2 h w"], mask: Float[Tensor, "b 1 h w"]
) -> tuple[Float[Tensor, "b 2 h w"], Float[Tensor, "b 1 h w"]]:
    """The map with strays and small holes given the position of the nearest body pixel that is no stray; and its mask.

    A hole is a patch of background that the body encloses; up to `HOLE` of the body's area it is an error of the
    estimate, above that a view through bent arms.
    """
    good = mask * (1 - find_strays(uv, mask))
    some_good = (good > 0.5).flatten(1).any(1)[:, None, None, None]
    closed = torch.stack([_close_holes(m) for m in mask])
    mended = torch.where((closed > 0.5) & (good < 0.5), fill_nearest(uv, good), uv)
    return torch.where(some_good, mended, uv), torch.where(some_good, closed, mask)


def _close_holes(mask: Tensor) -> Tensor:
    """One mask ``1 h w`` with its enclosed holes of at most `HOLE` of its area closed."""
    patches, _ = label(mask[0].cpu().numpy() <= 0.5)  # 4-connected
    patches = torch.from_numpy(patches).to(mask.device).long()
    area = torch.bincount(patches.flatten())
    small = area <= HOLE * mask.sum()
    edge = torch.cat((patches[0], patches[-1], patches[:, 0], patches[:, -1]))
    small[edge] = False
    small[0] = False  # label 0 is the body
    return torch.where(small[patches], torch.ones((), dtype=mask.dtype, device=mask.device), mask)


def _shift(maps: Tensor, dy: int, dx: int) -> Tensor:
    """The maps' value at (y + dy, x + dx), 0 beyond the border."""
    h, w = maps.shape[-2:]
    return F.pad(maps, (1, 1, 1, 1))[..., 1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w]
