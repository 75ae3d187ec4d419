"""Adversarial cross-entropy against its formula in probabilities, and its values at the ends."""

import math

import pytest
import torch

from posekit.losses.cross_entropy_gan import cross_entropy_discriminator, cross_entropy_generator


def test_against_the_formula():
    real, fake = torch.randn(2, 1, 3, 3, dtype=torch.float64), torch.randn(2, 1, 3, 3, dtype=torch.float64)
    d_real, d_fake = torch.sigmoid(real), torch.sigmoid(fake)
    expected = -(d_real.log().mean() + (1 - d_fake).log().mean())
    torch.testing.assert_close(cross_entropy_discriminator(real, fake), expected)
    torch.testing.assert_close(cross_entropy_generator(fake), -d_fake.log().mean())


def test_values_at_the_ends():
    never, sure = torch.zeros(4), torch.full((4,), 100.0)
    assert cross_entropy_discriminator(never, never).item() == pytest.approx(2 * math.log(2))
    assert cross_entropy_discriminator(sure, -sure) < 1e-6
    assert cross_entropy_generator(sure) < 1e-6
    assert cross_entropy_generator(-sure).item() == pytest.approx(100)


def test_the_generator_learns_while_it_is_losing():
    fake = torch.tensor([-20.0], requires_grad=True)
    cross_entropy_generator(fake).backward()
    assert fake.grad.item() == pytest.approx(-1, abs=1e-6)
