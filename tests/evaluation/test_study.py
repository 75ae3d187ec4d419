"""User studies: the schedule, the published ones, the answers, the percentages."""

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import binomtest

from posekit.evaluation.study import Study, StudyQuestion, Trial, schedule_choices, schedule_singles
from posekit.evaluation.study_answers import (
    VERSION,
    StudyAnswer,
    StudyAnswers,
    judgements_needed,
    read_study_answers,
    write_study_answers,
)
from posekit.evaluation.study_folders import make_study
from posekit.evaluation.study_page import read_study_page, write_study_page
from posekit.evaluation.study_presets import study_preset
from posekit.util.errors import InputError

# ------------------------------------------------------------------------------------------------------- schedule


def pool(kind, n):
    return [(f"{kind}{i:03d}", f"hash-{kind}-{i}") for i in range(n)]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 30))
def test_every_picture_is_shown_once_in_an_order_of_the_seed(seed, count):
    pools = {"real": pool("r", 40), "generated": pool("g", 30)}
    trials = schedule_singles(pools, {"real": count, "generated": count}, seed, {})
    assert trials == schedule_singles(pools, {"real": count, "generated": count}, seed, {})
    assert Counter(t.kinds for t in trials) == {("real",): count, ("generated",): count}
    assert len({t.pictures for t in trials}) == 2 * count
    assert all((t.item, t.pictures[0]) in pools[t.kinds[0]] for t in trials)


def test_the_order_does_not_give_the_kind_away():
    """Over many seeds, the first screen is a real picture about as often as not."""
    pools = {"real": pool("r", 10), "generated": pool("g", 10)}
    first = [schedule_singles(pools, {"real": 10, "generated": 10}, seed, {})[0].kinds[0] for seed in range(400)]
    assert 160 < first.count("real") < 240


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12), rivals=st.integers(1, 3), questions=st.integers(1, 2))
def test_each_method_stands_on_either_side_equally_often(seed, count, rivals, questions):
    methods = ["ours", *(f"r{i}" for i in range(rivals))]
    items = {f"i{n}": {m: f"{m}-{n}" for m in methods} for n in range(12)}
    beside = {item: (f"truth of {item}",) for item in items}
    trials = schedule_choices(items, methods, count, seed, beside, questions)
    assert len(trials) == count * rivals * questions
    left = Counter(t.kinds.index("ours") for t in trials)
    assert abs(left[0] - left[1]) <= questions
    for trial in trials:
        assert trial.pictures == tuple(items[trial.item][kind] for kind in trial.kinds)
        assert trial.beside == beside[trial.item]
    compared = Counter((t.item, *sorted(t.kinds), t.question) for t in trials)
    assert set(compared.values()) == {1}
    assert len({t.item for t in trials}) == count


def test_too_few_pictures_are_said():
    with pytest.raises(InputError, match="shows 55 real pictures, there are 3"):
        schedule_singles({"real": pool("r", 3)}, {"real": 55}, 0, {})
    with pytest.raises(InputError, match="compares 80 pairs of pictures, there are 0"):
        schedule_choices({}, ["a", "b"], 80, 0, {})


# -------------------------------------------------------------------------------------------------- published ones


def test_the_published_studies_as_printed():
    realism = study_preset("realism")
    assert (realism.real, realism.generated, realism.seconds, realism.judges) == (55, 55, 1.0, 30)
    assert realism.warm_up == 10
    assert realism.published["Dense Pose Transfer"] == (13.1, 17.2)
    assert realism.published["Deformable GANs"] == (11.8, 23.5)
    assert study_preset("anatomy").published["Dense Pose Transfer"] == (75.6, 40.7)
    assert study_preset("pose").published["Dense Pose Transfer"] == (78.2,)
    closest = study_preset("closest")
    assert (closest.pairs, closest.judges, closest.pairs * closest.judges) == (80, 50, 4000)  # "approximately 4000"
    assert closest.published == {
        "against Dense Pose Transfer": (90.0,),
        "against Deformable GANs": (76.7,),
        "against variational U-Net": (71.6,),
        "coordinates against colours (RGB inpainting)": (62.7,),
    }
    try_on = study_preset("try_on")
    assert try_on.pairs * try_on.judges == 3650
    assert try_on.published["against SwapNet"] == (57.1,)
    two = study_preset("two_questions")
    assert (two.pairs, two.judges, len(two.questions)) == (80, 6, 2)
    assert two.published["against GFLA 64"] == (70.8, 75.6)
    assert 78.9 + 29.1 > 100  # as its remark says


def test_unknown_studies_are_said():
    with pytest.raises(InputError, match="realism, anatomy, pose, closest, try_on, two_questions; got 'beauty'"):
        study_preset("beauty")


