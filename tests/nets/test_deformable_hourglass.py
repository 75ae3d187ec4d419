"""The refinement network: published size, wiring against a twin written from the tables, the deformable skip."""

import pytest
import torch
import torch.nn.functional as F

from posekit.nets.deformable_hourglass import DeformableHourglass, _Block, warp_activations
from posekit.ops.grids import identity_grid
from posekit.util.errors import InputError


def grid(b, h, w):
    return identity_grid(h, w).expand(b, 2, h, w)


def test_published_number_of_parameters():
    g = DeformableHourglass()
    trainable = sum(p.numel() for p in g.parameters() if p.requires_grad)
    vectors = sum(b.numel() for b in g.buffers())
    assert trainable == 11_332_611
    assert vectors == 50_373
    assert trainable + vectors == 11_382_984  # the number in the main text


def test_wiring_of_both_branches_residuals_and_decoder():
    torch.manual_seed(0)
    g = DeformableHourglass(width=6).eval()
    target, source = torch.randn(2, 10, 16, 20), torch.randn(2, 8, 16, 20)
    warp, mask = torch.rand(2, 2, 16, 20) * 2 - 1, (torch.rand(2, 1, 16, 20) > 0.5).float()

    t1 = g.target[0](target)
    t2 = g.target[1](t1)
    t3 = g.target[2](t2)
    s1 = g.source[0](source)
    s2 = g.source[1](s1)
    s3 = g.source[2](s2)
    assert (t1.shape[-1], t2.shape[-1], t3.shape[-1]) == (20, 10, 5)
    B = g.residual
    r1 = B[0](t3)
    r2 = B[1](t3 + r1)
    r3 = B[2](r1 + r2)
    r4 = B[3](r2 + r3)
    r5 = B[4](r3 + r4)
    r6 = B[5](r4 + r5)
    up = torch.nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    x = up(g.decoder[0](torch.cat([r5 + r6, t3, warp_activations(s3, warp, mask, (4, 5))], 1)))
    x = up(g.decoder[1](torch.cat([x, t2, warp_activations(s2, warp, mask, (8, 10))], 1)))
    x = g.decoder[2](torch.cat([x, t1, warp_activations(s1, warp, mask, (16, 20))], 1))
    expected = torch.sigmoid(g.last(F.pad(x, (1, 1, 1, 1), mode="reflect")))
    torch.testing.assert_close(g(target, source, warp, mask), expected)


def test_block_is_spectrally_normalised_and_instance_normalised():
    torch.manual_seed(0)
    block = _Block(3, 5)
    with torch.no_grad():
        for _ in range(200):  # every access in training mode is one power iteration
            weight = block.conv.weight
    assert torch.linalg.matrix_norm(weight.flatten(1), 2) == pytest.approx(1, abs=1e-3)
    y = block(torch.randn(2, 3, 12, 12))
    before = torch.where(y < 0, y / 0.01, y)  # undo LeakyReLU(0.01)
    torch.testing.assert_close(before.mean((2, 3)), torch.zeros(2, 5), atol=1e-5, rtol=0)
    torch.testing.assert_close(before.var((2, 3), unbiased=False), torch.ones(2, 5), atol=1e-3, rtol=0)
    assert not list(block.norm.parameters())


@pytest.mark.parametrize("size", [(16, 20), (8, 10), (4, 5)])
def test_identity_warp_changes_nothing_at_any_scale(size):
    x = torch.randn(2, 3, *size)
    out = warp_activations(x, grid(2, 16, 20), torch.ones(2, 1, 16, 20), size)
    torch.testing.assert_close(out, x, atol=1e-5, rtol=0)


def test_pixels_off_the_body_sample_at_their_own_position():
    x = torch.randn(1, 3, 16, 16)
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., :8] = 1
    shifted = grid(1, 16, 16) + torch.tensor([0.0, 4 * 2 / 16]).view(1, 2, 1, 1)  # four pixels down
    out = warp_activations(x, shifted * mask, mask, (16, 16))
    torch.testing.assert_close(out[..., 8:], x[..., 8:], atol=1e-5, rtol=0)
    torch.testing.assert_close(out[..., :12, :8], x[..., 4:, :8], atol=1e-5, rtol=0)


