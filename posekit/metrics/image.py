"""Image metrics, one value per image: SSIM, MS-SSIM, l1, gradient-energy ratio.

Images are ``b 3 h w`` in [0, 1] and are compared as they are, without crop or padding; `PROTOCOL` says the rest and
goes into every result, because padding, crop and window change SSIM.  With a mask ``b 1 h w`` of 0 and 1 a metric
looks at what lies on it and at nothing else; where there is nothing on it, the value is NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

from posekit._torchvision import ensure_torchvision
from posekit.errors import InputError

Images = Float[Tensor, "b 3 h w"]
Mask = Float[Tensor, "b 1 h w"] | None

PROTOCOL = {
    "values": "RGB in [0, 1], data range 1, whole image, no crop, no padding",
    "ssim": "Gaussian window 11 x 11, sigma 1.5, K 0.01, 0.03; mean over channels and pixels at least 5 from the edge",
    "ms_ssim": "the same at 5 scales, weights .0448 .2856 .3001 .2363 .1333; fewer below 176 pixels, rescaled",
    "ssim_masked": "both images black off the mask, mean over channels and the pixels on the mask, 5 from the edge",
    "l1": "mean absolute difference over pixels and channels",
    "l1_32": "the same of both images averaged down to 32 x 32",
    "gradient_energy_ratio": "squared forward differences, image over truth, on the body of the truth; 1 is as sharp",
}
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang, Simoncelli, Bovik 2003
_WINDOW = {"gaussian_kernel": True, "sigma": 1.5, "kernel_size": 11, "data_range": 1.0, "reduction": "none"}
_MAP, _CONTRAST = {**_WINDOW, "return_full_image": True}, {**_WINDOW, "return_contrast_sensitivity": True}


def ssim(image: Images, truth: Images, mask: Mask = None) -> Float[Tensor, " b"]:
    """Structural similarity (Wang et al. 2004), 1 for equal images.  Sides of at least 11 pixels.

    With a mask, both images are black off it, so that the windows of its outermost pixels see nothing else there, and
    the mean is over the pixels on it.  The common black is similar: the smaller the region, the higher the value.
    """
    check_images(image, truth, mask)
    if mask is None:
        return _ssim_map(image, truth).mean((1, 2, 3))
    return _masked_mean(_ssim_map(*(torch.where(mask > 0, x, 0) for x in (image, truth))), mask[..., 5:-5, 5:-5])


def ms_ssim(image: Images, truth: Images) -> Float[Tensor, " b"]:
    """Multi-scale SSIM (Wang et al. 2003) with as many of the five scales as fit (`ms_ssim_scales`).

        prod_k  cs_k ^ w_k  (k < n)   *   ssim_n ^ w_n

    cs_k: mean contrast and structure term of the image averaged 2 x 2 k times; ssim_n: with luminance.  Negative
    means count as 0.
    """
    check_images(image, truth)
    weights = _SCALE_WEIGHTS[: ms_ssim_scales(tuple(image.shape[-2:]))]
    value = torch.ones(len(image), device=image.device)
    for k, weight in enumerate(weights, 1):
        last = k == len(weights)
        term = ssim(image, truth) if last else _torchmetrics_ssim()(image, truth, **_CONTRAST)[1]
        value = value * term.clamp(min=0) ** (weight / sum(weights))
        image, truth = avg_pool2d(image, 2), avg_pool2d(truth, 2)
    return value


def ms_ssim_scales(size: tuple[int, int]) -> int:
    """Scales of `ms_ssim` for images of (height, width): the window of 11 pixels must fit into the coarsest one.

    5 from 176 pixels on, 4 from 88, 3 from 44, 2 from 22, 1 from 11.  Fewer scales give another number: MS-SSIM
    values of small and large images are not comparable.
    """
    fitting = [n for n in range(1, 6) if min(size) // 2 ** (n - 1) >= 11]
    if not fitting:
        raise InputError(f"SSIM needs images of at least 11 pixels a side, got {size[0]} x {size[1]}.")
    return fitting[-1]


def _torchmetrics_ssim() -> Callable[..., Tensor | tuple[Tensor, Tensor]]:
    ensure_torchvision()
    from torchmetrics.functional.image import structural_similarity_index_measure

    return structural_similarity_index_measure


def _ssim_map(image: Tensor, truth: Tensor) -> Tensor:
    """SSIM of every pixel at least 5 from the edge; torchmetrics itself averages over mirrored borders as well."""
    ms_ssim_scales(tuple(image.shape[-2:]))
    return _torchmetrics_ssim()(image, truth, **_MAP)[1][..., 5:-5, 5:-5]


def l1(image: Images, truth: Images, mask: Mask = None) -> Float[Tensor, " b"]:
    """Mean absolute difference, 0 for equal images; with a mask, over the pixels on it."""
    check_images(image, truth, mask)
    difference = (image - truth).abs()
    return difference.mean((1, 2, 3)) if mask is None else _masked_mean(difference, mask)


def l1_at(image: Images, truth: Images, side: int) -> Float[Tensor, " b"]:
    """`l1` of both images averaged over areas down to ``side`` x ``side``: pose and colour without detail."""
    check_images(image, truth)
    return l1(adaptive_avg_pool2d(image, side), adaptive_avg_pool2d(truth, side))


def gradient_energy_ratio(image: Images, truth: Images, mask: Mask = None) -> Float[Tensor, " b"]:
    """Sharpness beside the truth's: below 1 the image is blurred, above 1 it has too many edges.

        R = sum (dx image)^2 + (dy image)^2  /  sum (dx truth)^2 + (dy truth)^2

    over forward differences of all channels; with a mask (the body, for instance) over those whose two pixels both
    lie inside.  A truth without any edge gives NaN or infinity.
    """
    check_images(image, truth, mask)

    def energy(x: Tensor) -> Tensor:
        dx, dy = (x[..., 1:] - x[..., :-1]).square(), (x[..., 1:, :] - x[..., :-1, :]).square()
        if mask is not None:
            dx, dy = dx * (mask[..., 1:] * mask[..., :-1]), dy * (mask[..., 1:, :] * mask[..., :-1, :])
        return dx.sum((1, 2, 3)) + dy.sum((1, 2, 3))

    return energy(image) / energy(truth)


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``b c h w`` over channels and the pixels on the mask; NaN where there are none."""
    return torch.where(mask > 0, values, 0).sum((1, 2, 3)) / (values.shape[1] * (mask > 0).sum((1, 2, 3)))


def check_images(image: Tensor, truth: Tensor, mask: Tensor | None = None) -> None:
    """InputError unless all are of one size."""
    if image.shape != truth.shape or image.ndim != 4:
        raise InputError(
            f"A metric compares two batches of images of one shape, got {tuple(image.shape)} and {tuple(truth.shape)}; "
            "resize one, and say so beside the number."
        )
    if mask is not None and mask.shape != (len(image), 1, *image.shape[2:]):
        raise InputError(
            f"The mask of images of shape {tuple(image.shape)} is {(len(image), 1, *image.shape[2:])}, "
            f"got {tuple(mask.shape)}."
        )