# ------------------------------------------------------------------------------------------------------ the counting

REAL_OR_NOT = study_preset("realism").questions


def study_of(kinds, warm_up=0, **settings):
    trials = tuple(Trial(question=0, item=f"i{n}", pictures=(f"h{n}",), kinds=(kind,)) for n, kind in enumerate(kinds))
    values = {"preset": "realism", "seed": 3, "seconds": 1.0, "methods": (), "questions": REAL_OR_NOT} | settings
    return Study(warm_up=warm_up, trials=trials, **values)


def saved(path, of, name, chosen, **changes):
    """The file that the page writes."""
    given = [{"trial": n, "answer": answer, "seconds": 0.5} for n, answer in enumerate(chosen)]
    content = {"posekit_study": VERSION, "id": of.id, "judge": name, "study": of.to_json(), "answers": given}
    path.write_text(json.dumps(content | changes))
    return path


def test_mistakes_are_counted_by_kind_and_the_warm_up_is_not(tmp_path):
    study = study_of(["real", "generated", "real", "generated", "real"], warm_up=2)
    answers = ["generated", "real", "generated", "real", "real"]
    shares = read_study_answers([saved(tmp_path / "a.json", study, "a", answers)]).shares()
    assert [(s.of, s.answer, s.count, s.total) for s in shares] == [
        ("real", "said to be 'generated'", 1, 2),
        ("generated", "said to be 'real'", 1, 1),
    ]
    assert shares[0].judges_low is None  # one judge


def test_intervals_are_wilsons_and_those_over_judges(tmp_path):
    study = study_of(["generated"] * 40)
    files = [
        saved(tmp_path / f"{k}.json", study, f"j{k}", ["real"] * n + ["generated"] * (40 - n))
        for k, n in enumerate((2, 10, 30))
    ]
    answers = read_study_answers(files)
    (share,) = answers.shares()
    assert (share.count, share.total, share.share) == (42, 120, 0.35)
    wilson = binomtest(42, 120).proportion_ci(0.95, method="wilson")
    assert (share.low, share.high) == pytest.approx((wilson.low, wilson.high))
    z, p, n = 1.959964, 0.35, 120
    middle, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n * n)),
    )
    assert (share.low, share.high) == pytest.approx((middle - half, middle + half), abs=1e-6)
    assert share.judges_low < share.low  # three judges of very different minds
    assert share.judges_high > share.high
    assert "realism: generated said to be 'real' 35.0 % (42 of 120) [27.1, 43.9]" in str(answers)
    assert "3 judges" in str(answers)


def test_of_a_choice_the_first_methods_share_is_reported(tmp_path):
    question = StudyQuestion(name="best", text="Which?", reported={})
    sides = [("ours", "x"), ("x", "ours"), ("y", "ours")]
    trials = tuple(Trial(question=0, item=str(n), pictures=("a", "b"), kinds=kinds) for n, kinds in enumerate(sides))
    methods = ("ours", "x", "y")
    study = Study(
        preset="closest", seed=0, seconds=None, warm_up=0, methods=methods, questions=(question,), trials=trials
    )
    answers = read_study_answers([saved(tmp_path / "a.json", study, "a", ["left", "left", "right"])])
    assert [(s.of, s.count, s.total) for s in answers.shares()] == [("ours over x", 1, 2), ("ours over y", 1, 1)]
    assert "best: ours over x preferred 50.0 % (1 of 2)" in str(answers)


def test_published_percentages_with_intervals():
    """62.7 % of 4,000 would be far from a half; of 20 it could be one."""
    assert binomtest(2508, 4000).proportion_ci(0.95, method="wilson").low > 0.6
    question = StudyQuestion(name="best", text="Which?", reported={})
    trials = tuple(Trial(question=0, item=str(n), pictures=("a", "b"), kinds=("full", "rgb")) for n in range(80))
    study = Study(
        preset="closest", seed=0, seconds=None, warm_up=0, methods=("full", "rgb"), questions=(question,), trials=trials
    )
    rng = np.random.default_rng(0)
    given = [
        StudyAnswer(f"j{j}", n, "left" if rng.random() < 0.627 else "right", 1.0) for j in range(50) for n in range(80)
    ]
    (share,) = StudyAnswers(study, tuple(given)).shares()
    assert share.total == 4000
    assert share.low < 0.627 < share.high
    assert share.high - share.low < 0.031


