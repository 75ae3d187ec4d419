"""Correlation, soft mutual filter and normalisation against their equations, written out as loops."""

import pytest
import torch

from posekit.ops.correlation import LEAST, correlate, matching, mutual_filter, unit_length


def features(b=2, m=5, h=3, w=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    return unit_length(torch.randn(b, m, h, w, dtype=torch.float64, generator=g))


def by_loops(z_s, z_t, filtered=True):
    """Equations (1), (9) and (2), number by number: Q[i, j, v, u] of one pair."""
    _, h, w = z_s.shape
    _, H, W = z_t.shape
    C = {
        (i, j, v, u): sum(z_s[k, i, j] * z_t[k, v, u] for k in range(len(z_s)))
        for i in range(h) for j in range(w) for v in range(H) for u in range(W)
    }  # fmt: skip
    Q = dict(C)
    if filtered:
        for i, j, v, u in C:
            best_source = torch.stack([C[a, b, v, u] for a in range(h) for b in range(w)]).max()
            best_target = torch.stack([C[i, j, a, b] for a in range(H) for b in range(W)]).max()
            gamma = C[i, j, v, u] / best_source * C[i, j, v, u] / best_target
            Q[i, j, v, u] = gamma * C[i, j, v, u]
    rows = []
    for i in range(h):
        for j in range(w):
            for v in range(H):
                for u in range(W):
                    length2 = sum(Q[a, b, v, u] ** 2 for a in range(h) for b in range(w))
                    rows.append(Q[i, j, v, u] / length2**0.5)
    return torch.stack(rows).view(h * w, H, W)


@pytest.mark.parametrize("filtered", [True, False])
def test_matching_is_the_written_equations_with_their_gradients(filtered):
    z_s, z_t = features(2, 4, 2, 3).requires_grad_(), features(2, 4, 3, 2, seed=1).requires_grad_()
    ours = matching(z_s, z_t, filtered=filtered)
    naive = torch.stack([by_loops(s, t, filtered) for s, t in zip(z_s, z_t, strict=True)])
    torch.testing.assert_close(ours, naive)
    weights = torch.randn_like(naive)
    mine = torch.autograd.grad(ours, (z_s, z_t), weights)
    theirs = torch.autograd.grad(naive, (z_s, z_t), weights)
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b)


def test_the_parts_together_are_matching():
    z_s, z_t = features(), features(seed=1)
    torch.testing.assert_close(matching(z_s, z_t), unit_length(mutual_filter(correlate(z_s, z_t))))
    torch.testing.assert_close(matching(z_s, z_t, filtered=False), unit_length(correlate(z_s, z_t)))


@pytest.mark.parametrize("filtered", [True, False])
def test_gradcheck(filtered):
    z_s, z_t = features(2, 3, 2, 2).requires_grad_(), features(2, 3, 2, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda s, t: matching(s, t, filtered=filtered), (z_s, z_t))


def test_blocks_of_rows_change_nothing(monkeypatch):
    """As many source pixels at a time as fit; here one, or two and a rest."""
    z_s, z_t = features(h=5, w=1).requires_grad_(), features(seed=1).requires_grad_()
    whole = matching(z_s, z_t)
    expected = torch.autograd.grad(whole.pow(3).sum(), (z_s, z_t))
    for block in (1, 24):
        monkeypatch.setattr("posekit.ops.correlation._BLOCK", {"cpu": block})
        parts = matching(z_s, z_t)
        torch.testing.assert_close(parts, whole)
        for a, b in zip(torch.autograd.grad(parts.pow(3).sum(), (z_s, z_t)), expected, strict=True):
            torch.testing.assert_close(a, b)


def test_channels_are_the_source_pixels_row_by_row():
    z_s, z_t = features(), features(seed=1)
    C = correlate(z_s, z_t)
    assert C.shape == (2, 12, 3, 4)
    for i, j, v, u in ((0, 0, 0, 0), (1, 2, 2, 3), (2, 1, 0, 2)):
        torch.testing.assert_close(C[1, 4 * i + j, v, u], z_s[1, :, i, j] @ z_t[1, :, v, u])


