"""One mean for each person, as a text in a table."""

import json

import numpy as np
import pytest

from posekit.evaluation.person_means import keep_metrics, person_means_text, read_person_means
from posekit.evaluation.table import Evaluation
from posekit.metrics.protocol import STANDARD
from posekit.util.errors import InputError


def table(people, **values):
    return Evaluation([], {"net": values}, [f"pair {n}" for n in range(len(people))], list(people), STANDARD)


def test_pairs_of_one_person_count_as_one():
    made = table("abab", l1=[1.0, 2.0, 3.0, float("nan")], lpips=None)
    assert made.by_person("net") == {"l1": [2.0, 2.0]}
    with pytest.raises(InputError, match="no system 'other'; it has net"):
        made.by_person("other")


def test_a_person_without_a_number_has_none():
    (means,) = table("aab", l1=[1.0, 2.0, float("nan")]).by_person("net").values()
    assert means[0] == 1.5
    assert np.isnan(means[1])


def test_there_and_back():
    usual, unseen = table("aabb", l1=[0.1, 0.2, 0.3, 1 / 3]), table("bc", l1=[0.5, 0.7])
    text = person_means_text({"": usual, "unseen_poses.": unseen}, "net")
    assert "\n" not in text
    people, means = read_person_means(text)
    assert people == ["a", "b", "c"]
    assert means["l1"][:2] == pytest.approx([0.15, 0.3167])
    assert np.isnan(means["l1"][2])
    assert np.isnan(means["unseen_poses.l1"][0])
    assert means["unseen_poses.l1"][1:].tolist() == [0.5, 0.7]


def test_what_nobody_judges_is_not_kept():
    text = person_means_text({"": table("ab", l1=[0.1, 0.2], ssim=[0.3, 0.4])}, "net")
    assert json.loads(keep_metrics(text, {"l1"})) == {"people": ["a", "b"], "means": {"l1": [0.1, 0.2]}}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"people": ["a"], "means": {"l1": [1, 2]}}', "[" * 10**5])
def test_other_texts_are_refused(text):
    with pytest.raises(InputError, match="no means of people"):
        read_person_means(text)