@pytest.mark.parametrize("margin", [0.2, 0.1, 0.05, 0.031])
@pytest.mark.parametrize("share", [0.5, 0.627, 0.9, 0.0])
def test_the_number_of_judgements_is_the_smallest_that_does(margin, share):
    def half(n):
        z = 1.959963984540054
        return z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))

    n = judgements_needed(margin, share)
    assert half(n) <= margin
    assert n == 1 or half(n - 1) > margin
    count = round(share * n)
    interval = binomtest(count, n).proportion_ci(0.95, method="wilson")
    assert (interval.high - interval.low) / 2 <= margin + 0.02


def test_margins_that_are_none():
    for wrong in ({"margin": 0}, {"margin": 0.5}, {"margin": 0.1, "share": 2}, {"margin": 0.1, "confidence": 1}):
        with pytest.raises(InputError, match="A margin lies from 0.0001 to 0.5"):
            judgements_needed(**wrong)


# ---------------------------------------------------------------------------------------------------- answers' files


def test_a_study_is_stored_and_read_and_has_another_id_for_every_change():
    study = study_of(["real", "generated"])
    again = Study.from_json(json.loads(json.dumps(study.to_json())))
    assert again == study
    assert again.id == study.id
    changed = [
        dataclasses.replace(study, seed=4),
        dataclasses.replace(study, seconds=None),
        dataclasses.replace(study, warm_up=1),
        dataclasses.replace(study, trials=study.trials[::-1]),
        dataclasses.replace(study, trials=(dataclasses.replace(study.trials[0], pictures=("other",)), study.trials[1])),
    ]
    assert len({study.id, *(one.id for one in changed)}) == 6


def test_answers_of_another_study_are_refused(tmp_path):
    study, other = study_of(["real", "generated"]), study_of(["generated", "real"])
    files = [
        saved(tmp_path / "a.json", study, "a", ["real", "real"]),
        saved(tmp_path / "b.json", other, "b", ["real", "real"]),
    ]
    with pytest.raises(InputError, match=rf"b.json answers another study .*id {other.id}. than {study.id}"):
        read_study_answers(files)
    with pytest.raises(InputError, match=r"a.json answers another study"):
        read_study_answers(files[:1], other)


def test_an_unfinished_file_counts_and_is_said(tmp_path):
    study = study_of(["real"] * 4)
    answers = read_study_answers([saved(tmp_path / "a.json", study, "a", ["real", "generated"])])
    assert answers.notes == ("a.json: 2 of 4 trials were answered",)
    write_study_answers(tmp_path / "again.json", study, "a", answers.answers)
    assert read_study_answers([tmp_path / "again.json"]).answers == answers.answers
    assert answers.shares()[0].total == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"posekit_study": 9}, "is no file of answers"),
        ({"study": {}}, "no study of posekit"),
        ({"study": None}, "no study of posekit"),
        ({"id": "0"}, "was changed"),
        ({"judge": ""}, "does not say who the judge is"),
        ({"answers": {}}, "holds no list of answers"),
        ({"answers": [{"trial": 9, "answer": "real", "seconds": 1}]}, "a trial that the study does not have"),
        ({"answers": [{"trial": True, "answer": "real", "seconds": 1}]}, "a trial that the study does not have"),
        ({"answers": [3]}, "a trial that the study does not have"),
        ({"answers": [{"trial": 0, "answer": "maybe", "seconds": 1}]}, "answers are real and generated, got 'maybe'"),
        ({"answers": [{"trial": 0, "answer": ["real"], "seconds": 1}]}, "answers are real and generated"),
        ({"answers": [{"trial": 0, "answer": "real", "seconds": -1}]}, "seconds should be a number"),
        ({"answers": [{"trial": 0, "answer": "real", "seconds": 1}] * 2}, "answers a trial more than once"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(tmp_path, changes, said):
    path = saved(tmp_path / "a.json", study_of(["real", "generated"]), "a", ["real", "real"], **changes)
    with pytest.raises(InputError, match=said):
        read_study_answers([path])


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "x.json").write_text("{")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    for name, said in (("x.json", "not JSON"), ("deep.json", "not JSON"), ("none.json", "could not be read")):
        with pytest.raises(InputError, match=said):
            read_study_answers([tmp_path / name])
    with pytest.raises(InputError, match="got none"):
        read_study_answers([])


def test_one_judge_twice_is_refused(tmp_path):
    study = study_of(["real"])
    files = [saved(tmp_path / f"{n}.json", study, "a", ["real"]) for n in range(2)]
    with pytest.raises(InputError, match=r"1.json and .*0.json are of one judge, a"):
        read_study_answers(files)


def test_what_is_no_study():
    with pytest.raises(InputError, match="1 to 100000 trials and fewer in the warm-up"):
        study_of(["real"], warm_up=1)
    with pytest.raises(InputError, match="more than 0 and at most 3600 seconds"):
        study_of(["real"], seconds=-1.0)
    with pytest.raises(InputError, match="The trial of 'i0' does not go with"):
        study_of(["painted"])


