"""Known failures on real photographs, and what every metric says of them.

A target photograph is spoilt in one way at a time, so that the truth, the failure and its strength are known.  A
metric's value is turned into *badness* (0 is perfect, more is worse) and compared with the badness of a photograph
that is shifted by one pixel: nobody sees that shift, so a metric is *blind* to a failure that it finds less bad.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from posekit.metrics import image as metrics
from posekit.metrics import pretrained
from posekit.metrics.texture import sliced_wasserstein
from posekit.ops.outline import background
from posekit.person import Pair
from posekit.systems.base import choose
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.util.errors import InputError

HARMLESS = "shifted by 1 px"
CHANGED = ("shifted by 1 px", "blurred", "colour cast", "checkerboard", "noise", "tiles shuffled")
REPLACED = ("hands missing", "wrong person", "another photo behind", "mirrored", "source returned", "mean picture")
FAILURES = (*CHANGED, *REPLACED)
METRICS = {  # name in the table of an evaluation -> title
    "l1": "l1",
    "l1_32": "l1 at 32",
    "ssim": "SSIM",
    "ms_ssim": "MS-SSIM",
    "gradient_energy_ratio": "sharpness\nratio",
    "sliced_wasserstein": "sliced\nWasserstein",
    "lpips": "LPIPS",
}
BLUR, CAST, CHECKERS, NOISE, TILE = 2.0, 0.1, 0.05, 0.1, 16  # pixels; levels of 1; pixels
CAST_OF = (1.0, 0.0, -1.0)  # warmer: more red, less blue


class Failures:
    """The targets of a batch, spoilt.

    `spoil(name, strength)` gives ``b 3 h w``; strength 0 is the truth and 1 the whole failure.  What is *changed* gets
    weaker with the strength; what is *replaced* is replaced from the top down to this share of the height.

    The wrong person and the photo behind come from the next sample of the batch that shows somebody else; InputError
    where all are one person, or where the fields uv, mask or hands are missing.
    """

    def __init__(self, batch: Pair, seed: int = 0):
        batch.require("uv", "mask", "hands", by="Failures")
        self.batch, self.truth = batch, batch.target.image
        b, _, h, w = self.truth.shape
        random = torch.Generator().manual_seed(seed)
        self._noise = torch.randn(self.truth.shape, generator=random)
        self._tiles = torch.randperm((h // TILE) * (w // TILE), generator=random)
        others = _somebody_else(batch.target.identity)
        source = batch.source
        stranger = {name: getattr(source, name)[others] for name in ("image", "uv", "mask")}
        dressed = TexelFill(TexelFillConfig(atlas_size=h))(Pair(dataclasses.replace(source, **stranger), batch.target))
        body, hands = batch.target.mask, F.max_pool2d(batch.target.hands, 3, stride=1, padding=1)  # with their rims
        wall = background(self.truth, body)[..., None, None]
        self.replacements = {
            "hands missing": torch.where(hands > 0, wall, self.truth),
            "wrong person": torch.where(body > 0, dressed.W, self.truth),
            "another photo behind": torch.where(body > 0, self.truth, self.truth[others]),
            "mirrored": self.truth.flip(-1),
            "source returned": source.image,
            "mean picture": self.truth.mean(0, keepdim=True).expand_as(self.truth),
        }

    def spoil(self, name: str, strength: float = 1.0) -> Tensor:
        """All targets with failure ``name``, in [0, 1]."""
        choose("failure", name, FAILURES)
        if not 0 <= strength <= 1:
            raise InputError(f"A strength lies between 0 and 1, got {strength}.")
        truth = self.truth
        if name in self.replacements:
            rows = round(strength * truth.shape[-2])
            return torch.cat([self.replacements[name][..., :rows, :], truth[..., rows:, :]], -2)
        if strength == 0:
            return truth
        if name == HARMLESS:
            beside = F.pad(truth, (1, 0, 0, 0), mode="replicate")[..., :-1]
            return (1 - strength) * truth + strength * beside  # what a bilinear lookup gives between two pixels
        if name == "blurred":
            return blurred(truth, BLUR * strength)
        if name == "tiles shuffled":
            return self._shuffled(strength)
        h, w = truth.shape[-2:]
        added = {
            "colour cast": CAST * torch.tensor(CAST_OF)[:, None, None],
            "checkerboard": CHECKERS * (1 - 2 * ((torch.arange(h)[:, None] + torch.arange(w)) % 2)),
            "noise": NOISE * self._noise,
        }[name]
        return (truth + strength * added).clamp(0, 1)

    def _shuffled(self, strength: float) -> Tensor:
        """This share of the tiles, in the order of a fixed permutation, each in the place of the next of them."""
        h, w = (n // TILE * TILE for n in self.truth.shape[-2:])
        tiles = F.unfold(self.truth[..., :h, :w], TILE, stride=TILE)
        moved = self._tiles[: round(strength * len(self._tiles))]
        tiles[..., moved] = tiles[..., moved.roll(1)]
        shuffled = self.truth.clone()
        shuffled[..., :h, :w] = F.fold(tiles, (h, w), TILE, stride=TILE)
        return shuffled


def blurred(image: Tensor, sigma: float) -> Tensor:
    """``b c h w`` under a Gaussian of so many pixels; beyond the border the edge is repeated."""
    reach = int(3 * sigma) + 1
    kernel = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * sigma**2)).to(image)
    kernel = (kernel / kernel.sum()).expand(image.shape[1], 1, 1, -1)
    wide = F.pad(image, (reach, reach, reach, reach), mode="replicate")
    rows = F.conv2d(wide, kernel, groups=image.shape[1])
    return F.conv2d(rows, kernel.transpose(2, 3), groups=image.shape[1])


def measure(made: Tensor, batch: Pair) -> dict[str, np.ndarray]:
    """Every metric of METRICS that can be computed here, (b,) each: of photographs against the batch's targets."""
    truth, body = batch.target.image, batch.target.mask
    scores = {
        "l1": metrics.l1(made, truth),
        "l1_32": metrics.l1_at(made, truth, 32),
        "ssim": metrics.ssim(made, truth),
        "ms_ssim": metrics.ms_ssim(made, truth),
        "gradient_energy_ratio": metrics.gradient_energy_ratio(made, truth, body),
        "sliced_wasserstein": sliced_wasserstein(made, truth, directions=32, patches=512).mean(1),
        "lpips": pretrained.lpips(made, truth),
    }
    return {name: values.numpy() for name, values in scores.items() if values is not None}


