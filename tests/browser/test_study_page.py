"""The page of a user study in a real browser: it shows, hides, asks, and its file is counted."""

import csv

import pytest
import torch

from posekit.evaluation.page_pictures import picture_hash, png_address
from posekit.evaluation.study import Study, Trial, schedule_choices
from posekit.evaluation.study_answers import read_study_answers
from posekit.evaluation.study_page import write_study_page
from posekit.evaluation.study_presets import study_preset

STAGE = "#stage img"


@pytest.fixture
def opened(browser, tmp_path):
    """opened(study, pictures) -> the page and what its console said."""
    page = browser.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))

    def open_page(study, pictures):
        page.goto(write_study_page(tmp_path / "study.html", study, pictures).as_uri())
        return page, messages

    yield open_page
    page.close()


def pictures(count):
    images = torch.rand(count, 3, 24, 16, generator=torch.Generator().manual_seed(0))
    return {picture_hash(image): png_address(image) for image in images}


def saved(page, button, path):
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(path)
    return path


def test_single_pictures_are_shown_for_a_moment_and_answers_are_saved(opened, tmp_path):
    shown = pictures(4)
    kinds = ("real", "generated", "generated", "real")
    trials = tuple(
        Trial(question=0, item=f"<b>{n}", pictures=(own,), kinds=(kind,))
        for n, (own, kind) in enumerate(zip(shown, kinds, strict=True))
    )
    questions = study_preset("realism").questions
    study = Study(preset="realism", seed=5, seconds=1.0, warm_up=1, methods=(), questions=questions, trials=trials)
    page, messages = opened(study, shown)
    assert "4 screens, each for 1 s" in page.inner_text("#begin")
    page.fill("#judge", "Anna")
    page.click("#start")
    for n, button in enumerate((1, 2, 1)):
        page.wait_for_selector(STAGE, state="visible")
        assert page.get_attribute("#stage img", "src") == shown[trials[n].pictures[0]]
        assert page.inner_text("#question") == "Is this picture real or generated?"
        if n == 0:
            page.wait_for_selector(STAGE, state="hidden")  # its time is over, and the question stays
        page.click(f"#answers button:nth-child({button})")
    page.wait_for_selector(STAGE, state="visible")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#end:not([hidden])")
    answers = read_study_answers([saved(page, "#save", tmp_path / "a.json")], study)
    assert [one.answer for one in answers.answers] == ["real", "generated", "real", "generated"]
    assert answers.judges[0].startswith("Anna-")
    assert answers.answers[0].seconds > 0.99
    assert [(s.of, s.count, s.total) for s in answers.shares()] == [("real", 1, 1), ("generated", 1, 2)]
    rows = list(csv.DictReader(saved(page, "#table", tmp_path / "a.csv").read_text().splitlines()))
    assert [row["answer"] for row in rows] == ["real", "generated", "real", "generated"]
    assert rows[2]["item"] == "<b>2"
    assert messages == []


def test_a_choice_has_the_truth_in_the_middle(opened, tmp_path):
    own = list(shown := pictures(9))
    items = {str(n): {"ours": own[3 * n], "theirs": own[3 * n + 1]} for n in range(3)}
    beside = {str(n): (own[3 * n + 2],) for n in range(3)}
    trials = schedule_choices(items, ["ours", "theirs"], 3, 0, beside)
    questions = study_preset("closest").questions
    study = Study(
        preset="closest",
        seed=0,
        seconds=None,
        warm_up=0,
        methods=("ours", "theirs"),
        questions=questions,
        trials=trials,
    )
    page, messages = opened(study, shown)
    page.click("#start")
    for trial in trials[:2]:
        page.wait_for_selector(STAGE, state="visible")
        sources = [image.get_attribute("src") for image in page.query_selector_all("#stage img")]
        assert sources == [shown[h] for h in (trial.pictures[0], trial.beside[0], trial.pictures[1])]
        page.keyboard.press("ArrowLeft" if trial.kinds[0] == "ours" else "2")
    page.wait_for_selector(STAGE, state="visible")
    answers = read_study_answers([saved(page, "#stop", tmp_path / "a.json")])
    assert [(s.of, s.count, s.total) for s in answers.shares()] == [("ours over theirs", 2, 2)]
    assert answers.notes == ("a.json: 2 of 3 trials were answered",)
    assert messages == []
