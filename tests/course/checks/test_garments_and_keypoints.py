"""Notebook 08: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text, so they are made the way a student makes them, independently of
how the checkers recognise them: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course import checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

BONE_MAP = """
def solution(a, b, size, width):
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    pixels = torch.stack([x, y], -1).float()
    along = b - a
    t = ((pixels - a) * along).sum(-1) / along.square().sum()
    t = t.clamp(0, 1)
    d = (pixels - a - t[..., None] * along).norm(dim=-1)
    return (width / 2 + 0.5 - d).clamp(0, 1)
"""
INK = "(width / 2 + 0.5 - d).clamp(0, 1)"
BONE_MAP_MUTANTS = [
    ("    t = t.clamp(0, 1)\n", "", "goes on beyond both joints"),
    ("torch.stack([x, y], -1)", "torch.stack([y, x], -1)", "x and y are swapped"),
    ("return (", "d = torch.minimum((pixels - a).norm(dim=-1), (pixels - b).norm(dim=-1))\n    return (", "two dots"),
    ("return (", "d = (pixels - (a + b) / 2).norm(dim=-1)\n    return (", "one dot in the middle"),
    ("width / 2", "width", "twice as wide"),
    (" + 0.5", "", "one pixel too narrow"),
    (INK, "width / 2 + 0.5 - d", "not clipped"),
    (INK, f"1 - {INK}", "Ink and paper"),
    (INK, "d", "These are distances"),
    (INK, "(d <= width / 2).float()", "hard, 0 or 1"),
    ("return ", "", "returned nothing"),
    ("(width / 2 + 0.5 - d).clamp(0, 1)", "torch.clip(0.5 * (width + 1) - d, min=0, max=1)", None),
]

WINNING_POSITION = """
def solution(scores, positions):
    part = scores.argmax(0)
    index = (part - 1).clamp(min=0)
    where = positions.gather(0, index[None, None].expand(1, 2, *part.shape))[0]
    return where * (part > 0)
"""
WINNING_POSITION_MUTANTS = [
    ("return where * (part > 0)",
     "share = scores.softmax(0)[1:, None]\n    return (share * positions).sum(0) / share.sum(0)", "averaged"),
    ("return where * (part > 0)", "return (scores.softmax(0)[1:, None] * positions).sum(0)", "averaged"),
    ("(part - 1).clamp(min=0)", "part.clamp(max=23)", "off by one"),
    (" * (part > 0)", "", "the position is 0"),
    ("part = scores.argmax(0)", "part = scores[1:].argmax(0) + 1", "background takes part"),
    ("argmax(0)", "argmin(0)", "lowest score"),
    ("return ", "", "returned nothing"),
    ("part = scores.argmax(0)", "part = scores.max(0).indices", None),
]  # fmt: skip

PASTED = """
def solution(person, kept, W, mask):
    dressed = W * mask + 1 - mask
    return kept * person + (1 - kept) * dressed
"""
LAST = "return kept * person + (1 - kept) * dressed"
PASTED_MUTANTS = [
    ("W * mask + 1 - mask", "W", "Off the body is black"),
    (LAST, "return mask * (kept * person + (1 - kept) * W) + 1 - mask", "Hair is gone"),
    (LAST, "return dressed", "Clothes cover head and hands"),
    (LAST, "return kept * person + dressed", "Both are added"),
    (LAST, "return (1 - kept) * person + kept * dressed", "masks are exchanged"),
    (LAST, "return mask * person + 1 - mask", "their own clothes too"),
    (LAST, LAST.replace("return ", ""), "returned nothing"),
    (LAST, "return torch.where(kept > 0, person, dressed)", None),
]

CASES = {
    "bone_map": (checks.check_bone_map, BONE_MAP, BONE_MAP_MUTANTS),
    "winning_position": (checks.check_winning_position, WINNING_POSITION, WINNING_POSITION_MUTANTS),
    "pasted": (checks.check_pasted, PASTED, PASTED_MUTANTS),
}
