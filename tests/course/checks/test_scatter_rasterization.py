"""Notebook 02: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text, so they are made the way a student makes them, independently of
how the checkers recognise them: (text, replacement, words of the verdict; None: still right).
"""

import pytest
from posekit_course import checks
from posekit_course.checks.scatter_rasterization import _scatter_example

from posekit.ops.splat import splat
from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

SPLAT_BY_HAND = """
def solution(values, positions, size, confidence):
    H, W = size
    x = (((positions[0] + 1) * W - 1) / 2).flatten()
    y = (((positions[1] + 1) * H - 1) / 2).flatten()
    q = confidence.flatten()
    total, weight = torch.zeros(len(values), H * W), torch.zeros(H * W)
    for r in (y.floor(), y.floor() + 1):
        for c in (x.floor(), x.floor() + 1):
            share = (1 - abs(x - c)) * (1 - abs(y - r))
            inside = (0 <= r) & (r < H) & (0 <= c) & (c < W)
            place = (r * W + c).long()[inside]
            total.index_add_(1, place, (share * q * values.flatten(1))[:, inside])
            weight.index_add_(0, place, (share * q)[inside])
    total, weight = total.view(-1, H, W), weight.view(1, H, W)
    return torch.where(weight >= 1e-3, total / weight, 0)
"""
IN_LOOPS = """
def solution(values, positions, size, confidence):
    H, W = size
    x, y = ((positions[0] + 1) * W - 1) / 2, ((positions[1] + 1) * H - 1) / 2
    values, confidence, x, y = values.tolist(), confidence[0].tolist(), x.tolist(), y.tolist()
    sums = [[[0.0] * W for _ in range(H)] for _ in range(len(values) + 1)]
    for i in range(len(x)):
        for j in range(len(x[0])):
            x0, y0 = int(x[i][j] // 1), int(y[i][j] // 1)
            for r in (y0, y0 + 1):
                for c in (x0, x0 + 1):
                    if 0 <= r < H and 0 <= c < W:
                        share = (1 - abs(x[i][j] - c)) * (1 - abs(y[i][j] - r)) * confidence[i][j]
                        for k, one in enumerate(values):
                            sums[k][r][c] += share * one[i][j]
                        sums[-1][r][c] += share
    sums = torch.tensor(sums)
    return torch.where(sums[-1:] >= 1e-3, sums[:-1] / sums[-1:], 0)
"""
BY_TENSORS = """
def solution(values, positions, size, confidence):
    H, W = size
    x, y = ((positions[0] + 1) * W - 1) / 2, ((positions[1] + 1) * H - 1) / 2
    total, weight = torch.zeros(len(values), H, W), torch.zeros(H, W)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x0, y0 = int(x[i, j].floor()), int(y[i, j].floor())
            for r in (y0, y0 + 1):
                for c in (x0, x0 + 1):
                    if 0 <= r < H and 0 <= c < W:
                        share = (1 - abs(x[i, j] - c)) * (1 - abs(y[i, j] - r)) * confidence[0, i, j]
                        total[:, r, c] += share * values[:, i, j]
                        weight[r, c] += share
    return torch.where(weight >= 1e-3, total / weight, 0)
"""
AS_IN_SECTION_3 = """
def solution(values, positions, size, mask):
    height, width = size
    keep = mask[0] > 0
    x = (((positions[0] + 1) * width - 1) / 2)[keep]
    y = (((positions[1] + 1) * height - 1) / 2)[keep]
    k_x = (1 - (x[:, None] - torch.arange(width)).abs()).clamp(min=0)
    k_y = (1 - (y[:, None] - torch.arange(height)).abs()).clamp(min=0)
    weight = torch.einsum("iy,ix->yx", k_y, k_x)[None]
    total = torch.einsum("ci,iy,ix->cyx", values[:, keep], k_y, k_x)
    known = weight >= 1e-3
    return torch.where(known, total / weight.clamp(min=1e-3), 0), weight, known.to(values.dtype)
"""
CLAMPED = (
    "place = (r * W + c).long()[inside]\n"
    "            total.index_add_(1, place, (share * q * values.flatten(1))[:, inside])\n"
    "            weight.index_add_(0, place, (share * q)[inside])",
    "place = (r.clamp(0, H - 1) * W + c.clamp(0, W - 1)).long()\n"
    "            share = share{0}\n"
    "            total.index_add_(1, place, share * q * values.flatten(1))\n"
    "            weight.index_add_(0, place, share * q)",
)
ADDED = "total.index_add_(1, place, (share * q * values.flatten(1))[:, inside])"
WEIGHED = "weight.index_add_(0, place, (share * q)[inside])"
MEAN = "torch.where(weight >= 1e-3, total / weight, 0)"
LIBRARY = "splat(torch.cat((values * confidence, confidence))[None], positions[None], size)"
SPLAT_BY_HAND_MUTANTS = [
    (MEAN, "total", "normalisation is missing"),
    (MEAN, "total / weight", "NaN is left in"),
    (MEAN, "total / (weight + 1e-3)", r"not by the weight \+ 0.001"),
    (MEAN, "torch.where(weight >= 1e-3, total / (weight + 1e-3), 0)", r"not by the weight \+ 0.001"),
    (MEAN, "torch.where(weight > 0, total / weight, 0)", "Less than 1e-3 of weight says nothing"),
    (MEAN, "total / weight.clamp(min=1e-3)", "Less than 1e-3 of weight says nothing"),
    (MEAN, "total / (weight + 1e-9)", "Less than 1e-3 of weight says nothing"),
    ("q = confidence.flatten()", "q = 1", "confidence is forgotten"),
    ("q = confidence.flatten()", "q = confidence.flatten() > 0", "Confidence is no mask"),
    ("q = confidence.flatten()", "q = confidence.flatten() > 0.5", "Confidence is no mask"),
    ("q = confidence.flatten()", "q = confidence.flatten() ** 2", "enters twice"),
    ("(share * q)[inside]", "share[inside]", "in the sum but not in the divisor"),
    ("share * q * values", "share * values", "in the divisor but not in the sum"),
    (ADDED, "total[:, place] += (share * q * values.flatten(1))[:, inside]", "entries of the splat"),  # one of two
    (f"{ADDED}\n            {WEIGHED}", "total[:, place] += (share * q * values.flatten(1))[:, inside]\n"
     "            weight[place] += (share * q)[inside]", "keeps one pixel alone where several meet"),
    (CLAMPED[0], CLAMPED[1].format(" * inside").replace("total.index_add_(1, place, ", "total[:, place] += (")
     .replace("weight.index_add_(0, place, ", "weight[place] += ("), "keeps one pixel alone where several meet"),
    ("x = (((positions[0] + 1) * W - 1) / 2).flatten()\n    y = (((positions[1]",
     "x = (((positions[1] + 1) * W - 1) / 2).flatten()\n    y = (((positions[0]", "swapped"),
    ("* W - 1) / 2).flatten()\n    y = (((positions[1] + 1) * H - 1) / 2)",
     "* (W - 1)) / 2).flatten()\n    y = (((positions[1] + 1) * (H - 1)) / 2)", "Half a pixel off.*align_corners=True"),
    ("* W - 1) / 2).flatten()\n    y = (((positions[1] + 1) * H - 1) / 2)",
     "* W) / 2).flatten()\n    y = (((positions[1] + 1) * H) / 2)", "Half a pixel off.*centre of its pixel"),
    ("(1 - abs(x - c)) * (1 - abs(y - r))", "1.0 * ((x.round() == c) & (y.round() == r))", "kernel is missing"),
    ("((positions[1] + 1)", "((1 - positions[1])", "y points up"),
    ("H, W = size", "W, H = size", "rows and columns are exchanged"),
    ("total / weight, 0)", "total / weight, 0).transpose(1, 2)", "rows and columns are exchanged"),
    (f"return {MEAN}", "return look_up(values, positions)", "Forward is taken for backward"),
    (CLAMPED[0], CLAMPED[1].format(""), "pushed to the border"),
    (CLAMPED[0], CLAMPED[1].format(" * inside"), None),
    (f"return {MEAN}", "x = 1", "returned nothing"),
    (f"return {MEAN}", "return []", "Expected the splat of size"),
    (f"return {MEAN}", f"s = {LIBRARY}\n    s = (s.values * s.weight)[0]\n"
     "    return torch.where(s[-1:] >= 1e-3, s[:-1] / s[-1:], 0)", "right, but `splat` made them; write the steps"),
    (SPLAT_BY_HAND, IN_LOOPS, None),
    (SPLAT_BY_HAND, BY_TENSORS, None),
    (SPLAT_BY_HAND, BY_TENSORS.replace("] += share", "] = share"), "entries of the splat"),
    (SPLAT_BY_HAND, AS_IN_SECTION_3, "Confidence is no mask"),
    (SPLAT_BY_HAND, AS_IN_SECTION_3.replace("keep = mask[0] > 0", "keep = mask[0] >= 0").replace(
        '"iy,ix->yx", ', '"i,iy,ix->yx", mask.flatten(), ').replace("values[:, keep]", "(values * mask)[:, keep]"),
     "compares every pixel with every row or column"),
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
    ("return result", "return torch.nn.functional.grid_sample(image[None], grid.movedim(0, -1)[None], "
     "align_corners=False)[0]", "right, but `grid_sample` made them; write the steps"),
    ("return result", "from posekit.ops.sample import sample\n    return sample(image[None], grid[None])[0]",
     "right, but `grid_sample` made them"),
    ("return result", "result", "returned nothing"),
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
    ("scattered.known[0]", "scattered.known[0].numpy()", "mask are right, but they come as a numpy array"),
    ("scattered.known[0]", "scattered.known[0] > 0", None),
    ("return scattered.values[0], scattered.known[0]", "scattered.values[0], scattered.known[0]", "returned nothing"),
    ("return scattered.values[0]", "return scattered.values[0].double()", "right, but they are float64"),
    ("return scattered.values[0]", "return scattered.values[0].numpy()", "right, but they come as a numpy array"),
]  # fmt: skip

