"""The user study in a notebook: the screens of the study, and the files of its page."""

import pytest
import torch
from posekit_course.study_panel import StudyPanel

from posekit.evaluation.page_pictures import picture_hash, png_address
from posekit.evaluation.study import Study, Trial
from posekit.evaluation.study_answers import read_study_answers
from posekit.evaluation.study_presets import study_preset
from posekit.util.errors import InputError


@pytest.fixture
def shown():
    images = torch.rand(3, 3, 8, 6, generator=torch.Generator().manual_seed(0))
    return {picture_hash(image): png_address(image) for image in images}


def study_of(preset, trials, methods=(), seconds=None):
    own = study_preset(preset)
    return Study(
        preset=preset, seed=0, seconds=seconds, warm_up=0, methods=methods, questions=own.questions, trials=trials
    )


def test_buttons_answer_and_the_file_is_counted(shown, tmp_path):
    kinds = ("real", "generated", "real")
    trials = tuple(
        Trial(question=0, item=str(n), pictures=(own,), kinds=(kind,))
        for n, (own, kind) in enumerate(zip(shown, kinds, strict=True))
    )
    study = study_of("realism", trials, seconds=0.5)
    panel = StudyPanel(study, shown, "anna")
    for n, button in enumerate((0, 0, 1)):
        assert f"{n + 1} of 3. Is this picture real or generated?" in panel.screen.value
        assert shown[trials[n].pictures[0]] in panel.screen.value
        assert "0s 0.5s forwards" in panel.screen.value
        panel.buttons.children[button].click()
    assert panel.buttons.children == ()
    assert "generated said to be &#x27;real&#x27; 100.0 % (1 of 1)" in panel.screen.value
    answers = read_study_answers([panel.save(tmp_path / "a.json")], study)
    assert answers.answers == panel.answers.answers
    assert answers.judges == ["anna"]
    with pytest.raises(InputError, match="Every screen of this study has been answered"):
        panel.answer("real")


def test_the_truth_stands_in_the_middle(shown):
    first, second, truth = shown
    trial = Trial(question=0, item="a", pictures=(first, second), kinds=("ours", "theirs"), beside=(truth,))
    panel = StudyPanel(study_of("closest", (trial,), ("ours", "theirs")), shown)
    places = [panel.screen.value.index(shown[h]) for h in (first, truth, second)]
    assert places == sorted(places)
    with pytest.raises(InputError, match="The answers are left and right, got 'middle'"):
        panel.answer("middle")
    panel.answer("right")
    assert panel.answers.shares()[0].count == 0
