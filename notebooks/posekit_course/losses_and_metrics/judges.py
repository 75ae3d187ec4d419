"""One photograph spoilt in eight known ways, and what every loss and every metric of notebook 11 says of it.

A judge's value is turned into *badness* (0 is perfect, more is worse) and divided by its badness of one failure, the
blur.  Pictures are ``1 3 h w`` in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from posekit.losses.content import content_loss
from posekit.losses.nearest_neighbour import nearest_neighbour_loss
from posekit.losses.style import style_loss
from posekit.metrics.image import gradient_energy_ratio, l1, ms_ssim, ssim
from posekit.metrics.perceptual import perceptual
from posekit.metrics.texture import sliced_wasserstein
from posekit.ops.outline import background
from posekit.person import Person
from posekit.systems.base import choose
from posekit.util.errors import InputError
from posekit_course.full_training.failures import blurred
from posekit_course.losses_and_metrics.probes import edge_features, moved_right

YARDSTICK = "blurred"
SPOILT: Mapping[str, Callable[[Person, float], Tensor]] = {
    YARDSTICK: lambda person, s: blurred(person.image, 2 * s),
    "shifted by 2 px": lambda person, s: moved_right(person.image, 2 * s),
    "noisy": lambda person, s: person.image + 0.1 * s * _noise(person.image.shape),
    "paler": lambda person, s: person.image + 0.4 * s * (1 - person.image),
    "recoloured": lambda person, s: (1 - s) * person.image + s * person.image[:, [1, 2, 0]],
    "mirrored": lambda person, s: _top(person.image.flip(-1), person.image, s),
    "hands missing": lambda person, s: _mixed(person, _around(person.hands), _wall(person), s),
    "face smeared": lambda person, s: _mixed(person, person.head, blurred(person.image, _smear(person)), s),
}
JUDGES = (  # losses, then metrics
    "l1",
    "nearest\nneighbour",
    "content",
    "style",
    "SSIM",
    "MS-SSIM",
    "perceptual",
    "sharpness",
    "sliced\nWasserstein",
    "l1 on head\nand hands",
)


def spoil_photo(person: Person, failure: str, strength: float = 1.0) -> Tensor:
    """The photograph of a batch of one with this failure, in [0, 1]; strength 0 is the truth, 1 the whole failure."""
    choose("failure", failure, tuple(SPOILT))
    if not 0 <= strength <= 1:
        raise InputError(f"A strength lies between 0 and 1, got {strength}.")
    return person.image if strength == 0 else SPOILT[failure](person, strength).clamp(0, 1)


def judge_photo(made: Tensor, person: Person) -> dict[str, float]:
    """Judge -> badness of a picture beside the photograph: 0 for equal ones, more is worse.

    1 - SSIM and 1 - MS-SSIM; of the sharpness ratio how many times it is doubled or halved; the others as they are.
    """
    truth = person.image
    with torch.no_grad():
        ours, theirs = edge_features()(made), edge_features()(truth)
    values = {
        "l1": l1(made, truth),
        "nearest\nneighbour": nearest_neighbour_loss(made, truth, 5),
        "content": content_loss(ours, theirs, mean=True),
        "style": style_loss(ours, theirs),
        "SSIM": 1 - ssim(made, truth),
        "MS-SSIM": 1 - ms_ssim(made, truth),
        "perceptual": perceptual(made, truth),
        "sharpness": gradient_energy_ratio(made, truth, person.mask).clamp(min=1e-6).log2().abs(),
        "sliced\nWasserstein": sliced_wasserstein(made, truth, directions=32, patches=512).mean(1),
        "l1 on head\nand hands": l1(made, truth, ((person.head + person.hands) > 0).to(truth)),
    }
    return {name: float(values[name]) for name in JUDGES}


def beside_yardstick(bad: Mapping[str, float], yardstick: Mapping[str, float]) -> dict[str, float]:
    """Badness in units of the blur."""
    return {name: bad[name] / yardstick[name] for name in JUDGES}


def judge_failures(person: Person) -> dict[str, dict[str, float]]:
    """Failure -> judge -> badness at full strength, in units of the blur."""
    bad = {name: judge_photo(spoil_photo(person, name), person) for name in SPOILT}
    return {name: beside_yardstick(values, bad[YARDSTICK]) for name, values in bad.items()}


def _noise(shape: torch.Size) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def _top(replacement: Tensor, image: Tensor, share: float) -> Tensor:
    rows = round(share * image.shape[-2])
    return torch.cat([replacement[..., :rows, :], image[..., rows:, :]], -2)


def _mixed(person: Person, mask: Tensor, replacement: Tensor, share: float) -> Tensor:
    return person.image + share * mask * (replacement - person.image)


def _around(mask: Tensor) -> Tensor:
    return F.max_pool2d(mask, 3, stride=1, padding=1)  # with its rim


def _wall(person: Person) -> Tensor:
    return background(person.image, person.mask)[..., None, None]


def _smear(person: Person) -> float:
    return person.image.shape[-1] / 32  # pixels: 4 of 128
