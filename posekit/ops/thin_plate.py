"""A flow through given points: the thin-plate spline that takes the target's points to the source's.

Of all flows F with F(t_i) = s_i, it is the one that bends least, the integral of F_xx^2 + 2 F_xy^2 + F_yy^2 being the
bending:

    F(p) = a + A p + sum over i of  w_i U(|p - t_i|),     U(r) = r^2 log r

with weights w_i that sum to 0 and carry no turn or stretch (sum of w_i = 0, sum of w_i t_i = 0).  Between the points it
is smooth, far from them it is affine.

Source: Thin-Plate Spline Motion Model for Image Animation, section 3.1 (one spline for each set of learnt points; here
one, through joints); Bookstein, Principal Warps, 1989.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posekit.ops.grids import identity_grid


def thin_plate_flow(
    source: Float[Tensor, "b n 2"],
    target: Float[Tensor, "b n 2"],
    there: Bool[Tensor, "b n"],
    size: tuple[int, int],
    smooth: float = 0.0,
) -> Float[Tensor, "b 2 h w"]:
    """Where in the source every pixel of a target of ``size`` looks, (x, y) in [-1, 1].

    source, target: the points, (x, y) in [-1, 1].  there: which of them both pictures have; others do not count.
    smooth: 0 meets every point; more lets it miss them and bend less.

    Where the points leave a movement open (fewer than three, or all on one line), the smallest displacement is taken;
    without any point everything stays where it is.

    >>> corners = torch.tensor([[[-1.0, -1], [1, -1], [1, 1], [-1, 1]]])
    >>> flow = thin_plate_flow(corners / 2, corners, torch.ones(1, 4, dtype=torch.bool), (4, 4))
    >>> torch.allclose(flow, identity_grid(4, 4)[None] / 2, atol=1e-6)
    True
    """
    b, n = there.shape
    keep = there[..., None].to(torch.float64)
    t, moved = target.double() * keep, (source.double() - target.double()) * keep
    kernel = _bending(torch.cdist(t, t)) * keep * keep.mT
    kernel = kernel + torch.diag_embed((1 - keep[..., 0]) + smooth * keep[..., 0])  # w_i = 0 where there is no point
    plane = torch.cat([torch.ones_like(keep), t], 2) * keep
    corner = torch.zeros(b, 3, 3, dtype=torch.float64, device=t.device)
    system = torch.cat([torch.cat([kernel, plane], 2), torch.cat([plane.mT, corner], 2)], 1)
    right = torch.cat([moved, torch.zeros(b, 3, 2, dtype=torch.float64, device=t.device)], 1)
    weights = torch.linalg.pinv(system, hermitian=True) @ right  # the smallest, where several would do
    pixels = identity_grid(*size, dtype=torch.float64, device=t.device).flatten(1).T.expand(b, -1, -1)
    basis = torch.cat([_bending(torch.cdist(pixels, t)) * keep.mT, torch.ones_like(pixels[..., :1]), pixels], 2)
    flow = pixels + basis @ weights
    return flow.mT.reshape(b, 2, *size).to(target)


def _bending(distance: Tensor) -> Tensor:
    """U(r) = r^2 log r, 0 at 0."""
    return torch.special.xlogy(distance**2, distance.clamp(min=1e-30))
