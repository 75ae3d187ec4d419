"""Filling without learning: against loops that any reader can check, and where there is nothing to copy from."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posekit.ops.fill import fill_mirror, fill_nearest
from posekit.ops.grids import identity_grid, norm_to_index


def holes(b, c, h, w, share, seed):
    g = torch.Generator().manual_seed(seed)
    known = (torch.rand(b, 1, h, w, generator=g) < share).double()
    return torch.randn(b, c, h, w, generator=g, dtype=torch.float64) * known, known


def naive_nearest(C, known):
    """For every texel, all known texels by distance; the set of admissible values when several are equally near."""
    h, w = C.shape[-2:]
    spots = [(i, j) for i in range(h) for j in range(w) if known[0, i, j] > 0.5]
    allowed = {}
    for i in range(h):
        for j in range(w):
            distance = [(i - k) ** 2 + (j - m) ** 2 for k, m in spots]
            allowed[i, j] = [C[:, k, m] for d, (k, m) in zip(distance, spots, strict=True) if d == min(distance)]
    return allowed


@settings(max_examples=25, deadline=None)
@given(h=st.integers(1, 9), w=st.integers(1, 9), share=st.floats(0.05, 0.9), seed=st.integers(0, 1000))
def test_nearest_equals_the_loop(h, w, share, seed):
    C, known = holes(2, 3, h, w, share, seed)
    filled = fill_nearest(C, known)
    for item in range(2):
        if known[item].sum() == 0:
            assert (filled[item] == 0).all()
            continue
        for (i, j), values in naive_nearest(C[item], known[item]).items():
            assert any(torch.equal(filled[item, :, i, j], v) for v in values)


def test_known_texels_stay_and_filling_twice_changes_nothing():
    C, known = holes(3, 2, 16, 16, 0.2, 1)
    filled = fill_nearest(C, known)
    assert torch.equal(filled * known, C)
    assert torch.equal(fill_nearest(filled, torch.ones_like(known)), filled)


def test_one_known_texel_fills_everything():
    C, known = torch.zeros(1, 2, 5, 7), torch.zeros(1, 1, 5, 7)
    C[0, :, 3, 4], known[0, 0, 3, 4] = torch.tensor([0.25, -0.5]), 1
    assert torch.equal(fill_nearest(C, known), torch.tensor([0.25, -0.5]).view(1, 2, 1, 1).expand(1, 2, 5, 7))


def test_nothing_known_gives_zeros_not_the_garbage_that_was_there():
    C = torch.full((2, 2, 4, 4), 7.0)
    known = torch.zeros(2, 1, 4, 4)
    known[1] = 1
    filled = fill_nearest(C, known)
    assert (filled[0] == 0).all()
    assert (filled[1] == 7).all()


def test_gradient_counts_the_copies():
    C = torch.zeros(1, 1, 1, 4, requires_grad=True)
    fill_nearest(C, torch.tensor([[[[1.0, 0, 0, 0]]]])).sum().backward()
    assert C.grad.flatten().tolist() == [4, 0, 0, 0]
    C, known = holes(2, 2, 4, 5, 0.4, 3)
    assert torch.autograd.gradcheck(lambda c: fill_nearest(c, known), C.requires_grad_())


def flipped_columns(size, dtype=torch.float32):
    """The mirror table of an atlas whose right half is the mirror image of its left half."""
    grid = identity_grid(size, size, dtype=dtype)
    return torch.stack((-grid[0], grid[1]))


def naive_mirror(C, known, mirror):
    """Texel by texel: four neighbours of the mirror position, the known ones weighted."""
    t = C.shape[-1]
    out, now_known = C.clone() * known, known.clone()
    for i in range(t):
        for j in range(t):
            u, v = mirror[:, i, j].tolist()
            if known[0, i, j] > 0 or not (abs(u) <= 1 and abs(v) <= 1):
                continue
            x, y = norm_to_index(u, t), norm_to_index(v, t)
            total, mass = torch.zeros(2, dtype=C.dtype), 0.0
            for k in range(t):
                for m in range(t):
                    weight = max(0, 1 - abs(x - m)) * max(0, 1 - abs(y - k)) * float(known[0, k, m])
                    total, mass = total + weight * C[:, k, m], mass + weight
            if mass >= 0.5:
                out[:, i, j], now_known[0, i, j] = total / mass, 1
    return out, now_known


def test_mirror_equals_the_loop_between_texels_too():
    C, known = holes(2, 2, 9, 9, 0.4, 5)
    mirror = flipped_columns(9, torch.float64) + 0.37 * 2 / 9  # off the texel centres: bilinear weights matter
    mirror[:, 0, :] = torch.nan
    filled, now = fill_mirror(C, known, mirror)
    for item in range(2):
        values, expected = naive_mirror(C[item], known[item], mirror)
        assert torch.equal(now[item], expected)
        assert torch.allclose(filled[item], values, atol=1e-12)
    assert now.sum() > known.sum() + 20
    assert not filled.isnan().any()


def test_mirror_copies_exactly_one_half():
    known = torch.zeros(1, 1, 8, 8)
    known[..., :4] = 1
    C = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(0)) * known
    filled, now = fill_mirror(C, known, flipped_columns(8))
    assert int(now.sum()) == 64
    assert torch.allclose(filled, C + C.flip(-1))
    again, _ = fill_mirror(filled, now, flipped_columns(8))
    assert torch.equal(again, filled)


def test_mirror_leaves_what_has_no_mirror_image():
    known = torch.zeros(1, 1, 8, 8)
    known[..., :4] = 1
    for nothing in (torch.full((2, 8, 8), torch.nan), torch.full((2, 8, 8), -10.0)):
        filled, now = fill_mirror(known.expand(1, 2, 8, 8).clone(), known, nothing)
        assert torch.equal(now, known)
        assert torch.equal(filled, known.expand(1, 2, 8, 8))


def test_mirror_table_of_another_size():
    known = torch.zeros(1, 1, 8, 8)
    known[..., :4] = 1
    C = identity_grid(8, 8)[None] * known
    filled, now = fill_mirror(C, known, flipped_columns(32))
    assert int(now.sum()) == 64
    assert (filled - (C + C.flip(-1))).abs().max() < 2 / 32


@pytest.mark.usefixtures("unchecked")
def test_wrong_shapes_are_one_sentence():
    C, known = torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 5)
    with pytest.raises(ValueError, match=r"known of shape \(1, 1, 4, 4\), got \(1, 1, 4, 5\)"):
        fill_nearest(C, known)
    with pytest.raises(ValueError, match="known of shape"):
        fill_mirror(C, known, torch.zeros(2, 4, 4))
    with pytest.raises(ValueError, match="mirror table of shape"):
        fill_mirror(C, torch.zeros(1, 1, 4, 4), torch.zeros(1, 2, 4, 4))
