"""Forward warp (splatting): put every source pixel where its position says, with a bilinear kernel.

The coordinate texture C of coordinate-based inpainting is made this way (paper, section 3: "scattered interpolation
with bilinear kernel, so that each source pixel [x, y] is rasterized at position [M^1[x, y], M^2[x, y]]"), with the
source coordinates themselves as the values.

On the CPU the loops are compiled by numba, on CUDA by Triton; elsewhere, and where the order of additions must be
the same every time, the same sums are one ``index_add_`` over interleaved rows.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from posekit.ops.grids import norm_to_index
from posekit.ops.splat_torch import backward_torch, forward_torch
from posekit.util.errors import InputError

DTYPES = (torch.float32, torch.float64)


class Splat(NamedTuple):
    """What `splat` returns.

    values: ``b c H W``, 0 where unknown.  weight: ``b 1 H W``, the kernel mass that fell on each texel.
    known: ``b 1 H W``, 1 where the weight reaches ``min_weight``, else 0.
    """

    values: Float[Tensor, "b c H W"]
    weight: Float[Tensor, "b 1 H W"]
    known: Float[Tensor, "b 1 H W"]


def splat(
    values: Float[Tensor, "b c h w"],
    positions: Float[Tensor, "b 2 h w"],
    size: tuple[int, int],
    mask: Float[Tensor, "b 1 h w"] | None = None,
    *,
    min_weight: float = 1e-3,
) -> Splat:
    """Scatter ``values`` to ``positions`` in a target of ``size = (H, W)``.

    Source pixel i at p_i spreads over the four texels t around it with the bilinear kernel
    w_it = max(0, 1 - |x_i - x_t|) max(0, 1 - |y_i - y_t|)  (distances in texels), and a texel takes

        weight_t = sum_i w_it,    values_t = sum_i w_it v_i / weight_t.

    values: any channels.  positions: (x, y) in [-1, 1] of the target.  mask: 1 keeps a pixel, 0 drops it (kept
    where > 0.5).  min_weight: least weight of a known texel, above 0.

    - Part of a kernel that lies outside the target is dropped, and with it whole points far outside.
    - A pixel with NaN or infinity in its position or in any of its values contributes nothing, and its gradients are
      0, as those of masked pixels.
    - A texel below ``min_weight`` is unknown: value 0, known 0.  An empty map gives nothing but unknown texels.
    - Differentiable, once, in values and positions, through ``values`` and through ``weight``; on the kinks of the
      kernel (positions at texel centres) the derivative from the right is given.  ``known`` carries no gradient.
    - On the CPU the result is the same bit for bit whatever the number of threads (``torch.set_num_threads``).  On
      CUDA the order of the additions, so the last bits, is free unless ``torch.use_deterministic_algorithms`` is set.

    values     positions  size      result values
    b c h w    b 2 h w    (h, w)    b c h w    positions = identity_grid(h, w): the values themselves
    b 2 h w    b 2 h w    (t, t)    b 2 t t    values = identity_grid(h, w), positions = M_S: the map C

    >>> one = splat(torch.full((1, 1, 1, 1), 7.0), torch.zeros(1, 2, 1, 1), (2, 2))  # a pixel amid four texels
    >>> one.weight.tolist(), one.values.tolist()
    ([[[[0.25, 0.25], [0.25, 0.25]]]], [[[[7.0, 7.0], [7.0, 7.0]]]])

    Raises InputError for shapes or dtypes that do not fit together; float32 and float64 are accepted.
    """
    _check(values, positions, size, mask, min_weight)
    out, weight, known = _Splat.apply(values, positions, mask, (int(size[0]), int(size[1])), float(min_weight))
    return Splat(out, weight, known)


class _Splat(torch.autograd.Function):
    """Forward and backward of `splat`, handed to the numba kernels or to plain torch by device."""

    @staticmethod
    def forward(ctx, values, positions, mask, size, min_weight):
        mask = None if mask is None else mask.to(values.dtype)
        forward, _ = _kernels(values)
        out, weight, known = forward(values, positions, mask, size, _index_affine(size), min_weight)
        ctx.save_for_backward(values, positions, mask, out, weight, known)
        ctx.mark_non_differentiable(known)
        return out, weight, known

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_out, grad_weight, _):
        values, weight = ctx.saved_tensors[0], ctx.saved_tensors[4]
        affine = _index_affine(weight.shape[-2:])
        _, backward = _kernels(values)
        grad_values, grad_positions = backward(grad_out, grad_weight, *ctx.saved_tensors, affine)
        return grad_values, grad_positions, None, None, None


def _index_affine(size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Texel index = scale * position + offset: (scale x, offset x, scale y, offset y) from the one convention."""
    h, w = size
    offset_x, offset_y = norm_to_index(0.0, w), norm_to_index(0.0, h)
    return norm_to_index(1.0, w) - offset_x, offset_x, norm_to_index(1.0, h) - offset_y, offset_y


