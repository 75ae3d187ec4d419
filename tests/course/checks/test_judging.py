"""What a checker hands to the student's function, and what it does with the answer."""

import pytest
import torch
from posekit_course.checks.judging import CheckFailed, Mistake, StillOpen, accept, answer_of, several, watched
from torch.nn.functional import grid_sample as imported_by_name

from posekit.ops.grids import identity_grid
from posekit.ops.sample import sample
from posekit.ops.splat import splat

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


def test_an_exception_is_told_in_one_line():
    def fails():
        raise ValueError("first line\n  second line")

    with pytest.raises(CheckFailed, match="raised ValueError: first line second line"):
        answer_of(fails)


@pytest.mark.parametrize(("should", "is_", "words"), [
    (0.6861, 0.6863, "should be 0.6861 and is 0.6863"),
    (0.5, 0.7, "should be 0.500 and is 0.700"),
    (0.0, -0.0002, "should be 0.0000 and is -0.0002"),
])  # fmt: skip
def test_two_different_numbers_are_not_printed_alike(should, is_, words):
    with pytest.raises(CheckFailed, match=words):
        accept("it", torch.tensor([is_]), [torch.tensor([should])], [])


def test_right_numbers_of_another_kind_are_refused_where_the_cell_goes_on_with_them():
    right = torch.ones(2)
    kinds = {"float64 and not float32": right.double(), "a numpy array": right.numpy(), "a list": [1.0, 1.0]}
    for words, answer in kinds.items():
        accept("it", answer, [right], [])
        with pytest.raises(CheckFailed, match=f"The numbers of it are right, but .*{words}"):
            accept("it", answer, [right], [], as_picture=True)
        with pytest.raises(CheckFailed, match="the mistake"):
            accept("it", answer, [2 * right], [Mistake("the mistake", right)], as_picture=True)
    accept("it", right, [right], [], as_picture=True)


def test_several_things_are_unpacked_or_asked_for():
    assert several((1, 2), 2, "two things") == (1, 2)
    for answer, words in ((None, "returned nothing"), (torch.ones(2), "Return two things."), ((), "two things")):
        with pytest.raises(CheckFailed, match=words):
            several(answer, 2, "two things")


@pytest.mark.parametrize("call", [
    lambda image, grid: imported_by_name(image, grid.movedim(1, -1), align_corners=False),
    lambda image, grid: torch.nn.functional.grid_sample(image, grid.movedim(1, -1), align_corners=False),
    lambda image, grid: torch.grid_sampler(image, grid.movedim(1, -1), 0, 0, False),
    lambda image, grid: sample(image, grid),
    lambda image, grid: splat(image, grid, (4, 5)).values,
])  # fmt: skip
def test_a_library_call_is_seen_however_it_is_written(call):
    image, grid = torch.rand(1, 3, 4, 5), identity_grid(4, 5)[None]
    with watched() as seen:
        by_library = call(image, grid)
    torch.testing.assert_close(by_library, image)  # the call itself works as always
    with pytest.raises(CheckFailed, match="right, but `(grid_sample|splat)` made them; write the steps by hand"):
        seen.refuse_library()
    with watched() as seen:
        assert float((image + grid.mean()).clone().floor().sum()) == 0
    seen.refuse_library()
    assert call(image, grid).shape == image.shape  # and outside it is not watched


def test_the_largest_tensor_is_measured_by_its_memory():
    with watched() as seen:
        x = torch.ones(10)
        x.expand(1000, 10)
        x[:, None].repeat(1, 7)
        torch.sparse_coo_tensor(torch.zeros(2, 1, dtype=torch.long), torch.ones(1), (1000, 1000), check_invariants=True)
    assert seen.largest == 70


@pytest.mark.parametrize("error", [StillOpen(2), CheckFailed("Rows and columns are exchanged.")])
def test_a_notebook_shows_one_line(error):
    from IPython.core.interactiveshell import InteractiveShell

    shown = []
    shell = InteractiveShell()
    shell._showtraceback = lambda kind, value, lines: shown.extend(lines)
    shell.user_ns["error"] = error
    shell.run_cell("def inner():\n    raise error\ninner()")
    assert shown == [str(error)]
    assert len(shown[0]) <= 95


def test_the_students_own_error_says_its_line():
    def wrong(x):
        y = x.no_such_thing
        return y

    with pytest.raises(CheckFailed, match=r"raised AttributeError: .* \(in `y = x.no_such_thing`\)$"):
        answer_of(wrong, torch.ones(2))
