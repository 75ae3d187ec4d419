"""Affine maps: parameters, flows, inverses, composition and fits."""

from math import pi

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posekit.ops.affine import (
    AffineRanges,
    DegenerateError,
    affine_flow,
    affine_matrix,
    apply,
    compose_affine,
    fit_affine,
    invert,
    random_affine,
)
from posekit.ops.grids import identity_grid
from posekit.ops.sample import compose, sample


def make(angle=0.0, scale=(1.0, 1.0), shear=(0.0, 0.0), translation=(0.0, 0.0)):
    rows = (torch.tensor([v], dtype=torch.float64) for v in (angle, scale, shear, translation))
    return affine_matrix(*rows)


def random_maps(b, seed=0):
    g = torch.Generator().manual_seed(seed)
    r = [torch.rand(b, n, dtype=torch.float64, generator=g) * 2 - 1 for n in (1, 2, 2, 2)]
    return affine_matrix(3 * r[0][:, 0], 1 + 0.5 * r[1], 0.4 * r[2], r[3])


IDENTITY = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("parameters", "point", "expected"),
    [
        ({}, (0.3, -0.2), (0.3, -0.2)),
        ({"angle": pi / 2}, (1, 0), (0, 1)),  # x towards y: clockwise on the screen
        ({"scale": (2, 3)}, (1, 1), (2, 3)),
        ({"shear": (0.5, 0)}, (0, 1), (0.5, 1)),
        ({"shear": (0, 0.5)}, (1, 0), (1, 0.5)),
        ({"translation": (0.1, -0.4)}, (0, 0), (0.1, -0.4)),
        ({"angle": pi / 2, "scale": (2, 1)}, (1, 0), (0, 2)),  # scaled first, then turned
        ({"angle": pi / 2, "shear": (1, 0)}, (0, 1), (-1, 1)),  # sheared first, then turned
    ],
)
def test_parameters_by_hand(parameters, point, expected):
    mapped = apply(make(**parameters), torch.tensor([[point]], dtype=torch.float64))
    torch.testing.assert_close(mapped, torch.tensor([[expected]], dtype=torch.float64))


def test_apply_is_the_matrix_product_for_every_item():
    maps, points = random_maps(3), torch.randn(3, 4, 5, 2, dtype=torch.float64)
    result = apply(maps, points)
    assert result.shape == points.shape
    for i in range(3):
        for j in range(4):
            for k in range(5):
                expected = maps[i, :, :2] @ points[i, j, k] + maps[i, :, 2]
                torch.testing.assert_close(result[i, j, k], expected)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999))
def test_inverse_and_composition(seed):
    a, b = random_maps(2, seed), random_maps(2, seed + 1)
    points = torch.randn(2, 7, 2, dtype=torch.float64)
    torch.testing.assert_close(apply(compose_affine(a, b), points), apply(a, apply(b, points)))
    torch.testing.assert_close(compose_affine(a, invert(a)), IDENTITY.expand(2, -1, -1))
    torch.testing.assert_close(compose_affine(invert(a), a), IDENTITY.expand(2, -1, -1))
    # (a b)^-1 = b^-1 a^-1
    torch.testing.assert_close(invert(compose_affine(a, b)), compose_affine(invert(b), invert(a)))


def test_flow_is_the_map_at_every_pixel_centre():
    maps = random_maps(2)
    flow = affine_flow(maps, (5, 6))
    x = identity_grid(5, 6, dtype=torch.float64).movedim(0, -1).expand(2, -1, -1, -1)
    torch.testing.assert_close(flow.movedim(1, -1), apply(maps, x))
    torch.testing.assert_close(affine_flow(IDENTITY, (5, 6))[0], identity_grid(5, 6, dtype=torch.float64))


def test_flows_compose_like_maps():
    a, b = make(0.3, translation=(0.1, 0.0)), make(-0.2, (0.8, 0.7))
    composed = compose(affine_flow(a, (32, 32)), affine_flow(b, (32, 32)))
    torch.testing.assert_close(composed, affine_flow(compose_affine(a, b), (32, 32)))


