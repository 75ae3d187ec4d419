"""The perceptual loss on a pyramid, and the bounded adversarial game."""

import pytest
import torch

from posekit.losses.bounded_gan import bounded_discriminator, bounded_generator
from posekit.losses.perceptual import pyramid_loss
from posekit.util.errors import InputError


def test_pyramid_of_colours_by_hand():
    """With the picture itself as its only feature, on 4 x 4 pixels and two scales."""
    a = torch.zeros(1, 3, 4, 4)
    b = torch.zeros(1, 3, 4, 4)
    b[..., 0, 0] = 1.0  # 1 of 16 pixels; 1/4 of 1 of 4 pixels at half size
    found = pyramid_loss(a, b, lambda x: {"itself": x}, scales=2)
    assert found.item() == pytest.approx(1 / 16 + 1 / 16)


def test_pyramid_is_the_sum_over_scales_and_layers():
    torch.manual_seed(0)
    a, b = torch.rand(2, 2, 3, 16, 16)

    def features(x):
        return {"first": 2 * x, "second": x.square().mean(1, keepdim=True)}

    expected = 0.0
    for scale in range(3):
        side = 16 // 2**scale
        small = [torch.nn.functional.interpolate(x, (side, side), mode="area") for x in (a, b)]
        for name in ("first", "second"):
            x, y = (features(s)[name] for s in small)
            pairs = zip(x.flatten().tolist(), y.flatten().tolist(), strict=True)
            expected += sum(abs(p - q) for p, q in pairs) / x.numel()
    assert pyramid_loss(a, b, features, scales=3).item() == pytest.approx(expected, rel=1e-5)
    assert pyramid_loss(a, a, features, scales=3) == 0


def test_pyramid_gradient():
    a = torch.rand(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    b = torch.rand(1, 3, 4, 4, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: pyramid_loss(x, b, lambda y: {"itself": y.square()}, 2), (a,))


def test_pyramid_bad_input(unchecked):
    with pytest.raises(InputError, match="cannot be halved 3 times"):
        pyramid_loss(torch.rand(1, 3, 7, 7), torch.rand(1, 3, 7, 7), lambda x: {"itself": x}, 4)


def test_bounded_game_by_hand():
    """Both together are 1 + the value of equation (6) away from the game's extremes."""
    real, fake = torch.tensor([0.9, 0.7]), torch.tensor([0.2, 0.4])
    value = (1 - fake).mean() + real.mean()  # (6)
    assert bounded_discriminator(real, fake).item() == pytest.approx(2 - value.item())
    assert bounded_generator(fake).item() == pytest.approx(0.7)
    assert bounded_discriminator(torch.ones(3), torch.zeros(3)) == 0
    assert bounded_discriminator(torch.full((3,), 0.5), torch.full((3,), 0.5)) == 1
