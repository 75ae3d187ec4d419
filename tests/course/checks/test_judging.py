"""What a checker hands to the student's function, and what it does with the answer."""

import pytest
import torch
from posekit_course.checks.judging import CheckFailed, answer_of

CHANGES = {
    "a tensor": lambda x, _: x.mul_(0),
    "its shape": lambda x, _: x.unsqueeze_(0),
    "one entry": lambda x, _: x[2:].fill_(torch.nan),
    "an entry that is no number": lambda x, _: x.nan_to_num_(0),
    "a tensor in a list": lambda _, more: more["list"][0].add_(1),
    "a list": lambda _, more: more["list"].pop(),
    "a tensor in a tuple": lambda _, more: more["tuple"][1].zero_(),
    "a dictionary": lambda _, more: more.clear(),
}


def made_up():
    x = torch.tensor([1.0, torch.nan, 3.0])
    return x, {"list": [torch.ones(2), 3], "tuple": ("a", torch.ones(2, dtype=torch.int64))}


@pytest.mark.parametrize("what", CHANGES)
def test_a_function_that_changes_its_inputs_is_told_and_the_check_keeps_the_originals(what):
    x, more = made_up()
    with pytest.raises(CheckFailed, match="changes its inputs; work on a copy"):
        answer_of(CHANGES[what], x, more)
    fresh, others = made_up()
    assert x.shape == fresh.shape
    torch.testing.assert_close(x, fresh, equal_nan=True)
    torch.testing.assert_close(more["list"], others["list"])
    torch.testing.assert_close(more["tuple"][1], others["tuple"][1])


def test_inputs_arrive_as_they_are_and_the_answer_comes_back():
    x, more = made_up()
    got, same = answer_of(lambda a, b: (a, b), x, more)
    torch.testing.assert_close(got, x, equal_nan=True)
    assert same["tuple"][0] == "a"
    assert same["tuple"][1].dtype == torch.int64
    assert answer_of(lambda size: type(size), torch.Size((2, 3))) is torch.Size


def test_a_gradient_reaches_the_original():
    x = torch.ones(3, requires_grad=True)
    (gradient,) = torch.autograd.grad(answer_of(lambda v: (2 * v).sum(), x), x)
    assert gradient.tolist() == [2, 2, 2]


def test_an_exception_of_the_function_is_told():
    with pytest.raises(CheckFailed, match="Your function raised ZeroDivisionError"):
        answer_of(lambda: 1 / 0)
    with pytest.raises(CheckFailed, match="without calling it; got a float"):
        answer_of(1.0)
