"""Notebook 07: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text, so they are made the way a student makes them, independently of
how the checkers recognise them: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course import checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

CHART_TEXEL = """
def solution(part, U, V, side):
    tile = part - 1
    row, column = tile // 6, tile % 6
    x = column * side + U * (side - 1)
    y = row * side + V * (side - 1)
    return torch.stack([x, y])
"""
CHART_TEXEL_MUTANTS = [
    ("tile = part - 1", "tile = part", "off by one"),
    ("tile // 6, tile % 6", "tile // 4, tile % 4", "four in a row"),
    ("tile // 6, tile % 6", "tile % 4, tile // 4", "down the columns"),
    ("tile // 6, tile % 6", "tile % 6, tile // 6", "entries of the places are wrong|down the columns"),
    ("U * (side - 1)", "V * (side - 1)", "entries of the places are wrong"),
    ("def solution(part, U, V, side)", "def solution(part, V, U, side)", "U and V are swapped"),
    ("(side - 1)", "side", "multiply by side - 1"),
    ("return torch.stack([x, y])", "return torch.stack([y, x])", "Columns and rows are swapped"),
    ("U * (side - 1)\n    y = row * side + V * (side - 1)", "U * side - 0.5\n    y = row * side + V * side - 0.5",
     "no half pixel"),
    ("return torch.stack([x, y])", "return torch.stack([x, y]) + 0.5", "no half pixel"),
    ("U * (side - 1)\n    y = row * side + V * (side - 1)",
     "(U * (side - 1)).round()\n    y = row * side + (V * (side - 1)).round()", "do not round"),
    ("column * side + U", "U", "entries of the places are wrong"),
    ("tile = part - 1", "tile = 0 * part", "tile is missing"),
    ("column * side + U * (side - 1)\n    y = row * side", "column + U * (side - 1)\n    y = row",
     "tile is not enlarged"),
    ("return torch.stack([x, y])", "return 2 * torch.stack([(x + 0.5) / (6 * side), (y + 0.5) / (4 * side)]) - 1",
     r"\[-1, 1\]; give texels"),
    ("return torch.stack([x, y])", "return torch.stack([x, y], 1)", "Expected the places of shape"),
    ("return torch.stack([x, y])", "torch.stack([x, y])", "returned nothing"),
    ("tile // 6, tile % 6", "torch.div(tile, 6, rounding_mode='floor'), torch.remainder(tile, 6)", None),
]  # fmt: skip

MULTI_VIEW_LOSS = """
def solution(completed, charts, known):
    wrong = (completed - charts).abs() * known
    return wrong.sum() / (3 * known.sum())
"""
LAST = "return wrong.sum() / (3 * known.sum())"
MULTI_VIEW_LOSS_MUTANTS = [
    ("* known\n", "\n", "entries of the loss are wrong|Texels that no view shows"),
    (LAST, "return (completed - charts).abs().mean()", "Texels that no view shows are counted"),
    (LAST, "return wrong.mean()", "the mean is over all texels"),
    (LAST, "return wrong.sum()", "This is the sum"),
    ("(3 * known.sum())", "known.sum()", "three colours"),
    (LAST, "return (wrong.flatten(1).sum(1) / (3 * known.flatten(1).sum(1))).mean()", "Each view has the same weight"),
    (LAST, "return (wrong.flatten(1).sum(1) / (3 * known.flatten(1).sum(1))).sum()", "losses of the views are added"),
    (LAST, "return wrong[0].sum() / (3 * known[0].sum())", "Only the first view"),
    (LAST, "return wrong[-1].sum() / (3 * known[-1].sum())", "Only the last view"),
    (".abs()", ".square()", "These are squares"),
    (".abs()", "", "absolute value is missing"),
    ("wrong = ", "charts = charts.sum(0) / known.sum(0).clamp(min=1)\n    known = known.amax(0)\n    wrong = ",
     "views are averaged first"),
    (LAST, LAST.replace("return ", ""), "returned nothing"),
    (LAST, "return float(wrong.sum() / (3 * known.sum()))", None),
    (LAST, "known = known.expand_as(wrong)\n    return wrong[known > 0].mean()", None),
]  # fmt: skip

ONE_HOT_IUV = """
def solution(part, chart):
    planes = torch.stack([(part == k).float() for k in range(1, 25)])
    return torch.cat([planes, chart * (part > 0)])
"""
ONE_HOT_IUV_MUTANTS = [
    ("range(1, 25)", "range(0, 25)", "a plane too many"),
    ("range(1, 25)", "range(0, 24)", "off by one"),
    ("range(1, 25)", "range(1, 24)", "Expected the planes of shape"),
    (" * (part > 0)", "", "Off the body U and V mean nothing"),
    ("[planes, chart * (part > 0)]", "[chart * (part > 0), planes]", "the 24 parts come first"),
    ("chart * (part > 0)", "chart.flip(0) * (part > 0)", "exchanged"),
    ("(part == k).float()", "(part == k).float() * k", "hold part numbers"),
    ("(part == k).float()", "(part == k).float() * k / 24", "hold part / 24"),
    ("(part == k).float()", "(part != k).float()", "turned round"),
    ("(part == k).float()", "(part == k) * chart[0]", "planes of their own"),
    ("planes = torch.stack([(part == k).float() for k in range(1, 25)])", "planes = part[None] / 24",
     "three planes of IUV"),
    ("return torch.cat([planes, chart * (part > 0)])", "return planes", "U and V are missing"),
    ("return torch.cat([planes, chart * (part > 0)])",
     "return torch.cat([planes, chart * (part > 0)]).permute(1, 2, 0)", "channels come last"),
    ("return torch.cat([planes, chart * (part > 0)])", "planes", "returned nothing"),
    ("return torch.cat([planes, chart * (part > 0)])", "return torch.cat([planes, chart * (part > 0)]).double()",
     "float64 and not float32"),
    ("torch.stack([(part == k).float() for k in range(1, 25)])",
     "torch.nn.functional.one_hot(part, 25).movedim(-1, 0)[1:].float()", None),
]  # fmt: skip

CASES = {
    "chart_texel": (checks.check_chart_texel, CHART_TEXEL, CHART_TEXEL_MUTANTS),
    "multi_view_loss": (checks.check_multi_view_loss, MULTI_VIEW_LOSS, MULTI_VIEW_LOSS_MUTANTS),
    "one_hot_iuv": (checks.check_one_hot_iuv, ONE_HOT_IUV, ONE_HOT_IUV_MUTANTS),
}