def test_sampling_with_the_flow_moves_the_picture_by_the_inverse():
    picture = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    picture[0, 0, 8, 12] = 1
    right = make(translation=(0.25, 0.0))  # two pixels of sixteen
    moved = sample(picture, affine_flow(right, (16, 16)))
    assert moved[0, 0, 8].argmax() == 10


def test_gradcheck():
    parameters = [torch.rand(2, *n, dtype=torch.float64) * 0.4 + 0.5 for n in ((), (2,), (2,), (2,))]
    for p in parameters:
        p.requires_grad_()
    assert torch.autograd.gradcheck(lambda *p: affine_flow(affine_matrix(*p), (3, 4)), parameters)
    assert torch.autograd.gradcheck(lambda *p: invert(affine_matrix(*p)), parameters)
    points = [torch.randn(2, 5, 2, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    weights = (torch.rand(2, 5, dtype=torch.float64) + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(fit_affine, (*points, weights))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), n=st.integers(3, 12))
def test_fit_finds_the_map_that_made_the_points(seed, n):
    maps = random_maps(2, seed)
    source = torch.randn(2, n, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(fit_affine(source, apply(maps, source)), maps, atol=1e-5, rtol=1e-5)


def test_fit_is_the_weighted_least_squares_solution():
    torch.manual_seed(0)
    source, target = torch.randn(2, 3, 9, 2, dtype=torch.float64)
    weights = torch.rand(3, 9, dtype=torch.float64)
    for i, fitted in enumerate(fit_affine(source, target, weights)):
        root = weights[i].sqrt()[:, None]
        design = torch.cat((source[i], torch.ones(9, 1, dtype=torch.float64)), 1)
        expected = torch.linalg.lstsq(root * design, root * target[i]).solution.T
        torch.testing.assert_close(fitted, expected)


def test_points_without_weight_are_ignored_even_when_nan():
    torch.manual_seed(1)
    source, target = torch.randn(2, 1, 5, 2)
    weights = torch.tensor([[1.0, 2, 1, 1, 0]])
    expected = fit_affine(source[:, :4], target[:, :4], weights[:, :4])
    source[0, 4] = torch.nan
    source.requires_grad_()
    fitted = fit_affine(source, target, weights)
    torch.testing.assert_close(fitted, expected)
    (grad,) = torch.autograd.grad(fitted.sum(), source)
    assert grad[0, 4].eq(0).all()
    assert grad.isfinite().all()


def test_a_small_limb_far_from_the_middle_is_fitted_in_float32():
    maps = random_maps(1).float()
    source = torch.tensor([[[0.900, 0.800], [0.906, 0.801], [0.903, 0.820], [0.908, 0.818]]])
    torch.testing.assert_close(fit_affine(source, apply(maps, source)), maps, atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize(
    ("points", "weights", "reason"),
    [
        ([[0, 0], [1, 0], [0, 1]], [1, 1, 0], "have fewer"),
        ([[0, 0], [1, 0]], [1, 1], "have fewer"),
        ([[0, 0], [1, 1], [2, 2], [-3, -3]], [1, 1, 1, 1], "on one line"),
        ([[0.5, 0.5]] * 4, [1, 1, 1, 1], "on one line"),
        ([[0, 0], [1, 1], [2, 2], [5, 1]], [1, 1, 1, 0], "on one line"),
    ],
)
def test_degenerate_points_say_why_and_where(points, weights, reason):
    bad = torch.tensor(points, dtype=torch.float32)
    torch.manual_seed(0)
    source = torch.stack((torch.randn_like(bad), bad))
    w = torch.tensor([[1.0] * len(weights), weights])
    if len(weights) == 2:
        source, w = source[1:], w[1:]
    with pytest.raises(DegenerateError, match=reason) as caught:
        fit_affine(source, source, w)
    assert caught.value.items == (len(source) - 1,)
    assert str(caught.value.items) in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_points_nearly_on_a_line_are_told_from_a_thin_limb():
    line = torch.linspace(-1, 1, 5)
    thin = torch.stack((line, 1e-3 * line**2), -1)[None]
    assert fit_affine(thin, thin).isfinite().all()
    flat = torch.stack((line, 1e-6 * line**2), -1)[None]
    with pytest.raises(DegenerateError, match="on one line"):
        fit_affine(flat, flat)


def test_a_flat_map_has_no_inverse():
    maps = torch.cat((make(0.4), make(scale=(1, 0)), make(0.2), make(shear=(1, 1))))
    with pytest.raises(DegenerateError, match="no inverse") as caught:
        invert(maps)
    assert caught.value.items == (1, 3)


def test_empty_batch():
    assert fit_affine(torch.zeros(0, 4, 2), torch.zeros(0, 4, 2)).shape == (0, 2, 3)
    assert affine_flow(torch.zeros(0, 2, 3), (4, 5)).shape == (0, 2, 4, 5)


@pytest.mark.usefixtures("unchecked")
def test_wrong_input_is_named():
    points = torch.randn(2, 4, 2)
    with pytest.raises(ValueError, match=r"\(b, n, 2\), got \(4, 2\)"):
        fit_affine(points[0], points[0])
    with pytest.raises(ValueError, match=r"weights \(2, 4\), got \(2, 3\)"):
        fit_affine(points, points, torch.ones(2, 3))
    with pytest.raises(ValueError, match="negative one or NaN"):
        fit_affine(points, points, torch.tensor([[1.0, 1, 1, -1], [1, 1, 1, 1]]))
    with pytest.raises(ValueError, match="give it the weight 0"):
        fit_affine(points.index_fill(1, torch.tensor(1), torch.inf), points)
    with pytest.raises(ValueError, match=r"\(b, 2, 3\), got \(3, 3\)"):
        affine_flow(torch.eye(3), (4, 4))
    with pytest.raises(ValueError, match="beside 1 matrices"):
        apply(IDENTITY, points.double())


def test_random_maps_stay_within_their_ranges():
    """The seven parameters, read back from R(angle) [[1, sx], [sy, 1]] diag(s) where one of them is on at a time."""
    torch.manual_seed(0)
    none = {"angle": 0.0, "scale": 0.0, "shear": 0.0, "translation": 0.0}
    turned = random_affine(500, AffineRanges(**{**none, "angle": 0.3}))
    angles = torch.atan2(turned[:, 1, 0], turned[:, 0, 0])
    scaled = random_affine(500, AffineRanges(**{**none, "scale": 0.25}))
    factors = torch.stack([scaled[:, 0, 0], scaled[:, 1, 1]], 1)
    sheared = random_affine(500, AffineRanges(**{**none, "shear": 0.2}))
    shears = torch.stack([sheared[:, 0, 1], sheared[:, 1, 0]], 1)
    shifts = random_affine(500, AffineRanges(**{**none, "translation": 0.4}))[:, :, 2]
    for values, low, high in ((angles, -0.3, 0.3), (factors, 0.8, 1.25), (shears, -0.2, 0.2), (shifts, -0.4, 0.4)):
        assert low <= values.min() < low + 0.05 * (high - low)
        assert high >= values.max() > high - 0.05 * (high - low)
        if values.ndim == 2:  # the two axes are drawn apart
            assert (values[:, 0] != values[:, 1]).all()
    torch.testing.assert_close(random_affine(3, AffineRanges(**none)), IDENTITY.float().expand(3, 2, 3))


def test_random_maps_come_from_the_global_generator():
    torch.manual_seed(5)
    first = random_affine(2)
    assert not torch.equal(first[0], first[1])
    torch.manual_seed(5)
    assert torch.equal(random_affine(2), first)


def test_ranges_are_refused():
    for bad in ({"angle": -0.1}, {"shear": 1.0}):
        with pytest.raises(ValueError, match="0 or more, and that of shear below 1"):
            AffineRanges(**bad)
