"""Notebook 05: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course.checks import affine_flow as checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

FILTER = """
def solution(C):
    source, target = C.amax(1, keepdim=True), C.amax((2, 3), keepdim=True)
    return C * (C / source) * (C / target)
"""
FILTER_MUTANTS = [
    ("C * (C / source)", "(C / source)", "gamma alone"),
    (" * (C / target)", "", "forgotten: over the target"),
    (" * (C / source)", "", "forgotten: over the source"),
    ("(C / source) * (C / target)", "(C / source) ** 2", "forgotten: over the target"),
    ("(C / source) * (C / target)", "(C / target) ** 2", "forgotten: over the source"),
    ("(C / source) * (C / target)", "C.softmax(1) * C.flatten(2).softmax(2).view_as(C)", "softmax is no maximum:"),
    ("(C / source) * (C / target)", "C.softmax(1)", "softmax.*source pixels alone"),
    ("(C / source) * (C / target)", "C.flatten(2).softmax(2).view_as(C)", "softmax.*target pixels alone"),
    ("(C / source) * (C / target)", "C / (source * target)", "gamma alone"),
    ("(C / source) * (C / target)", "(C / source + C / target)", "not their sum"),
    ("(C / source) * (C / target)", "torch.minimum(C / source, C / target)", "not the smaller one"),
    ("C.amax((2, 3), keepdim=True)", "C.amax(2, keepdim=True)", "Only the rows"),
    ("C.amax((2, 3), keepdim=True)", "C.amax(3, keepdim=True)", "Only the columns"),
    ("C.amax(1, keepdim=True), C.amax((2, 3), keepdim=True)", "C.amax((1, 2, 3), keepdim=True), "
     "C.amax((1, 2, 3), keepdim=True)", "one largest value of all"),
    ("C.amax(1, keepdim=True), C.amax((2, 3), keepdim=True)", "C.mean(1, keepdim=True), "
     "C.mean((2, 3), keepdim=True)", "means"),
    ("(C / source) * (C / target)", "(C == source) * (C == target)", "hard filter"),
    ("    return C * (C / source) * (C / target)", "    return C", "unfiltered"),
    ("    return C *", "    C *= 1.5\n    return C *", "changes its inputs"),
    ("    return C *", "    C *", "returned nothing"),
    ("(C / source) * (C / target)", "C * C / (source * target)", None),
]  # fmt: skip

LENGTH = """
def solution(Q):
    return Q / (Q ** 2).sum(1, keepdim=True).sqrt()
"""
LENGTH_MUTANTS = [
    (".sum(1,", ".sum((2, 3),", "every \\*source\\* pixel"),
    (".sum(1,", ".sum((1, 2, 3),", "sums over everything"),
    (".sum(1, keepdim=True)", ".sum()", "batch is summed"),
    (".sqrt()", "", "root is missing"),
    ("(Q ** 2).sum(1, keepdim=True).sqrt()", "Q.sum(1, keepdim=True)", "makes sums 1"),
    ("(Q ** 2)", "Q", "missing under the root"),
    ("(Q ** 2).sum(1, keepdim=True).sqrt()", "Q.amax(1, keepdim=True)", "maximum, as \\(9\\)"),
    ("Q / (Q ** 2).sum(1, keepdim=True).sqrt()", "Q.softmax(1)", "softmax"),
    (".sum(", ".mean(", "root of the mean"),
    (".sum(1,", ".sum(3,", "one row"),
    (".sum(1,", ".sum(2,", "one column"),
    ("(Q ** 2).sum(1, keepdim=True).sqrt()", "Q.norm(dim=1, keepdim=True)", None),
]

UNDO = """
def grid(h, w):
    x, y = (2 * torch.arange(w) + 1) / w - 1, (2 * torch.arange(h) + 1) / h - 1
    return torch.stack((x.expand(h, w), y[:, None].expand(h, w)))


def solution(A, size):
    h, w = size
    x, inverse, t = grid(h, w), torch.linalg.inv(A[:, :2]), A[:, 2, None]
    return (inverse @ (x.flatten(1) - t)).view(2, h, w)
"""
UNDO_MUTANTS = [
    ("(inverse @ (x.flatten(1) - t))", "(A[:, :2] @ x.flatten(1) + t)", "Forward is taken for backward"),
    (".view(2, h, w)\n", ".view(2, h, w) - x\n", "relative to the pixel \\(s_f"),
    ("(inverse @ (x.flatten(1) - t)).view(2, h, w)", "(A[:, :2] @ x.flatten(1) + t).view(2, h, w) - x", "A x relative"),
    ("x.flatten(1) - t", "x.flatten(1)", "translation is not undone"),
    ("(inverse @ (x.flatten(1) - t))", "(inverse @ x.flatten(1) - t)", "Subtract the translation first"),
    ("x.flatten(1) - t", "x.flatten(1) + t", "wrong sign"),
    ("torch.linalg.inv(A[:, :2])", "A[:, :2].T", "transpose"),
    (".view(2, h, w)\n", ".view(2, h, w).flip(0)\n", "swapped"),
    ("    return (inverse @ (x.flatten(1) - t)).view(2, h, w)\n",
     "    s = (inverse @ (x.flatten(1) - t)).view(2, h, w)\n"
     "    return ((s + 1) * torch.tensor([w, h])[:, None, None] - 1) / 2\n", "pixel indices"),
    ("(2 * torch.arange(w) + 1) / w - 1, (2 * torch.arange(h) + 1) / h - 1",
     "torch.linspace(-1, 1, w), torch.linspace(-1, 1, h)", "outer edges"),
    ("(inverse @ (x.flatten(1) - t)).view(2, h, w)", "x", "identity"),
    ("(inverse @ (x.flatten(1) - t))", "torch.linalg.solve(A[:, :2], x.flatten(1) - t)", None),
]  # fmt: skip

ABSOLUTE = """
def solution(d):
    h, w = d.shape[-2:]
    x = ((2 * torch.arange(w) + 1) / w - 1).expand(h, w)
    y = ((2 * torch.arange(h) + 1) / h - 1)[:, None].expand(h, w)
    return torch.stack((x, y)) + 2 * d / torch.tensor([w, h])[:, None, None]
"""
LAST = "torch.stack((x, y)) + 2 * d / torch.tensor([w, h])[:, None, None]"
ABSOLUTE_MUTANTS = [
    ("torch.stack((x, y)) + ", "", "still relative"),
    ("+ 2 * d", "+ d", "a pixel is 2 / w"),
    (" + 2 * d / torch.tensor([w, h])[:, None, None]", " + d", "still in pixels"),
    (LAST, "((torch.stack((x, y)) + 1) * torch.tensor([w, h])[:, None, None] - 1) / 2 + d", "pixel indices"),
    ("+ 2 * d", "- 2 * d", "sign is turned"),
    ("[w, h]", "[h, w]", "exchanged"),
    ("torch.stack((x, y))", "torch.stack((y, x))", "swapped"),
    ("+ 1) /", ") /", "Half a pixel off"),
    ("torch.tensor([w, h])", "(torch.tensor([w, h]) - 1)", "not 2 / \\(w - 1\\)"),
]

CASES = {
    "filtered": (checks.check_mutual_filter, FILTER, FILTER_MUTANTS),
    "normalised": (checks.check_unit_length, LENGTH, LENGTH_MUTANTS),
    "undoing_flow": (checks.check_undoing_flow, UNDO, UNDO_MUTANTS),
    "absolute": (checks.check_absolute_flow, ABSOLUTE, ABSOLUTE_MUTANTS),
}
