"""Image metrics, one value per image: SSIM, MS-SSIM, l1 and what is made of it, PSNR, gradient-energy ratio.

Images are ``b 3 h w`` in [0, 1] and are compared as they are: crop and padding have been done by `Protocol.frame`.
Windows and constants are those of the protocol.  With a mask ``b 1 h w`` of 0 and 1 a metric looks at what lies on it
and at nothing else; where there is nothing on it, the value is NaN.  SSIM and MS-SSIM have no gradient.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, interpolate

from posekit.metrics.protocol import STANDARD, Protocol
from posekit.util.errors import InputError

Images = Float[Tensor, "b 3 h w"]
Mask = Float[Tensor, "b 1 h w"] | None

# With a constant K1 this large SSIM's luminance term, (2 m n + c) / (m^2 + n^2 + c), is 1 to twelve digits; the rest is
# contrast and structure.
NO_LUMINANCE = 1e7


def ssim(image: Images, truth: Images, mask: Mask = None, *, protocol: Protocol = STANDARD) -> Float[Tensor, " b"]:
    """Structural similarity (Wang et al. 2004), 1 for equal images.  Sides of at least one window (11 pixels).

    With a mask, both images are black off it, so that the windows of its outermost pixels see nothing else there, and
    the mean is over the pixels on it.  The common black is similar: the smaller the region, the higher the value.
    """
    check_images(image, truth, mask)
    if mask is None:
        return _ssim_map(image, truth, protocol).mean((1, 2, 3)).to(image)
    black = (torch.where(mask > 0, x, 0) for x in (image, truth))
    return _masked_mean(_ssim_map(*black, protocol), _inside(mask, protocol)).to(image)


def ms_ssim(image: Images, truth: Images, *, protocol: Protocol = STANDARD) -> Float[Tensor, " b"]:
    """Multi-scale SSIM (Wang et al. 2003) with as many of the five scales as fit (`Protocol.scales`).

        prod_k  cs_k ^ w_k  (k < n)   *   ssim_n ^ w_n

    cs_k: mean contrast and structure term of the image averaged 2 x 2 k times; ssim_n: with luminance.  Negative
    means count as 0.
    """
    check_images(image, truth)
    weights = protocol.scale_weights[: protocol.scales(tuple(image.shape[-2:]))]
    value = 1.0
    made, true = image, truth
    for k, weight in enumerate(weights, 1):
        k1 = None if k == len(weights) else NO_LUMINANCE
        term = _ssim_map(made, true, protocol, k1).mean((1, 2, 3))
        value = value * term.clamp(min=0) ** (weight / sum(weights))
        made, true = avg_pool2d(made, 2), avg_pool2d(true, 2)
    return value.to(image)


def _ssim_map(image: Tensor, truth: Tensor, protocol: Protocol, k1: float | None = None) -> Tensor:
    """SSIM of every pixel at least half a window from the edge, ``b 3 H W``, float64.

    scikit-image's, in double precision: the variances are differences of large numbers, and in float32 a flat picture
    of 240 beside one of 241 comes out a thousandth too unlike.  k1: in place of the protocol's.
    """
    from skimage.metrics import structural_similarity

    protocol.scales(tuple(image.shape[-2:]))
    constants = {"K1": protocol.k[0] if k1 is None else k1, "K2": protocol.k[1], "data_range": protocol.data_range}
    window = {"gaussian_weights": True, "sigma": protocol.sigma, "use_sample_covariance": False, "channel_axis": 0}
    pairs = zip(*(x.detach().double().cpu().numpy() for x in (image, truth)), strict=True)
    maps = [structural_similarity(a, b, **window, **constants, full=True)[1] for a, b in pairs]
    return _inside(torch.from_numpy(np.stack(maps)), protocol).to(image.device)


def _inside(images: Tensor, protocol: Protocol) -> Tensor:
    edge, (h, w) = protocol.window // 2, images.shape[-2:]
    return images[..., edge : h - edge, edge : w - edge]


def l1(image: Images, truth: Images, mask: Mask = None) -> Float[Tensor, " b"]:
    """Mean absolute difference, 0 for equal images; with a mask, over the pixels on it."""
    check_images(image, truth, mask)
    difference = (image - truth).abs()
    return difference.mean((1, 2, 3)) if mask is None else _masked_mean(difference, mask)


def l1_at(image: Images, truth: Images, side: int) -> Float[Tensor, " b"]:
    """`l1` of both images brought down to ``side`` x ``side`` and back up: pose and colour without detail.

    Down by averaging areas, up bilinearly.  Source: Pose Transfer Using a Single Spatial Transformation, section 4 ("we
    first downsample each image to 32 x 32 and then upsample it to the original dimension"), which names no filter.
    """
    check_images(image, truth)
    size = image.shape[-2:]
    coarse = (interpolate(adaptive_avg_pool2d(x, side), size=size, mode="bilinear") for x in (image, truth))
    return l1(*coarse)


def relative_l1(image: Images, truth: Images) -> Float[Tensor, " b"]:
    """The sum of all absolute differences over the sum of all values of both: 0 for equal images, at most 1.

    Darker pictures get higher values for the same differences.  Called MAE by the public evaluation script of Ren et
    al. (Deep Image Spatial Transformation, 2020).  NaN where both are black.
    """
    check_images(image, truth)
    return (image - truth).abs().sum((1, 2, 3)) / (image + truth).sum((1, 2, 3))


def psnr(image: Images, truth: Images) -> Float[Tensor, " b"]:
    """Peak signal to noise in decibels, -10 log10 of the mean squared difference; infinite for equal images.

    A mean over pictures is infinite as soon as one is equal to its truth.
    """
    check_images(image, truth)
    return -10 * (image - truth).double().square().mean((1, 2, 3)).log10().to(image)


def gradient_energy_ratio(image: Images, truth: Images, mask: Mask = None) -> Float[Tensor, " b"]:
    """Sharpness beside the truth's: below 1 the image is blurred, above 1 it has too many edges.

        R = sum (dx image)^2 + (dy image)^2  /  sum (dx truth)^2 + (dy truth)^2

    over forward differences of all channels; with a mask (the body, for instance) over those whose two pixels both
    lie inside.  A truth without any edge gives NaN or infinity.
    """
    check_images(image, truth, mask)

    def energy(x: Tensor) -> Tensor:
        dx, dy = (x[..., 1:] - x[..., :-1]).square(), (x[..., 1:, :] - x[..., :-1, :]).square()
        if mask is not None:  # not multiplied: whatever lies off the mask, NaN too, must not matter
            on = mask > 0
            dx = torch.where(on[..., 1:] & on[..., :-1], dx, 0)
            dy = torch.where(on[..., 1:, :] & on[..., :-1, :], dy, 0)
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
