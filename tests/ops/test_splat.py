"""Splatting: against a naive twin, and the properties that make it safe to train through."""

import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import posekit.ops.splat as module
from posekit.ops.grids import identity_grid, norm_to_index
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.ops.splat_torch import backward_torch, forward_torch

COMPILE = """
import sys
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from posekit.ops import splat_triton_kernel as kernels

fixed = {"C": 2, "MASKED": True, "BLOCK": 256}
numbers = dict.fromkeys(("n", "height", "width", "texels"), "i32")
numbers |= dict.fromkeys(("scale_x", "offset_x", "scale_y", "offset_y", "min_weight"), "fp32")
for name in ("_scatter", "_divide", "_gather"):
    kernel = getattr(kernels, name)
    kinds = {a: "constexpr" if a in fixed else numbers.get(a, "*" + sys.argv[1]) for a in kernel.arg_names}
    constants = {(i,): fixed[a] for i, a in enumerate(kernel.arg_names) if a in fixed}
    built = triton.compile(ASTSource(kernel, kinds, constants), target=GPUTarget("cuda", 90, 32))
    if built.asm["cubin"]:
        print(name)
"""


@pytest.fixture(params=["numba", "torch", "triton"])
def path(request, monkeypatch):
    """All implementations: that of the CPU, that of CUDA under Triton's interpreter, and that of every other device."""
    if request.param == "torch":
        monkeypatch.setattr(module, "_kernels", lambda values: (forward_torch, backward_torch))
    if request.param == "triton":
        monkeypatch.setenv("TRITON_INTERPRET", "1")  # read when the kernels are defined
        pytest.importorskip("triton", reason="the package triton is not installed")
        from posekit.ops.splat_triton_kernel import backward_triton, forward_triton

        monkeypatch.setattr(module, "_kernels", lambda values: (forward_triton, backward_triton))
    return request.param


def naive_splat(values, positions, size, mask=None, min_weight=1e-3):
    """Every source pixel against every texel, by the definition; gradients by autograd."""
    height, width = size
    x = norm_to_index(positions[:, 0], width).flatten(1)[:, :, None]  # b n 1
    y = norm_to_index(positions[:, 1], height).flatten(1)[:, :, None]
    row = torch.arange(height, dtype=values.dtype).repeat_interleave(width)
    column = torch.arange(width, dtype=values.dtype).repeat(height)
    w = (1 - (x - column).abs()).clamp(min=0) * (1 - (y - row).abs()).clamp(min=0)  # b n t
    if mask is not None:
        w = w * mask.flatten(1)[:, :, None]
    weight = w.sum(1)[:, None]
    known = weight >= min_weight
    total = torch.einsum("bcn,bnt->bct", values.flatten(2), w)
    mean = torch.where(known, total / torch.where(known, weight, 1), 0)
    return [t.unflatten(-1, size) for t in (mean, weight, known.to(values.dtype))]


