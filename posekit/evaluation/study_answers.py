"""What judges answered: read from their files, counted, and turned into percentages with intervals."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest, norm

from posekit.evaluation.study import LEFT, RIGHT, Study
from posekit.metrics.interval import interval_over_people
from posekit.util.errors import InputError
from posekit.util.files import write_json
from posekit.util.reading import read_json

VERSION = 1
MOST_BYTES = 50_000_000
CONFIDENCE = 0.95


class StudyAnswer(NamedTuple):
    """Who answered what: judge, number of the trial, one of the question's answers, and after how many seconds."""

    judge: str
    trial: int
    answer: str
    seconds: float


class StudyShare(NamedTuple):
    """A percentage as a share: ``count`` of ``total`` judgements.

    of: kind of picture, or "FIRST over RIVAL".  low, high: Wilson's interval, as if all judgements were independent.
    judges_low, judges_high: bootstrap over judges, None for one judge.
    """

    question: str
    of: str
    answer: str
    count: int
    total: int
    low: float
    high: float
    judges_low: float | None
    judges_high: float | None

    @property
    def share(self) -> float:
        return self.count / self.total


@dataclass(frozen=True)
class StudyAnswers:
    """The answers of all judges to one study; what a reader must know stands in the notes."""

    study: Study
    answers: tuple[StudyAnswer, ...]
    notes: tuple[str, ...] = ()

    @property
    def judges(self) -> list[str]:
        return list(dict.fromkeys(one.judge for one in self.answers))

    def shares(self) -> list[StudyShare]:
        """One share for every question and kind of picture, or rival; of the trials that count."""
        study, rows = self.study, []
        counted = [one for one in self.answers if one.trial >= study.warm_up]
        for number, question in enumerate(study.questions):
            of = question.reported.items()
            if question.is_choice:
                first, *rivals = study.methods
                of = [(rival, first) for rival in rivals]
            for kind, wanted in of:
                judged = [
                    one
                    for one in counted
                    if study.trials[one.trial].question == number and kind in study.trials[one.trial].kinds
                ]
                hits = [self._chosen(one, question.is_choice) == wanted for one in judged]
                name = f"{wanted} over {kind}" if question.is_choice else kind
                answer = "preferred" if question.is_choice else f"said to be {wanted!r}"
                if judged:
                    rows.append(_share(question.name, name, answer, hits, [one.judge for one in judged]))
        return rows

    def _chosen(self, one: StudyAnswer, is_choice: bool) -> str:
        """The answer, or the method that stood on the chosen side."""
        return self.study.trials[one.trial].kinds[(LEFT, RIGHT).index(one.answer)] if is_choice else one.answer

    def __str__(self) -> str:
        """A line for every share, and what is behind it."""
        study = self.study
        lines = []
        for row in self.shares():
            line = f"{row.question}: {row.of} {row.answer} {100 * row.share:.1f} % ({row.count} of {row.total})"
            line += f" [{100 * row.low:.1f}, {100 * row.high:.1f}]"
            if row.judges_low is not None and row.judges_high is not None:
                line += f", over judges [{100 * row.judges_low:.1f}, {100 * row.judges_high:.1f}]"
            lines.append(line)
        lines.append(
            f"study {study.id}: preset {study.preset}, seed {study.seed}, {len(study.trials)} trials, the first "
            f"{study.warm_up} not counted, {len(self.judges)} judges; {CONFIDENCE:.0%} intervals: Wilson's, as if "
            "every judgement were of somebody else, then a bootstrap over judges"
        )
        return "\n".join([*lines, *self.notes])


def _share(question: str, of: str, answer: str, hits: Sequence[bool], judges: Sequence[str]) -> StudyShare:
    count, total = sum(hits), len(hits)
    wilson = binomtest(count, total).proportion_ci(CONFIDENCE, method="wilson")
    over = interval_over_people(np.asarray(hits, float), list(judges)) or (None, None)
    return StudyShare(question, of, answer, count, total, float(wilson.low), float(wilson.high), *over)


