"""How an exercise is judged: compare the answer with the right one, and with those that known mistakes give.

A checker runs the student's function on a small made-up input and computes, beside the right answer, what the
function would have returned with each classic mistake.  Where the student's answer is one of these, the mistake has
a name, and the name is the help.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from posekit.ops.splat import _Splat

TOLERANCE = 1e-4


class _OneLine:
    """An exception that a notebook shows as its one sentence: IPython asks for `_render_traceback_`."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class StillOpen(_OneLine, NotImplementedError):
    """The stub of an exercise was reached: in a student's copy stands `raise checks.StillOpen(2)`."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"Exercise {number} is still open: write the part marked YOUR CODE HERE, and delete its line `raise`."
        )


class CheckFailed(_OneLine, AssertionError):
    """An exercise is not solved yet; the message is one sentence that names the mistake."""


@dataclass(frozen=True)
class Mistake:
    """A classic mistake: the sentence that names it, and the answer of a function that makes it."""

    sentence: str
    answer: Tensor


def answer_of(function: Callable, *inputs: object) -> object:
    """What the student's function returns; an exception in it becomes a CheckFailed, except the stub's own.

    The function gets copies of the tensors, and must leave them as they are.
    """
    if not callable(function):
        raise CheckFailed(
            f"Give the function itself to the check, without calling it; got a {type(function).__name__}."
        )
    given = _copy(inputs)
    try:
        answer = function(*given)
    except NotImplementedError:
        raise
    except Exception as error:
        words = " ".join(str(error).split())
        raise CheckFailed(f"Your function raised {type(error).__name__}: {words}{_its_line(error)}") from error
    if not _unchanged(inputs, given):
        raise CheckFailed("Your function changes its inputs; work on a copy (x.clone()).")
    return answer


def _its_line(error: Exception) -> str:
    """Where in the student's function: one line is shown instead of the traceback through the checker."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" (in `{frames[1].line}`)" if len(frames) > 1 and frames[1].line else ""


def several(answer: object, number: int, what: str) -> Sequence:
    """The ``number`` things that an answer consists of; ``what`` names them."""
    if answer is None:
        raise CheckFailed("Your function returned nothing; is there a `return`?")
    if not isinstance(answer, tuple | list) or len(answer) != number:
        raise CheckFailed(f"Return {what}.")
    return answer


@dataclass
class Watched:
    """What a function did while it was watched: library functions it called, and its largest tensor."""

    called: str = ""
    largest: int = 0

    def refuse_library(self) -> None:
        """To be called when the answer is right."""
        if self.called:
            raise CheckFailed(f"The numbers are right, but `{self.called}` made them; write the steps by hand here.")


