"""Rank-k and mAP against a naive evaluation, and the rules of the protocol one by one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posekit.reid.ranking import Labels, feature_distances, rank_gallery
from posekit.util.errors import InputError


def labels(identity, camera):
    return Labels(torch.tensor(identity), torch.tensor(camera))


def naive(distances, query, gallery, k):
    """(AP, hit among the first k) of each query that has anybody to be found, by sorting and counting."""
    found = []
    for row, who, camera in zip(distances.tolist(), query.identity.tolist(), query.camera.tolist(), strict=True):
        ranked = sorted(zip(row, gallery.identity.tolist(), gallery.camera.tolist(), strict=True))
        kept = [i for _, i, c in ranked if i != -1 and not (i == who and c == camera)]
        places = [place for place, i in enumerate(kept, start=1) if i == who]
        if places:
            precisions = [number / place for number, place in enumerate(places, start=1)]
            found.append((sum(precisions) / len(precisions), float(places[0] <= k)))
    return found


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 25), st.integers(1, 4), st.integers(1, 7))
def test_against_a_naive_evaluation(seed, queries, gallery_size, identities, k):
    rng = np.random.default_rng(seed)
    draw = lambda n: labels(rng.integers(0, identities + 1, n), rng.integers(1, 3, n))  # noqa: E731
    query, gallery = draw(queries), draw(gallery_size)
    gallery.identity[rng.random(gallery_size) < 0.2] = -1
    distances = torch.from_numpy(rng.permutation(queries * gallery_size).reshape(queries, gallery_size) / 10.0)
    wanted = naive(distances, query, gallery, k)
    if not wanted:
        with pytest.raises(InputError, match="No query has a photograph of its identity"):
            rank_gallery(distances, query, gallery)
        return
    ranking = rank_gallery(distances, query, gallery, ranks=(k,))
    assert ranking.average_precision.tolist() == pytest.approx([ap for ap, _ in wanted])
    assert ranking.hits[k].tolist() == [hit for _, hit in wanted]
    assert ranking.left_out == queries - len(wanted)
    assert ranking.mAP == pytest.approx(np.mean([ap for ap, _ in wanted]))
    assert ranking.rank(k) == pytest.approx(np.mean([hit for _, hit in wanted]))


def test_the_same_person_from_the_same_camera_does_not_count():
    query = labels([7], [1])
    distances = torch.tensor([[0.1, 0.2, 0.3]])
    with_junk = rank_gallery(distances, query, labels([7, 8, 7], [1, 1, 2]))  # the nearest is the query's own camera
    assert with_junk.rank(1) == 0
    assert with_junk.mAP == pytest.approx(1 / 2)
    assert rank_gallery(distances, query, labels([7, 8, 7], [2, 1, 2])).rank(1) == 1


def test_bad_detections_are_ignored_and_distractors_are_wrong():
    query, distances = labels([7], [1]), torch.tensor([[0.1, 0.2]])
    assert rank_gallery(distances, query, labels([-1, 7], [2, 2])).mAP == 1
    assert rank_gallery(distances, query, labels([0, 7], [2, 2])).mAP == pytest.approx(1 / 2)


def test_a_query_without_a_match_is_left_out():
    ranking = rank_gallery(torch.rand(2, 2), labels([7, 9], [1, 1]), labels([7, 8], [2, 2]))
    assert ranking.left_out == 1
    assert len(ranking.average_precision) == 1
    with pytest.raises(InputError, match=r"Rank 3 was not asked for; there are 1, 5, 10\."):
        ranking.rank(3)


def test_distances():
    query, gallery = torch.tensor([[3.0, 0], [0, 1]]), torch.tensor([[0.0, 4], [1, 0]])
    assert torch.allclose(feature_distances(query, gallery, "euclidean"), torch.tensor([[5.0, 2], [3, 2**0.5]]))
    assert torch.allclose(feature_distances(query, gallery), torch.tensor([[1.0, 0], [0, 1]]))


def test_bad_input():
    query, gallery = labels([7], [1]), labels([7, 8], [2, 2])
    with pytest.raises(InputError, match=r"1 queries and 2 photographs.*distances of shape \(2, 2\)"):
        rank_gallery(torch.rand(2, 2), query, gallery)
    with pytest.raises(InputError, match="NaN"):
        rank_gallery(torch.tensor([[0.1, float("nan")]]), query, gallery)
    with pytest.raises(InputError, match="one of cosine, euclidean"):
        feature_distances(torch.rand(2, 3), torch.rand(2, 3), "manhattan")
