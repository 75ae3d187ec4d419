"""Edges of feature maps against those of photographs, with shifts whose answer is known."""

import numpy as np
import pytest
import torch
from posekit_course.deformable_skips.edge_alignment import edge_alignment, edge_correlation, edge_strength

from posekit.util.errors import InputError


def scene(batch=1, size=48, seed=0):
    """Rectangles of random colours, so that edges are sparse; b 3 size size."""
    rng = np.random.default_rng(seed)
    image = np.zeros((batch, 3, size, size), np.float32)
    for item in image:
        for _ in range(12):
            y, x = rng.integers(0, size - 12, 2)
            h, w = rng.integers(6, 14, 2)
            item[:, y : y + h, x : x + w] = rng.random((3, 1, 1))
    return torch.from_numpy(image)


def test_edge_strength_of_a_step_and_of_a_ramp():
    step = torch.zeros(1, 2, 3, 6)
    step[0, 0, :, 3:], step[0, 1, :, 3:] = 3, -4
    assert edge_strength(step)[0, 0, 1].tolist() == [0, 0, 2.5, 2.5, 0, 0]  # half of |(3, -4)| on both sides
    ramp = torch.arange(5.0).view(1, 1, 5, 1).expand(1, 1, 5, 4)
    assert edge_strength(ramp)[0, 0, :, 1].tolist() == [0.5, 1, 1, 1, 0.5]


def test_equals_numpy_inside_the_mask():
    features, image = torch.rand(2, 4, 12, 10), torch.rand(2, 3, 12, 10)
    mask = (torch.rand(2, 1, 12, 10) > 0.4).float()
    found = edge_correlation(features, image, mask)
    for k in range(2):
        inside = mask[k, 0] > 0
        a, b = (edge_strength(x[k : k + 1])[0, 0][inside].numpy() for x in (features, image))
        assert found[k].item() == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-5)


def test_scale_sign_and_offset_do_not_matter():
    image = scene()
    features = torch.cat([5 - 3 * image, torch.ones(1, 2, 48, 48)], 1)
    assert edge_correlation(features, image).item() == pytest.approx(1, abs=1e-6)


def test_plain_features_lie_on_the_source_and_warped_ones_on_the_target():
    """The target is the source moved by 6 pixels; features are linear in the source, as those of a convolution."""
    source = scene(2)
    target = source.roll(6, 3)
    mixed = torch.einsum("kc,bchw->bkhw", torch.randn(8, 3, generator=torch.Generator().manual_seed(1)), source)
    mask = torch.zeros(2, 1, 48, 48)
    mask[..., 2:-2, 8:-2] = 1
    plain, warped = edge_alignment(mixed, source, target, mask), edge_alignment(mixed.roll(6, 3), source, target, mask)
    assert (plain.source > 0.8).all()
    assert (plain.target < 0.3).all()
    torch.testing.assert_close(warped.target, edge_correlation(mixed, source, mask.roll(-6, 3)))
    assert (warped.source < 0.3).all()


def test_falls_with_the_shift():
    image = scene(size=64)
    found = [edge_correlation(image.roll(shift, 2), image).item() for shift in (0, 1, 2, 4, 8)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.99
    assert found[-1] < 0.35


def test_coarse_features_are_compared_at_their_own_size():
    image = scene(size=64)
    small = torch.nn.functional.avg_pool2d(image, 4)
    assert edge_correlation(small, image).item() == pytest.approx(1, abs=1e-6)
    assert edge_correlation(small.roll(2, 3), image).item() < 0.6


def test_what_lies_outside_the_mask_does_not_count():
    image = scene()
    features, mask = image.clone(), torch.zeros(1, 1, 48, 48)
    features[..., :20] = torch.rand(1, 3, 48, 20)
    mask[..., 21:] = 1  # one pixel further: an edge looks at both neighbours
    assert edge_correlation(features, image, mask).item() == pytest.approx(1, abs=1e-6)
    assert edge_correlation(features, image).item() < 0.9


def test_nothing_to_compare_gives_nan():
    image = scene(2)
    assert edge_correlation(torch.ones(2, 1, 48, 48), image).isnan().all()
    mask = torch.ones(2, 1, 48, 48)
    mask[1] = 0
    assert edge_correlation(image, image, mask).isnan().tolist() == [False, True]


def test_bad_input(unchecked):
    image = scene()
    with pytest.raises(InputError, match="none larger than its photograph"):
        edge_correlation(torch.rand(1, 2, 96, 96), image)
    with pytest.raises(InputError, match="as many feature maps"):
        edge_correlation(torch.rand(2, 2, 8, 8), image)
    with pytest.raises(InputError, match="The mask must be"):
        edge_correlation(torch.rand(1, 2, 8, 8), image, torch.ones(1, 1, 8, 8))
