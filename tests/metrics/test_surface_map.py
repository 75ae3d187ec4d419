"""Errors of surface maps: against a loop, exact maps, nobody, bad input."""

import numpy as np
import pytest
import torch

from posekit.metrics.surface_map import map_errors
from posekit.util.errors import InputError


def random_map(seed, b=3, h=6, w=5):
    generator = torch.Generator().manual_seed(seed)
    part = torch.randint(0, 4, (b, 1, h, w), generator=generator)
    return part, (2 * torch.rand(b, 2, h, w, generator=generator) - 1) * (part > 0)


def test_naive_twin():
    (part, uv), (true_part, true_uv) = random_map(0), random_map(1)
    found = map_errors(part, uv, true_part, true_uv, 100)
    for i in range(3):
        right = body = both = either = 0
        distances = []
        for y in range(6):
            for x in range(5):
                a, b = int(part[i, 0, y, x]), int(true_part[i, 0, y, x])
                body += b > 0
                right += b > 0 and a == b
                either += a > 0 or b > 0
                if a > 0 and b > 0:
                    both += 1
                    (du, dv) = (uv[i, :, y, x] - true_uv[i, :, y, x]).tolist()
                    distances.append((du**2 + dv**2) ** 0.5 * 100 / 2)
        assert found.part_accuracy[i].item() == pytest.approx(right / body)
        assert found.outline_iou[i].item() == pytest.approx(both / either)
        assert found.median[i].item() == pytest.approx(np.quantile(distances, 0.5), rel=1e-5)
        assert found.ninety[i].item() == pytest.approx(np.quantile(distances, 0.9), rel=1e-5)


def test_an_exact_map():
    part, uv = random_map(2)
    found = map_errors(part, uv, part, uv)
    assert torch.equal(found.part_accuracy, torch.ones(3))
    assert torch.equal(found.outline_iou, torch.ones(3))
    assert torch.equal(found.ninety, torch.zeros(3))


def test_one_texel_is_one_texel():
    """Positions run from -1 to 1 over the atlas: 1 / 32 is a texel of 64."""
    part, uv = random_map(3)
    moved = torch.stack([uv[:, 0] + 1 / 32, uv[:, 1]], 1)
    assert map_errors(part, moved, part, uv, 64).median.tolist() == pytest.approx([1.0] * 3, rel=1e-5)


def test_nobody():
    part, uv = random_map(4, b=1)
    nobody = torch.zeros_like(part)
    assert all(torch.isnan(value[0]) for value in map_errors(nobody, 0 * uv, nobody, 0 * uv))
    missed = map_errors(nobody, 0 * uv, part, uv)
    assert (missed.part_accuracy.item(), missed.outline_iou.item()) == (0, 0)
    assert torch.isnan(missed.median[0])
    assert len(map_errors(part[:0], uv[:0], part[:0], uv[:0]).median) == 0


def test_bad_shapes(unchecked):
    part, uv = random_map(5)
    with pytest.raises(InputError, match="map_errors expected parts"):
        map_errors(part, uv, part[..., :2], uv)
