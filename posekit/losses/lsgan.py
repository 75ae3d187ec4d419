"""Least-squares adversarial losses (Mao et al. 2017) for a discriminator with outputs in [0, 1].

Source: Coordinate-based Texture Inpainting, supplementary material, section 1.1.3; ``|| ||_2`` is read as the mean
square over patches, the published form of LSGAN.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def lsgan_discriminator(real: Float[Tensor, "*n"], fake: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """mean (1 - d(real))^2 + mean d(fake)^2: 0 for a perfect discriminator, 0.5 for one that always says 0.5."""
    return (1 - real).square().mean() + fake.square().mean()


def lsgan_generator(fake: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """mean (1 - d(fake))^2: 0 when the discriminator takes every patch for real."""
    return (1 - fake).square().mean()


def judge(
    discriminator: nn.Module,
    real: Float[Tensor, "b 3 h w"],
    fake: Float[Tensor, "b 3 h w"],
    pose: Float[Tensor, "b k h w"],
) -> tuple[Float[Tensor, "b 1 H W"], Float[Tensor, "b 1 H W"]]:
    """d(real) and d(fake), both in the given pose, computed as one batch.

    One batch, because the discriminator's last layer is batch-normalised: alone, the mean verdict over a batch would
    be the same for real and for generated photographs, and there would be nothing to learn from it.
    """
    both = torch.cat([torch.cat([real, pose], 1), torch.cat([fake, pose], 1)])
    verdict_real, verdict_fake = discriminator(both).chunk(2)
    return verdict_real, verdict_fake
