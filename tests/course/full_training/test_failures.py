"""Known failures: what each one is, pixel by pixel, and that metrics are compared in one unit."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from posekit_course.full_training import failures as f
from posekit_course.full_training.failures import (
    FAILURES,
    HARMLESS,
    REPLACED,
    Failures,
    bad_by_metric,
    badness,
    beside_harmless,
)

from posekit.person import Pair, collate_pairs
from posekit.util.errors import InputError
from tests.synthetic import make_pair

SIZE = 48


def batch_of(n=3, size=SIZE):
    pairs = []
    for identity in range(n):
        pair = make_pair(identity, size)
        hands = torch.zeros(1, size, size)
        hands[:, 20:24, 20:24] = 1
        pairs.append(Pair(pair.source, dataclasses.replace(pair.target, hands=hands)))
        pairs[-1] = Pair(dataclasses.replace(pair.source, hands=hands), pairs[-1].target)
    return collate_pairs(pairs)


@pytest.fixture(scope="module")
def spoilt():
    return Failures(batch_of())


@pytest.mark.parametrize("name", FAILURES)
def test_strength_goes_from_the_truth_to_the_whole_failure(name, spoilt):
    truth = spoilt.truth
    assert torch.equal(spoilt.spoil(name, 0.0), truth)
    distances = [float((spoilt.spoil(name, s) - truth).abs().mean()) for s in (0, 0.25, 0.5, 0.75, 1)]
    assert distances[-1] > 0
    assert all(a <= b + 1e-6 for a, b in zip(distances[:-1], distances[1:], strict=True))
    whole = spoilt.spoil(name)
    assert whole.shape == truth.shape
    assert whole.min() >= 0
    assert whole.max() <= 1
    assert torch.equal(spoilt.spoil(name, 0.5), Failures(batch_of()).spoil(name, 0.5))  # no hidden chance


@pytest.mark.parametrize("name", REPLACED)
def test_what_is_replaced_is_replaced_from_the_top(name, spoilt):
    half, rows = spoilt.spoil(name, 0.5), SIZE // 2
    assert torch.equal(half[..., rows:, :], spoilt.truth[..., rows:, :])
    assert torch.equal(half[..., :rows, :], spoilt.spoil(name)[..., :rows, :])


def test_each_failure_is_what_its_name_says(spoilt):
    N, body, batch = spoilt.truth, spoilt.batch.target.mask, spoilt.batch
    whole = {name: spoilt.spoil(name) for name in FAILURES}
    assert torch.equal(whole[HARMLESS][..., 1:], N[..., :-1])
    assert torch.equal(whole["mirrored"], N.flip(-1))
    assert torch.equal(whole["source returned"], batch.source.image)
    torch.testing.assert_close(whole["mean picture"][1], N.mean(0))
    assert torch.equal(whole["another photo behind"] * body, N * body)
    on_wall = (1 - body[0]).bool().expand(3, -1, -1)
    assert torch.equal(whole["another photo behind"][0][on_wall], N[1][on_wall])
    assert torch.equal(whole["wrong person"] * (1 - body), N * (1 - body))
    assert ((whole["wrong person"] - N) * body).abs().mean() > 0.05
    changed = (whole["hands missing"] != N).any(1)
    assert changed[:, 19:25, 19:25].float().mean() > 0.9  # with a rim of one pixel
    changed[:, 19:25, 19:25] = False
    assert not changed.any()
    cast = (whole["colour cast"] - N).mean((0, 2, 3))
    assert cast[0] > 0.05 > cast[1] == 0 > -0.05 > cast[2]
    pattern = whole["checkerboard"] - N
    inner = (N > 0.06) & (N < 0.94)
    assert torch.allclose(pattern.abs()[inner], torch.tensor(f.CHECKERS), atol=1e-6)
    assert ((pattern[..., 1:] * pattern[..., :-1])[inner[..., 1:] & inner[..., :-1]] < 0).all()
    tiles = F.unfold(whole["tiles shuffled"], f.TILE, stride=f.TILE), F.unfold(N, f.TILE, stride=f.TILE)
    sums = [torch.sort(t.sum(1), dim=1).values for t in tiles]
    torch.testing.assert_close(*sums)  # the same tiles ...
    assert (tiles[0] != tiles[1]).any(1).all()  # ... none at its place


def test_blur_keeps_the_mean_and_agrees_with_its_definition():
    image = torch.rand(1, 2, 30, 30, generator=torch.Generator().manual_seed(0))
    sigma, x = 1.3, torch.arange(30.0)
    weight = torch.exp(-((x[:, None] - x) ** 2) / (2 * sigma**2))
    weight[(x[:, None] - x).abs() > int(3 * sigma) + 1] = 0
    weight = weight / weight.sum(1, keepdim=True)
    naive = torch.einsum("yr,xc,bkrc->bkyx", weight, weight, image)
    torch.testing.assert_close(f.blurred(image, sigma)[..., 6:-6, 6:-6], naive[..., 6:-6, 6:-6])
    constant = torch.full((1, 1, 9, 9), 0.3)
    torch.testing.assert_close(f.blurred(constant, 2.0), constant)


def test_badness_is_0_for_the_truth_and_alike_for_half_and_double():
    for metric, perfect in (("l1", 0.0), ("ssim", 1.0), ("ms_ssim", 1.0), ("gradient_energy_ratio", 1.0)):
        assert badness(metric, np.array([perfect])) == 0
    assert badness("gradient_energy_ratio", np.array([0.5, 2.0])).tolist() == [1, 1]
    assert badness("ssim", np.array([0.25])) == 0.75
    assert np.isfinite(badness("gradient_energy_ratio", np.array([0.0])))


def test_table_is_in_units_of_the_harmless_shift(spoilt):
    found = bad_by_metric(spoilt, {"the truth": spoilt.truth})
    names, kinds, table = beside_harmless(found)
    assert names == [*FAILURES, "the truth"]
    assert np.allclose(table[names.index(HARMLESS)], 1)
    assert np.allclose(table[names.index("the truth")], 0, atol=1e-5)
    row, column = names.index("noise"), kinds.index("l1")
    l1 = {name: float((spoilt.spoil(name) - spoilt.truth).abs().mean()) for name in ("noise", HARMLESS)}
    assert table[row, column] == pytest.approx(l1["noise"] / l1[HARMLESS], rel=1e-4)
    assert set(kinds) <= set(f.METRICS)


def test_the_metric_that_finds_a_failure_worst():
    names, kinds = [HARMLESS, "noise", "colour cast", "hands missing"], ["l1", "ssim", "sliced_wasserstein"]
    table = np.array([[1, 1, 1], [3, 4.4, 2], [2.5, 0.1, 6.1], [0.1, 0.2, 0.6]])
    assert f.caught_by(names, kinds, table) == {
        "noise": "SSIM",
        "colour cast": "sliced Wasserstein",
        "hands missing": "no metric",
    }


def test_bad_input_is_named(spoilt):
    with pytest.raises(InputError, match="did you mean 'blurred'"):
        spoilt.spoil("blured")
    with pytest.raises(InputError, match="between 0 and 1, got 2"):
        spoilt.spoil("noise", 2)
    with pytest.raises(InputError, match="at least two people"):
        Failures(batch_of(1))
    with pytest.raises(InputError, match="hands"):
        Failures(collate_pairs([make_pair(0, SIZE), make_pair(1, SIZE)]))
