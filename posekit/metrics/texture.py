"""Is the texture right, wherever it lies?  Patch statistics by scale, and the spectrum; no pretrained network.

Pixel by pixel, a stripe that is off by one pixel is as wrong as no stripe, so l1 prefers blur.  These measures compare
what patches there are, or how much power there is at each frequency, and not where.

Images are ``b 3 h w`` in [0, 1], values are per image, and with a mask ``b 1 h w`` of 0 and 1 nothing off the mask
matters; `PROTOCOL` goes into every result.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from posekit.metrics.image import Images, Mask, check_images
from posekit.util.errors import InputError

PROTOCOL = {
    "sliced_wasserstein": "Laplacian pyramid (kernel 1 4 6 4 1), patches wholly on the mask at one set of places in "
    "both images, not normalised; mean over random directions of the mean distance of sorted projections",
    "radial_spectrum": "mean over channels of |FFT|^2 of the centred image under its window (the mask; Hann without "
    "one), per pixel of the window, averaged over rings of equal width up to 0.5 cycles a pixel",
}
_KERNEL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def sliced_wasserstein(
    image: Images,
    truth: Images,
    mask: Mask = None,
    *,
    levels: int = 3,
    patch: int = 7,
    directions: int = 128,
    patches: int = 1024,
    seed: int = 0,
) -> Float[Tensor, "b levels"]:
    """How far the patches of an image are from those of the truth, as two sets, at each level of the pyramid.

        SWD_l = mean_r  1/n sum_i | sort(P r)_i - sort(Q r)_i |

    P, Q: the n patches (3 patch patch values each) of level l of image and truth; r: random directions of length 1.
    Level 0 is the finest detail, the last one the small image that remains, with its colours.  0 for equal sets.

    Args:
        mask: only patches that lie on it wholly count, the same number at the same places in both images; at most
            ``patches`` of them, chosen by ``seed``, as the directions are.  NaN where there is none.
        levels, patch: number of levels, and side of a patch in pixels of its level; the coarsest must hold one patch.

    Source: T. Karras et al., Progressive Growing of GANs, section 5, where it compares thousands of images whose
    patches are normalised to one mean and contrast.  Here two images are compared, and contrast counts: without it
    there would be no difference between a texture and its blur.
    """
    check_images(image, truth, mask)
    mask = torch.ones_like(image[:, :1]) if mask is None else (mask > 0).to(image.dtype)
    if levels < 1 or patch < 1 or directions < 1 or patches < 1:
        raise InputError(
            f"levels, patch, directions and patches are 1 or more, got {levels}, {patch}, {directions} and {patches}."
        )
    if -(-min(image.shape[-2:]) // 2 ** (levels - 1)) < patch:
        raise InputError(
            f"An image of {image.shape[-2]} x {image.shape[-1]} pixels has no patch of {patch} at level {levels - 1}; "
            "take fewer levels or smaller patches."
        )
    ours, places = laplacian_pyramid(image, mask, levels)
    theirs, _ = laplacian_pyramid(truth, mask, levels)
    columns = []
    for a, b, on in zip(ours, theirs, places, strict=True):
        whole = -F.max_pool2d(-on, patch, stride=1)[:, 0]  # 1 where a patch lies wholly on the mask
        columns.append([_distance(*item, patch, directions, patches, seed) for item in zip(a, b, whole, strict=True)])
    return torch.tensor(columns, dtype=image.dtype, device=image.device).T


def patch_words(settings: Mapping[str, int]) -> str:
    """How `sliced_wasserstein` was made with these settings and its levels averaged, for the protocol of a table."""
    side = settings["patch"]
    return (
        f"{PROTOCOL['sliced_wasserstein']}; mean of {settings['levels']} levels, patches of {side} x {side}, at most "
        f"{settings['patches']} of them"
    )


def _distance(a: Tensor, b: Tensor, whole: Tensor, patch: int, directions: int, patches: int, seed: int) -> float:
    """Sliced Wasserstein distance of the patches of ``a`` and ``b`` (3 h w) whose corners ``whole`` keeps."""
    kept = whole.flatten().nonzero()[:, 0]
    if len(kept) == 0:
        return float("nan")
    generator = torch.Generator().manual_seed(seed)
    r = F.normalize(torch.randn(directions, len(a) * patch * patch, generator=generator), dim=1).to(a)
    kept = kept[torch.randperm(len(kept), generator=generator)[:patches].to(kept.device)]
    row, column = kept // whole.shape[1], kept % whole.shape[1]

    def projections(x: Tensor) -> Tensor:
        windows = x.unfold(1, patch, 1).unfold(2, patch, 1)[:, row, column]  # 3 n patch patch, of the kept alone
        return torch.sort(r @ windows.transpose(1, 0).flatten(1).T, dim=1).values

    return (projections(a) - projections(b)).abs().mean().item()


def laplacian_pyramid(
    image: Float[Tensor, "b c h w"], mask: Float[Tensor, "b 1 h w"], levels: int
) -> tuple[list[Tensor], list[Tensor]]:
    """Bands from fine to coarse, each half the size of the one before, and the pixels that each is known at.

        G_0 = image,   G_l+1 = every second pixel of the blurred G_l,   L_l = G_l - enlarged G_l+1,   last L = G

    Blurring and enlarging are means over the pixels on the mask alone, so nothing off the mask enters.
    """
    bands, known = [], []
    image = torch.where(mask > 0, image, 0)
    for _ in range(levels - 1):
        coarse_mask = mask[..., ::2, ::2]
        coarse = _mean_around(image, mask)[0][..., ::2, ::2] * coarse_mask
        spread, spread_mask = torch.zeros_like(image), torch.zeros_like(mask)
        spread[..., ::2, ::2], spread_mask[..., ::2, ::2] = coarse, coarse_mask
        enlarged, reached = _mean_around(spread, spread_mask)
        on = mask * reached  # a pixel without a coarse one nearby has no band
        bands.append((image - enlarged) * on)
        known.append(on)
        image, mask = coarse, coarse_mask
    return [*bands, image], [*known, mask]


def _mean_around(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Binomial mean over the pixels on the mask (``image`` is 0 off it), and 1 where there was any."""
    k = torch.tensor(_KERNEL, dtype=image.dtype, device=image.device)
    kernel = (k[:, None] * k)[None, None]
    total = F.conv2d(image.flatten(0, 1)[:, None], kernel, padding=2).reshape(image.shape)
    weight = F.conv2d(mask, kernel, padding=2)
    return total / torch.where(weight > 0, weight, 1), (weight > 0).to(mask.dtype)


