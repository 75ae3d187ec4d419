"""Systems in one table: what is measured is what `evaluate` and `cost` say, and it comes back from disk."""

import json

import pytest

from posekit.evaluation.compare import FACTS, Comparison, _given, compare
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.table import WIDTH, aligned
from posekit.reference import shipped_names, training_of
from posekit.systems import build
from posekit.systems.base import count_parameters
from posekit.systems.baselines import baseline
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs


@pytest.fixture(scope="module")
def case():
    pairs = SyntheticPairs(3, 40)
    systems = {"copied": baseline("copy_source"), "tiny": build("coordinate_inpainting", **TINY)}
    made = compare(systems, pairs, trained={"tiny": (800, 1.5)}, perceptual_every=3)
    return systems, pairs, made


def test_the_table_is_that_of_evaluate(case):
    systems, pairs, made = case
    assert made.table.rows == evaluate(systems, pairs, perceptual_every=3).rows


def test_facts(case):
    systems, _, made = case
    assert set(made.facts["tiny"]) == set(FACTS)
    tiny = systems["tiny"]
    assert made.facts["tiny"]["parameters"] == count_parameters(tiny.f) + count_parameters(tiny.g)
    assert made.facts["tiny"]["gflops"] > 0
    assert (made.facts["tiny"]["given"], made.facts["copied"]["given"]) == ("maps", "nothing")
    assert (made.facts["tiny"]["pairs_seen"], made.facts["tiny"]["training_minutes"]) == (800, 1.5)
    assert made.facts["copied"]["pairs_seen"] is None
    text = str(made)
    assert "pairs seen        -        800" in text
    assert "given             nothing  maps" in text


def test_many_systems_go_on_below():
    """A terminal has some 110 columns: those that pass it are printed below, under their names."""
    cells = [["", *(f"system {n}" for n in range(6))], ["ssim", *(f"0.{n}234 [0.1234, 0.5678]" for n in range(6))]]
    lines = aligned(cells)
    assert max(map(len, lines)) <= WIDTH
    assert [line.split()[0] if line else "" for line in lines] == ["system", "ssim", "", "system", "ssim"]
    assert "".join(lines).count("system") == 6
    assert lines[1].split().count("ssim") == lines[4].split().count("ssim") == 1
    narrow = aligned([["a", "bb"], ["c", "d" * 200]])
    assert narrow == ["a  bb", "c  " + "d" * 200]  # one column is never cut


def test_kept_and_read_again(case, tmp_path):
    *_, made = case
    made.save(tmp_path / "new")
    again = Comparison.load(tmp_path / "new")
    assert again.facts == made.facts
    assert str(again) == str(made)
    facts = json.loads((tmp_path / "new/facts.json").read_text())
    for broken in ({}, {**facts, "tiny": {"colour": 1}}, [], {**facts, "tiny": 3}):
        (tmp_path / "new/facts.json").write_text(json.dumps(broken))
        with pytest.raises(InputError, match="is not a comparison saved by posekit"):
            Comparison.load(tmp_path / "new")


def test_noise_is_said(case):
    systems, pairs, made = case
    noisy = compare({"copied": systems["copied"]}, pairs, noise=1.5, perceptual_every=3)
    assert noisy.table.protocol.more["noise"].startswith("1.5; noise of level L: maps displaced by up to 2 L pixels")
    assert "noise" not in made.table.protocol.more


def test_two_sizes_are_refused(case):
    systems, pairs, _ = case
    other = build("coordinate_inpainting", **{**TINY, "image_size": 44})
    with pytest.raises(InputError, match="one size; these are made for 40 x 40 and 44 x 44"):
        compare({**systems, "other": other}, pairs)


def test_what_a_system_is_given():
    """The keypoint-guided one knows the source's map, and of the target nothing but joints."""
    given = {
        name: _given(build("coordinate_inpainting", variant=name, **TINY)) for name in ("full", "keypoints", "garments")
    }
    assert given == {"full": "maps", "keypoints": "maps of S, joints of N", "garments": "maps"}
    assert _given(build("deformable_gan")) == "joints"
    assert _given(build("copy_source")) == "nothing"


def test_what_the_shipped_systems_saw():
    names = shipped_names()
    assert not any("garments" in name for name in names), "it is shown the target's head"
    assert "coordinate_inpainting-laptop" in names
    assert "coordinate_inpainting-duel" not in names, "f alone makes no photograph"
    assert not any("face" in name for name in names), "it reads maps of the head alone"
    for name in names:
        pairs, minutes = training_of(name)
        assert pairs > 1000
        assert minutes > 1
    assert training_of("texel_fill-mirror") is None
    assert training_of("nowhere/weights.safetensors") is None
