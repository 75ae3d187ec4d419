"""Notebook 05: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course.checks import affine_flow as checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

MATCHES = """
def solution(C):
    source, target = C.amax(1, keepdim=True), C.amax((2, 3), keepdim=True)
    return C * ((C == source) & (C == target))
"""
KEPT = "C * ((C == source) & (C == target))"
MAXIMA = "C.amax(1, keepdim=True), C.amax((2, 3), keepdim=True)"
DERIVED = "Q = C * (C / C.amax(1, keepdim=True)) * (C / C.amax((2, 3), keepdim=True))"  # section 2
MATCHES_MUTANTS = [
    (f"return {KEPT}", f"{DERIVED}\n    return Q / Q.square().sum(1, keepdim=True).sqrt()", "This is Q of section 2"),
    (" & (C == target)", "", "forgotten: the source pixel"),
    ("(C == source) & ", "", "forgotten: the target pixel"),
    ("C * ((C", "((C", "truth values"),
    ("&", "|", "and, not or"),
    (KEPT, "C * (C / source) * (C / target)", "soft filter of \\(9\\)"),
    (KEPT, "(C / source) * (C / target)", "gamma of \\(9\\) alone"),
    ("C.amax((2, 3), keepdim=True)", "C.amax(2, keepdim=True)", "Only the rows"),
    ("C.amax((2, 3), keepdim=True)", "C.amax(3, keepdim=True)", "Only the columns"),
    (KEPT, "C * (C == C.amax((1, 2, 3), keepdim=True))", "one largest value of all"),
    (KEPT, "C * (C == C.max())", "one largest value of all"),
    (MAXIMA, "C.amax((0, 1), keepdim=True), C.amax((0, 2, 3), keepdim=True)", "batch is mixed in"),
    ("C.amax(1, keepdim=True)", "C.amax((0, 1), keepdim=True)", "batch is mixed in"),
    ("C.amax(1, keepdim=True)", "C.amax(0, keepdim=True)", "batch is mixed in"),
    ("C.amax((2, 3), keepdim=True)", "C.amax((0, 2, 3), keepdim=True)", "batch is mixed in"),
    ("C.amax((2, 3), keepdim=True)", "C.amax(0, keepdim=True)", "batch is mixed in"),
    (KEPT, "C * (torch.arange(C.shape[1])[:, None, None] == C.argmax(1, keepdim=True)) * (C == target)", "argmax"),
    (KEPT, "C * (C == source) * (torch.arange(15).view(3, 5) == C.flatten(2).argmax(2)[..., None, None])", "argmax"),
    (KEPT, "C * ~((C == source) & (C == target))", "upside down"),
    (KEPT, "C", "unfiltered"),
    (KEPT, "((C == source) & (C == target)) * (1 / (C - C))", "NaN is left in"),
    (f"return {KEPT}", f"C *= 1.5\n    return {KEPT}", "changes its inputs"),
    (f"return {KEPT}", KEPT, "returned nothing"),
    (KEPT, "torch.where((C / source) * (C / target) == 1, C, 0)", None),
]  # fmt: skip

ASSIGNMENT = """
def solution(C, tau):
    power = (C / tau - (C / tau).amax(1, keepdim=True)).exp()
    return power / power.sum(1, keepdim=True)
"""
SHARES = "power / power.sum(1, keepdim=True)"
ASSIGNMENT_MUTANTS = [
    (f"return {SHARES}", f"{DERIVED}\n    return Q / Q.square().sum(1, keepdim=True).sqrt()", "This is Q of section 2"),
    (SHARES, "(C / tau).flatten(2).softmax(2).view_as(C)", "every \\*source\\* pixel deals out 1"),
    (SHARES, "(C / tau).flatten(1).softmax(1).view_as(C)", "all target pixels together"),
    (SHARES, "(C / tau).flatten().softmax(0).view_as(C)", "batch is mixed in"),
    (SHARES, "(C / tau).softmax(0)", "runs over the batch"),
    (SHARES, "(C / tau).softmax(2)", "one column"),
    (SHARES, "(C / tau).softmax(3)", "one row"),
    ("C / tau", "C * tau", "multiplied by the temperature"),
    ("C / tau", "C", "temperature is forgotten"),
    (SHARES, "C.softmax(1) / tau", "comes too late"),
    (SHARES, "C / (C ** 2).sum(1, keepdim=True).sqrt()", "length 1, as in \\(2\\)"),
    (SHARES, "power / (power ** 2).sum(1, keepdim=True).sqrt()", "length 1, as in \\(2\\)"),
    (SHARES, "C / C.sum(1, keepdim=True)", "exponential is missing"),
    (SHARES, "(C / tau).log_softmax(1)", "logarithm"),
    (SHARES, "(C / tau).exp()", "sum is missing"),
    (SHARES, "power", "divides by the largest"),
    (SHARES, "(C == C.amax(1, keepdim=True)).float()", "takes all"),
    ("C / tau", "-C / tau", "The sign"),
    (SHARES, "C ** 3 / (C.amax(1, keepdim=True) * C.amax((2, 3), keepdim=True))", "gamma C of \\(9\\)"),
    (" - (C / tau).amax(1, keepdim=True)", "", "NaN is left in.* infinite: take off the maximum"),
    (f"return {SHARES}", SHARES, "returned nothing"),
    (SHARES, "torch.softmax(C / tau, dim=1)", None),
]  # fmt: skip

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
    "best_matches": (checks.check_best_matches, MATCHES, MATCHES_MUTANTS),
    "assignment": (checks.check_assignment, ASSIGNMENT, ASSIGNMENT_MUTANTS),
    "undoing_flow": (checks.check_undoing_flow, UNDO, UNDO_MUTANTS),
    "absolute": (checks.check_absolute_flow, ABSOLUTE, ABSOLUTE_MUTANTS),
}


def test_the_example_of_the_matches_has_ties(function):
    right, tied = function(MATCHES), []

    def watched(C):
        tied.append(((right(C) > 0).sum(1) > 1).any())
        return right(C)

    checks.check_best_matches(watched)
    assert len(tied) > 1
    assert all(tied), "No target pixel has two best matches."
