"""Thin-plate splines: exact at the points, affine where these are, a naive twin, and what few points leave open."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RBFInterpolator

from posekit.ops.grids import identity_grid, points_to_norm
from posekit.ops.sample import sample
from posekit.ops.thin_plate import thin_plate_flow

SIZE = (9, 11)


def points(n=6, seed=0, b=2):
    random = torch.Generator().manual_seed(seed)
    source, target = 1.6 * torch.rand(2, b, n, 2, generator=random, dtype=torch.float64) - 0.8
    return source, target, torch.ones(b, n, dtype=torch.bool)


def at_points(flow, target):
    """The flow at given places; bilinear, so exact where a place is a pixel's centre."""
    return sample(flow, target.mT[:, :, None])[:, :, 0].mT


def pixel_points(n, seed=0):
    """Points at centres of pixels, none twice."""
    rng = np.random.default_rng(seed)
    place = rng.choice(SIZE[0] * SIZE[1], n, replace=False)
    pixels = torch.from_numpy(np.stack([place % SIZE[1], place // SIZE[1]], 1)).double()
    return points_to_norm(pixels, SIZE)[None]


@settings(deadline=None)
@given(n=st.integers(4, 12), seed=st.integers(0, 30))
def test_it_meets_every_point(n, seed):
    target = pixel_points(n, seed)
    source, _, there = points(n, seed, 1)
    flow = thin_plate_flow(source, target, there, SIZE)
    torch.testing.assert_close(at_points(flow, target), source, rtol=0, atol=1e-6)


def test_against_scipy():
    source, target, there = points()
    flow = thin_plate_flow(source, target, there, SIZE)
    pixels = identity_grid(*SIZE, dtype=torch.float64).flatten(1).T.numpy()
    for k in range(2):
        spline = RBFInterpolator(target[k].numpy(), source[k].numpy(), kernel="thin_plate_spline", degree=1)
        wanted = spline(pixels).T.reshape(2, *SIZE)
        assert flow[k].numpy() == pytest.approx(wanted, abs=1e-8)


def test_naive_twin():
    """By the formula, a point at a time, with the equations written out."""
    source, target, there = points(5, 3, 1)
    s, t, n = source[0].tolist(), target[0].tolist(), 5

    def bending(a, b):
        r = math.dist(a, b)
        return r * r * math.log(r) if r > 0 else 0.0

    rows = [[bending(t[i], t[j]) for j in range(n)] + [1, *t[i]] for i in range(n)]
    rows += [[1] * n + [0] * 3, [p[0] for p in t] + [0] * 3, [p[1] for p in t] + [0] * 3]
    solved = np.linalg.solve(np.array(rows), np.array([*s, [0, 0], [0, 0], [0, 0]]))
    flow = thin_plate_flow(source, target, there, SIZE)
    grid = identity_grid(*SIZE, dtype=torch.float64)
    for row, column in ((0, 0), (4, 7), (8, 10)):
        p = grid[:, row, column].tolist()
        basis = [bending(p, t[j]) for j in range(n)] + [1, *p]
        assert flow[0, :, row, column].tolist() == pytest.approx((np.array(basis) @ solved).tolist(), abs=1e-8)


@settings(deadline=None)
@given(seed=st.integers(0, 30), smooth=st.sampled_from([0.0, 0.1, 10.0]))
def test_an_affine_movement_is_found_whatever_the_smoothing(seed, smooth):
    """It needs no bending, so nothing is smoothed away."""
    _, target, there = points(5, seed)
    A = torch.tensor([[0.9, -0.3], [0.2, 1.1]], dtype=torch.float64)
    shift = torch.tensor([0.1, -0.2], dtype=torch.float64)
    flow = thin_plate_flow(target @ A.mT + shift, target, there, SIZE, smooth)
    grid = identity_grid(*SIZE, dtype=torch.float64)
    wanted = torch.einsum("ij,jhw->ihw", A, grid) + shift[:, None, None]
    torch.testing.assert_close(flow, wanted.expand_as(flow), rtol=0, atol=1e-6)


def test_smoothing_bends_less_and_misses_more():
    target = pixel_points(8)
    source, _, there = points(8, 1, 1)
    bends, misses = [], []
    for smooth in (0.0, 0.1, 10.0):
        flow = thin_plate_flow(source, target, there, SIZE, smooth)
        second = flow[..., 2:] - 2 * flow[..., 1:-1] + flow[..., :-2]
        bends.append(second.square().sum().item())
        misses.append((at_points(flow, target) - source).norm().item())
    assert bends == sorted(bends, reverse=True)
    assert misses == sorted(misses)


def test_points_that_are_not_there_do_not_count():
    source, target, there = points(7)
    there[:, [2, 5]] = False
    spoilt = source.clone()
    spoilt[:, 2], spoilt[:, 5] = 100.0, -100.0
    flow = thin_plate_flow(spoilt, target, there, SIZE)
    kept = [0, 1, 3, 4, 6]
    fewer = thin_plate_flow(source[:, kept], target[:, kept], there[:, kept], SIZE)
    torch.testing.assert_close(flow, fewer, rtol=0, atol=1e-8)


def test_few_points():
    """Without any nothing moves; one or two, or points on a line, are met by a small movement."""
    identity = identity_grid(*SIZE, dtype=torch.float64)
    source, target, there = points(5, b=1)
    nobody = thin_plate_flow(source, target, ~there, SIZE)
    torch.testing.assert_close(nobody[0], identity)
    for n in (1, 2):
        place = pixel_points(n)
        flow = thin_plate_flow(place + 0.1, place, torch.ones(1, n, dtype=torch.bool), SIZE)
        torch.testing.assert_close(at_points(flow, place), place + 0.1, rtol=0, atol=1e-8)
        assert (flow[0] - identity).abs().max() < 0.3
    line = points_to_norm(torch.tensor([[[1.0, 1], [3, 1], [7, 1], [9, 1]]], dtype=torch.float64), SIZE)
    flow = thin_plate_flow(line + 0.1, line, torch.ones(1, 4, dtype=torch.bool), SIZE)
    torch.testing.assert_close(at_points(flow, line), line + 0.1, rtol=0, atol=1e-8)
    assert flow.isfinite().all()


def test_items_of_a_batch_are_their_own():
    source, target, there = points(6)
    there[1, 3:] = False
    both = thin_plate_flow(source, target, there, SIZE)
    alone = [thin_plate_flow(source[[k]], target[[k]], there[[k]], SIZE) for k in range(2)]
    torch.testing.assert_close(both, torch.cat(alone), rtol=0, atol=1e-8)


def test_gradients():
    source, target, there = points(5, b=1)
    assert torch.autograd.gradcheck(
        lambda s, t: thin_plate_flow(s, t, there, (3, 4), 0.01), (source.requires_grad_(), target.requires_grad_())
    )


def test_half_and_single_precision():
    source, target, there = points(6)
    exact = thin_plate_flow(source, target, there, SIZE)
    flow = thin_plate_flow(source.float(), target.float(), there, SIZE)
    assert flow.dtype == torch.float32
    torch.testing.assert_close(flow.double(), exact, rtol=0, atol=1e-4)
