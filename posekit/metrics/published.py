"""What the public evaluation scripts of this field compute: how each prepares the pictures, and each of its numbers.

Facts read from the scripts themselves; the table in docs/measurements.md says the same in words and is tested against
this file.  Their numbers carry the name of the protocol (``gfla.ssim``), because numbers of one name differ between
scripts, and even the order of two methods does.  Inception scores and FID are not here: each script takes another
network (`posekit.metrics.pretrained`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from posekit.metrics.image import Images, l1, psnr, relative_l1
from posekit.metrics.protocol import Protocol, Size
from posekit.metrics.windowed_ssim import SsimWindow, windowed_ssim
from posekit.util.errors import InputError

# scikit-image up to 0.14 cut a Gaussian at 4 sigma and left out 5 pixels at the border all the same; from 0.15 on it is
# cut at 3.5 sigma.  What PATN's requirements name is 0.14.2.
_GAUSSIAN_13 = SsimWindow(side=13, edge=5, own_range=True)
_GAUSSIAN_11 = SsimWindow(side=11, edge=5, own_range=True)
_UNIFORM_51 = SsimWindow(kind="uniform", side=51, edge=25, sample=True)


@dataclass(frozen=True, kw_only=True)
class PublishedProtocol:
    """One public evaluation.

    Args:
        source: where it is written.
        words: how it prepares the pictures.
        frames: (height, width) of a prediction -> crop and padding (white) or None, of every size that the script is
            made for.  Empty: any size.
        size: both pictures are brought to it first, the truth by Pillow's bicubic filter; None: they are left alone.
        truth_follows: the truth is brought to the size of the generated picture (Lanczos).
        windows: what it calls SSIM, by the script's name.
        l1_factor: its l1 is so many times the l1 of pictures in [0, 1]; None where it has none.
        psnr, relative: whether it has PSNR, and `posekit.metrics.image.relative_l1`.
    """

    source: str
    words: str
    windows: Mapping[str, SsimWindow] = field(default_factory=dict)
    frames: Mapping[Size, tuple[Size, Size] | None] = field(default_factory=dict)
    size: Size | None = None
    truth_follows: bool = False
    l1_factor: float | None = None
    psnr: bool = False
    relative: bool = False


_FLOW = {"windows": {"ssim": _UNIFORM_51, "ssim_256": _GAUSSIAN_11}, "psnr": True}

PUBLISHED: Mapping[str, PublishedProtocol] = {
    "plain": PublishedProtocol(
        source="posekit, as `posekit evaluate` measures",
        words="pictures as they are, in [0, 1]",
        windows={"ssim": SsimWindow()},
        psnr=True,
    ),
    "wang": PublishedProtocol(
        source="Wang et al. 2004, ssim_index.m",
        words="pictures in grey, as they are; windows that lie in the picture wholly",
        windows={"ssim": SsimWindow(grey=True)},
    ),
    "patn": PublishedProtocol(
        source="tengteng95/Pose-Transfer, tool/getMetrics_fashion.py and getMetrics_market.py",
        words="DeepFashion: 256 x 176 with 40 white columns on either side; Market-1501: 128 x 64 as they are",
        windows={"ssim": _GAUSSIAN_13},
        frames={
            (256, 176): ((256, 176), (256, 256)),
            (256, 256): ((256, 176), (256, 256)),  # with the borders of the data set, which are cut off before
            (128, 64): None,
        },
        l1_factor=2.0,
    ),
    "gfla": PublishedProtocol(
        source="RenYurui/Global-Flow-Local-Attention, script/metrics.py",
        words="pictures as they are, in [0, 1]; predictions were written as JPEG",
        l1_factor=1.0,
        relative=True,
        **_FLOW,
    ),
    "cfld": PublishedProtocol(
        source="YanzuoLu/CFLD, models/metrics.py and pose_transfer_test.py",
        words="both brought to 256 x 176 by bicubic filters, the prediction then cut to 256 values (rounded down)",
        size=(256, 176),
        **_FLOW,
    ),
    "pws": PublishedProtocol(
        source="BadourAlBahar/pose-with-style, README.md (GFLA's script), test.py and dataset.py",
        words="predictions of 512 x 348 or 256 x 174, the truth brought to their size by Pillow's Lanczos filter",
        frames={(512, 348): None, (256, 174): None},
        truth_follows=True,
        l1_factor=1.0,
        relative=True,
        **_FLOW,
    ),
}


def published_protocol(name: str) -> PublishedProtocol:
    """The protocol of a name; InputError with the known names for another one."""
    if name not in PUBLISHED:
        raise InputError(f"Protocols of published evaluations are {', '.join(PUBLISHED)}; got {name!r}.")
    return PUBLISHED[name]


def prepare_published(
    image: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h2 w2"], name: str
) -> tuple[Float[Tensor, "b 3 H W"], Float[Tensor, "b 3 H W"], Protocol]:
    """The two pictures as a script compares them, and their frame: (image, truth, protocol).

    Pictures in [0, 1] of 256 values, as files hold them.  InputError for sizes that the protocol does not know, and for
    two sizes where it does not bring them to one.
    """
    own = published_protocol(name)
    if own.size is not None:
        image, truth = _as_torch_resizes(image, own.size), _as_pillow_resizes(truth, own.size, Image.Resampling.BICUBIC)
    if own.frames:
        _check_known(image, tuple(own.frames), name)
    if own.truth_follows:
        truth = _as_pillow_resizes(truth, tuple(image.shape[-2:]), Image.Resampling.LANCZOS)
    if image.shape != truth.shape:
        raise InputError(
            f"The prediction has {image.shape[-2]} x {image.shape[-1]} pixels (height x width) and its truth "
            f"{truth.shape[-2]} x {truth.shape[-1]}; the protocol {name} compares one size."
        )
    size = tuple(image.shape[-2:])
    crop, padding = own.frames.get(size) or (None, None)
    protocol = Protocol(size=size, crop=crop, padding=padding, published=name, more=published_words(name))
    return protocol.frame(image), protocol.frame(truth), protocol


def measure_published(image: Images, truth: Images, name: str) -> dict[str, Float[Tensor, " b"]]:
    """Every number of the script, named ``PROTOCOL.NUMBER``, of pictures that `prepare_published` gave."""
    own = published_protocol(name)
    numbers: dict[str, Callable[[Tensor, Tensor], Tensor]] = {}
    for number, window in own.windows.items():
        numbers[number] = lambda a, b, window=window: windowed_ssim(a, b, window)
    if own.psnr:
        numbers["psnr"] = psnr
    if own.l1_factor is not None:
        numbers["l1"] = lambda a, b: own.l1_factor * l1(a, b)
    if own.relative:
        numbers["mae"] = relative_l1
    return {f"{name}.{number}": compute(image, truth) for number, compute in numbers.items()}


def published_words(name: str) -> dict[str, str]:
    """Number -> how it is made, for `Protocol.more`, and where it is written (``name``)."""
    own = published_protocol(name)
    words = {name: f"{own.source}: {own.words}"}
    words |= {f"{name}.{number}": window.words() for number, window in own.windows.items()}
    if own.psnr:
        words[f"{name}.psnr"] = "-10 log10 of the mean squared difference of pictures in [0, 1]"
    if own.l1_factor is not None:
        span = "[-1, 1]" if own.l1_factor == 2 else "[0, 1]"
        words[f"{name}.l1"] = f"mean absolute difference of pictures in {span}"
    if own.relative:
        words[f"{name}.mae"] = "sum of absolute differences over the sum of all values of both pictures"
    return words


def _check_known(image: Tensor, sizes: tuple[Size, ...], name: str) -> None:
    if tuple(image.shape[-2:]) not in sizes:
        known = ", ".join(f"{h} x {w}" for h, w in sizes)
        raise InputError(
            f"The protocol {name} is for pictures of {known} pixels (height x width), got {image.shape[-2]} x "
            f"{image.shape[-1]}; bring them to one of these, or take another protocol."
        )


def _as_pillow_resizes(images: Tensor, size: Size, how: Image.Resampling) -> Tensor:
    if tuple(images.shape[-2:]) == size:
        return images
    pixels = (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    resized = [np.asarray(Image.fromarray(one).resize(size[::-1], how)) for one in pixels]
    return torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2).to(images) / 255


def _as_torch_resizes(images: Tensor, size: Size) -> Tensor:
    """As a diffusion model's picture is brought down: in floats, then cut to 256 values."""
    if tuple(images.shape[-2:]) == size:
        return images
    resized = interpolate(images, size, mode="bicubic", antialias=True)
    return (resized * 255).clamp(0, 255).floor() / 255
