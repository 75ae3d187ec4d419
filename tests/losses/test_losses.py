"""Losses on cases that can be worked out by hand, and against naive twins."""

import pytest
import torch

from posekit.losses.content import content_loss
from posekit.losses.lsgan import judge, lsgan_discriminator, lsgan_generator
from posekit.losses.masked_l1 import masked_l1
from posekit.losses.style import gram_matrix, style_loss
from posekit.util.errors import InputError


def test_masked_l1_averages_known_texels_and_channels():
    a = torch.tensor([[[[1.0, 5.0]], [[2.0, 5.0]]]])  # one known texel, off by (1, 2); one unknown
    mask = torch.tensor([[[[1.0, 0.0]]]])
    assert masked_l1(a, torch.zeros_like(a), mask).item() == pytest.approx(1.5)


def test_masked_l1_of_nothing_is_zero_with_zero_gradient():
    a = torch.randn(1, 2, 3, 3, requires_grad=True)
    loss = masked_l1(a, torch.zeros_like(a), torch.zeros(1, 1, 3, 3))
    loss.backward()
    assert loss.item() == 0
    assert a.grad.abs().max() == 0


def layers(*values):
    """Constant 1 x 1 x 2 x 2 feature maps."""
    return {f"layer{i}": torch.full((1, 1, 2, 2), float(v)) for i, v in enumerate(values)}


def test_content_as_printed():
    # differences 1, 2, 3, 4 on four pixels: norms 2, 4, 6, 8
    expected = 2 / 8 + 4 / 4 + 6 / 2 + 8
    assert content_loss(layers(1, 2, 3, 4), layers(0, 0, 0, 0)).item() == pytest.approx(expected)


def test_content_mean_does_not_depend_on_the_size():
    a, b = {"x": torch.rand(2, 3, 8, 8)}, {"x": torch.rand(2, 3, 8, 8)}
    big = [{"x": f["x"].repeat(1, 1, 2, 2)} for f in (a, b)]
    small = content_loss(a, b, (1.0,), mean=True)
    torch.testing.assert_close(content_loss(*big, (1.0,), mean=True), small)
    torch.testing.assert_close(content_loss(*big, (1.0,)), 2 * content_loss(a, b, (1.0,)))


def test_gram_matrix_is_a_mean_of_products():
    x = torch.tensor([[[[1.0, 3.0]], [[2.0, -1.0]]]])
    expected = torch.tensor([[[(1 + 9) / 2, (2 - 3) / 2], [(2 - 3) / 2, (4 + 1) / 2]]])
    torch.testing.assert_close(gram_matrix(x), expected)


def test_style_as_printed():
    # one channel: G = value^2, L_k = 1; the norm is |G - G'|
    expected = 1 / 32 + 4 / 16 + 9 / 8 + 16 / 4
    assert style_loss(layers(1, 2, 3, 4), layers(0, 0, 0, 0)).item() == pytest.approx(expected)
    # two channels: |G - G'| = 1 in each of four entries, L_k = 4: the norm is sqrt(4) / 4
    a = {"x": torch.ones(1, 2, 2, 2)}
    assert style_loss(a, {"x": torch.zeros(1, 2, 2, 2)}, (1.0,)).item() == pytest.approx(0.5)


def test_style_mean_is_the_mean_square():
    # one channel: G = value^2
    expected = 1 / 32 + 4**2 / 16 + 9**2 / 8 + 16**2 / 4
    assert style_loss(layers(1, 2, 3, 4), layers(0, 0, 0, 0), mean=True).item() == pytest.approx(expected)
    # two channels: G / c = 1/2 in each of four entries
    a = {"x": torch.ones(1, 2, 2, 2)}
    assert style_loss(a, {"x": torch.zeros(1, 2, 2, 2)}, (1.0,), mean=True).item() == pytest.approx(0.25)


def test_mean_square_of_grams_grows_with_the_fourth_power():
    """Beside a black picture: ten times the features, ten thousand times the loss, a thousand times its gradient.

    So one photograph far off makes a step far longer than all others, where nothing limits it (`Stage.clip`).
    """
    loss, slope = [], []
    for factor in (1.0, 10.0):
        x = (factor * torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))).requires_grad_()
        value = style_loss({"x": x}, {"x": torch.zeros_like(x)}, (1.0,), mean=True)
        value.backward()
        loss.append(value.item())
        slope.append(x.grad.norm().item())
    assert loss[1] == pytest.approx(1e4 * loss[0], rel=1e-4)
    assert slope[1] == pytest.approx(1e3 * slope[0], rel=1e-4)


def test_style_forgets_where_things_are():
    x = torch.rand(1, 4, 6, 6)
    shuffled = x.flatten(2)[..., torch.randperm(36)].view_as(x)
    assert style_loss({"x": x}, {"x": shuffled}, (1.0,)).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", [content_loss, style_loss])
def test_one_weight_per_layer(loss):
    with pytest.raises(InputError, match="got 2 feature maps and 1 weights"):
        loss(layers(1, 2), layers(1, 2), (1.0,))


def test_lsgan_values():
    real, fake = torch.full((2, 1, 2, 2), 0.75), torch.full((2, 1, 2, 2), 0.5)
    assert lsgan_discriminator(real, fake).item() == pytest.approx(0.25**2 + 0.5**2)
    assert lsgan_generator(fake).item() == pytest.approx(0.25)
    assert lsgan_discriminator(torch.ones(3), torch.zeros(3)).item() == 0


def test_judge_shows_both_in_one_batch_with_the_pose():
    seen = []

    class First(torch.nn.Module):
        def forward(self, x):
            seen.append(x)
            return x[:, :1]

    real, fake, pose = torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4), torch.full((2, 2, 4, 4), 0.5)
    verdict_real, verdict_fake = judge(First(), real, fake, pose)
    assert len(seen) == 1
    assert seen[0].shape == (4, 5, 4, 4)
    assert (seen[0][:, 3:] == 0.5).all()
    assert (verdict_real == 1).all()
    assert (verdict_fake == 0).all()
