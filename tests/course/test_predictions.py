"""Guesses are written down, kept, changed and collected; a file of another kind is never written over."""

import csv
import io
import json

import pytest
from posekit_course.predictions import predict
from posekit_lab import predictions
from posekit_lab.predictions import FILE, guesses_in, read_predictions

from posekit.util.errors import InputError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_click_writes_the_answer_down(here):
    form = predict("02 known", "Which share is known?", "a quarter", "half")
    assert not list(here.iterdir()), "asking writes nothing"
    form.buttons[1].click()
    assert "half" in form.message.value
    assert read_predictions(here / FILE) == {"02 known": {"question": "Which share is known?", "answer": "half"}}
    predict("03 other", "<b>?", "yes", "no").write("no")
    again = predict("02 known", "Which share is known?", "a quarter", "half")
    assert "Written down before: <b>half</b>" in again.message.value
    again.buttons[0].click()
    assert {name: entry["answer"] for name, entry in read_predictions(here / FILE).items()} == {
        "02 known": "a quarter",
        "03 other": "no",
    }


def test_what_is_asked_is_text(here):
    form = predict("a", "<script>?", "x", "y")
    assert "<script>" not in form.children[0].value


def test_answers(here):
    with pytest.raises(InputError, match="The answers are yes, no; got 'maybe'"):
        predict("a", "b?", "yes", "no").write("maybe")
    with pytest.raises(InputError, match="two different answers or more"):
        predict("a", "b?", "yes", "yes")


@pytest.mark.parametrize("content", ["[1]", "{", '{"a": 1}', "ü" * 600_000])
def test_another_file_is_not_written_over(here, content):
    (here / FILE).write_text(content, encoding="utf-8")
    form = predict("a", "b?", "yes", "no")
    assert FILE in form.message.value
    form.buttons[0].click()
    assert form.message.value.startswith("Not written down")
    assert (here / FILE).read_text(encoding="utf-8") == content


def test_a_class_is_collected(tmp_path, capsys):
    for student, answer in (("anna", "half"), ("ben", "half"), ("cem", "a quarter")):
        (tmp_path / student).mkdir()
        entry = {"02 known": {"question": "Which?", "answer": answer}}
        (tmp_path / student / FILE).write_text(json.dumps(entry), encoding="utf-8")
    (tmp_path / "dora").mkdir()
    (tmp_path / "dora" / FILE).write_text("[]", encoding="utf-8")
    assert predictions.main([str(tmp_path), "-o", str(tmp_path / "all.csv")]) == 0
    said = capsys.readouterr()
    assert "half 2, a quarter 1" in said.out
    assert "dora" in said.err
    rows = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text(encoding="utf-8"))))
    assert [row["student"] for row in rows] == ["anna", "ben", "cem"]
    assert {guess.name for guess in guesses_in(tmp_path)} == {"02 known"}


def test_nobody(tmp_path, capsys):
    assert predictions.main([str(tmp_path)]) == 1
    assert "holds no file NAME/predictions.json" in capsys.readouterr().err
