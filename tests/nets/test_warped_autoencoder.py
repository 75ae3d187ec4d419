"""The refinement network R, without and with skips."""

import pytest
import torch

from posekit.nets.warped_autoencoder import WarpedAutoencoder, warped_pyramid
from posekit.ops.grids import identity_grid, resize_grid
from posekit.ops.sample import sample
from posekit.systems.base import count_parameters
from posekit.util.errors import InputError


def conv(a, b, kernel=3, bias=True):
    return a * b * kernel**2 + b * bias


@pytest.mark.parametrize(("width", "skips"), [(256, False), (256, True), (16, False)])
def test_parameter_count(width, skips):
    w, k = width, 3 if skips else 0
    encoder = conv(3, w // 2, bias=False) + 2 * (w // 2) + conv(w // 2, w, bias=False) + 2 * w
    residual = 6 * (2 * 2 * w + 2 * conv(w, w))
    up = conv(w, w // 2, bias=False) + 2 * (w // 2) + conv(w // 2 + k, w // 4, bias=False) + 2 * (w // 4)
    enter = conv(w + 3, w) if skips else 0
    expected = encoder + enter + residual + up + conv(w // 4 + k, 3, 7)
    assert count_parameters(WarpedAutoencoder(width, skips)) == expected


def test_shapes_at_the_published_width():
    net = WarpedAutoencoder().eval()
    seen = []
    net.decoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape))
    image = net(torch.rand(1, 3, 64, 32), identity_grid(16, 8)[None])
    assert seen == [(1, 256, 16, 8)]
    assert image.shape == (1, 3, 64, 32)
    assert 0 <= image.min() <= image.max() <= 1


@pytest.mark.parametrize("skips", [False, True])
def test_nothing_goes_around_the_flow(skips):
    """A flow that looks at one place only cannot tell two pictures apart that agree there."""
    torch.manual_seed(0)
    net = WarpedAutoencoder(8, skips).eval()
    a, b = torch.rand(2, 1, 3, 64, 64)
    b[..., :32, :32] = a[..., :32, :32]
    corner = torch.full((1, 2, 16, 16), -0.5)  # the middle of the upper left quarter
    assert torch.equal(net(a, corner), net(b, corner))
    grid = identity_grid(16, 16)[None]
    assert (net(a, grid) - net(b, grid)).abs().max() > 1e-5


def test_the_decoder_gets_the_warped_features():
    net = WarpedAutoencoder(8).eval()
    seen = []
    net.decoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    image, flow = torch.rand(1, 3, 32, 32), (0.8 * identity_grid(8, 8) + 0.1)[None]
    net(image, flow)
    torch.testing.assert_close(seen[0][0], sample(net.encoder(image), flow, padding="border"))
    assert seen[0][1] is None


def test_skips_are_the_warped_photograph_at_three_scales():
    image, flow = torch.rand(1, 3, 32, 48), identity_grid(8, 12)[None] * 0.7
    small, half, full = warped_pyramid(image, flow)
    assert (small.shape[-2:], half.shape[-2:], full.shape[-2:]) == ((8, 12), (16, 24), (32, 48))
    torch.testing.assert_close(full, sample(image, resize_grid(flow, (32, 48)), padding="border"))
    still = warped_pyramid(image, identity_grid(8, 12)[None])
    torch.testing.assert_close(still[2], image)
    torch.testing.assert_close(still[0], torch.nn.functional.avg_pool2d(image, 4))


def test_bad_input(unchecked):
    with pytest.raises(InputError, match="multiples of 4, got 30 x 32"):
        WarpedAutoencoder(8)(torch.rand(1, 3, 30, 32), identity_grid(8, 8)[None])
    with pytest.raises(InputError, match="positive multiple of 4, got 6"):
        WarpedAutoencoder(6)
