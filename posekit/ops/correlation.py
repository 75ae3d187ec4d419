"""Which pixel of the source looks like which pixel of the target: correlation, soft mutual filter, normalisation.

For features z_s of the source and z_t of the target, unit vectors at every pixel, with the source pixels (i, j) read
row by row as channels:

    C(i, j, v, u)     = sum_rho  z_s(i, j)[rho] z_t(v, u)[rho]                                               (1)
    gamma(i, j, v, u) = C / max_ab C(a, b, v, u)  *  C / max_ab C(i, j, a, b)                                (9)
    Q                 = gamma C                                                the soft mutual filter
    Q                 = Q / sqrt(sum_ij Q(i, j, v, u)^2)                       unit length per target pixel  (2)

The filter keeps C(i, j, v, u) where the two pixels are each other's best match, and shrinks it elsewhere.  Source: Pose
Transfer Using a Single Spatial Transformation, section 3.1.1 and appendix A; the filter is that of Rocco et al. 2018.

At the published size, 7 pairs of 64 x 64 pixels, each of these tensors takes 470 MB.  `matching` goes from features
to Q without keeping any of them but Q.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from posekit.util.errors import InputError

# What a maximum in (9), or a length in (2), is at least.  A source pixel whose best match is no more similar than
# this has no match: its row of Q comes out as about nothing instead of as a division by zero.
LEAST = 1e-4
_BLOCK = {"cpu": 2**20, "cuda": 2**24}  # numbers that are worked on at a time: what a processor's cache holds


def correlate(source: Float[Tensor, "b m h w"], target: Float[Tensor, "b m H W"]) -> Float[Tensor, "b h*w H W"]:
    """Equation (1): channel ``i w + j`` is the similarity of every target pixel to the source pixel (i, j)."""
    _check_features(source, target)
    return torch.einsum("bmn,bmHW->bnHW", source.flatten(2), target)


def mutual_filter(correlation: Float[Tensor, "b n H W"]) -> Float[Tensor, "b n H W"]:
    """gamma C of equation (9); a maximum below `LEAST` counts as `LEAST`.

    C            max over the column, row      result
    c = maxima   c, c                          c             each other's best match: kept
    c            2 c, c                        c / 2         the target pixel has a better match: shrunk

    >>> mutual_filter(torch.tensor([[[[1.0, 0.5]], [[0.5, 1.0]]]])).tolist()  # two source pixels, two target pixels
    [[[[1.0, 0.125]], [[0.125, 1.0]]]]
    """
    best_source = correlation.amax(1, keepdim=True).clamp(min=LEAST)  # for each target pixel
    best_target = correlation.amax((2, 3), keepdim=True).clamp(min=LEAST)  # for each source pixel
    return correlation * (correlation / best_source) * (correlation / best_target)


def unit_length(features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Equation (2), and the length of the features that go into (1): every pixel's vector divided by its length."""
    length = torch.linalg.vector_norm(features, dim=1, keepdim=True)
    return features / length.clamp(min=torch.finfo(features.dtype).tiny ** 0.5)


def matching(
    source: Float[Tensor, "b m h w"], target: Float[Tensor, "b m H W"], *, filtered: bool = True
) -> Float[Tensor, "b h*w H W"]:
    """Equations (1), (9) and (2) at once: the input of the flow network C_l.

    source, target: features of unit length.  filtered: False leaves (9) out.  Differentiable once, in both.

    Only the features and Q are kept for the backward pass; C is computed again, a block of source pixels at a time.
    The maximum over source pixels in (9) is the same number for all of a target pixel's entries, so that (2) divides
    it out: it is never computed here.  What the filter does to Q is the cube and the maximum over target pixels.
    """
    _check_features(source, target)
    b, _, H, W = target.shape
    with torch.autocast(source.device.type, enabled=False):  # eight bits are too few for a maximum of 4096 numbers
        wide = torch.promote_types(torch.promote_types(source.dtype, target.dtype), torch.float32)
        Q = _Matching.apply(source.flatten(2).to(wide), target.flatten(2).to(wide), filtered)
    return Q.view(b, -1, H, W)


class _Matching(torch.autograd.Function):
    """s ``b m n``, t ``b m p`` -> Q ``b n p``: y = C^3 / r with C = s^T t and the row's maximum r, then Q = y / |y|."""

    @staticmethod
    def forward(ctx, s: Tensor, t: Tensor, filtered: bool) -> Tensor:
        (b, _, n), p = s.shape, t.shape[2]
        Q, length2 = s.new_empty(b, n, p), s.new_zeros(b, 1, p)
        for k, rows in _blocks(s, p):
            y = torch.mm(s[k, :, rows].T, t[k], out=Q[k, rows])  # C
            if filtered:
                r = y.amax(1, keepdim=True).clamp_(min=LEAST)
                y.mul_(y.square().div_(r))
            length2[k] += y.square().sum(0)
        length = length2.sqrt_().clamp_(min=torch.finfo(s.dtype).tiny ** 0.5)
        Q.div_(length)
        ctx.save_for_backward(s, t, Q, length)
        ctx.filtered = filtered
        return Q

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        s, t, Q, length = ctx.saved_tensors
        grad_s, grad_t = torch.empty_like(s), torch.zeros_like(t)
        p = t.shape[2]
        along = torch.stack([torch.linalg.vecdot(g, q, dim=0)[None] for g, q in zip(grad, Q, strict=True)])
        for k, rows in _blocks(s, p):
            C = s[k, :, rows].T @ t[k]
            # Q = y / |y|:   dL/dy = (dL/dQ - Q sum_n dL/dQ Q) / |y|
            dC = torch.addcmul(grad[k, rows], Q[k, rows], along[k], value=-1).div_(length[k])
            if ctx.filtered:
                best, where = C.max(1, keepdim=True)
                r = best.clamp(min=LEAST)
                # y = C^3 / r:   dL/dC = 3 C^2 / r dL/dy, and at the maximum of the row - sum_p C^3 / r^2 dL/dy
                dC.mul_(C.square().div_(r))
                at_best = (dC * (C / r)).sum(1, keepdim=True)
                dC.mul_(3).scatter_add_(1, where, torch.where(best > LEAST, -at_best, 0))
            grad_s[k, :, rows] = t[k] @ dC.T
            grad_t[k].addmm_(s[k, :, rows], dC)
        return grad_s, grad_t, None


def _blocks(s: Tensor, p: int):
    """Pairs of the batch, and slices of their source pixels."""
    (b, _, n), rows = s.shape, max(1, _BLOCK.get(s.device.type, 2**20) // p)
    return [(k, slice(i, min(i + rows, n))) for k in range(b) for i in range(0, n, rows)]


def _check_features(source: Tensor, target: Tensor) -> None:
    if source.ndim != 4 or target.ndim != 4 or source.shape[:2] != target.shape[:2]:
        raise InputError(
            "A correlation compares features (b, m, h, w) of a source and (b, m, H, W) of a target, "
            f"got {tuple(source.shape)} and {tuple(target.shape)}."
        )