def _kernels(values: Tensor) -> tuple[Callable, Callable]:
    """(forward, backward) for the device of the values; imported here, because the compilers take a second."""
    if values.device.type == "cpu":
        from posekit.ops.splat_kernel import backward_numba, forward_numba

        return forward_numba, backward_numba
    if values.device.type == "cuda" and not torch.are_deterministic_algorithms_enabled() and _triton_works():
        from posekit.ops.splat_triton_kernel import backward_triton, forward_triton

        return forward_triton, backward_triton
    return forward_torch, backward_torch


@lru_cache(maxsize=1)
def _triton_works() -> bool:
    """Whether Triton is here and can build a kernel (it needs a C compiler); if it cannot, it is said once."""
    if find_spec("triton") is None:
        return False
    try:
        from posekit.ops.splat_triton_kernel import backward_triton, forward_triton

        one, affine = torch.zeros(1, 1, 1, 1, device="cuda"), _index_affine((1, 1))
        place = one.expand(1, 2, 1, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a release of Triton says of itself is no matter of splatting
            made = forward_triton(one, place, None, (1, 1), affine, 1e-3)
            backward_triton(one, one, one, place, None, *made, affine)  # a training needs both
    except Exception as error:  # whatever compiler, driver or version does not go together
        reason = " ".join(str(error).split())[:200]
        warnings.warn(f"splat runs without its fused kernel: Triton does not work here ({reason}).", stacklevel=2)
        return False
    return True


def _check(values: Tensor, positions: Tensor, size: Sequence[int], mask: Tensor | None, min_weight: float) -> None:
    if values.ndim != 4 or positions.shape != (values.shape[0], 2, *values.shape[2:]):
        raise InputError(
            "splat expected values (b, c, h, w) and positions (b, 2, h, w) of the same batch and size, "
            f"got {tuple(values.shape)} and {tuple(positions.shape)}."
        )
    if mask is not None and mask.shape != (values.shape[0], 1, *values.shape[2:]):
        raise InputError(
            f"splat expected a mask (b, 1, h, w) for values of shape {tuple(values.shape)}, got {tuple(mask.shape)}."
        )
    if values.dtype != positions.dtype or values.dtype not in DTYPES:
        raise InputError(
            "splat expected values and positions that are both float32 or both float64, "
            f"got {values.dtype} and {positions.dtype}; convert with .float() or .double()."
        )
    devices = {t.device for t in (values, positions, mask) if t is not None}
    if len(devices) > 1:
        names = " and ".join(sorted(map(str, devices)))
        raise InputError(f"splat expected all tensors on one device, got {names}; move them with .to(device).")
    if len(size) != 2 or min(size) < 1:
        raise InputError(f"splat expected a target size (height, width) of at least one texel, got {tuple(size)}.")
    if not min_weight > 0:
        raise InputError(f"splat expected min_weight above 0, got {min_weight}.")