@contextmanager
def watched() -> Iterator[Watched]:
    """Watch for `F.grid_sample` (and `sample`, which calls it), for `splat`, and for large tensors.

    However the student's code imported them: every way to them ends in what is watched.
    """
    seen = Watched()

    class Watch(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            if "grid_sample" in getattr(function, "__name__", ""):
                seen.called = "grid_sample"
            made = function(*args, **(kwargs or {}))
            if isinstance(made, Tensor) and made.layout is torch.strided:
                seen.largest = max(seen.largest, made.untyped_storage().nbytes() // made.element_size())
            return made

    def apply(*inputs: object) -> object:
        seen.called = "splat"
        return scatter(*inputs)

    scatter = _Splat.apply
    with mock.patch.object(_Splat, "apply", apply), Watch():
        yield seen


def accept(
    what: str,
    got: object,
    right: Sequence[Tensor],
    mistakes: Sequence[Mistake],
    unknown: str = "",
    as_picture: bool = False,
) -> None:
    """Accept ``got`` or raise CheckFailed with the most telling sentence.

    what: a name for the answer.  right: accepted answers (an entry may follow any of them).  unknown: what a NaN in
    the answer means here.  as_picture: the notebook goes on with the answer, so that right numbers in something else
    than a tensor of the usual dtype are refused.
    """
    answer, got = got, _as_tensor(what, got)
    wanted = right[0]
    if got.shape != wanted.shape:
        for mistake in mistakes:
            if got.shape == mistake.answer.shape and _same(got, mistake.answer):
                raise CheckFailed(mistake.sentence)
        raise CheckFailed(_about_shape(what, tuple(got.shape), tuple(wanted.shape)))
    given, got = got, got.detach().to(wanted)
    if torch.stack([(got - one).abs() < TOLERANCE for one in right]).any(0).all():
        if as_picture:
            _refuse_other_kinds(what, answer, given.dtype, wanted.dtype)
        return
    broken = ~got.isfinite()
    if broken.any():
        place = tuple(broken.nonzero()[0].tolist())
        raise CheckFailed(
            f"NaN is left in {what}: {int(broken.sum())} entries are not finite, the first at {place}{unknown}."
        )
    for mistake in mistakes:
        if got.shape == mistake.answer.shape and _same(got, mistake.answer):
            raise CheckFailed(mistake.sentence)
    wrong = torch.stack([(got - one).abs() for one in right]).amin(0)
    place = tuple((wrong >= TOLERANCE).nonzero()[0].tolist())
    should, is_ = _told_apart(float(wanted[place]), float(got[place]))
    raise CheckFailed(
        f"{int((wrong >= TOLERANCE).sum())} of {wrong.numel()} entries of {what} are wrong; the first, at {place}, "
        f"should be {should} and is {is_}."
    )


def _told_apart(a: float, b: float) -> tuple[str, str]:
    """Both numbers with three digits, or with as many as show that they differ."""
    for digits in range(3, 9):
        texts = f"{a:.{digits}f}", f"{b:.{digits}f}"
        if round(a, digits) != round(b, digits):
            break
    return texts


def _refuse_other_kinds(what: str, answer: object, dtype: torch.dtype, wanted: torch.dtype) -> None:
    right = f"The numbers of {what} are right, but"
    if not isinstance(answer, Tensor):
        kind = "numpy array" if type(answer).__module__ == "numpy" else type(answer).__name__
        raise CheckFailed(f"{right} they come as a {kind}; return a float32 tensor.")
    if dtype not in (wanted, torch.bool):
        names = (str(one).removeprefix("torch.") for one in (dtype, wanted))
        raise CheckFailed("{} they are {} and not {}; finish with .float().".format(right, *names))


def solved(what: str) -> None:
    """The tick."""
    print(f"\N{CHECK MARK} {what}")


def _copy(value: Any) -> Any:
    """Clones of a tensor, or of those in a list, tuple or dictionary; gradients reach the originals."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, list | tuple):
        return type(value)([_copy(item) for item in value])
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return value


def _unchanged(value: Any, given: Any) -> bool:
    if isinstance(value, Tensor):
        return value.shape == given.shape and bool(((value == given) | (value.isnan() & given.isnan())).all())
    if isinstance(value, list | tuple):
        return len(value) == len(given) and all(map(_unchanged, value, given))
    if isinstance(value, dict):
        return value.keys() == given.keys() and all(_unchanged(value[key], given[key]) for key in value)
    return True


def _as_tensor(what: str, got: object) -> Tensor:
    if got is None:
        raise CheckFailed(f"Your function returned nothing for {what}; is there a `return`?")
    try:
        return torch.as_tensor(got)
    except (TypeError, ValueError, RuntimeError):
        raise CheckFailed(f"Expected a tensor for {what}, got a {type(got).__name__}.") from None


def _same(got: Tensor, answer: Tensor) -> bool:
    return torch.allclose(got.to(answer), answer, rtol=0, atol=TOLERANCE)


def _about_shape(what: str, got: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    sentence = f"Expected {what} of shape {wanted}, got {got}"
    if len(got) == len(wanted) == 3:
        if got == (wanted[0], wanted[2], wanted[1]):
            return f"{sentence}: rows and columns are exchanged; the height comes before the width."
        if got == (*wanted[1:], wanted[0]):
            return f"{sentence}: the channels come first here, before height and width."
    return f"{sentence}."
