"""Notebook 02: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text, so they are made the way a student makes them, independently of
how the checkers recognise them: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course import checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

SPLAT_BY_HAND = """
def solution(values, positions, size):
    H, W = size
    x = ((positions[0] + 1) * W - 1) / 2
    y = ((positions[1] + 1) * H - 1) / 2
    total, weight = torch.zeros(len(values), H, W), torch.zeros(H, W)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x0, y0 = int(x[i, j].floor()), int(y[i, j].floor())
            for r in (y0, y0 + 1):
                for c in (x0, x0 + 1):
                    if 0 <= r < H and 0 <= c < W:
                        share = (1 - abs(x[i, j] - c)) * (1 - abs(y[i, j] - r))
                        total[:, r, c] += share * values[:, i, j]
                        weight[r, c] += share
    return torch.where(weight > 0, total / weight, 0)
"""
SPLAT_BY_HAND_MUTANTS = [
    ("torch.where(weight > 0, total / weight, 0)", "total", "normalisation is missing"),
    ("torch.where(weight > 0, total / weight, 0)", "total / weight", "NaN is left in"),
    ("x = ((positions[0] + 1) * W - 1) / 2\n    y = ((positions[1]",
     "x = ((positions[1] + 1) * W - 1) / 2\n    y = ((positions[0]", "swapped"),
    ("* W - 1) / 2\n    y = ((positions[1] + 1) * H - 1) / 2",
     "* (W - 1)) / 2\n    y = ((positions[1] + 1) * (H - 1)) / 2", "Half a pixel off.*align_corners=True"),
    ("* W - 1) / 2\n    y = ((positions[1] + 1) * H - 1) / 2",
     "* W) / 2\n    y = ((positions[1] + 1) * H) / 2", "Half a pixel off.*centre of its pixel"),
    ("(1 - abs(x[i, j] - c)) * (1 - abs(y[i, j] - r))",
     "1.0 * (x[i, j].round() == c and y[i, j].round() == r)", "kernel is missing"),
    ("(len(values), H, W), torch.zeros(H, W)", "(len(values), W, H), torch.zeros(W, H)", "IndexError"),
    ("/ weight, 0)", "/ weight, 0).transpose(1, 2)", "rows and columns are exchanged"),
    ("return torch.where(weight > 0, total / weight, 0)",
     "return torch.nn.functional.grid_sample(values[None], positions.movedim(0, -1)[None], align_corners=False)[0]",
     "Forward is taken for backward"),
    ("if 0 <= r < H and 0 <= c < W:\n                        share = (1 - abs(x[i, j] - c)) * (1 - abs(y[i, j] - r))",
     "if True:\n                        share = (1 - abs(x[i, j] - c)) * (1 - abs(y[i, j] - r))\n"
     "                    row, col = min(max(r, 0), H - 1), min(max(c, 0), W - 1)\n"
     "                    total[:, row, col] += share * values[:, i, j]\n"
     "                    weight[row, col] += share\n"
     "                    if False:", "pushed to the border"),
    ("total[:, r, c] += share * values[:, i, j]", "total[:, r, c] = share * values[:, i, j]", "wrong"),
]  # fmt: skip

BACKWARD_WARP = """
def solution(image, grid):
    h, w = image.shape[1:]
    x = ((grid[0] + 1) * w - 1) / 2
    y = ((grid[1] + 1) * h - 1) / 2
    x0, y0 = x.floor().long(), y.floor().long()
    result = torch.zeros(len(image), *grid.shape[1:])
    for r in (y0, y0 + 1):
        for c in (x0, x0 + 1):
            inside = (r >= 0) & (r < h) & (c >= 0) & (c < w)
            share = (1 - abs(x - c)) * (1 - abs(y - r)) * inside
            result += share * image[:, r.clamp(0, h - 1), c.clamp(0, w - 1)]
    return result
"""
BACKWARD_WARP_MUTANTS = [
    ("h, w = image.shape[1:]", "h, w = image.shape[1:]\n    grid = grid.flip(0)", "swapped"),
    ("image[:, r.clamp(0, h - 1), c.clamp(0, w - 1)]", "image[:, c, r]", "IndexError"),
    ("* w - 1) / 2\n    y = ((grid[1] + 1) * h - 1) / 2",
     "* (w - 1)) / 2\n    y = ((grid[1] + 1) * (h - 1)) / 2", "Half a pixel off.*align_corners=True"),
    ("* w - 1) / 2\n    y = ((grid[1] + 1) * h - 1) / 2",
     "* w) / 2\n    y = ((grid[1] + 1) * h) / 2", "Half a pixel off.*centre of its pixel"),
    (" * inside", "", "border is repeated"),
    ("(1 - abs(x - c)) * (1 - abs(y - r))", "(x.round() == c) * (y.round() == r)", "takes the nearest pixel"),
    ("x = ((grid[0] + 1) * w - 1) / 2\n    y = ((grid[1] + 1) * h - 1) / 2", "x, y = grid", "taken for pixel indices"),
    ("return result", "return forward(image, grid)", "Forward is taken for backward"),
    ("return result", "return result.transpose(1, 2)", "rows and columns are exchanged"),
    ("return result", "return result / result.gt(0)", "NaN is left in"),
]  # fmt: skip

TO_BACKWARD = """
def solution(positions, size):
    h, w = positions.shape[1:]
    x = ((2 * torch.arange(w) + 1) / w - 1).expand(h, w)
    y = ((2 * torch.arange(h) + 1) / h - 1)[:, None].expand(h, w)
    carried = torch.stack((x, y))
    scattered = splat(carried[None], positions[None], size)
    return scattered.values[0], scattered.known[0]
"""
TO_BACKWARD_MUTANTS = [
    ("carried[None], positions", "positions[None], positions", "carries its \\*new\\* place"),
    ("carried[None], positions", "(positions - carried)[None], positions", "how far it moves"),
    ("torch.stack((x, y))", "torch.stack((y, x))", "x and y are swapped"),
    ("((2 * torch.arange(w) + 1) / w - 1)", "torch.linspace(-1, 1, w)", "wrong"),
    ("    carried =", "    x = torch.linspace(-1, 1, w).expand(h, w)\n"
     "    y = torch.linspace(-1, 1, h)[:, None].expand(h, w)\n    carried =", "outermost \\*edges\\*"),
    ("    carried =", "    x, y = ((x + 1) * w - 1) / 2, ((y + 1) * h - 1) / 2\n    carried =", "not pixel indices"),
    ("return scattered.values[0], scattered.known[0]", "return scattered.values[0]", "Return two tensors"),
    ("scattered.known[0]", "1 - scattered.known[0]", "the mask"),
]  # fmt: skip

CASES = {
    "splat_by_hand": (checks.check_splat_by_hand, SPLAT_BY_HAND, SPLAT_BY_HAND_MUTANTS),
    "to_backward": (checks.check_to_backward, TO_BACKWARD, TO_BACKWARD_MUTANTS),
    "backward_warp": (checks.check_backward_warp, BACKWARD_WARP, BACKWARD_WARP_MUTANTS),
}


def test_accepts_the_weight_beside_the_values(function):
    solution = function(SPLAT_BY_HAND)
    checks.check_splat_by_hand(lambda *inputs: (solution(*inputs), "weight"))
