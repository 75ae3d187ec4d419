"""How a number was made: size, crop, padding, colour, window, data range, number of pairs.

SSIM of one pair of photographs changes with every one of these, so they are part of the number: `Protocol` goes into
every result, the metrics take their constants from it, and two results are compared under one protocol or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from posekit.util.errors import InputError

MOST_SIDE = 4096  # pixels, of photographs that are compared
COLORS = ("RGB", "grey")
GREY = (0.2125, 0.7154, 0.0721)  # of R, G, B: ITU-R BT.709, as scikit-image's rgb2gray
Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Everything besides the photographs that a number depends on; InputError for what cannot be.

    Photographs of ``size`` are cut to ``crop`` around their centre, put in the middle of ``padding`` pixels of the grey
    value ``padding_value``, and then compared (`frame`).  Values are in [0, 1].  All sizes are (height, width).

    Args:
        size: of the photographs before crop and padding; None until the pairs are known.
        pairs: number of pairs; None until they are known.
        color: "RGB", or "grey" for the luminance alone.
        data_range: range of values that SSIM reckons with; 1 is right for [0, 1], more makes it blind.
        sigma, k: of SSIM's Gaussian window (cut off at 3.5 sigma: 11 x 11 pixels) and its constants.
        scale_weights: of MS-SSIM, the finest scale first (Wang, Simoncelli, Bovik 2003).
        confidence, resamples, seed: of the intervals (`posekit.metrics.interval`).
        published: public evaluation script (`posekit.metrics.published`) behind the numbers that carry its name.
        more: how the metrics were made that are not of this module, name -> words.
    """

    size: Size | None = None
    pairs: int | None = None
    crop: Size | None = None
    padding: Size | None = None
    padding_value: float = 1.0
    color: str = "RGB"
    data_range: float = 1.0
    sigma: float = 1.5
    k: tuple[float, float] = (0.01, 0.03)
    scale_weights: tuple[float, ...] = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    published: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("size", "crop", "padding"):
            value = getattr(self, name)
            if value is not None and (len(value) != 2 or min(value) < 1 or max(value) > MOST_SIDE):
                raise InputError(
                    f"A protocol's {name} is (height, width) in pixels, each from 1 to {MOST_SIDE}, got {value}."
                )
        if self.color not in COLORS:
            raise InputError(f"Photographs are compared in {' or '.join(COLORS)}, got {self.color!r}.")
        if not 0 <= self.padding_value <= 1:
            raise InputError(f"The padding has a grey value from 0 to 1, got {self.padding_value}.")
        constants = (self.data_range, self.sigma, *self.k, *self.scale_weights, self.resamples)
        if not all(value > 0 for value in constants) or not self.scale_weights or not 0 < self.confidence < 1:
            raise InputError(
                "The constants of a protocol are above 0 and its confidence below 1, got "
                f"{self.data_range}, {self.sigma}, {self.k}, {self.scale_weights}, {self.resamples} and "
                f"{self.confidence}."
            )
        inner = self.crop or self.size
        for what, small, large in (("crop", self.crop, self.size), ("padding", inner, self.padding)):
            if small and large and (small[0] > large[0] or small[1] > large[1]):
                raise InputError(
                    f"The {what} of {_pixels(getattr(self, what))} pixels does not go with photographs of "
                    f"{_pixels(self.size or inner)}: first cut to at most their size, then pad to at least the rest."
                )

    @property
    def window(self) -> int:
        """Side of SSIM's window: 11 for sigma 1.5."""
        return 2 * int(3.5 * self.sigma + 0.5) + 1

    @property
    def measured(self) -> Size | None:
        """Size of the pictures that are compared, after crop and padding."""
        return self.padding or self.crop or self.size

    def scales(self, size: Size | None = None) -> int:
        """Scales of MS-SSIM for pictures of ``size``: the window must fit into the coarsest one.

        With the window of 11: 5 from 176 pixels on, 4 from 88, 3 from 44, 2 from 22, 1 from 11.  Fewer scales give
        another number: MS-SSIM values of small and large pictures are not comparable.
        """
        size = size or self.measured
        fitting = [n for n in range(1, len(self.scale_weights) + 1) if min(size) // 2 ** (n - 1) >= self.window]
        if not fitting:
            raise InputError(f"SSIM needs images of at least {self.window} pixels a side, got {_pixels(size)}.")
        return fitting[-1]

    def frame(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 H W"]:
        """The pictures that are compared: cut, padded, and in three equal channels where the colour is grey."""
        images = self._cut_and_pad(images, self.padding_value)
        if self.color == "grey":
            grey = torch.einsum("bchw,c->bhw", images, images.new_tensor(GREY))
            images = grey[:, None].expand_as(images)
        return images

    def frame_mask(self, mask: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 H W"]:
        """The mask of framed pictures; the padding is not on it."""
        return self._cut_and_pad(mask, 0.0)

    def _cut_and_pad(self, images: Tensor, value: float) -> Tensor:
        size = tuple(images.shape[-2:])
        replace(self, size=size)  # says so where crop or padding do not fit
        h, w = self.crop or size
        top, left = (size[0] - h) // 2, (size[1] - w) // 2
        images = images[..., top : top + h, left : left + w]
        if self.padding is None:
            return images
        down, right = self.padding[0] - h, self.padding[1] - w
        return pad(images, (right // 2, right - right // 2, down // 2, down - down // 2), value=value)

    def words(self) -> dict[str, str]:
        """Metric -> how it is made under this protocol."""
        window = f"Gaussian window {self.window} x {self.window}, sigma {self.sigma:g}, K {self.k[0]:g}, {self.k[1]:g}"
        inside = f"pixels at least {self.window // 2} from the edge"
        weights = " ".join(f"{w:g}" for w in self.scale_weights)
        fewest = self.window * 2 ** (len(self.scale_weights) - 1)
        return {
            "ssim": f"{window}, data range {self.data_range:g}; mean over channels and {inside}",
            "ms_ssim": f"the same at {len(self.scale_weights)} scales, weights {weights}; fewer below {fewest} pixels, "
            "rescaled",
            "ssim_masked": f"both images black off the mask, mean over channels and {inside} and on the mask",
            "l1": "mean absolute difference over pixels and channels",
            "l1_32": "the same of both images averaged down to 32 x 32 and brought back up bilinearly",
            "gradient_energy_ratio": "squared forward differences, image over truth, on the body; 1 is as sharp",
            **self.more,
        }

    def to_json(self) -> dict[str, Any]:
        """What is written beside a result: the settings, and what follows from them."""
        follows = {"window": self.window, "words": self.words()}
        if self.measured is not None:
            follows["ms_ssim_scales"] = self.scales()
        return {**asdict(self), **follows}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Protocol:
        """Read what `to_json` made of it; TypeError or KeyError where that is something else."""
        stored = {"published": None, **stored}  # older results have no such entry
        own = {f.name: stored[f.name] for f in fields(cls)}
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in own.items()})

    def __str__(self) -> str:
        """One line, for below a table."""
        size = "size as it comes" if self.size is None else _pixels(self.size)
        crop = f"cut to {_pixels(self.crop)}" if self.crop else "no crop"
        value = {1.0: "white", 0.0: "black"}.get(self.padding_value, f"grey {self.padding_value:g}")
        padding = f"padded to {_pixels(self.padding)} with {value}" if self.padding else "no padding"
        constants = f"SSIM window {self.window}, sigma {self.sigma:g}, data range {self.data_range:g}"
        parts = [f"{size} {self.color} in [0, 1], {crop}, {padding}", constants]
        if self.published is not None:
            parts = [f"protocol {self.published}", parts[0]]
        if self.measured is not None:
            parts.append(f"MS-SSIM {self.scales()} scales")
        if self.pairs is not None:
            parts.append(f"{self.pairs} pairs")
        return "; ".join(parts)


STANDARD = Protocol()


def check_same(results: Mapping[str, Protocol]) -> None:
    """InputError, with what differs, unless all results (name -> protocol) were made under one protocol.

    Of `Protocol.more`, what both speak of: a result that has one metric more can be compared in the others.
    """
    (first, expected), *others = results.items()
    for name, protocol in others:
        different = _differences(expected, protocol)
        if different:
            raise InputError(
                f"The results {first} and {name} were measured differently ({'; '.join(different)}) and cannot be "
                "compared; measure both under one protocol."
            )


def _differences(a: Protocol, b: Protocol) -> list[str]:
    names = [f.name for f in fields(Protocol) if f.name != "more"]
    pairs = [(name, getattr(a, name), getattr(b, name)) for name in names]
    pairs += [(name, a.more[name], b.more[name]) for name in a.more if name in b.more]
    return [f"{name} {_short(ours)} and {_short(theirs)}" for name, ours, theirs in pairs if ours != theirs]


def parse_size(text: str | None) -> Size | None:
    """256x176 is (height, width), 256 a square; None is None.  As the command line takes sizes."""
    if text is None:
        return None
    numbers = text.lower().replace(" ", "").split("x")
    if len(numbers) > 2 or not all(number.isdecimal() and len(number) < 10 for number in numbers):
        raise InputError(f"A size is HEIGHTxWIDTH in pixels, such as 256x176, or one number for both; got {text!r}.")
    return int(numbers[0]), int(numbers[-1])


def _pixels(size: Size) -> str:
    return f"{size[0]} x {size[1]}"


def _short(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(x, int) for x in value):
        return _pixels(value)
    return "none" if value is None else str(value)