# -------------------------------------------------------------------------------------------------- folders and page


@pytest.fixture
def folders(tmp_path):
    rng = np.random.default_rng(0)
    for folder in ("real", "ours", "theirs"):
        (tmp_path / folder).mkdir()
        for n in range(6):
            Image.fromarray(rng.integers(0, 255, (16, 12, 3), np.uint8)).save(tmp_path / folder / f"{n}.png")
    return tmp_path


def test_a_study_of_folders_and_its_page(folders):
    made = make_study(
        "closest", folders / "ours", rivals=[folders / "theirs"], beside=[folders / "real"], count=4, seed=7
    )
    study, pictures, notes = made
    assert (study.methods, study.seed, len(study.trials), notes) == (("ours", "theirs"), 7, 4, [])
    assert len(pictures) == 12
    page = write_study_page(folders / "page.html", study, pictures)
    assert read_study_page(page) == study
    text = page.read_text()
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")
    with pytest.raises(InputError, match="12 of 12 pictures of the study are not there"):
        write_study_page(page, study, {})


def test_names_cannot_break_the_page(folders):
    for folder in ("ours", "theirs", "real"):
        (folders / folder / "0.png").rename(folders / folder / "<script>alert(1)<!--.png")
    study, pictures, _ = make_study(
        "closest", folders / "ours", rivals=[folders / "theirs"], beside=[folders / "real"], count=6
    )
    page = write_study_page(folders / "page.html", study, pictures)
    assert "alert(1)" in page.read_text()
    assert page.read_text().count("<script") == 3
    assert read_study_page(page) == study


def test_single_pictures(folders):
    study, pictures, _ = make_study("realism", folders / "ours", real=folders / "real", count=6, warm_up=1)
    assert (len(study.trials), study.warm_up, study.seconds, len(pictures)) == (12, 1, 1.0, 12)
    study, pictures, notes = make_study("pose", folders / "ours", beside=[folders / "real"], count=5)
    assert all(len(t.beside) == 1 and t.kinds == ("generated",) for t in study.trials)
    (folders / "real" / "5.png").unlink()
    _, _, notes = make_study("pose", folders / "ours", beside=[folders / "real"], count=5)
    assert notes == ["1 of 6 predictions have no photograph, for example 5.png: left out"]


def test_two_things_beside(folders):
    study, _, _ = make_study(
        "try_on", folders / "ours", rivals=[folders / "theirs"], beside=[folders / "real", folders / "real"], count=3
    )
    assert all(len(t.beside) == 2 for t in study.trials)


@pytest.mark.parametrize(
    ("preset", "settings", "said"),
    [
        ("realism", {}, "The study realism needs a folder of photographs"),
        ("closest", {"beside": ["real"]}, "The study closest needs folders of rivals"),
        ("closest", {"rivals": ["theirs"]}, "shows truth beside, a folder each .--beside.; got 0"),
        ("realism", {"real": "real", "rivals": ["theirs"]}, "The study realism has no folders of rivals"),
        ("realism", {"real": "real"}, "shows 55 generated pictures, there are 6"),
        ("closest", {"rivals": ["ours"], "beside": ["real"]}, "two of the folders are the same"),
        (
            "closest",
            {"rivals": ["fewer"], "beside": ["real"]},
            "fewer has no picture for 5 of 6 items of ours, for example 1",
        ),
        ("closest", {"rivals": ["small"], "beside": ["real"], "count": 6}, "gives away where they come from"),
        ("try_on", {"rivals": ["theirs"], "beside": ["real", "fewer"]}, "has no picture for 1"),
    ],
)
def test_what_no_study_can_be_made_of(folders, preset, settings, said):
    for name, size, numbers in (("fewer", (12, 16), [0]), ("small", (6, 8), range(6))):
        (folders / name).mkdir()
        for n in numbers:
            Image.new("RGB", size, (n, 0, 0)).save(folders / name / f"{n}.png")
    places = {
        key: [folders / x for x in value]
        if isinstance(value, list)
        else folders / value
        if isinstance(value, str)
        else value
        for key, value in settings.items()
    }
    with pytest.raises(InputError, match=said):
        make_study(preset, folders / "ours", **places)


def test_pages_that_are_none(folders):
    (folders / "x.html").write_text("<p>")
    (folders / "y.html").write_text('<script type="application/json" id="study">{}</script>')
    for name, said in (
        ("x.html", "no page of a study"),
        ("y.html", "no page of a study"),
        ("z.html", "could not be read"),
    ):
        with pytest.raises(InputError, match=said):
            read_study_page(folders / name)