def judgements_needed(margin: float, share: float = 0.5, confidence: float = CONFIDENCE) -> int:
    """How many independent judgements make Wilson's interval at most ``margin`` wide on either side of its middle.

        z / (1 + z^2 / n)  sqrt(p (1 - p) / n + z^2 / (4 n^2))  <=  margin

    share: the expected p; a half needs most.  InputError for what is no share.

    >>> judgements_needed(0.05), judgements_needed(0.05, 0.9)
    (381, 141)
    """
    if not 1e-4 <= margin < 0.5 or not 0 <= share <= 1 or not 0 < confidence < 1:
        raise InputError(
            "A margin lies from 0.0001 to 0.5 (5 % is 0.05), a share from 0 to 1, a confidence between 0 and 1, got "
            f"{margin}, {share} and {confidence}."
        )
    z = norm.ppf((1 + confidence) / 2)

    def half(n: int) -> float:
        return z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))

    low, high = 0, 1
    while half(high) > margin:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half(middle) <= margin else (middle, high)
    return high


def write_study_answers(path: str | os.PathLike, study: Study, judge: str, answers: Sequence[StudyAnswer]) -> Path:
    """One judge's answers as a file, such as the page of the study saves."""
    given = [{"trial": one.trial, "answer": one.answer, "seconds": one.seconds} for one in answers]
    content = {"posekit_study": VERSION, "id": study.id, "judge": judge, "study": study.to_json(), "answers": given}
    return write_json(path, content)


def read_study_answers(paths: Sequence[str | os.PathLike], study: Study | None = None) -> StudyAnswers:
    """Read one or several files that judges saved, all of one study.

    study: which one it is to be; None: that of the first file.  InputError, one sentence, for a file that is none, was
    changed by hand, belongs to another study, or comes from a judge who is there already.
    """
    if not paths:
        raise InputError("Answers are read from one file or several, got none.")
    answers: list[StudyAnswer] = []
    notes: list[str] = []
    known: dict[str, str | os.PathLike] = {}
    for path in paths:
        own, judge, given = _read(Path(path))
        if study is None:
            study = own
        if own.id != study.id:
            raise InputError(
                f"{path} answers another study ({own.preset}, seed {own.seed}, id {own.id}) than {study.id}; count the "
                "two apart."
            )
        if judge in known:
            raise InputError(f"{path} and {known[judge]} are of one judge, {judge}; keep one of them.")
        known[judge] = path
        if len(given) < len(own.trials):
            notes.append(f"{Path(path).name}: {len(given)} of {len(own.trials)} trials were answered")
        answers += given
    return StudyAnswers(study, tuple(answers), tuple(notes))


def _read(path: Path) -> tuple[Study, str, list[StudyAnswer]]:
    try:
        stored = read_json(path, MOST_BYTES)
    except OSError as error:
        raise InputError(f"{path} could not be read ({error.strerror}); check the path.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no file of answers (not JSON); give the files that judges saved.") from error
    if not isinstance(stored, dict) or stored.get("posekit_study") != VERSION:
        raise InputError(f"{path} is no file of answers; give the files that judges saved from the study's page.")
    try:
        study = Study.from_json(stored.get("study"))
    except (InputError, RecursionError) as error:
        raise InputError(f"{path}: {error}") from error
    if stored.get("id") != study.id:
        raise InputError(f"{path} was changed: its study is not the one that its id {stored.get('id')!r} stands for.")
    judge = stored.get("judge")
    if not isinstance(judge, str) or not judge.strip():
        raise InputError(f"{path} does not say who the judge is.")
    given = stored.get("answers")
    if not isinstance(given, list):
        raise InputError(f"{path} holds no list of answers.")
    rows = [_answer(path, one, judge, study) for one in given]
    if len({row.trial for row in rows}) < len(rows):
        raise InputError(f"{path} answers a trial more than once.")
    return study, judge, rows


def _answer(path: Path, one: Any, judge: str, study: Study) -> StudyAnswer:
    trial = one.get("trial") if isinstance(one, dict) else None
    if not isinstance(trial, int) or isinstance(trial, bool) or not 0 <= trial < len(study.trials):
        raise InputError(f"{path} answers a trial that the study does not have ({str(trial)[:40]!r}).")
    known = study.questions[study.trials[trial].question].answers
    answer, seconds = one.get("answer"), one.get("seconds")
    if answer not in known:
        raise InputError(f"{path}, trial {trial}: the answers are {known[0]} and {known[1]}, got {str(answer)[:40]!r}.")
    if not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
        raise InputError(f"{path}, trial {trial}: seconds should be a number of 0 or more.")
    return StudyAnswer(judge, trial, answer, float(seconds))
