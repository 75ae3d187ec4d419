"""SSIM with the window, the range and the colours that an evaluation script really uses.

Scripts of this field call one number "SSIM" and compute it through windows of 11, 13 or 51 pixels, with the range of
all values or of those in the generated picture.  `posekit.metrics.image.ssim` is ours; this is any of theirs.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import correlate1d, uniform_filter
from torch import Tensor

from posekit.metrics.image import Images, check_images
from posekit.util.errors import InputError

K = (0.01, 0.03)  # of the two constants (Wang et al. 2004, section III.C)
REC_601 = (0.2989, 0.5870, 0.1140)  # weights of R, G, B in the grey of MATLAB's rgb2gray


@dataclass(frozen=True, kw_only=True)
class SsimWindow:
    """One way to compute SSIM; InputError for what cannot be.

    Args:
        kind: "gaussian" of ``sigma``, or "uniform", where all pixels of the window count alike.
        side: of the window in pixels, odd.
        edge: pixels from the border that the mean leaves out.
        sample: variances divided by n - 1, not by n, with n = side ** 2.
        own_range: the range of values is that of the generated picture, largest minus smallest; else that of all.
        grey: of the luminance alone, rounded to 256 values; else of R, G and B, and their mean.
    """

    kind: Literal["gaussian", "uniform"] = "gaussian"
    side: int = 11
    sigma: float = 1.5
    edge: int = 5
    sample: bool = False
    own_range: bool = False
    grey: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("gaussian", "uniform") or self.side < 1 or self.side % 2 == 0 or self.edge < 0:
            raise InputError(
                "A window of SSIM is gaussian or uniform, of an odd number of pixels, and leaves out 0 or more at the "
                f"border; got {self.kind!r}, {self.side} and {self.edge}."
            )

    @property
    def smallest(self) -> int:
        """Fewest pixels along a side of a picture."""
        return max(self.side, 2 * self.edge + 1)

    def words(self) -> str:
        """One line, for the protocol of a table."""
        shape = f"Gaussian window {self.side} x {self.side}, sigma {self.sigma:g}"
        shape = f"uniform window {self.side} x {self.side}" if self.kind == "uniform" else shape
        of_range = "range of the generated picture (largest - smallest value)" if self.own_range else "range 255"
        divisor = "n - 1" if self.sample else "n"
        color = "grey (BT.601, 8 bit)" if self.grey else "mean over R, G, B"
        return f"{shape}, variances over {divisor}, {of_range}; {color}, pixels at least {self.edge} from the border"


def windowed_ssim(image: Images, truth: Images, window: SsimWindow) -> Float[Tensor, " b"]:
    """Mean over pixels p of one value per picture, in double precision, 1 for equal pictures.

        S(p) = (2 m n + c) (2 s_mn + d)  /  ((m^2 + n^2 + c) (s_m^2 + s_n^2 + d)),   c = (K1 R)^2,   d = (K2 R)^2

    m, n, s: means and (co)variances of the two pictures under the window around p, the pictures mirrored at their
    border; R: the range.  Pictures in [0, 1], the generated one first: with its own range, SSIM is not symmetric.
    NaN where R is 0, a generated picture of one value.

    Source: Wang et al. 2004, equation 13, and scikit-image's ``structural_similarity``, which the scripts call.
    """
    check_images(image, truth)
    if min(image.shape[-2:]) < window.smallest:
        raise InputError(
            f"This SSIM has a window of {window.side} pixels and needs pictures of at least {window.smallest} a side, "
            f"got {image.shape[-2]} x {image.shape[-1]}."
        )
    pairs = zip(*(x.detach().double().cpu().numpy() for x in (image, truth)), strict=True)
    return torch.tensor([_one(a, b, window) for a, b in pairs], dtype=torch.float64).to(image)


def _one(a: np.ndarray, b: np.ndarray, window: SsimWindow) -> float:
    """Of two pictures ``3 h w``."""
    if window.grey:
        a, b = (np.round(np.tensordot(REC_601, x, 1)[None] * 255) / 255 for x in (a, b))
    reach = np.ptp(a) if window.own_range else 1.0
    if reach == 0:
        return float("nan")
    c, d = ((k * reach) ** 2 for k in K)
    n = window.side**2
    unbiased = n / (n - 1) if window.sample else 1.0
    mean_a, mean_b, aa, bb, ab = (_means(x, window) for x in (a, b, a * a, b * b, a * b))
    both = mean_a * mean_b
    squares = mean_a**2 + mean_b**2
    value = (2 * both + c) * (2 * unbiased * (ab - both) + d)
    value /= (squares + c) * (unbiased * (aa + bb - squares) + d)
    edge, (h, w) = window.edge, a.shape[1:]
    return float(value[:, edge : h - edge, edge : w - edge].mean())


def _means(x: np.ndarray, window: SsimWindow) -> np.ndarray:
    """Weighted mean of every pixel's surroundings, ``c h w``."""
    if window.kind == "uniform":
        return uniform_filter(x, (0, window.side, window.side))
    at = np.arange(window.side) - window.side // 2
    bell = np.exp(-(at**2) / (2 * window.sigma**2))
    bell /= bell.sum()
    return correlate1d(correlate1d(x, bell, axis=1), bell, axis=2)