def test_coarse_scales_average_the_warp_over_body_pixels_only():
    """Zeros off the body must not pull E towards the middle of the picture at the outline."""
    x = torch.randn(1, 2, 8, 8)
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 5:, 5:] = 1  # odd: the outline runs through the coarse pixels
    warp = grid(1, 16, 16) * mask
    out = warp_activations(x, warp, mask, (8, 8))
    inside = warp_activations(x, grid(1, 16, 16), torch.ones_like(mask), (8, 8))
    # a coarse pixel on the outline averages fewer positions, all within a fine pixel: never more than that away
    assert (out - inside).abs().max() < 0.6 * (x[..., 1:] - x[..., :-1]).abs().max()
    torch.testing.assert_close(out[..., 3:, 3:], inside[..., 3:, 3:], atol=1e-5, rtol=0)


def test_gradient_reaches_the_warp():
    torch.manual_seed(0)
    g = DeformableHourglass(width=4)
    warp = (grid(1, 16, 16) * 0.9).requires_grad_()
    g(torch.randn(1, 10, 16, 16), torch.randn(1, 8, 16, 16), warp, torch.ones(1, 1, 16, 16)).sum().backward()
    assert warp.grad.abs().max() > 0


def test_autocast_keeps_positions_exact():
    """A bfloat16 position would blur the skip; activations may be bfloat16, positions are not."""
    x = torch.randn(1, 2, 256, 256).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = warp_activations(x, grid(1, 256, 256), torch.ones(1, 1, 256, 256), (256, 256))
    assert out.dtype == torch.bfloat16
    assert (out != x).float().mean() < 0.01


def test_single_encoder_has_no_source():
    torch.manual_seed(0)
    g = DeformableHourglass(target_channels=16, source_channels=0, width=4)
    assert g.source is None
    assert g(torch.randn(1, 16, 16, 16)).shape == (1, 3, 16, 16)
    with pytest.raises(InputError, match="takes none of them"):
        g(torch.randn(1, 16, 16, 16), torch.randn(1, 8, 16, 16), grid(1, 16, 16), torch.ones(1, 1, 16, 16))


def test_bad_input():
    g = DeformableHourglass(width=4)
    with pytest.raises(InputError, match="multiples of 4, got 18 x 16"):
        g(torch.randn(1, 10, 18, 16))
    with pytest.raises(InputError, match="source, warp and mask together"):
        g(torch.randn(1, 10, 16, 16))
    with pytest.raises(InputError, match="must be positive, got 0"):
        DeformableHourglass(width=0)


def test_a_brighter_source_changes_nothing_and_a_brighter_texture_does():
    """InstanceNorm and reflection padding forget what is added to a whole channel; W is 0 off the body and is not."""
    torch.manual_seed(0)
    g = DeformableHourglass(width=8).eval()
    source, target, mask = torch.rand(1, 8, 16, 16), torch.rand(1, 10, 16, 16), torch.zeros(1, 1, 16, 16)
    mask[..., 4:12, 4:12] = 1
    target[:, :3] *= mask
    warp = grid(1, 16, 16)
    with torch.no_grad():
        before = g(target, source, warp, mask)
        brighter_source = source + torch.cat((torch.full((1, 3, 1, 1), 0.4), torch.zeros(1, 5, 1, 1)), 1)
        brighter_texture = target + torch.cat((0.4 * mask.expand(-1, 3, -1, -1), torch.zeros(1, 7, 16, 16)), 1)
        torch.testing.assert_close(g(target, brighter_source, warp, mask), before, atol=1e-5, rtol=0)
        assert (g(brighter_texture, source, warp, mask) - before).abs().max() > 0.01
