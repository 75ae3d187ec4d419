"""Notebook 09: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text, so they are made the way a student makes them, independently of
how the checkers recognise them: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course import checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

BARYCENTRIC = """
def solution(p, a, b, c):
    cross = lambda x, y: x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]
    area = cross(b - a, c - a)
    first, second = cross(p - a, c - a) / area, cross(b - a, p - a) / area
    return torch.stack([1 - first - second, first, second], -1)
"""
STACK = "[1 - first - second, first, second]"
BARYCENTRIC_MUTANTS = [
    (STACK, "[first, second, 1 - first - second]", "corner a comes first"),
    (STACK, "[1 - first - second, second, first]", "b and c are exchanged"),
    (STACK, "[second, first, 1 - first - second]", "a and c are exchanged"),
    ("cross(p - a, c - a) / area", "cross(c - a, p - a) / area", "turned around"),
    ("cross(b - a, p - a)", "cross(p - a, b - a)", "turned around"),
    (STACK, "[first, second]", "the third makes their sum 1"),
    (f"torch.stack({STACK}, -1)", f"torch.stack({STACK}, -1).clamp(0, 1)", "Nothing is to be cut off"),
    ("1 - first - second,", "1 - first,", "sum of the three"),
    ("return ", "", "returned nothing"),
    ("cross(p - a, c - a) / area", "cross(p - a, c - p) / area", None),
]

FOUR_TARGETS = """
def solution(cosines):
    levels = torch.quantile(cosines[1:], torch.tensor([0.25, 0.5, 0.75, 1.0]))
    chosen = []
    for level in levels:
        distance = (cosines - level).abs()
        distance[[0, *chosen]] = torch.inf
        chosen.append(int(distance.argmin()))
    return torch.tensor(chosen)
"""
FOUR_TARGETS_MUTANTS = [
    ("distance[[0, *chosen]] = torch.inf", "distance[[0]] = torch.inf", "taken twice"),
    ("[0.25, 0.5, 0.75, 1.0]", "[0.0, 0.25, 0.5, 0.75]", "not 0 to 3/4"),
    ("[0.25, 0.5, 0.75, 1.0]", "[0.2, 0.4, 0.6, 0.8]", "not fifths"),
    ("return torch.tensor(chosen)", "return torch.tensor(chosen).flip(0)", "from far to near"),
    ("return torch.tensor(chosen)", "return torch.tensor(chosen) - 1", "off by one"),
    ("return torch.tensor(chosen)", "return cosines[chosen]", "These are cosines"),
    ("return ", "", "returned nothing"),
    ("return torch.tensor(chosen)", "return chosen", None),
    ("return torch.tensor(chosen)", "return chosen[:3]", "four frames"),
]

MIRRORED = """
def solution(texture, known, twin, there):
    taken = there * (1 - known)
    return texture * known + twin * taken, known + taken
"""
MIRRORED_MUTANTS = [
    ("taken = there * (1 - known)\n    return texture * known", "taken = there\n    return texture * (1 - there)",
     "What was seen is overwritten"),
    ("twin * taken", "twin * there", "Both are added"),
    ("texture * known + twin * taken", "(texture + twin) / (known + there).clamp(min=1)", "not the mean"),
    ("texture * known + twin * taken", "twin * taken", "the twin alone"),
    ("texture * known + twin * taken", "texture", "Nothing was filled in"),
    (", known + taken", ", known", "did not grow"),
    (", known + taken", ", known + there", "0 or 1"),
    (", known + taken", ", taken", "filled texels alone"),
    (", known + taken", ", torch.ones_like(known)", "Not everything"),
    (", known + taken", "", "the texture and what is known"),
    ("return ", "", "returned nothing"),
    ("known + taken", "torch.maximum(known, there)", None),
]  # fmt: skip

CASES = {
    "barycentric": (checks.check_barycentric, BARYCENTRIC, BARYCENTRIC_MUTANTS),
    "four_targets": (checks.check_four_targets, FOUR_TARGETS, FOUR_TARGETS_MUTANTS),
    "mirrored": (checks.check_mirrored, MIRRORED, MIRRORED_MUTANTS),
}