CASES = {
    "splat_by_hand": (checks.check_splat_by_hand, SPLAT_BY_HAND, SPLAT_BY_HAND_MUTANTS),
    "to_backward": (checks.check_to_backward, TO_BACKWARD, TO_BACKWARD_MUTANTS),
    "backward_warp": (checks.check_backward_warp, BACKWARD_WARP, BACKWARD_WARP_MUTANTS),
}


def test_accepts_the_weight_beside_the_values(function):
    solution = function(SPLAT_BY_HAND)
    checks.check_splat_by_hand(lambda *inputs: (solution(*inputs), "weight"))


@pytest.mark.parametrize(("seed", "size"), [(1, (5, 7)), (2, (8, 4))])
def test_example_of_the_splat_has_all_that_the_mistakes_are_about(seed, size):
    values, positions, _, confidence = _scatter_example(seed, size)
    drawn = splat(confidence[None], positions[None], size)
    weight = drawn.values * drawn.weight
    assert ((weight > 0) & (weight < 1e-3)).any(), "No texel has too little weight."
    assert (weight == 0).any(), "No texel is empty."
    assert (confidence == 0).any()
    assert (drawn.weight > 1).any(), "No pixels meet in a texel."
    x, y = positions
    for side in (x < -1, x > 1, y < -1, y > 1):
        assert side.any(), "Nothing falls outside on one side."
