"""Sampling correctness: a naive twin, its best and worst cases, gradients, and what a flow learns from it."""

import math

import pytest
import torch

from posekit.losses.sampling_correctness import sampling_correctness
from posekit.ops.grids import identity_grid
from posekit.util.errors import InputError


def features(b=2, c=5, h=4, w=6, seed=0):
    return torch.rand(b, c, h, w, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def at_pixels(h, w, index):
    """A flow that looks at whole pixels: index (b h w) of the source's pixels, in reading order."""
    grid = identity_grid(h, w, dtype=torch.float64).flatten(1)
    return grid[:, index.flatten(1)].movedim(0, 1).reshape(len(index), 2, h, w)


def test_naive_twin():
    source, target = features(), features(seed=1)
    index = torch.randint(0, 24, (2, 4, 6), generator=torch.Generator().manual_seed(2))
    total = 0.0
    for b in range(2):
        for row in range(4):
            for column in range(6):
                v = target[b, :, row, column]
                cosines = [torch.cosine_similarity(u, v, dim=0).item() for u in source[b].flatten(1).T]
                total += math.exp(-cosines[index[b, row, column]] / max(cosines))
    loss = sampling_correctness(source, target, at_pixels(4, 6, index))
    assert loss.item() == pytest.approx(total / 48, rel=1e-6)


def test_the_best_places_cost_one_over_e():
    source = features()
    order = torch.stack([torch.randperm(24, generator=torch.Generator().manual_seed(k)) for k in range(2)])
    target = torch.stack([s.flatten(1)[:, o].reshape_as(s) for s, o in zip(source, order, strict=True)])
    right = at_pixels(4, 6, order.view(2, 4, 6))
    assert sampling_correctness(source, target, right).item() == pytest.approx(math.exp(-1), rel=1e-6)
    wrong = at_pixels(4, 6, order.roll(1, 1).view(2, 4, 6))
    assert sampling_correctness(source, target, wrong) > math.exp(-1) + 0.01


def test_brightness_of_features_plays_no_part():
    source, target, flow = features(), features(seed=1), identity_grid(4, 6, dtype=torch.float64).expand(2, 2, 4, 6)
    loss = sampling_correctness(source, target, flow)
    torch.testing.assert_close(sampling_correctness(source * 7, target * 0.1, flow), loss)


def test_a_mask_chooses_pixels():
    source, target, flow = features(1), features(1, seed=1), identity_grid(4, 6, dtype=torch.float64)[None]
    one = torch.zeros(1, 1, 4, 6, dtype=torch.float64)
    values = []
    for row in range(4):
        for column in range(6):
            one.zero_()
            one[..., row, column] = 1
            values.append(sampling_correctness(source, target, flow, one))
    torch.testing.assert_close(torch.stack(values).mean(), sampling_correctness(source, target, flow))
    with pytest.raises(InputError, match="leaves no pixel"):
        sampling_correctness(source, target, flow, torch.zeros(1, 1, 4, 6))


def test_photographs_of_two_sizes():
    """The flow has the target's size; the source may have another."""
    flow = identity_grid(3, 5, dtype=torch.float64)[None]
    assert sampling_correctness(features(1, h=4, w=6), features(1, h=3, w=5, seed=1), flow).isfinite()


def test_gradients():
    source, target = (features(1, 3, 3, 3, seed).requires_grad_() for seed in (0, 1))
    flow = (0.8 * identity_grid(3, 3, dtype=torch.float64)[None] + 0.05).requires_grad_()
    assert torch.autograd.gradcheck(sampling_correctness, (source, target, flow))


def test_a_flow_descends_to_a_shift():
    """A bump in the source, moved by two pixels in the target: the flow finds it from where it is."""
    x = torch.arange(24.0)
    bump = torch.exp(-((x[None] - 12) ** 2 + (x[:, None] - 12) ** 2) / 30)[None, None]
    ramp = torch.stack([bump[0, 0], x.expand(24, 24) / 24, 1 - x.expand(24, 24) / 24])[None]
    target, moved = ramp, ramp.roll(2, 3)
    flow = identity_grid(24, 24)[None].clone().requires_grad_()
    inner = torch.zeros(1, 1, 24, 24)
    inner[..., 8:16, 8:16] = 1
    optimizer = torch.optim.Adam([flow], lr=0.01)
    first = sampling_correctness(moved, target, flow, inner).item()
    for _ in range(60):
        optimizer.zero_grad()
        loss = sampling_correctness(moved, target, flow, inner)
        loss.backward()
        optimizer.step()
    assert loss.item() < first
    shift = (flow.detach() - identity_grid(24, 24))[0, 0, 8:16, 8:16].mean() * 12
    assert 1 < shift < 3, "pixels to the right"


def test_features_without_length_are_no_trouble():
    flow = identity_grid(4, 6, dtype=torch.float64)[None]
    dark = torch.zeros(1, 5, 4, 6, dtype=torch.float64, requires_grad=True)
    loss = sampling_correctness(dark, features(1), flow)
    loss.backward()
    assert loss.isfinite()
    assert dark.grad.isfinite().all()
