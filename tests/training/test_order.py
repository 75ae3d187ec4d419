"""The data order is a pure function of seed, stage and step."""

from collections import Counter

from posekit.training.order import Batches


def test_every_sample_once_an_epoch():
    order = list(Batches(10, 4, 5))  # 20 places: two epochs, batches run across the border
    assert [len(batch) for batch in order] == [4] * 5
    flat = sum(order, [])
    assert Counter(flat[:10]) == Counter(range(10)) == Counter(flat[10:])
    assert flat[:10] != flat[10:]


def test_resumed_order_is_the_rest_of_the_order():
    whole = list(Batches(7, 3, 20, key=(1, 0)))
    assert list(Batches(7, 3, 20, first=11, key=(1, 0))) == whole[11:]
    assert len(Batches(7, 3, 20, first=11)) == 9


def test_seed_and_stage_change_the_order():
    orders = {tuple(map(tuple, Batches(50, 5, 10, key=key))) for key in ((0, 0), (0, 1), (1, 0))}
    assert len(orders) == 3


def test_processes_share_every_batch():
    whole = list(Batches(9, 4, 6))
    parts = [list(Batches(9, 4, 6, rank=rank, world=2)) for rank in (0, 1)]
    for batch, a, b in zip(whole, *parts, strict=True):
        assert batch == [a[0], b[0], a[1], b[1]]


def test_data_smaller_than_a_batch_repeats():
    assert sorted(Batches(2, 4, 1).batch(0)) == [0, 0, 1, 1]
