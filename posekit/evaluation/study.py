"""A user study: which pictures a judge sees in which order, and what is asked.

Everything here is pure: names and hashes of pictures in, a schedule out, the same for the same seed.  A study is its
own key: `Study.id` is a hash of the questions, the order and the pictures, and answers carry it with them.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from posekit.util.errors import InputError

LEFT, RIGHT = "left", "right"
MOST_TRIALS = 100_000


@dataclass(frozen=True, kw_only=True)
class StudyQuestion:
    """What is asked, the two answers, and which of them is reported of which kind of picture.

    name: short, for tables.  reported: kind of picture -> the answer whose share is reported, such as
    ``{"generated": "real"}``; empty for a choice between two pictures, of which the first method's share is reported.
    """

    name: str
    text: str
    answers: tuple[str, str] = (LEFT, RIGHT)
    reported: Mapping[str, str]

    @property
    def is_choice(self) -> bool:
        """Whether two pictures are compared."""
        return not self.reported


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One screen: the question's number, the pictures asked about (hashes) and what each is, from left to right, those
    shown beside them, and the name of the item."""

    question: int
    item: str
    pictures: tuple[str, ...]
    kinds: tuple[str, ...]
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Study:
    """A whole study.

    preset: its name.  seed: of the order.  seconds: for how long the pictures are shown; None: until the answer.
    warm_up: so many trials at the beginning are not counted.  methods: whose pictures are compared, the one that shares
    are reported of first; empty where no two are compared.
    """

    preset: str
    seed: int
    seconds: float | None
    warm_up: int
    methods: tuple[str, ...]
    questions: tuple[StudyQuestion, ...]
    trials: tuple[Trial, ...]

    def __post_init__(self) -> None:
        """InputError unless it is a study that can be judged and counted."""
        if not self.questions or not 0 < len(self.trials) <= MOST_TRIALS or not 0 <= self.warm_up < len(self.trials):
            raise InputError(
                f"A study has questions, 1 to {MOST_TRIALS} trials and fewer in the warm-up, got "
                f"{len(self.questions)}, {len(self.trials)} and {self.warm_up}."
            )
        if self.seconds is not None and not 0 < self.seconds <= 3600:
            raise InputError(f"Pictures are shown for more than 0 and at most 3600 seconds, got {self.seconds}.")
        for trial in self.trials:
            question = self.questions[trial.question] if 0 <= trial.question < len(self.questions) else None
            good = question is not None and len(trial.pictures) == len(trial.kinds) == (2 if question.is_choice else 1)
            if not good or not set(trial.kinds) <= set(self.methods if question.is_choice else question.reported):
                raise InputError(f"The trial of {trial.item!r} does not go with the study's questions and methods.")

    @property
    def id(self) -> str:
        """Hash of everything in it: two studies that differ in anything have two of them."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Any) -> Study:
        """Read what `to_json` made; InputError for anything else."""
        try:
            questions = tuple(
                StudyQuestion(
                    name=_text(q["name"]),
                    text=_text(q["text"]),
                    answers=_two([_text(a) for a in q["answers"]]),
                    reported={_text(kind): _text(answer) for kind, answer in q["reported"].items()},
                )
                for q in stored["questions"]
            )
            trials = tuple(
                Trial(
                    question=_number(t["question"]),
                    item=_text(t["item"]),
                    pictures=tuple(_text(p) for p in t["pictures"]),
                    kinds=tuple(_text(k) for k in t["kinds"]),
                    beside=tuple(_text(p) for p in t["beside"]),
                )
                for t in stored["trials"]
            )
            seconds = stored["seconds"]
            return cls(
                preset=_text(stored["preset"]),
                seed=_number(stored["seed"]),
                seconds=None if seconds is None else float(seconds),
                warm_up=_number(stored["warm_up"]),
                methods=tuple(_text(m) for m in stored["methods"]),
                questions=questions,
                trials=trials,
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"This is no study of posekit ({type(error).__name__}: {error}).") from error


def schedule_singles(
    pools: Mapping[str, Sequence[tuple[str, str]]], counts: Mapping[str, int], seed: int, beside: Mapping[str, str]
) -> tuple[Trial, ...]:
    """One picture at a time, in random order.

    Args:
        pools: kind ("real", "generated") -> (name, hash) of the pictures there are.
        counts: kind -> how many of them are drawn, without replacement.
        beside: name -> hash of what is shown beside a picture, for the names that have it.

    InputError where there are too few.
    """
    rng = random.Random(seed)
    drawn = []
    for kind, count in counts.items():
        if len(pools[kind]) < count:
            raise InputError(f"The study shows {count} {kind} pictures, there are {len(pools[kind])}; ask for fewer.")
        drawn += [(kind, *one) for one in rng.sample(sorted(pools[kind]), count)]
    rng.shuffle(drawn)
    return tuple(
        Trial(question=0, item=name, pictures=(own,), kinds=(kind,), beside=(beside[name],) if name in beside else ())
        for kind, name, own in drawn
    )


def schedule_choices(
    items: Mapping[str, Mapping[str, str]],
    methods: Sequence[str],
    count: int,
    seed: int,
    beside: Mapping[str, tuple[str, ...]],
    questions: int = 1,
) -> tuple[Trial, ...]:
    """The first method against each of the others, side by side, every question of every item.

    Each method stands on the left as often as on the right (one more at most), and which side it is, is random.

    Args:
        items: name -> method -> hash.  count: of items, drawn without replacement.
        beside: name -> hashes of what is shown beside both.

    InputError where there are too few.
    """
    if len(items) < count:
        raise InputError(f"The study compares {count} pairs of pictures, there are {len(items)}; ask for fewer.")
    rng = random.Random(seed)
    names = rng.sample(sorted(items), count)
    comparisons = [(name, rival) for rival in methods[1:] for name in names]
    sides = [n % 2 for n in range(len(comparisons))]
    rng.shuffle(sides)
    screens = list(zip(comparisons, sides, strict=True))
    rng.shuffle(screens)
    trials = []
    for (name, rival), side in screens:
        kinds = (methods[0], rival) if side == 0 else (rival, methods[0])
        for question in range(questions):
            own = tuple(items[name][kind] for kind in kinds)
            trials.append(Trial(question=question, item=name, pictures=own, kinds=kinds, beside=beside.get(name, ())))
    return tuple(trials)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, got {type(value).__name__}")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"a whole number was expected, got {type(value).__name__}")
    return value


def _two(values: list[str]) -> tuple[str, str]:
    first, second = values
    return first, second