def points(b, c, h, w, reach=1.0, seed=0, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    values = torch.randn(b, c, h, w, dtype=dtype, generator=g)
    positions = (torch.rand(b, 2, h, w, dtype=dtype, generator=g) * 2 - 1) * reach
    return values, positions, (torch.rand(b, 1, h, w, generator=g) < 0.7).to(dtype)


RAGGED = [
    (1, 2, (5, 7), (6, 4)),
    (3, 1, (8, 3), (2, 9)),
    (2, 3, (4, 4), (1, 1)),
    (2, 5, (1, 9), (7, 3)),  # more channels than are unrolled
    (1, 9, (6, 6), (5, 5)),
]


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(("b", "c", "source", "target"), RAGGED)
@pytest.mark.parametrize("masked", [False, True])
def test_values_and_gradients_of_the_naive_twin(b, c, source, target, masked):
    values, positions, mask = points(b, c, *source, reach=1.4)  # some points lie outside, some on the border
    values.requires_grad_(), positions.requires_grad_()
    mask = mask if masked else None
    ours, naive = splat(values, positions, target, mask), naive_splat(values, positions, target, mask)
    for a, n in zip(ours, naive, strict=True):
        torch.testing.assert_close(a, n)
    cotangents = [torch.randn_like(ours.values), torch.randn_like(ours.weight)]
    inputs = (values, positions)
    ours_grad = torch.autograd.grad(ours[:2], inputs, cotangents)
    naive_grad = torch.autograd.grad(naive[:2], inputs, cotangents)
    for a, n in zip(ours_grad, naive_grad, strict=True):
        torch.testing.assert_close(a, n)


@pytest.mark.usefixtures("path")
def test_float32_agrees_with_float64():
    values, positions, mask = points(2, 3, 20, 20, reach=1.1)
    exact = splat(values, positions, (12, 15), mask)
    ours = splat(values.float(), positions.float(), (12, 15), mask.float())
    assert ours.values.dtype == ours.weight.dtype == ours.known.dtype == torch.float32
    torch.testing.assert_close(ours.weight.double(), exact.weight, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.values.double(), exact.values, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_gradcheck(channels, path):
    values, positions, mask = points(2, channels, 3, 4, reach=1.2, seed=3)
    values.requires_grad_(), positions.requires_grad_()
    fast = path == "triton"  # along random directions: the interpreter takes minutes for every entry
    assert torch.autograd.gradcheck(lambda v, p: splat(v, p, (4, 3), mask)[:2], (values, positions), fast_mode=fast)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("size", [(8, 16), (5, 7), (33, 20)])
def test_the_identity_gives_the_values_back(size):
    values = torch.randn(2, 3, *size, dtype=torch.float64)
    x = identity_grid(*size, dtype=torch.float64).expand(2, -1, -1, -1)
    result = splat(values, x, size)
    torch.testing.assert_close(result.values, values)
    torch.testing.assert_close(result.weight, torch.ones_like(result.weight))
    assert result.known.min() == 1


def test_the_identity_is_exact_in_float32_for_powers_of_two():
    values, x = torch.randn(1, 2, 64, 32), identity_grid(64, 32)[None]
    assert torch.equal(splat(values, x, (64, 32)).values, values)


def test_one_point_by_hand():
    # Texel index (1.25, 0.5) of a 4 x 2 target: three quarters left, one half up.
    position = torch.tensor([(2 * 1.25 + 1) / 4 - 1, 0.0]).reshape(1, 2, 1, 1)
    result = splat(torch.full((1, 1, 1, 1), 7.0), position, (2, 4))
    expected = torch.tensor([[0, 0.375, 0.125, 0], [0, 0.375, 0.125, 0]])
    torch.testing.assert_close(result.weight[0, 0], expected)
    torch.testing.assert_close(result.values[0, 0], 7.0 * (expected > 0))


@pytest.mark.usefixtures("path")
def test_a_kernel_over_the_border_keeps_its_inside_part():
    position = torch.tensor([-1.0, 0.0]).reshape(1, 2, 1, 1)  # on the left edge, between the pixels -1 and 0
    result = splat(torch.ones(1, 1, 1, 1), position, (1, 4))
    assert result.weight.flatten().tolist() == [0.5, 0, 0, 0]
    assert result.values.flatten().tolist() == [1, 0, 0, 0]


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("far", [-1.3, 1.3, 10.0, -1e30, 1e30, float("inf"), float("-inf"), float("nan")])
def test_points_outside_are_dropped(far):
    values, positions, _ = points(1, 2, 4, 4, reach=0.9)
    lost = positions.clone()
    lost[0, 1, 2, 3] = far
    mask = torch.ones(1, 1, 4, 4, dtype=torch.float64)
    mask[0, 0, 2, 3] = 0
    for a, n in zip(splat(values, lost, (6, 6)), splat(values, positions, (6, 6), mask), strict=True):
        assert torch.equal(a, n)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_bad_points_contribute_nothing_and_get_no_gradient(bad):
    values, positions, _ = points(2, 3, 4, 5, reach=0.9)
    mask = torch.ones(2, 1, 4, 5, dtype=torch.float64)
    broken_values, broken_positions = values.clone(), positions.clone()
    broken_values[0, 1, 2, 3] = bad  # one channel is enough
    broken_positions[1, 0, 0, 0] = bad
    mask[0, 0, 2, 3] = mask[1, 0, 0, 0] = 0
    runs = []
    for v, p, m in ((broken_values, broken_positions, None), (values, positions, mask)):
        v.requires_grad_(), p.requires_grad_()
        result = splat(v, p, (6, 6), m)
        loss = (result.values**2).sum() + (result.weight**2).sum()
        runs.append((*result, *torch.autograd.grad(loss, (v, p))))
    for a, n in zip(*runs, strict=True):
        assert torch.equal(a, n)
    grad_values, grad_positions = runs[0][3:]
    assert grad_values[0, :, 2, 3].eq(0).all()
    assert grad_positions[1, :, 0, 0].eq(0).all()


@pytest.mark.usefixtures("path")
def test_a_nan_gradient_of_unknown_texels_goes_nowhere():
    values, positions, _ = points(1, 2, 2, 2, reach=0.9)
    values.requires_grad_(), positions.requires_grad_()
    result = splat(values, positions, (9, 9))
    cotangent = torch.where(result.known > 0, 1.0, torch.nan).expand_as(result.values)
    for grad in torch.autograd.grad(result.values, (values, positions), cotangent):
        assert grad.isfinite().all()


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("shape", [(1, 2, 4, 4), (2, 2, 0, 4), (0, 2, 4, 4), (0, 2, 0, 0)])
def test_an_empty_map_is_all_unknown(shape):
    b, _, h, w = shape
    values = torch.full(shape, torch.nan, requires_grad=True)
    positions = torch.zeros(b, 2, h, w, requires_grad=True)
    result = splat(values, positions, (3, 5), torch.zeros(b, 1, h, w))
    assert [tuple(t.shape) for t in result] == [(b, 2, 3, 5), (b, 1, 3, 5), (b, 1, 3, 5)]
    assert all(t.eq(0).all() for t in result)
    for grad in torch.autograd.grad(result.values.sum() + result.weight.sum(), (values, positions)):
        assert grad.eq(0).all()


@pytest.mark.usefixtures("path")
def test_mass_is_conserved():
    values, positions, mask = points(3, 2, 9, 8, reach=1.0)
    positions = positions * (1 - 1 / 7)  # every kernel lies inside a target of 7 x 7
    result = splat(values, positions, (7, 7), mask, min_weight=1e-12)
    torch.testing.assert_close(result.weight.sum((1, 2, 3)), mask.sum((1, 2, 3)))
    torch.testing.assert_close((result.values * result.weight).sum((2, 3)), (values * mask).sum((2, 3)))


@pytest.mark.usefixtures("path")
def test_the_order_of_the_source_pixels_does_not_matter():
    values, positions, mask = points(2, 2, 6, 6)
    order = torch.randperm(36, generator=torch.Generator().manual_seed(0))
    shuffled = [t.flatten(2)[..., order].unflatten(2, (4, 9)) for t in (values, positions, mask)]
    for a, n in zip(splat(values, positions, (5, 6), mask), splat(*shuffled[:2], (5, 6), shuffled[2]), strict=True):
        torch.testing.assert_close(a, n)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(
    b=st.integers(1, 3),
    c=st.integers(1, 6),
    source=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    target=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    reach=st.floats(0, 2),
    seed=st.integers(0, 999),
)
def test_every_texel_is_a_mean_of_source_values(b, c, source, target, reach, seed):
    values, positions, mask = points(b, c, *source, reach=reach, seed=seed)
    result = splat(values, positions, target, mask)
    highest, lowest = values.amax((2, 3), keepdim=True), values.amin((2, 3), keepdim=True)
    inside = (result.values <= highest + 1e-9) & (result.values >= lowest - 1e-9)
    assert (inside | (result.known == 0)).all()
    assert torch.equal(result.known, (result.weight >= 1e-3).double())
    assert result.values[(result.known == 0).expand_as(result.values)].eq(0).all()
    assert (result.weight.sum((1, 2, 3)) <= mask.sum((1, 2, 3)) + 1e-9).all()


def test_min_weight_sets_what_is_known():
    position = torch.tensor([0.0, 0.0]).reshape(1, 2, 1, 1)  # a quarter to each of four texels
    value = torch.ones(1, 1, 1, 1)
    assert splat(value, position, (2, 2), min_weight=0.25).known.sum() == 4
    assert splat(value, position, (2, 2), min_weight=0.26).known.sum() == 0


def test_the_result_is_the_same_bit_for_bit_with_any_number_of_threads():
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            for b in (1, 2, 5):
                values, positions, mask = points(b, 2, 80, 60, reach=1.1, dtype=torch.float32)
                values.requires_grad_(), positions.requires_grad_()
                result = splat(values, positions, (31, 29), mask)
                grads = torch.autograd.grad(
                    result.values.square().sum() + result.weight.square().sum(), (values, positions)
                )
                results.append((threads, b, [*result, *grads]))
    finally:
        torch.set_num_threads(before)
    first = {b: tensors for threads, b, tensors in results if threads == 1}
    for _, b, tensors in results:
        assert all(torch.equal(a, n) for a, n in zip(tensors, first[b], strict=True))


def test_round_trip_of_a_smooth_map():
    """Splat the coordinates, sample them back at the same places: C(M(x)) = x to a fraction of a pixel."""
    x = identity_grid(96, 96)[None]
    angle = torch.tensor(0.3)
    turn = torch.stack((torch.stack((angle.cos(), -angle.sin())), torch.stack((angle.sin(), angle.cos()))))
    positions = 0.7 * torch.einsum("ij,bjhw->bihw", turn, x) + 0.03 * torch.sin(4 * x.flip(1))
    body = (x.square().sum(1, keepdim=True) < 0.8).float()
    c = splat(x, positions, (64, 64), body)
    back = sample(c.values, positions)
    # Away from the outline, where C mixes with unknown texels.
    inner = (x.square().sum(1, keepdim=True) < 0.7).float()
    pixels = ((back - x) * 96 / 2).norm(dim=1, keepdim=True)[inner > 0]
    assert pixels.mean() < 0.03
    assert pixels.max() < 0.1


def test_expanded_and_strided_input():
    x = identity_grid(6, 8).expand(3, -1, -1, -1)
    positions = (0.8 * identity_grid(8, 6)).expand(3, -1, -1, -1).transpose(2, 3)
    plain = splat(x.contiguous(), positions.contiguous(), (5, 5))
    for a, n in zip(splat(x, positions, (5, 5)), plain, strict=True):
        assert torch.equal(a, n)


def test_the_gradient_moves_a_point_to_where_it_should_be():
    """The derivative in the positions is good for something: one point finds its target texel."""
    positions = torch.tensor([0.1, -0.2]).reshape(1, 2, 1, 1).requires_grad_()
    optimiser = torch.optim.SGD([positions], lr=0.02)
    for _ in range(60):
        optimiser.zero_grad()
        weight = splat(torch.ones(1, 1, 1, 1), positions, (4, 4)).weight
        (1 - weight[0, 0, 2, 2]).backward()
        optimiser.step()
    torch.testing.assert_close(positions.detach().flatten(), torch.tensor([0.25, 0.25]), atol=0.05, rtol=0)


def test_second_derivatives_are_refused():
    values, positions, _ = points(1, 1, 2, 2)
    values.requires_grad_()
    (grad,) = torch.autograd.grad(splat(values, positions, (3, 3)).values.square().sum(), values, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


V, P = torch.zeros(2, 3, 4, 5), torch.zeros(2, 2, 4, 5)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((V, P[:1], (4, 4)), r"the same batch and size, got \(2, 3, 4, 5\) and \(1, 2, 4, 5\)"),
        ((V, P.transpose(2, 3), (4, 4)), "the same batch and size"),
        ((V, torch.zeros(2, 4, 5, 2), (4, 4)), r"positions \(b, 2, h, w\)"),
        ((V[0], P[0], (4, 4)), r"got \(3, 4, 5\)"),
        ((V, P, (4, 4), torch.ones(2, 4, 5)), r"mask \(b, 1, h, w\)"),
        ((V, P.double(), (4, 4)), "both float32 or both float64"),
        ((V.half(), P.half(), (4, 4)), r"got torch.float16 and torch.float16; convert with .float\(\)"),
        ((V.long(), P, (4, 4)), "torch.int64"),
        ((V, P, (0, 4)), "at least one texel"),
        ((V, P, (4, 4, 4)), r"target size \(height, width\)"),
        ((V.to("meta"), P, (4, 4)), "one device, got cpu and meta"),
    ],
)
def test_wrong_input_is_named(args, message):
    with pytest.raises(ValueError, match=message):
        splat(*args)


@pytest.mark.parametrize("min_weight", [0.0, -1.0, float("nan")])
def test_min_weight_is_above_zero(min_weight):
    with pytest.raises(ValueError, match="min_weight above 0"):
        splat(V, P, (4, 4), min_weight=min_weight)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_cpu():
    values, positions, mask = points(3, 4, 40, 30, reach=1.2)
    runs = []
    for device in ("cpu", "cuda"):
        v, p = (t.to(device).requires_grad_() for t in (values, positions))
        result = splat(v, p, (25, 35), mask.to(device))
        grads = torch.autograd.grad(result.values.square().sum() + result.weight.square().sum(), (v, p))
        runs.append([t.detach().cpu() for t in (*result, *grads)])
    for a, n in zip(*runs, strict=True):
        torch.testing.assert_close(a, n)


@pytest.mark.skipif(torch.cuda.is_available(), reason="on a CUDA device Triton can work")
def test_where_triton_does_not_work_it_is_said_once_and_plain_torch_takes_over(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: object())
    module._triton_works.cache_clear()
    with pytest.warns(UserWarning, match="splat runs without its fused kernel: Triton does not work here .*"):
        assert not module._triton_works()
    assert not module._triton_works(), "no second warning"
    module._triton_works.cache_clear()


@pytest.mark.parametrize("dtype", ["fp32", "fp64"])
def test_the_kernels_compile_for_a_gpu_that_is_not_here(dtype):
    """Down to machine code for compute capability 9.0, by the compiler that Triton brings along."""
    pytest.importorskip("triton", reason="the package triton is not installed")
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", COMPILE, dtype],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.split() == ["_scatter", "_divide", "_gather"], done.stderr


def test_without_triton_plain_torch_takes_over(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    module._triton_works.cache_clear()
    assert not module._triton_works()
    module._triton_works.cache_clear()
