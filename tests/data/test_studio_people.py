"""The data set of rendered pairs: which pairs, which people, how fast, and where they are kept."""

import json
import shutil
import time

import numpy as np
import pytest
import torch

from posekit.data.estimator_noise import EstimatorNoise
from posekit.data.studio import StudioPeople
from posekit.person import collate_pairs
from posekit.studio.body.pose import RAISED, draw_keys
from posekit.studio.folder import people_numbers, render_folder
from posekit.studio.generate import arms_raised, make_person, split_of
from posekit.util.errors import InputError

SIZE = 48


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two people with three photographs each; the rest of the file only reads them."""
    place = tmp_path_factory.mktemp("people")
    render_folder(place, [0, 1], 3, SIZE, jobs=1, progress=False)
    return place


def people(root, **changes):
    return StudioPeople(**({"people": 2, "views": 3, "size": SIZE, "root": root, "progress": False} | changes))


def test_all_ordered_pairs_of_different_views(root):
    data = people(root)
    assert len(data) == 2 * 3 * 2
    names = {(p.source.name, p.target.name) for p in data}
    expected = {
        (f"studio-0-{n}-{s}", f"studio-0-{n}-{t}") for n in (0, 1) for s in range(3) for t in range(3) if s != t
    }
    assert names == expected
    assert all(p.source.identity == p.target.identity for p in data)


def test_random_pairs_take_each_photograph_once_as_the_source(root):
    data = people(root, pairs="random")
    assert len(data) == 6
    assert [p.source.name for p in data] == [f"studio-0-{n}-{v}" for n in (0, 1) for v in range(3)]
    assert all(p.source.name != p.target.name and p.source.identity == p.target.identity for p in data)
    assert [data.where(i) for i in range(6)] == [people(root, pairs="random").where(i) for i in range(6)]


def test_neighbours_are_the_other_views(root):
    """The root has three views: beside source and target there is one more, however many are asked for."""
    data = people(root, neighbours=4)
    assert data.neighbours == 1
    for pair in data:
        (other,) = pair.neighbours
        assert other.identity == pair.source.identity
        assert {p.name[-1] for p in (pair.source, pair.target, other)} == set("012")
    assert data.describe() == {**people(root).describe(), "neighbours": 1}
    with pytest.raises(InputError, match="0 or more; got -1"):
        people(root, neighbours=-1)


def test_pairs_of_a_photograph_with_itself(root):
    data = people(root, pairs="same too", neighbours=1)
    assert len(data) == 2 * 3 * 3
    same = [p for p in data if p.source.name == p.target.name]
    assert len(same) == 6
    assert all(p.neighbours[0].name != p.source.name for p in data)


def test_poses_held_out(tmp_path):
    """Raised arms are whole key poses, known without rendering; no photograph of the usual pairs has one."""
    numbers = list(range(8))
    raised = {(n, v) for n in numbers for v in range(6) if arms_raised(0, n, v)}
    assert {(n, v) for n, v in raised if draw_keys(np.random.default_rng([0, n, 2, 0, v]))[0] in RAISED} == raised
    some = next(n for n in numbers if any((n, v) in raised for v in range(6)))
    given = {"people": [some], "views": 6, "size": SIZE, "root": tmp_path, "progress": False, "jobs": 1}
    given["split"] = split_of(some)
    up = {v for v in range(6) if (some, v) in raised}
    views = {name: [data.where(i)[1:] for i in range(len(data))] for name in ("all", "usual", "unseen")
             for data in [StudioPeople(**given, poses=name)]}  # fmt: skip
    assert views["usual"] == [(s, t) for s, t in views["all"] if not {s, t} & up]
    assert views["unseen"] == [(s, t) for s, t in views["all"] if t in up and s not in up]
    assert up
    assert len(up) < 5
    usual = StudioPeople(**given, poses="usual", neighbours=4)
    for i in range(len(usual)):
        others = usual.others(*usual.where(i))
        assert len(others) == 4, "one number for all, so that pairs make batches"
        assert not set(others) & up
    assert usual.describe()["poses"] == "usual"
    assert "poses" not in StudioPeople(**given).describe()


def test_poses_that_nobody_takes_are_refused(root):
    numbers = [n for n in range(0, 200) if n % 10 < 8 and not any(arms_raised(0, n, v) for v in range(2))][:1]
    with pytest.raises(InputError, match="None of the 1 people has a pair for poses='unseen'"):
        StudioPeople(numbers, 2, SIZE, root=root.parent / "nobody", poses="unseen", jobs=1, progress=False)
    with pytest.raises(InputError, match="Raised arms are told apart in the set body alone, not in face"):
        people(root, kind="face", poses="usual")


def test_a_batch_needs_equally_many_neighbours(root):
    batch = collate_pairs([people(root, neighbours=1)[i] for i in (0, 5)])
    assert batch.neighbours[0].image.shape == (2, 3, SIZE, SIZE)
    assert batch[1].neighbours[0].name == people(root, neighbours=1)[5].neighbours[0].name
    with pytest.raises(InputError, match=r"equally many neighbours, got \[0, 1\]"):
        collate_pairs([people(root, neighbours=1)[0], people(root)[0]])


def test_what_is_read_is_what_was_rendered(root):
    stored, made = people(root).person(1, 2), make_person(0, 1, 2, SIZE)
    for name in ("image", "uv", "mask", "part", "chart", "keypoints", "visibility", "head", "hair", "hands"):
        assert torch.equal(getattr(stored, name), getattr(made, name)), name
    assert (stored.identity, stored.name) == (made.identity, made.name)


def test_indices(root):
    data = people(root)
    assert data[-1].source.name == data[len(data) - 1].source.name
    with pytest.raises(IndexError, match="12 pairs"):
        data[12]
    with pytest.raises(IndexError):
        data[-13]


def test_batches(root):
    batch = next(iter(torch.utils.data.DataLoader(people(root), batch_size=4, collate_fn=collate_pairs)))
    assert batch.source.image.shape == (4, 3, SIZE, SIZE)
    assert batch.target.part.shape == (4, 1, SIZE, SIZE)
    assert batch.source.name[0] == "studio-0-0-0"


def test_noise_is_part_of_the_photograph(root):
    noise = EstimatorNoise(part_dropout=0.2)
    noisy, exact = people(root, noise=noise), people(root)
    once, again = noisy.person(0, 1), people(root, noise=noise).person(0, 1)
    assert torch.equal(once.uv, again.uv)
    assert not torch.equal(once.uv, exact.person(0, 1).uv)
    assert torch.equal(once.image, exact.person(0, 1).image)


def test_splits_are_disjoint_and_cover_everybody():
    parts = {s: set(people_numbers(50, s)) for s in ("train", "val", "test")}
    assert set.union(*parts.values()) == set(range(50))
    assert sum(map(len, parts.values())) == 50
    assert {s: len(p) for s, p in parts.items()} == {"train": 40, "val": 5, "test": 5}
    assert all(split_of(n) == s for s, p in parts.items() for n in p)


def test_the_first_use_renders_into_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEKIT_CACHE", str(tmp_path))
    made = StudioPeople(10, 2, 32, split="val", jobs=1, progress=False)
    assert made.numbers == [8]
    assert made.root.is_relative_to(tmp_path)
    assert [p.name for p in (made.root / "people").iterdir()] == ["00008"]
    written = (made.root / "people/00008/maps.npz").stat().st_mtime_ns
    again = StudioPeople(10, 2, 32, split="val", jobs=1, progress=False)
    assert (again.root / "people/00008/maps.npz").stat().st_mtime_ns == written
    other = StudioPeople(10, 2, (32, 24), split="val", jobs=1, progress=False)
    assert other.root != made.root


def test_reading_is_fast_because_it_is_remembered(tmp_path, monkeypatch):
    """The ask is 5 ms for a pair at 128 x 128; a busy machine gets room."""
    data = StudioPeople(1, 2, 128, root=tmp_path, jobs=1, progress=False)
    first = data[0]
    monkeypatch.setattr("posekit.data.studio.read_shots", None)  # the disk is not needed any more
    times = []
    for _ in range(15):
        start = time.perf_counter()
        pair = data[0]
        times.append(time.perf_counter() - start)
    assert torch.equal(pair.source.image, first.source.image)
    assert np.min(times) < 0.015


def test_memory_is_bounded(root, monkeypatch):
    monkeypatch.setattr("posekit.data.studio._MEMORY", 1)
    data = people(root)
    for i in (0, 11, 0):
        assert data[i].source.image.shape == (3, SIZE, SIZE)
        assert len(data._shots) == 1


def test_bad_arguments(root, unchecked):
    with pytest.raises(InputError, match="views must be at least 2"):
        people(root, views=1)
    with pytest.raises(InputError, match="pairs must be all, random or same too"):
        people(root, pairs="some")
    with pytest.raises(InputError, match="rendered with seed 0"):
        people(root, seed=3)
    with pytest.raises(InputError, match="split must be one of"):
        people(root, split="dev")


def test_the_card_of_a_run_says_which_people_were_used(tmp_path):
    people = StudioPeople(people=2, views=2, size=32, root=tmp_path / "p", jobs=1, progress=False)
    facts = people.describe()
    assert facts["people"] == 2
    assert facts["pairs"] == len(people) == 4
    assert facts["noise"] is None
    noisy = StudioPeople(2, 2, 32, root=tmp_path / "p", jobs=1, progress=False, noise=EstimatorNoise(jitter=1.5))
    assert noisy.describe()["noise"]["jitter"] == 1.5


def test_a_card_says_which_rooms(tmp_path):
    """A run on other photographs is another run."""
    own, camera = (
        people(tmp_path / rooms, people=1, views=2, size=32, jobs=1, rooms=rooms).describe()
        for rooms in ("own", "camera")
    )
    assert "rooms" not in own
    assert camera == own | {"rooms": "camera"}


def test_a_folder_that_is_read_is_only_read(root, tmp_path):
    shutil.copytree(root, tmp_path / "people_here")
    root = tmp_path / "people_here"
    place = next(path for path in sorted((root / "people").iterdir()) if int(path.name) % 10 < 8)
    shutil.copytree(place, place.with_name(f"{place.name}.bak"))  # somebody's copy is nobody
    (root / "people" / ".unfinished-00077").mkdir()
    assert len(StudioPeople.of_folder(root, "train")) > 0
    (place / "maps.npz").unlink()
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    with pytest.raises(
        InputError, match=f"Person {int(place.name)} of .* is not whole; finish the folder with posekit render"
    ):
        StudioPeople.of_folder(root, "train")
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before


def test_cards_that_cannot_be(root, tmp_path):
    card = json.loads((root / "card.json").read_text())
    for wrong in ({"views": 10**9}, {"views": "6"}, {"size": [10**6, 128]}, {"seed": 0.5}, {"set": "cats"}):
        (tmp_path / "card.json").write_text(json.dumps(card | wrong))
        with pytest.raises(InputError, match="is not the card of a posekit data folder") as error:
            StudioPeople.of_folder(tmp_path, "train")
        assert "\n" not in str(error.value)
    (tmp_path / "card.json").write_text("[" * 10**5)
    with pytest.raises(InputError, match="is not the card of a posekit data folder"):
        StudioPeople.of_folder(tmp_path, "train")
