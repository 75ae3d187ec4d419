"""Notebook 10: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text, so they are made the way a student makes them, independently of
how the checkers recognise them: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course import checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

TO_PHOTOGRAPH = """
def solution(points, h, w, side):
    scale = max(h, w) / side
    border = (side - torch.tensor([w, h]) / scale) / 2
    return (points + 0.5 - border) * scale - 0.5
"""
ENLARGED = "(points + 0.5 - border) * scale - 0.5"
TO_PHOTOGRAPH_MUTANTS = [
    (ENLARGED, "(points - border) * scale", "Half a pixel is missing: the centre"),
    (" * scale - 0.5", " * scale", "Half a pixel is missing: take it away"),
    ("points + 0.5 -", "points -", "Half a pixel is missing: add it before"),
    ("0.5 - border)", "0.5)", "The border is left out"),
    (ENLARGED, "points * scale", "The border is left out"),
    ("/ scale) / 2", "/ scale)", "Half of the border"),
    ("[w, h]", "[h, w]", "borders along x and y are exchanged"),
    (ENLARGED, "(points + 0.5) * scale - border - 0.5", "before you enlarge"),
    (ENLARGED, "(points + 0.5) * torch.tensor([w, h]) / side - 0.5", "not stretched"),
    ("max(h, w)", "min(h, w)", r"The \*longer\* side"),
    ("- border) * scale", "- border) / scale", "enlarged"),
    (ENLARGED, f"({ENLARGED}).flip(1)", "Columns are exchanged"),
    ("return ", "", "returned nothing"),
    (ENLARGED, "points * scale + (scale - 1) / 2 - border * scale", None),
]
PCK = """
def solution(guess, truth, seen, torso):
    apart = (guess - truth).norm(dim=-1)
    near = (apart < 0.2 * torso[:, None]).float()
    return (near * seen).sum() / seen.sum()
"""
ANSWER = "(near * seen).sum() / seen.sum()"
NORM = "(guess - truth).norm(dim=-1)"
PCK_MUTANTS = [
    (ANSWER, "near.mean()", "Joints that are not seen are counted"),
    (ANSWER, "(near * seen).mean()", "count as wrong"),
    (ANSWER, "1 - ((1 - near) * seen).mean()", "count as right"),
    (" * torso[:, None]", "", r"0.2 \*torsos\*"),
    ("0.2 * torso", "1.0 * torso", "not a whole one"),
    ("0.2 * torso", "0.5 * torso", "not a half"),
    ("apart < 0.2", "apart >= 0.2", "share of wrong joints"),
    (ANSWER, "100 * " + ANSWER, "per cent"),
    (NORM, "(guess - truth).abs().sum(-1)", r"\|dx\| \+ \|dy\|"),
    (NORM, "(guess - truth).abs().amax(-1)", "here the larger of dx and dy"),
    (NORM, "(guess - truth).square().sum(-1)", "its root is missing"),
    (ANSWER, "((near * seen).sum(1) / seen.sum(1)).mean()", "here every person does"),
    (ANSWER, "(near * seen).sum(1) / seen.sum(1)", "one over all joints"),
    ("return ", "", "returned nothing"),
    (ANSWER, "near[seen > 0].mean()", None),
]

IOU = """
def solution(a, b):
    return (a * b).sum() / torch.maximum(a, b).sum()
"""
EITHER = "torch.maximum(a, b).sum()"
WHOLE = "(a * b).sum() / " + EITHER
IOU_MUTANTS = [
    (EITHER, "(a + b).sum()", "count twice"),
    (WHOLE, "2 * (a * b).sum() / (a + b).sum()", "Dice"),
    (EITHER, "a.sum()", "the first alone"),
    (EITHER, "b.sum()", "the second alone"),
    (EITHER, "a.numel()", "the whole picture"),
    (WHOLE, "(a == b).float().mean()", "both agree"),
    (WHOLE, "torch.maximum(a, b).sum() / (a * b).sum()", "turn it around"),
    (" / torch.maximum(a, b).sum()", "", "These are pixels"),
    ("return ", "", "returned nothing"),
    (EITHER, "(a + b - a * b).sum()", None),
    (EITHER, "((a + b) > 0).sum()", None),
]

CASES = {
    "to_photograph": (checks.check_to_photograph, TO_PHOTOGRAPH, TO_PHOTOGRAPH_MUTANTS),
    "pck": (checks.check_pck, PCK, PCK_MUTANTS),
    "iou": (checks.check_iou, IOU, IOU_MUTANTS),
}