def radial_spectrum(
    image: Images, mask: Mask = None, bins: int = 16
) -> tuple[Float[Tensor, " bins"], Float[Tensor, "b bins"]]:
    """Power by frequency, whatever the direction: (frequency in cycles a pixel, power).

        power_k = mean over ring k and channels of  |FFT(w (x - m))|^2 / sum w^2

    w: the mask, or a Hann window without one; m: the mean under w.  White noise of variance s^2 has power s^2 at every
    frequency but the lowest, which lacks the mean.  The edge of a mask spreads power between the rings, in image and
    truth alike: compare the two under one mask.  NaN for an empty mask, and in a ring that is too thin to hold a
    frequency of a small image.
    """
    check_images(image, image, mask)
    b, _, h, w = image.shape
    if bins < 1 or min(h, w) < 3:
        raise InputError(f"A spectrum needs at least 1 ring and an image of 3 pixels a side, got {bins} and {h} x {w}.")
    if mask is None:
        window = torch.outer(*(torch.hann_window(n + 2, periodic=False)[1:-1] for n in (h, w))).to(image)
        window = window.expand(b, 1, h, w)
    else:
        window = (mask > 0).to(image.dtype)
        image = torch.where(mask > 0, image, 0)
    mean = (window * image).sum((2, 3), keepdim=True) / window.sum((2, 3), keepdim=True)
    power = (
        torch.fft.fft2(window * (image - mean)).abs().square().mean(1) / window.square().sum((1, 2, 3))[:, None, None]
    )
    fy, fx = (torch.fft.fftfreq(n, device=image.device) for n in (h, w))
    radius = torch.sqrt(fy[:, None] ** 2 + fx**2).flatten()
    ring = (radius * 2 * bins).long()  # ring k: k / (2 bins) <= radius < (k + 1) / (2 bins)
    inside = (ring < bins) & (radius > 0)  # not the corners beyond 0.5, not the mean, which is 0
    total = torch.zeros(b, bins, dtype=image.dtype, device=image.device)
    total.index_add_(1, ring[inside], power.flatten(1)[:, inside])
    count = torch.bincount(ring[inside], minlength=bins)
    return (torch.arange(bins, device=image.device) + 0.5) / (2 * bins), total / count
