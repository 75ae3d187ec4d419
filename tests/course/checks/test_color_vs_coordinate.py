"""Notebook 03: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course import checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

GATE = """
F = torch.nn.functional
def solution(x, features, gates):
    x = F.pad(x, (1, 1, 1, 1), mode="reflect")
    f, g = F.conv2d(x, *features), F.conv2d(x, *gates)
    return F.elu(f) * torch.sigmoid(g)
"""
GATE_MUTANTS = [
    (" * torch.sigmoid(g)", "", "gate is missing"),
    ("torch.sigmoid(g)", "g", "sigmoid is missing"),
    ("F.elu(f)", "f", "ELU of the features is missing"),
    ("F.elu(f) * torch.sigmoid(g)", "F.elu(g) * torch.sigmoid(f)", "exchanged"),
    ("F.elu(f) * torch.sigmoid(g)", "F.elu(f * torch.sigmoid(g))", "not on the product"),
    ("F.elu(f) *", "F.elu(f) +", "not added"),
    ("torch.sigmoid(g)", "(1 - torch.sigmoid(g))", "upside down"),
    ("F.elu", "F.relu", "ReLU"),
    ("torch.sigmoid", "torch.tanh", "tanh"),
    ("torch.sigmoid(g)", "torch.sigmoid(f)", "weights of its own"),
    ('mode="reflect"', 'mode="constant"', "padded with zeros"),
    ('    x = F.pad(x, (1, 1, 1, 1), mode="reflect")\n', "", "padding is missing"),
    ('mode="reflect"', 'mode="replicate"', "wrong"),
    ("return F.elu(f)", "F.elu(f)", "returned nothing"),
]

LOSS = """
def solution(T, N, M, mask):
    seen = splat(N, M, T.shape[-2:], mask)
    return (seen.known * (T - seen.values).abs()).sum() / (3 * seen.known.sum())
"""
LOSS_MUTANTS = [
    ("(seen.known * (T - seen.values).abs()).sum() / (3 * seen.known.sum())", "(T - seen.values).abs().mean()",
     "as if N were black"),
    (".sum() / (3 * seen.known.sum())", ".mean()", "divided by all texels"),
    ("(3 * seen.known.sum())", "seen.known.sum()", "divide by 3"),
    (" / (3 * seen.known.sum())", "", "This is a sum"),
    (".abs()", ".square()", "squares"),
    (".abs()", "", "errors of different sign cancel"),
    ("(T - seen.values).abs()", "(seen.values - T)", "errors of different sign cancel"),
    (", mask)\n    return", ")\n    return", "mask of N is missing"),
    ("splat(N, M,", "splat(N, M.flip(1),", "swapped"),
    ("seen.values", "(seen.values * seen.weight)", "bare sum"),
    ("    seen = splat(N, M, T.shape[-2:], mask)\n    return (seen.known * (T - seen.values).abs()).sum() "
     "/ (3 * seen.known.sum())",
     "    from posekit.ops.sample import sample\n    off = (sample(T, M, padding='border') - N).abs() * mask\n"
     "    return off.sum() / (3 * mask.sum())", "target \\*view\\*"),
    ("T - seen.values", "T.detach() - seen.values", "no gradient reaches T"),
    ("(3 * seen.known.sum())", "(3 * seen.known.sum()).clamp(min=1)", None),
    ("(seen.known * (T - seen.values).abs()).sum() / (3 * seen.known.sum())",
     "((seen.known * (T - seen.values).abs()).sum((1, 2, 3)) / (3 * seen.known.sum((1, 2, 3)))).mean()", None),
]  # fmt: skip

COORDINATES = """
def solution(M, mask, size):
    h, w = M.shape[-2:]
    x = ((2 * torch.arange(w) + 1) / w - 1).expand(h, w)
    y = ((2 * torch.arange(h) + 1) / h - 1)[:, None].expand(h, w)
    carried = torch.stack((x, y)).expand(len(M), 2, h, w)
    scattered = splat(carried, M, (size, size), mask)
    return scattered.values, scattered.known
"""
COORDINATES_MUTANTS = [
    ("+ 1) /", ") /", "left \\*edge\\*"),
    ("+ 1) /", "+ 2) /", "right edge"),
    ("(2 * torch.arange(h) + 1)", "(2 * torch.arange(h))", "y is still half a pixel off"),
    ("(2 * torch.arange(w) + 1)", "(2 * torch.arange(w))", "x is still half a pixel off"),
    ("((2 * torch.arange(w) + 1) / w - 1).expand(h, w)\n    y = ((2 * torch.arange(h) + 1) / h - 1)",
     "torch.linspace(-1, 1, w).expand(h, w)\n    y = torch.linspace(-1, 1, h)", "align_corners"),
    ("(x, y)", "(y, x)", "x and y are swapped"),
    ("((2 * torch.arange(w) + 1) / w - 1).expand(h, w)\n    y = ((2 * torch.arange(h) + 1) / h - 1)",
     "(torch.arange(w) + 0.0).expand(h, w)\n    y = (torch.arange(h) + 0.0)", "pixel indices"),
    ("/ w - 1).expand(h, w)\n    y = ((2 * torch.arange(h) + 1) / h", "/ h - 1).expand(h, w)\n"
     "    y = ((2 * torch.arange(h) + 1) / w", "exchanged"),
    (", mask)\n    return", ")\n    return", "mask is missing"),
    ("splat(carried, M,", "splat(carried, M.flip(1),", "u and v are swapped"),
    ("splat(carried, M,", "splat(carried, M - 1 / size,", "half a texel"),
    ("return scattered.values, scattered.known", "return scattered.values", "two things"),
    ("return scattered.values, scattered.known", "return scattered.values, scattered.weight", "wrong"),
]  # fmt: skip

CASES = {
    "gate": (checks.check_gate, GATE, GATE_MUTANTS),
    "target_texel_loss": (checks.check_target_texel_loss, LOSS, LOSS_MUTANTS),
    "coordinate_texture": (checks.check_coordinate_texture, COORDINATES, COORDINATES_MUTANTS),
}
