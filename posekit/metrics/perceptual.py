"""Perceptual distance by the features that are in the package: what they see at a pixel, whatever the colours are.

The construction is that of LPIPS (Zhang et al. 2018) without its learned channel weights, on another network: VGG-16
fine-tuned for edges (`posekit.nets.edge_vgg`).  It is *not* LPIPS, and its numbers must not stand beside published
ones.  The same network may have trained a system: claims of quality need another judge beside it.
"""

from collections import OrderedDict
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from posekit.metrics.image import Images, Mask, check_images
from posekit.nets.vgg import VGGFeatures
from posekit.util.errors import InputError

TAPS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
SMALLEST = 16  # pixels a side: one at relu5_3
PROTOCOL = {
    "perceptual": "one minus the cosine of the features of edge_vgg16 at a pixel, mean over pixels and "
    f"{', '.join(TAPS)}; not LPIPS; with a mask both images are black off it and pixels weigh by their share of it"
}
_MEMORY = 160e6  # bytes of feature maps that one `Perceptual` keeps: 18 pictures of 128 x 128
_TINY = 1e-8


def perceptual(image: Images, truth: Images, mask: Mask = None) -> Float[Tensor, " b"]:
    """One minus the cosine of the two feature vectors at a pixel, 0 for equal images, at most 1.

        P = mean_l mean_p  1 - cos(phi_l(image)(p), phi_l(truth)(p)),     l: the five `TAPS`

    ReLU features are not negative, so that the cosine is not either.  A vector of zeros is at 0 from another one of
    zeros and at 1/2 from the rest.  With a mask, both images are black off it and the mean over p is weighted by the
    share of the mask in each place of the map; NaN where nothing lies on it.  Sides of at least 16 pixels; no gradient.
    """
    return Perceptual()(image, truth, mask)


class Perceptual:
    """`perceptual` with a memory: feature maps of pictures it has just seen are not computed again.

    In an evaluation the same photographs are truth of several systems and pairs.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, list[Tensor]] = OrderedDict()

    def __call__(self, image: Images, truth: Images, mask: Mask = None, *, black: bool = True) -> Float[Tensor, " b"]:
        """As `perceptual`; with ``black=False`` the network sees the whole images, and the mask only weighs places."""
        check_images(image, truth, mask)
        if min(image.shape[-2:]) < SMALLEST:
            raise InputError(
                f"The perceptual distance needs images of at least {SMALLEST} pixels a side, got {image.shape[-2]} x "
                f"{image.shape[-1]}."
            )
        with torch.no_grad():
            masks = [None] * len(image) if mask is None else list(mask)
            values = [self._distance(*item, black) for item in zip(image, truth, masks, strict=True)]
        return torch.stack(values).to(image)

    def _distance(self, image: Tensor, truth: Tensor, mask: Tensor | None, black: bool) -> Tensor:
        if mask is not None:
            if not bool((mask > 0).any()):
                return image.new_tensor(torch.nan)
            if black:
                image, truth = (torch.where(mask > 0, x, 0) for x in (image, truth))
        means = []
        for depth, (a, b) in enumerate(zip(self._directions(image), self._directions(truth), strict=True)):
            distance = (a - b).square().sum(0) / 2  # of unit vectors: 1 - cos
            if mask is None:
                means.append(distance.mean())
            else:
                weight = avg_pool2d((mask > 0).to(distance), 2**depth)[0]
                means.append((weight * distance).sum() / weight.sum())
        return torch.stack(means).mean()

    def _directions(self, picture: Tensor) -> list[Tensor]:
        """Feature maps ``c h w`` of a picture ``3 h w``, divided by their length at every pixel."""
        key = f"{picture.device} {tuple(picture.shape)}".encode() + picture.cpu().numpy().tobytes()
        if key in self._seen:
            self._seen.move_to_end(key)
            return self._seen[key]
        maps = _network().to(picture.device)(picture.float()[None]).values()
        maps = [m[0] / torch.linalg.vector_norm(m[0], dim=0).clamp(min=_TINY) for m in maps]
        self._seen[key] = maps
        size = sum(m.numel() * m.element_size() for m in maps)
        while len(self._seen) > max(2, _MEMORY // size):
            self._seen.popitem(last=False)
        return maps


@lru_cache(maxsize=1)
def _network() -> VGGFeatures:
    return VGGFeatures("edge_vgg16", TAPS)
