"""The nearest-neighbour loss against a naive twin, in both implementations, and what it keeps in memory."""

import math

import pytest
import torch

import posekit.losses.nearest_neighbour as module
from posekit.losses.nearest_neighbour import nearest_neighbour_loss
from posekit.util.errors import InputError


@pytest.fixture(params=["numba", "torch"], autouse=True)
def implementation(request, monkeypatch):
    """Every test runs with the CPU loops and with the operators of other devices."""
    if request.param == "torch":
        monkeypatch.setattr(module, "_search_numba", module._search_torch)
        monkeypatch.setattr(module, "_slopes_numba", module._slopes_torch)
    return request.param


def naive(a, b, window):
    """Equations (1) to (5) as a double loop over pixels."""
    n, _, h, w = a.shape
    r, total = window // 2, 0.0
    for k in range(n):
        for y in range(h):
            for x in range(w):
                near = [
                    (a[k, :, y, x] - b[k, :, v, u]).abs().sum()
                    for v in range(max(0, y - r), min(h, y + r + 1))
                    for u in range(max(0, x - r), min(w, x + r + 1))
                ]
                total = total + torch.stack(near).min()
    return total / n


def maps(*shape, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_() for _ in range(2)]


@pytest.mark.parametrize("window", [1, 3, 5, 7])
@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 4, 6, 6), (1, 9, 4, 3), (1, 1, 1, 4), (1, 2, 2, 2)])
def test_equals_naive_twin(window, shape):
    a, b = maps(*shape, dtype=torch.float64)
    ours, theirs = nearest_neighbour_loss(a, b, window, mean=False), naive(a, b, window)
    torch.testing.assert_close(ours, theirs)
    for x, y in zip(torch.autograd.grad(ours, (a, b)), torch.autograd.grad(theirs, (a, b)), strict=True):
        torch.testing.assert_close(x, y)
    torch.testing.assert_close(nearest_neighbour_loss(a, b, window) * math.prod(shape[1:]), ours)


def test_gradcheck():
    a, b = maps(1, 5, 3, 3, dtype=torch.float64)
    scale = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)

    def loss(a, b, scale):
        return scale * nearest_neighbour_loss(a, b, 3, mean=False)

    assert torch.autograd.gradcheck(loss, (a, b, scale))
    assert torch.autograd.gradgradcheck(loss, (a, b, scale))


@pytest.mark.parametrize("window", [3, 7])
def test_float32_equals_float64(window):
    a, b = maps(2, 6, 40, 50)  # large enough for threads
    exact = nearest_neighbour_loss(a.double(), b.double(), window)
    torch.testing.assert_close(nearest_neighbour_loss(a, b, window), exact.float())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_compared_in_float32(dtype):
    a, b = maps(2, 5, 6, 7, dtype=dtype)
    full = [x.detach().float().requires_grad_() for x in (a, b)]
    ours, theirs = nearest_neighbour_loss(a, b, 3), nearest_neighbour_loss(*full, 3)
    assert ours.dtype == torch.float32
    assert ours == theirs
    for x, y in zip(torch.autograd.grad(ours, (a, b)), torch.autograd.grad(theirs, full), strict=True):
        assert x.dtype == dtype
        torch.testing.assert_close(x, y.to(dtype))
    mixed = nearest_neighbour_loss(a, full[1], 3)
    assert mixed == theirs
    assert torch.autograd.grad(mixed, a)[0].dtype == dtype


def test_does_not_depend_on_threads_or_layout():
    a, b = maps(1, 6, 40, 50)
    found = []
    before = torch.get_num_threads()
    try:
        for threads, layout in ((1, torch.contiguous_format), (3, torch.contiguous_format), (3, torch.channels_last)):
            torch.set_num_threads(threads)
            loss = nearest_neighbour_loss(a.to(memory_format=layout), b.to(memory_format=layout), 5)
            found.append((loss, *torch.autograd.grad(loss, (a, b))))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        torch.testing.assert_close(other[0], found[0][0])
        assert all(torch.equal(x, y) for x, y in zip(other[1:], found[0][1:], strict=True))


def test_keeps_one_number_a_pixel_besides_the_inputs():
    a, b = maps(2, 16, 12, 12)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        nearest_neighbour_loss(a, b, 5)
    beyond = [t for t in kept if t.data_ptr() not in (a.data_ptr(), b.data_ptr())]
    assert sum(t.numel() * t.element_size() for t in beyond) <= 4 * 2 * 12 * 12 + 64  # the offsets, a few scalars


def test_window_one_is_l1_and_larger_windows_forgive_more():
    a, b = maps(1, 4, 12, 12)
    losses = [nearest_neighbour_loss(a, b, window).item() for window in (1, 3, 5, 7)]
    assert losses[0] == pytest.approx((a - b).abs().mean().item())
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] > 0


@pytest.mark.parametrize(("window", "forgiven"), [(3, 1), (5, 2), (7, 3)])
def test_forgives_exactly_the_shifts_within_the_window(window, forgiven):
    scene = torch.rand(1, 4, 20, 20, generator=torch.Generator().manual_seed(0))
    here = scene[..., 4:-4, 4:-4]

    def loss_inside(shift):
        moved = scene[..., 4:-4, 4 + shift : 16 + shift]
        return module._search_numba(here, moved, window // 2)[0][..., 4:-4].sum().item()  # away from the border

    assert loss_inside(forgiven) == 0
    assert loss_inside(-forgiven) == 0
    assert loss_inside(forgiven + 1) > 1


def test_of_equal_targets_the_first_in_reading_order_wins():
    a, b = torch.ones(1, 1, 3, 3), torch.zeros(1, 1, 3, 3, requires_grad=True)
    nearest_neighbour_loss(a, b, 3, mean=False).backward()
    assert b.grad.flatten().tolist() == [-4, -2, 0, -2, -1, 0, 0, 0, 0]


def test_nan_is_not_hidden():
    a, b = (x.detach() for x in maps(1, 5, 6, 6))
    b[0, 2, 3, 3] = torch.nan
    assert nearest_neighbour_loss(a, b, 3).isnan()


def test_only_what_needs_a_gradient_gets_one():
    a, b = maps(1, 5, 6, 6)
    assert nearest_neighbour_loss(a.detach(), b.detach()).grad_fn is None
    nearest_neighbour_loss(a, b.detach()).backward()
    assert a.grad.abs().max() == pytest.approx(1 / (5 * 6 * 6))
    a.grad = None
    nearest_neighbour_loss(a.detach(), b).backward()
    assert b.grad.abs().max() > 0


def test_bad_input(unchecked):
    x = torch.rand(1, 2, 4, 4)
    with pytest.raises(InputError, match="positive odd number, got 4"):
        nearest_neighbour_loss(x, x, 4)
    with pytest.raises(InputError, match="maps of one shape"):
        nearest_neighbour_loss(x, x[..., 1:], 3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_cpu(implementation):
    a, b = maps(2, 6, 9, 11, dtype=torch.float64)
    c, d = (x.detach().cuda().requires_grad_() for x in (a, b))
    here, there = nearest_neighbour_loss(a, b, 5), nearest_neighbour_loss(c, d, 5)
    torch.testing.assert_close(there.cpu(), here)
    for x, y in zip(torch.autograd.grad(there, (c, d)), torch.autograd.grad(here, (a, b)), strict=True):
        torch.testing.assert_close(x.cpu(), y)
