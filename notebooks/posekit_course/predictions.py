"""Predictions written down before the picture is seen.

    predict("02 known texels", "What share of an atlas of 256 x 256 is known?", "a quarter", "half", "most")

shows the question with buttons.  The answer goes into `predictions.json` in the notebook's folder, and nowhere else;
`python -m posekit_lab.predictions FOLDER` collects those of a class.  A guess cannot be wrong: nothing is graded.
"""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path

import ipywidgets as W
from posekit_lab.predictions import FILE, read_predictions

from posekit.util.errors import InputError
from posekit.util.files import write_json


class Prediction(W.VBox):
    """A question, a button for each answer, and what was written down; made by `predict`."""

    def __init__(self, name: str, question: str, answers: tuple[str, ...], file: Path) -> None:
        self.name, self.question, self.answers, self.file = name, question, answers, file
        self.buttons = [W.Button(description=answer, layout=W.Layout(width="auto")) for answer in answers]
        for answer, button in zip(answers, self.buttons, strict=True):
            button.on_click(partial(self._clicked, answer))
        self.message = W.HTML()
        try:
            before = read_predictions(file).get(name, {}).get("answer")
        except InputError as error:
            before, self.message.value = None, escape(str(error))
        if before is not None:
            self.message.value = f"Written down before: <b>{escape(str(before))}</b>. Click to change it."
        super().__init__([W.HTML(f"<b>Predict:</b> {escape(question)}"), W.HBox(self.buttons), self.message])

    def write(self, answer: str) -> None:
        """Write an answer down, as its button does.

        Raises InputError for another answer, and for a
        file that holds something else: nothing is written over.
        """
        if answer not in self.answers:
            raise InputError(f"The answers are {', '.join(self.answers)}; got {answer!r}.")
        entry = {"question": self.question, "answer": answer}
        write_json(self.file, {**read_predictions(self.file), self.name: entry})

    def _clicked(self, answer: str, _button: W.Button) -> None:
        try:
            self.write(answer)
        except (InputError, OSError) as error:
            self.message.value = f"Not written down: {escape(str(error))}"
            return
        self.message.value = f"Written down: <b>{escape(answer)}</b>. Now look."


def predict(name: str, question: str, *answers: str) -> Prediction:
    """Ask, with two answers or more; ``name`` begins with the notebook's number."""
    if len(set(answers)) < 2:
        raise InputError(f"A prediction needs two different answers or more, got {answers}.")
    return Prediction(name, question, answers, Path(FILE))
