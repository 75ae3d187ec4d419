"""Notebook 00: checkers accept the solution and name each classic mistake, and the last cell goes on with the answer.

(text, replacement, words of the verdict; None: still right)
"""

from types import SimpleNamespace

import pytest
import torch
from posekit_course import checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)
from tests.test_imports import ROOT

SEEN_SHARE = """
def solution(known, body):
    return ((known > 0) * body).sum() / body.sum()
"""
SEEN_SHARE_MUTANTS = [
    ("body.sum()", "body.numel()", "divide by all texels"),
    (" * body", "", "off the body are counted"),
    ("((known > 0) * body).sum() / body.sum()", "(known > 0).float().mean()", "off the body are counted"),
    ("(known > 0)", "known", "whether anything did"),
    (" / body.sum()", "", "divide by the number"),
    ("(known > 0)", "(known == 0)", r"\*not\* seen"),
    ("return (", "return 100 * (", "not in percent"),
    ("return", "None #", "returned nothing"),
    ("body.sum()\n", "body.sum().item()\n", None),
    ("return ((known > 0) * body).sum()", "return int(((known > 0) * body).sum())", None),
]

WRAPPED = """
def solution(T, column, row, mask):
    return T[:, row, column] * mask + 1 - mask
"""
WRAPPED_MUTANTS = [
    ("row, column]", "column, row]", "Rows and columns are swapped"),
    (" * mask + 1 - mask", "", "colour of some texel"),
    (" + 1 - mask", "", "it is black"),
    ("T[:, row, column] * mask + 1 - mask", "T[:, row, column] * (1 - mask) + mask", "wrong way round"),
    ("T[:, row, column] * mask + 1 - mask", "T[:, column, row]", "Rows and columns are swapped"),
    (
        "T[:, row, column] * mask + 1 - mask",
        "(T[:, row, column] * mask + 1 - mask).movedim(0, -1)",
        "Channels come first",
    ),
    ("return", "None #", "returned nothing"),
    ("T[:, row, column] * mask + 1 - mask", "torch.where(mask > 0, T[:, row, column], 1)", None),
]

BODY_ERROR = """
def solution(image, truth, mask):
    difference = ((image - truth).abs() * mask).sum()
    return difference / (3 * mask.sum())
"""
BODY_ERROR_MUTANTS = [
    ("(3 * mask.sum())", "(3 * mask.numel())", "divide by all pixels"),
    ("(3 * mask.sum())", "mask.sum()", "you divide by pixels"),
    (" / (3 * mask.sum())", "", "This is a sum"),
    ("return difference / (3 * mask.sum())", "return (image - truth).abs().mean()", "background counts"),
    (" * mask)", ")", "background is in the sum"),
    (".abs()", " ** 2", "These are squares"),
    (".abs()", "", "Signs cancel"),
    ("((image - truth).abs() * mask)", "((truth - image) * mask)", "Signs cancel"),
    ("return difference", "difference", "returned nothing"),
    ("(3 * mask.sum())\n", "(3 * mask.sum()).item()\n", None),  # a float, with which the cell goes on; see below
    ("return difference / (3 * mask.sum())", "return float(difference) / int(3 * mask.sum())", None),
    ("return difference / (3 * mask.sum())", "return (difference / (3 * mask.sum())).numpy()", None),
    ("return difference / (3 * mask.sum())", "return (difference / (3 * mask.sum())).double()", None),
]

CASES = {
    "seen_share": (checks.check_seen_share, SEEN_SHARE, SEEN_SHARE_MUTANTS),
    "wrapped": (checks.check_wrapped, WRAPPED, WRAPPED_MUTANTS),
    "body_error": (checks.check_body_error, BODY_ERROR, BODY_ERROR_MUTANTS),
}


def _check_cell() -> str:
    """The code of the cell that checks the last exercise of notebook 00."""
    source = (ROOT / "notebooks/src/00_start_here.py").read_text(encoding="utf-8")
    return source.split('# %% tags=["check"]\n')[-1].split("\n# %%")[0]


@pytest.mark.parametrize("kind", ["float(x)", "x", "x.double()", "x.numpy()", "x.double().numpy()"])
def test_the_cell_goes_on_with_every_answer_that_is_accepted(kind, function):
    right = function(BODY_ERROR)
    image, truth = torch.rand(2, 1, 3, 4, 4)
    mask = torch.ones(1, 1, 4, 4)
    pair = SimpleNamespace(source=None, target=SimpleNamespace(image=truth[0], mask=mask[0]))
    scope = {
        "checks": checks,
        "torch": torch,
        "body_error": lambda *given: eval(kind, {"x": right(*given), "float": float}),
        "shown": [pair],
        "transfer": lambda *_: SimpleNamespace(image=image),
        "system": None,
        "body": {"shown above": right(image[0], truth[0], mask[0])[None]},
    }
    exec(_check_cell(), scope)
    scope["body"]["shown above"] += 0.01
    with pytest.raises(AssertionError, match="section 3"):
        exec(_check_cell(), scope)
