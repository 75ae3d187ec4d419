"""Pictures that follow a loss downhill, a critic of patches, and the photographs that both are shown.

Pictures are ``1 3 h w`` in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from posekit.data.studio import StudioPeople
from posekit.losses.lsgan import lsgan_discriminator
from posekit.nets.vgg import LAYERS, VGGFeatures
from posekit.ops.grids import norm_to_points
from posekit.person import Person
from posekit.studio.generate import make_person
from posekit_course.full_training.failures import blurred

TORSO = (2, 5, 8, 11)  # joints: both shoulders and both hips
SOFT = 1.5  # pixels: the blur that the critic learns to tell


@lru_cache(maxsize=16)
def photo_of(person: int, view: int = 0, size: int | tuple[int, int] = 64, kind: str = "body", seed: int = 0) -> Person:
    """One photograph of the studio with its maps, a batch of one."""
    return make_person(seed, person, view, size, kind).batched()


@lru_cache(maxsize=8)
def swatch_of(person: int, view: int, side: int = 64, size: int = 512, seed: int = 0) -> Tensor:
    """A square cut out of somebody's clothes: ``side`` pixels around the chest of a photograph of ``size``."""
    photo = photo_of(person, view, size, seed=seed)
    x, y = norm_to_points(photo.keypoints[0, list(TORSO)], photo.size).mean(0).round().long().tolist()
    top, left = y - size // 25 - side // 2, x - side // 2
    return photo.image[..., top : top + side, left : left + side]


def upright_stripes(width: int, period: int, size: int = 64) -> Tensor:
    """Dark upright stripes on light grey, ``width`` pixels in the middle of every ``period``."""
    dark = ((torch.arange(size) - (period - width) // 2) % period < width).float()
    return (0.9 - 0.75 * dark).expand(1, 3, size, size).clone()


def moved_right(image: Tensor, pixels: float) -> Tensor:
    """The picture, so many pixels to the right (below 0: to the left); the border is repeated.

    Between two whole numbers both neighbours are mixed, as a bilinear lookup does.
    """
    if pixels < 0:
        return moved_right(image.flip(-1), -pixels).flip(-1)
    whole = int(pixels)
    w = image.shape[-1]
    wide = F.pad(image, (whole + 1, 0, 0, 0), mode="replicate")
    part = pixels - whole
    return (1 - part) * wide[..., 1 : w + 1] + part * wide[..., :w]


def possible_pictures(image: Tensor, reach: int) -> Tensor:
    """All pictures from ``reach`` pixels to the left to ``reach`` to the right, ``2 reach + 1, 3 h w``."""
    return torch.cat([moved_right(image, n) for n in range(-reach, reach + 1)])


# ------------------------------------------------------------------------------------------------------------ descents


def grey_noise(size: int = 64, seed: int = 0) -> Tensor:
    """A grey picture with some noise, to begin with."""
    generator = torch.Generator().manual_seed(seed)
    return (0.5 + 0.1 * torch.randn(1, 3, size, size, generator=generator)).clamp(0, 1)


def descend(loss: Callable[[Tensor], Tensor], start: Tensor, steps: int, rate: float = 0.05) -> Tensor:
    """Change the *picture* until its loss is low: Adam on the pixels, kept in [0, 1].

    The step falls along half a cosine to a twentieth of ``rate``.
    """
    x = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([x], rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps), rate / 20)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    return x.detach()


@lru_cache(maxsize=8)
def edge_features(*layers: str) -> VGGFeatures:
    """The network of the package; the four layers of the losses unless others are named."""
    return VGGFeatures("edge_vgg16", layers or LAYERS)


# -------------------------------------------------------------------------------------------------------------- critic


class PatchCritic(nn.Module):
    """Picture ``b 3 h w`` to a verdict in [0, 1] for each patch, ``b 1 H W``: three 4 x 4 convolutions, no padding.

    Spectrally normalised, so that the verdict before the sigmoid cannot be steep; ``GAIN`` makes up for it.
    """

    STRIDES = (2, 2, 1)
    SIDE = 4
    GAIN = 8.0

    def __init__(self, width: int = 16):
        super().__init__()
        channels = (3, width, 2 * width, 1)
        self.convs = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, self.SIDE, stride))
            for a, b, stride in zip(channels[:-1], channels[1:], self.STRIDES, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        *first, last = self.convs
        for conv in first:
            x = F.leaky_relu(conv(x), 0.2)
        return torch.sigmoid(self.GAIN * last(x))


def studio_faces(people: int = 40, views: int = 2, size: int = 64) -> Tensor:
    """Photographs of the faces of the training people, ``b 3 size size``."""
    data = StudioPeople(people, views=views, size=size, split="train", kind="face", progress=False)
    return torch.stack([data.person(i, v).image for i in range(len(data.numbers)) for v in range(views)])


def trained_critic(photographs: Tensor, steps: int, batch: int = 8, seed: int = 0) -> tuple[PatchCritic, list[float]]:
    """A critic that has learnt to tell photographs from their blur by least squares, and its loss after each step."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = PatchCritic()
    optimizer = torch.optim.Adam(critic.parameters(), 3e-3)
    losses = []
    for _ in range(steps):
        sharp = photographs[torch.randint(len(photographs), (batch,), generator=generator)]
        loss = lsgan_discriminator(critic(sharp), critic(blurred(sharp, SOFT)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return critic.eval().requires_grad_(False), losses


def taken_for_right(critic: nn.Module, photographs: Tensor) -> float:
    """Of how many patches of sharp and blurred photographs the critic says on the right side of 1/2 what they are."""
    with torch.no_grad():
        right = torch.cat([critic(photographs).flatten() > 0.5, critic(blurred(photographs, SOFT)).flatten() < 0.5])
    return float(right.float().mean())


def ssim_factors(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Both factors of SSIM in every window of two pictures ``3 h w``: of the means, of contrast and structure.

    float64, ``3 h-10 w-10``: windows of 11 pixels, Gaussian with sigma 1.5.
    """
    at = torch.arange(-5, 6, dtype=torch.float64)
    bell = torch.exp(-(at**2) / (2 * 1.5**2))
    kernel = torch.outer(bell, bell)[None, None] / bell.sum() ** 2
    x, y = x.double(), y.double()
    m, n, xx, yy, xy = (F.conv2d(a[:, None], kernel)[:, 0] for a in (x, y, x * x, y * y, x * y))
    c, d = 0.01**2, 0.03**2
    return (2 * m * n + c) / (m * m + n * n + c), (2 * (xy - m * n) + d) / (xx - m * m + yy - n * n + d)


def side_of_patch(sides: Sequence[int], strides: Sequence[int]) -> int:
    """Pixels along a side of the patch that one output of a chain of convolutions sees: 1 + sum (k - 1) prod s."""
    seen, step = 1, 1
    for side, stride in zip(sides, strides, strict=True):
        seen, step = seen + (side - 1) * step, step * stride
    return seen