def badness(metric: str, values: np.ndarray) -> np.ndarray:
    """0 for a perfect photograph, more for a worse one.

    1 - SSIM;  |log2 of the sharpness ratio| (half and double are alike);  the others as they are.
    """
    if metric in ("ssim", "ms_ssim"):
        return 1 - values
    if metric == "gradient_energy_ratio":
        return np.abs(np.log2(np.maximum(values, 1e-6)))
    return values


def bad_by_metric(failures: Failures, extra: Mapping[str, Tensor] | None = None) -> dict[str, dict[str, np.ndarray]]:
    """failure -> metric -> badness of every sample (b,), at full strength; ``extra``: more photographs, by name."""
    pictures = {name: failures.spoil(name) for name in FAILURES} | dict(extra or {})
    return {
        name: {metric: badness(metric, values) for metric, values in measure(made, failures.batch).items()}
        for name, made in pictures.items()
    }


def beside_harmless(bad: Mapping[str, Mapping[str, np.ndarray]]) -> tuple[list[str], list[str], np.ndarray]:
    """Failures, metrics, and the table (failures, metrics): mean badness over that of the harmless shift.

    Below 1 the metric is blind to the failure.
    """
    names, kinds = list(bad), list(bad[HARMLESS])
    table = np.array([[bad[name][kind].mean() for kind in kinds] for name in names])
    return names, kinds, table / table[names.index(HARMLESS)]


def caught_by(names: Sequence[str], kinds: Sequence[str], table: np.ndarray) -> dict[str, str]:
    """Failure -> title of the metric that finds it worst beside the harmless shift; "no metric" where all are blind.

    names, kinds, table: what `beside_harmless` gives.  The shift itself is left out.
    """
    titles = [METRICS[kind].replace("\n", " ") for kind in kinds]
    worst = zip(names, table.argmax(1), table.max(1), strict=True)
    return {name: titles[best] if most >= 1 else "no metric" for name, best, most in worst if name != HARMLESS}


def _somebody_else(identities: tuple[str, ...]) -> list[int]:
    """For every sample the next one, round the batch, of another identity."""
    n = len(identities)
    if len(set(identities)) < 2:
        raise InputError("The wrong person needs somebody else in the batch; give pairs of at least two people.")
    return [next((i + k) % n for k in range(1, n) if identities[(i + k) % n] != identities[i]) for i in range(n)]
