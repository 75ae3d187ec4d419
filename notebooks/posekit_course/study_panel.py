"""A user study inside a notebook: the same schedule and the same files as the page that `posekit study` writes.

    study, pictures, _ = make_study("closest", "out/ours", rivals=["out/theirs"], beside=["out/truth"], count=8)
    panel = StudyPanel(study, pictures, "anna")
    panel                               # as the last line of a cell: shows it
    print(panel.answers)                # percentages so far, with intervals
    panel.save("anna.json")             # for `posekit study --answers`

A thin shell: what is shown, counted and stored is decided by the library.  Times pass through the kernel, so they are a
little too long; where the time of a screen matters to a tenth of a second, use the page.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial
from html import escape
from pathlib import Path

import ipywidgets as W

from posekit.evaluation.study import Study
from posekit.evaluation.study_answers import StudyAnswer, StudyAnswers, write_study_answers
from posekit.util.errors import InputError

HEIGHT = 256  # pixels of a picture on the screen


class StudyPanel(W.VBox):
    """Question, pictures and two buttons; after the last screen, the percentages."""

    def __init__(self, study: Study, pictures: Mapping[str, str], judge: str = "me") -> None:
        self.study, self.pictures, self.judge = study, pictures, judge
        self.given: list[StudyAnswer] = []
        self.screen = W.HTML()
        self.buttons = W.HBox()
        super().__init__([self.screen, self.buttons])
        self._show()

    @property
    def answers(self) -> StudyAnswers:
        """What has been answered so far."""
        return StudyAnswers(self.study, tuple(self.given))

    def answer(self, text: str) -> None:
        """Answer the question on the screen, as its buttons do."""
        number = len(self.given)
        if number == len(self.study.trials):
            raise InputError("Every screen of this study has been answered.")
        known = self.study.questions[self.study.trials[number].question].answers
        if text not in known:
            raise InputError(f"The answers are {known[0]} and {known[1]}, got {text!r}.")
        self.given.append(StudyAnswer(self.judge, number, text, time.monotonic() - self._begun))
        self._show()

    def save(self, path: str | os.PathLike) -> Path:
        """Write the answers as the page does."""
        return write_study_answers(path, self.study, self.judge, self.given)

    def _show(self) -> None:
        number, study = len(self.given), self.study
        if number == len(study.trials):
            self.buttons.children = ()
            self.screen.value = f"<pre>{escape(str(self.answers))}</pre>"
            return
        trial = study.trials[number]
        question = study.questions[trial.question]
        hashes = [*trial.beside, *trial.pictures]
        if question.is_choice:
            hashes = [trial.pictures[0], *trial.beside, trial.pictures[1]]
        # The browser hides the pictures by itself: a timer in the kernel would wait for its other work.
        name, hide = f"posekit-hide-{number}", ""
        if study.seconds is not None:
            hide = f"animation:{name} 0s {study.seconds}s forwards"
        images = "".join(f'<img src="{self.pictures[h]}" height="{HEIGHT}" style="margin:4px">' for h in hashes)
        self.screen.value = (
            f"<style>@keyframes {name} {{ to {{ visibility: hidden }} }}</style>"
            f"<p>{number + 1} of {len(study.trials)}. {escape(question.text)}</p><div style='{hide}'>{images}</div>"
        )
        buttons = [W.Button(description=text) for text in question.answers]
        for button, text in zip(buttons, question.answers, strict=True):
            button.on_click(partial(self._clicked, text))
        self.buttons.children = tuple(buttons)
        self._begun = time.monotonic()

    def _clicked(self, text: str, _button: W.Button) -> None:
        self.answer(text)
