"""Affine maps of the plane: from parameters, to a flow, inverse, composition, least-squares fit.

A map is a matrix ``b 2 3`` on normalised (x, y), columns (linear part | translation): p -> A p + t.  Angles are true
angles in square pictures; in others [-1, 1] is stretched, and so are they.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.ops.grids import identity_grid
from posekit.util.errors import InputError

# Points count as collinear when their spread across the main direction is less than this part of that along it.
COLLINEAR = 1e-4


class DegenerateError(InputError):
    """The points do not determine an affine map, or a map has no inverse; ``items`` are the positions in the batch."""

    def __init__(self, message: str, items: tuple[int, ...]):
        super().__init__(message)
        self.items = items


def affine_matrix(
    angle: Float[Tensor, " b"],
    scale: Float[Tensor, "b 2"],
    shear: Float[Tensor, "b 2"],
    translation: Float[Tensor, "b 2"],
) -> Float[Tensor, "b 2 3"]:
    """The map with 7 parameters that pose transfer by one spatial transformation draws at random for its L_aff.

        A = R(angle) [[1, shear_x], [shear_y, 1]] diag(scale_x, scale_y),    p -> A p + translation

    Scaling comes first, rotation last.  angle: radians, x towards y, which is clockwise on the screen.
    translation: in normalised units, 2 is the whole picture.

    angle  scale   shear   translation
    0      (1, 1)  (0, 0)  (0, 0)          the identity
    pi/2   (1, 1)  (0, 0)  (0, 0)          (1, 0) -> (0, 1)
    """
    c, s = angle.cos(), angle.sin()
    rotation = torch.stack((torch.stack((c, -s), -1), torch.stack((s, c), -1)), -2)
    one = torch.ones_like(angle)
    shearing = torch.stack((torch.stack((one, shear[:, 0]), -1), torch.stack((shear[:, 1], one), -1)), -2)
    linear = rotation @ shearing @ torch.diag_embed(scale)
    return torch.cat((linear, translation[..., None]), -1)


@dataclass(frozen=True)
class AffineRanges:
    """How far `random_affine` may go from the identity, the same to both sides.

    | field       | meaning |
    |-------------|---------|
    | angle       | radians |
    | scale       | of each axis: factors from 1 / (1 + scale) to 1 + scale, evenly on the logarithm |
    | shear       | of each axis |
    | translation | of each axis, 2 is the whole picture |
    """

    angle: float = 0.2
    scale: float = 0.25
    shear: float = 0.1
    translation: float = 0.25

    def __post_init__(self):
        if min(self.angle, self.scale, self.shear, self.translation) < 0 or self.shear >= 1:
            raise InputError(f"The ranges of a random affine map are 0 or more, and that of shear below 1, got {self}.")


def random_affine(n: int, ranges: AffineRanges | None = None) -> Float[Tensor, "n 2 3"]:
    """``n`` maps with 7 random parameters each, on the CPU, drawn from torch's global generator.

    For the default ranges an upright line stays within 18 degrees of upright, and within 26 under the inverse map.
    """
    r = ranges or AffineRanges()
    angle, scale, shear, translation = (2 * torch.rand(n, 7) - 1).split((1, 2, 2, 2), 1)
    return affine_matrix(r.angle * angle[:, 0], (1 + r.scale) ** scale, r.shear * shear, r.translation * translation)


def apply(matrix: Float[Tensor, "b 2 3"], points: Float[Tensor, "b *n 2"]) -> Float[Tensor, "b *n 2"]:
    """Map points (x, y): p -> A p + t, each item of the batch with its own matrix."""
    _check("apply", matrix)
    if points.shape[-1] != 2 or points.ndim < 2 or points.shape[0] != matrix.shape[0]:
        raise InputError(
            f"apply expected points ({matrix.shape[0]}, ..., 2) beside {matrix.shape[0]} matrices, "
            f"got {tuple(points.shape)}."
        )
    flat = points.reshape(points.shape[0], -1, 2)
    return (flat @ matrix[:, :, :2].mT + matrix[:, None, :, 2]).reshape(points.shape)


def affine_flow(matrix: Float[Tensor, "b 2 3"], size: tuple[int, int]) -> Float[Tensor, "b 2 h w"]:
    """The map as a grid of ``size = (h, w)`` for `posekit.ops.sample.sample`: at pixel x stands A x + t.

    Sampling a picture with the flow of a map moves its content by the inverse map.

    >>> to_the_right = torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
    >>> affine_flow(to_the_right, (1, 2)).tolist()
    [[[[0.0, 1.0]], [[0.0, 0.0]]]]
    """
    _check("affine_flow", matrix)
    x = identity_grid(*size, dtype=matrix.dtype, device=matrix.device)
    return torch.einsum("bij,jhw->bihw", matrix[:, :, :2], x) + matrix[:, :, 2, None, None]


def invert(matrix: Float[Tensor, "b 2 3"]) -> Float[Tensor, "b 2 3"]:
    """The inverse map: p -> A^-1 (p - t).  Raises DegenerateError where A squeezes the plane onto a line."""
    _check("invert", matrix)
    a, b, _, c, d, _ = matrix.flatten(1).unbind(1)
    determinant = a * d - b * c
    size = matrix[:, :, :2].square().sum((-2, -1))
    flat = ~(determinant.abs() > 4 * torch.finfo(matrix.dtype).eps * size)
    if flat.any():
        items = _items(flat)
        raise DegenerateError(f"The map has no inverse, its determinant is 0, for batch item(s) {items}.", items)
    inverse = torch.stack((torch.stack((d, -b), -1), torch.stack((-c, a), -1)), -2) / determinant[:, None, None]
    return torch.cat((inverse, -inverse @ matrix[:, :, 2:]), -1)


def compose_affine(outer: Float[Tensor, "b 2 3"], inner: Float[Tensor, "b 2 3"]) -> Float[Tensor, "b 2 3"]:
    """The map p -> outer(inner(p))."""
    _check("compose_affine", outer)
    _check("compose_affine", inner)
    linear = outer[:, :, :2] @ inner[:, :, :2]
    shift = outer[:, :, :2] @ inner[:, :, 2:] + outer[:, :, 2:]
    return torch.cat((linear, shift), -1)


def fit_affine(
    source: Float[Tensor, "b n 2"], target: Float[Tensor, "b n 2"], weights: Float[Tensor, "b n"] | None = None
) -> Float[Tensor, "b 2 3"]:
    """The map that takes source points to target points best: min over A, t of sum_k w_k |A s_k + t - d_k|^2.

    weights: at least 0, default 1; a point with weight 0 is ignored and may hold NaN.  Differentiable in points and
    weights.  Computed in float64, returned in the dtype of the points.

    Raises DegenerateError, naming the batch items and the reason, where fewer than 3 points have weight or where the
    source points lie on one line (within `COLLINEAR`).

    >>> corners = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    >>> torch.allclose(fit_affine(corners, 2 * corners + 1), torch.tensor([[[2.0, 0, 1], [0, 2, 1]]]), atol=1e-6)
    True
    """
    if source.ndim != 3 or source.shape[-1] != 2 or source.shape != target.shape:
        raise InputError(
            f"fit_affine expected source and target points (b, n, 2), got {tuple(source.shape)} "
            f"and {tuple(target.shape)}."
        )
    weights = torch.ones_like(source[..., 0]) if weights is None else weights
    if weights.shape != source.shape[:2]:
        raise InputError(f"fit_affine expected weights {tuple(source.shape[:2])}, got {tuple(weights.shape)}.")
    if not (weights >= 0).all():
        raise InputError("fit_affine expected weights of at least 0, got a negative one or NaN.")
    used = weights > 0
    if not (source[used].isfinite().all() and target[used].isfinite().all() and weights.isfinite().all()):
        raise InputError("fit_affine got a point that is not finite; give it the weight 0.")

    few = used.sum(1) < 3
    if few.any():
        raise DegenerateError(
            f"An affine map needs 3 points with weight; batch item(s) {_items(few)} have fewer.", _items(few)
        )
    w = weights.double()[..., None]
    s, d = (torch.where(used[..., None], p, 0).double() for p in (source, target))
    w = w / w.sum(1, keepdim=True)
    s_mean, d_mean = (w * s).sum(1, keepdim=True), (w * d).sum(1, keepdim=True)
    s, d = s - s_mean, d - d_mean
    covariance = (w * s).mT @ s  # b 2 2
    spread = torch.linalg.eigvalsh(covariance.detach())
    line = ~(spread[:, 0] > COLLINEAR**2 * spread[:, 1])
    if line.any():
        raise DegenerateError(f"The source points lie on one line in batch item(s) {_items(line)}.", _items(line))
    # Normal equations of the centred points: A (sum w s s^T) = sum w d s^T, then t = mean d - A mean s.
    linear = torch.linalg.solve(covariance, (w * s).mT @ d).mT
    shift = d_mean.mT - linear @ s_mean.mT
    return torch.cat((linear, shift), -1).to(source.dtype)


def _items(flags: Tensor) -> tuple[int, ...]:
    return tuple(flags.nonzero().flatten().tolist())


def _check(name: str, matrix: Tensor) -> None:
    if matrix.ndim != 3 or matrix.shape[1:] != (2, 3):
        raise InputError(f"{name} expected matrices of shape (b, 2, 3), got {tuple(matrix.shape)}.")
