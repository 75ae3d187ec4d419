"""Adversarial losses with cross-entropy (Goodfellow et al. 2014), for discriminators that give logits.

    L_cGAN = E log d(real) + E log(1 - d(fake))       d = sigmoid(logit)

Source: Deformable GANs.  The discriminator maximises it; the generator maximises E log d(fake), the form of the same
game whose gradient does not vanish while the discriminator is ahead.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def cross_entropy_discriminator(real: Float[Tensor, "*n"], fake: Float[Tensor, "*m"]) -> Float[Tensor, ""]:
    """mean -log d(real) + mean -log(1 - d(fake)): 0 for a perfect discriminator, 2 log 2 for one that never knows."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def cross_entropy_generator(fake: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """mean -log d(fake): 0 when the discriminator takes everything for real."""
    return F.softplus(-fake).mean()
