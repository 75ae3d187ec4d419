"""The adversarial game of pose transfer by one spatial transformation, for a discriminator with outputs in [0, 1].

    L_g = E[1 - D(y)] + E[D(I)]        the discriminator makes it large, the generator small           (6)

Source: Pose Transfer Using a Single Spatial Transformation, eq. (6).  The verdicts are not squared or put through a
logarithm, as in the least-squares and the original game.
"""

from jaxtyping import Float
from torch import Tensor


def bounded_discriminator(real: Float[Tensor, "*n"], fake: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """2 - L_g = mean (1 - D(real)) + mean D(fake): 0 for a perfect discriminator, 1 for one that cannot tell."""
    return (1 - real).mean() + fake.mean()


def bounded_generator(fake: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """The part of L_g that depends on the generator, mean (1 - D(fake)): 0 when every patch is taken for real."""
    return (1 - fake).mean()