def test_moving_the_target_moves_the_result():
    """Shift equivariance: the maxima are over whole pictures, so a shift that wraps around changes no number."""
    z_s, z_t = features(), features(seed=1)
    Q = matching(z_s, z_t)
    torch.testing.assert_close(matching(z_s, z_t.roll((1, 2), (2, 3))), Q.roll((1, 2), (2, 3)))
    moved = matching(z_s.roll((1, 2), (2, 3)), z_t)
    torch.testing.assert_close(moved.view(2, 3, 4, 3, 4), Q.view(2, 3, 4, 3, 4).roll((1, 2), (1, 2)))


def test_one_to_one_matches_survive_and_ambiguous_ones_shrink():
    """Rows: source pixels.  0 and 1 are each other's best with target pixels 0 and 1; source 2 looks like both."""
    C = torch.tensor([[1.0, 0.2], [0.2, 0.9], [0.6, 0.6]]).view(1, 3, 1, 2)
    filtered = mutual_filter(C)[0, :, 0]
    assert filtered[0, 0] == 1
    assert filtered[1, 1] == pytest.approx(0.9)
    assert filtered[2].tolist() == pytest.approx([0.36, 0.4])  # 0.6 x (0.6 / 1) and 0.6 x (0.6 / 0.9), row maximum 0.6
    assert filtered[0, 1] == pytest.approx(0.2 * 0.2 / 0.9 * 0.2)
    before, after = unit_length(C)[0, :, 0], unit_length(mutual_filter(C))[0, :, 0]
    assert (after[[0, 1], [0, 1]] > before[[0, 1], [0, 1]]).all()
    assert (after[2] < before[2]).all()


def test_a_permutation_is_found():
    """Features that occur once in each picture: the filter leaves a sharper correspondence than cosine alone."""
    z = unit_length(torch.randn(1, 16, 4, 4, generator=torch.Generator().manual_seed(0)))
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    z_t = z.flatten(2)[..., order].view_as(z)
    Q, plain = matching(z, z_t).flatten(2)[0], matching(z, z_t, filtered=False).flatten(2)[0]
    assert torch.equal(Q.argmax(0), order)
    on = Q[order, torch.arange(16)]
    assert (on > plain[order, torch.arange(16)]).all()
    assert on.min() > 0.8


def test_the_maximum_over_the_source_is_divided_out():
    """What the docstring of `matching` says: equation (2) removes one of the two maxima of equation (9)."""
    C = correlate(features(), features(seed=1))
    without = C * C * (C / C.amax((2, 3), keepdim=True).clamp(min=LEAST))
    torch.testing.assert_close(unit_length(mutual_filter(C)), unit_length(without))


def test_every_target_pixel_has_unit_length():
    Q = matching(features(), features(seed=1))
    torch.testing.assert_close(Q.square().sum(1), torch.ones(2, 3, 4, dtype=torch.float64))


def test_pixels_without_a_match_stay_finite():
    z_s, z_t = features().requires_grad_(), features(seed=1).requires_grad_()
    for s, t in ((z_s * 0, z_t), (z_s, z_t * 0), (-z_t.abs(), z_t.abs())):  # the last: all similarities below 0
        Q = matching(s, t)
        assert Q.isfinite().all()
        gradients = torch.autograd.grad(Q.sum(), (z_t,) if s is not z_s else (z_s,), retain_graph=True)
        assert all(g.isfinite().all() for g in gradients)


def test_half_precision_is_computed_in_float32():
    z_s, z_t = features().float(), features(seed=1).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        Q = matching(z_s, z_t)
    assert Q.dtype == torch.float32
    assert torch.equal(Q, matching(z_s, z_t))
    assert matching(z_s.bfloat16(), z_t.bfloat16()).dtype == torch.float32


def test_only_features_and_result_are_kept_for_the_backward_pass():
    z_s, z_t = features(2, 5, 8, 8).requires_grad_(), features(2, 5, 8, 8, seed=1).requires_grad_()
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        Q = matching(z_s, z_t)
    large = {t.untyped_storage().data_ptr() for t in kept if t.numel() >= Q.numel()}
    assert large == {Q.untyped_storage().data_ptr()}


def test_bad_input(unchecked):
    with pytest.raises(ValueError, match=r"got \(2, 5, 3, 4\) and \(2, 4, 3, 4\)"):
        correlate(features(), features(m=4))
    with pytest.raises(ValueError, match="A correlation compares"):
        matching(features()[0], features()[0])
