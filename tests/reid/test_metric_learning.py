"""KISSME and XQDA: their scatters pair by pair, their matrices by scipy, and what they are good for."""

import numpy as np
import pytest
import scipy.linalg
import torch

from posekit.reid.metric_learning import RIDGE, kissme, mahalanobis, pair_weights, scatters, xqda
from posekit.reid.ranking import Labels, feature_distances, rank_gallery
from posekit.util.errors import InputError


@pytest.fixture(scope="module")
def data():
    """12 people, a feature by each of 4 cameras: three directions say who it is, the fourth is loud noise."""
    random = torch.Generator().manual_seed(0)
    identity = torch.arange(12).repeat_interleave(4)
    camera = torch.arange(4).repeat(12)
    who = torch.randn(12, 4, generator=random, dtype=torch.float64)[identity]
    noise = torch.randn(48, 4, generator=random, dtype=torch.float64)
    features = who * torch.tensor([1, 1, 1, 0]) + noise * torch.tensor([0.2, 0.2, 0.2, 6])
    return features, identity, camera


def by_pairs(features, identity, camera):
    """The definition, with two loops."""
    sums, counts = [torch.zeros(4, 4, dtype=torch.float64) for _ in range(2)], [0, 0]
    for i in range(len(features)):
        for j in range(len(features)):
            if i == j or (camera is not None and camera[i] == camera[j]):
                continue
            which = 0 if identity[i] == identity[j] else 1
            apart = features[i] - features[j]
            sums[which] += torch.outer(apart, apart)
            counts[which] += 1
    return [total / count for total, count in zip(sums, counts, strict=True)]


@pytest.mark.parametrize("cameras", [False, True])
def test_scatters_are_those_of_all_pairs(data, cameras):
    features, identity, camera = data
    for made, twin in zip(
        scatters(features, identity, camera if cameras else None),
        by_pairs(features, identity, camera if cameras else None),
        strict=True,
    ):
        torch.testing.assert_close(made, twin)


def ridged(scatter):
    return scatter + RIDGE * np.trace(scatter) / len(scatter) * np.eye(len(scatter))


def test_kissme_is_the_difference_of_inverses_without_its_negative_part(data):
    features, identity, camera = data
    within, between = (ridged(one.numpy()) for one in by_pairs(features, identity, camera))
    difference = np.linalg.inv(within) - np.linalg.inv(between)
    values, vectors = scipy.linalg.eigh(difference)
    expected = vectors @ np.diag(values.clip(0)) @ vectors.T
    np.testing.assert_allclose(kissme(features, identity, camera).numpy(), expected, atol=1e-8)
    assert np.linalg.eigvalsh(kissme(features, identity, camera).numpy()).min() > -1e-8


def test_xqda_is_that_of_scipys_generalised_eigenvectors(data):
    features, identity, camera = data
    within, between = (one.numpy() for one in by_pairs(features, identity, camera))
    within = ridged(within)
    values, vectors = scipy.linalg.eigh(between, within)  # between w = value within w
    W = vectors[:, values > 1]
    assert values[0] < 1.3 < 5 < values[1]  # the loud direction says nothing
    expected = W @ (np.linalg.inv(W.T @ within @ W) - np.linalg.inv(W.T @ between @ W)) @ W.T
    np.testing.assert_allclose(xqda(features, identity, camera).numpy(), expected, atol=1e-8)


@pytest.mark.parametrize("learn", [kissme, xqda])
def test_it_ignores_what_says_nothing(data, learn):
    """People to be found are others than those that the distance was learnt from."""
    features, identity, camera = data
    known, new = identity < 6, identity >= 6
    M = learn(features[known], identity[known], camera[known])
    labels = Labels(identity[new], camera[new])
    plain = rank_gallery(feature_distances(features[new], features[new], "euclidean"), labels, labels)
    learnt = rank_gallery(mahalanobis(features[new], features[new], M), labels, labels)
    assert learnt.rank(1) > 0.9 > 0.6 > plain.rank(1)


def test_mahalanobis_by_hand(data):
    features, identity, _ = data
    M = kissme(features, identity)
    apart = features[3] - features[20]
    assert mahalanobis(features, features, M)[3, 20] == pytest.approx(float(apart @ M @ apart))
    euclidean = mahalanobis(features, features, torch.eye(4, dtype=torch.float64)).clamp(min=0).sqrt()
    torch.testing.assert_close(euclidean, torch.cdist(features, features), atol=1e-6, rtol=0)


def test_few_features_of_many_dimensions():
    """Five people, two features each, 64 dimensions: Sigma_I has rank 5 at most."""
    random = torch.Generator().manual_seed(1)
    features, identity = torch.randn(10, 64, generator=random), torch.arange(5).repeat_interleave(2)
    for M in (kissme(features, identity), xqda(features, identity), kissme(features, identity, components=3)):
        assert M.shape == (64, 64)
        assert M.dtype == torch.float32
        assert bool(M.isfinite().all())
    assert torch.linalg.matrix_rank(kissme(features, identity, components=3), rtol=1e-4) <= 3


@pytest.mark.parametrize("identity", [[0, 0, 0], [0, 1, 2]])
def test_pairs_of_both_kinds_are_needed(identity):
    with pytest.raises(InputError, match="one of the two is missing"):
        pair_weights(torch.tensor(identity))
    with pytest.raises(InputError, match="by different cameras"):
        pair_weights(torch.tensor([0, 0, 1]), torch.tensor([2, 2, 2]))
