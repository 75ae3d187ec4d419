"""Neighbouring texels that look at one place, against a loop over the four of them."""

import torch

from posekit.ops.agreement import AGREE, agreeing
from posekit.ops.grids import identity_grid


def naive(D, uv, size):
    """One place: the four texels around it, their weights, mean and standard deviation, in pixels."""
    side = D.shape[-1]
    x, y = ((uv + 1) * side / 2 - 0.5).clamp(0, side - 1).tolist()
    left, top = min(int(x), side - 2), min(int(y), side - 2)
    texels, weights = [], []
    for row in (0, 1):
        for column in (0, 1):
            texels.append(D[:, top + row, left + column])
            weights.append(abs(1 - column - (x - left)) * abs(1 - row - (y - top)))
    texels, weights = torch.stack(texels, 1), torch.tensor(weights, dtype=D.dtype)
    mean = (texels * weights).sum(1)
    spread = ((texels - mean[:, None]) ** 2 * weights).sum(1).sqrt()
    return bool((spread * torch.tensor(size[::-1]) / 2 < AGREE).all())


def test_against_a_loop():
    dice = torch.Generator().manual_seed(0)
    D = torch.rand(1, 2, 6, 6, generator=dice, dtype=torch.float64) * 0.25
    uv = torch.rand(1, 2, 9, 11, generator=dice, dtype=torch.float64) * 2 - 1
    found = agreeing(D, uv, (48, 64))
    expected = torch.tensor([[naive(D[0], uv[0, :, i, j], (48, 64)) for j in range(11)] for i in range(9)])
    assert torch.equal(found[0, 0] > 0, expected)
    assert 0.1 < found.mean() < 0.9


def test_a_smooth_map_agrees_and_a_cut_does_not():
    D = identity_grid(40, 40)[None].clone()  # a texel further is a pixel further
    uv = identity_grid(40, 40)[None] * 0.9
    assert agreeing(D, uv, (40, 40)).min() == 1
    D[:, 0, :, 20:] -= 1.0  # right of the middle it looks half a photograph to the left
    apart = agreeing(D, uv, (40, 40))[0, 0] == 0
    assert torch.equal(apart.any(0), apart.all(0)), "a cut along a column"
    columns = apart.all(0).nonzero()[:, 0]
    assert 1 <= len(columns) <= 2
    assert (uv[0, 0, 0, columns].abs() < 0.05).all()
