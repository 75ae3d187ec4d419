"""Ambient occlusion from the depth picture: hollows receive less of the light that comes from everywhere.

A pixel that lies deeper than the average of its neighbourhood sits in a hollow.  With z the depth and z' its
average over a Gaussian of radius r (over surface pixels only), the pixel receives

    1 - k clip((z - z') / (1.6 r), 0, 1)

of the ambient light; two radii, one for wrinkles and one for armpits and collars, are multiplied.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

RADII = ((0.18, 0.55), (0.60, 0.45))  # (radius in decimetres, strength k)


def ambient_occlusion(nearness: np.ndarray, pixels_per_dm: float) -> np.ndarray:
    """Share of the ambient light that reaches each pixel.

    Args:
        nearness: (h, w) 1 / depth (depth in decimetres), 0 where no surface is seen.
        pixels_per_dm: scale of the picture at the person's distance.

    Returns:
        (h, w) float32 in [0, 1]; 1 where no surface is seen.
    """
    result = np.ones_like(nearness)
    rows, columns = np.flatnonzero(nearness.any(1)), np.flatnonzero(nearness.any(0))
    if len(rows) == 0:
        return result
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    seen = nearness[window] > 0
    depth = np.where(seen, 1 / np.maximum(nearness[window], 1e-9), 0).astype(np.float32)
    share = np.ones_like(depth)
    for radius, strength in RADII:
        pixels = radius * pixels_per_dm
        if pixels < 0.6:
            continue
        step = max(1, int(2 ** np.floor(np.log2(max(1.0, pixels / 2.5)))))  # a wide blur needs few samples
        total, count = _blocks(depth, step), _blocks(seen.astype(np.float32), step)
        total, count = (ndimage.gaussian_filter(a, pixels / step, truncate=2.2) for a in (total, count))
        average = total / np.maximum(count, 1e-6)
        if step > 1:
            average = _enlarge(average, step, depth.shape)
        share *= 1 - strength * np.clip((depth - average) / (1.6 * radius), 0, 1)
    result[window] = np.where(seen, share, 1)
    return result


def _blocks(picture: np.ndarray, step: int) -> np.ndarray:
    """Means of ``step`` x ``step`` blocks; the last row and column of blocks are padded with zeros."""
    if step == 1:
        return picture
    h, w = picture.shape
    padded = np.pad(picture, ((0, -h % step), (0, -w % step)))
    return padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step).mean((1, 3))


def _enlarge(picture: np.ndarray, step: int, shape: tuple[int, int]) -> np.ndarray:
    h, w = picture.shape
    big = Image.fromarray(picture).resize((w * step, h * step), Image.Resampling.BILINEAR)
    return np.asarray(big)[: shape[0], : shape[1]]
