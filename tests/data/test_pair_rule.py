"""The rule of the published pairs: a naive twin, made-up folders of the data sets' layout, and the draw of pandas."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posekit.data.annotations import Annotations, read_annotations, read_pairs
from posekit.data.folder_pairs import load_people
from posekit.data.names import DeepFashionName, MarketName, identity_of
from posekit.data.pair_rule import PUBLISHED, TEST_PAIRS, all_pairs, draw_pairs, valid_names, write_pairs
from tests.synthetic import field_folder

markets = st.builds(MarketName, st.integers(-1, 5), st.integers(1, 6), st.just(1), st.integers(0, 99), st.just(0))
fashions = st.builds(
    DeepFashionName, st.just("MEN"), st.sampled_from(["Tees_Tanks", "Denim"]), st.integers(1, 2), st.integers(1, 2),
    st.integers(1, 7), st.just("front"),
)  # fmt: skip


@given(st.lists(markets, max_size=12, unique=True), st.data())
def test_pairs_are_those_of_the_naive_twin(found, data):
    names = [name.spell() for name in found]
    whole = [data.draw(st.sampled_from([None, 2, 5, 8, 11, 4])) for _ in names]  # a joint that is missing
    visibility = torch.full((len(names), 18), 2)
    for row, joint in enumerate(whole):
        if joint is not None:
            visibility[row, joint] = 0
    joints = Annotations(tuple(names), torch.zeros(len(names), 18, 2), visibility)
    valid = [
        name for name, joint in zip(names, whole, strict=True)
        if joint in (None, 4) and not name.startswith(("-1", "0000"))
    ]  # fmt: skip
    assert valid_names(joints) == valid
    naive, seen = [], []
    for first in valid:
        if first[:4] in seen:
            continue
        seen.append(first[:4])
        own = [name for name in valid if name[:4] == first[:4]]
        for source in own:
            for target in own:
                if source != target:
                    naive.append((source, target))
    assert all_pairs(valid) == naive


@given(st.lists(fashions, max_size=14, unique=True), st.sampled_from(["fasion", "fashion", "slash", "dash"]))
def test_one_person_in_one_outfit_whatever_the_spelling(names, spelling):
    """Categories with an underscore, which a rule that cuts a name at its first underscore takes for one person."""
    spelled = [name.spell(spelling) for name in names]
    for source, target in all_pairs(spelled):
        assert identity_of(source) == identity_of(target)
    counts = {}
    for name in names:
        counts[name.identity] = counts.get(name.identity, 0) + 1
    assert len(all_pairs(spelled)) == sum(n * (n - 1) for n in counts.values())


def test_the_draw_is_that_of_pandas():
    """``sample(n, random_state=0)`` asks the old generator for a choice without replacement."""
    pairs = [(str(i), str(i + 1)) for i in range(500)]
    for most in (1, 30, 500, 900):
        count = min(most, len(pairs))
        chosen = np.random.RandomState(0).choice(len(pairs), size=count, replace=False)
        assert draw_pairs(pairs, most) == [pairs[i] for i in chosen]
    assert draw_pairs(pairs[:5]) == [pairs[i] for i in (2, 0, 1, 3, 4)]
    assert draw_pairs([]) == []
    assert TEST_PAIRS == PUBLISHED["market"].test == 12_000


@pytest.mark.parametrize("spelling", ["market", "fasion", "fashion"])
def test_a_made_up_data_set_by_the_rule_and_by_its_folder_are_the_same_pairs(tmp_path, spelling):
    names = field_folder(tmp_path, spelling=spelling, people=4, views=3, maps=None)
    joints = read_annotations(tmp_path / "fasion-annotation-train.csv", (48, 48))
    pairs = all_pairs(valid_names(joints))
    assert len(pairs) == 4 * 3 * 2
    data = load_people(tmp_path, split="train")
    assert {(p.source.name, p.target.name) for p in data} == set(pairs)
    drawn = draw_pairs(pairs, 7)
    write_pairs(tmp_path / "lists" / "pairs.csv", drawn)
    assert read_pairs(tmp_path / "lists" / "pairs.csv") == drawn
    listed = load_people(tmp_path, tmp_path / "lists" / "pairs.csv", tmp_path / "fasion-annotation-train.csv")
    assert [(p.source.name, p.target.name) for p in listed] == [(f"train/{a}", f"train/{b}") for a, b in drawn]
    assert set(names) == {name for pair in pairs for name in pair}
