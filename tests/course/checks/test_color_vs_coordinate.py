"""Notebook 03: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course import checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

PARTIAL = """
F = torch.nn.functional
def solution(x, mask, weight, bias):
    sums = F.conv2d(x * mask, weight, padding=1)
    known = F.conv2d(mask, torch.ones(1, 1, 3, 3), padding=1)
    factor = 9 / known.clamp(min=1)
    out = torch.where(known > 0, sums * factor + bias[:, None, None], 0)
    return out, (known > 0).float()
"""
IN_LOOPS = """
def solution(x, mask, weight, bias):
    (b, c, h, w), d = x.shape, len(bias)
    out, new = torch.zeros(b, d, h, w), torch.zeros(b, 1, h, w)
    for k in range(b):
        for i in range(h):
            for j in range(w):
                n, total = 0, torch.zeros(d)
                for r in (i - 1, i, i + 1):
                    for s in (j - 1, j, j + 1):
                        if 0 <= r < h and 0 <= s < w and mask[k, 0, r, s] > 0:
                            n += 1
                            total += weight[:, :, r - i + 1, s - j + 1] @ x[k, :, r, s]
                if n:
                    out[k, :, i, j] = total * 9 / n + bias
                    new[k, 0, i, j] = 1
    return out, new
"""
CONVOLVED = (
    "F.conv2d(x * mask, weight, padding=1)\n    known = F.conv2d(mask, torch.ones(1, 1, 3, 3), padding=1)",
    "F.conv2d(F.pad(x * mask, (1,) * 4, mode='{0}'), weight)\n"
    "    known = F.conv2d(F.pad(mask, (1,) * 4, mode='{1}'), torch.ones(1, 1, 3, 3))",
)
OUT = "torch.where(known > 0, sums * factor + bias[:, None, None], 0)"
PARTIAL_MUTANTS = [
    ("x * mask", "x", "not multiplied by the mask"),
    (f"    out = {OUT}", "    out = F.conv2d(x, weight, bias, padding=1)", "ordinary convolution"),
    ("sums * factor + bias[:, None, None], 0)", "F.conv2d(x, weight, bias, padding=1), 0)", "not multiplied by the"),
    ("sums * factor", "sums", "renormalisation is missing"),
    (OUT, "F.conv2d(x * mask, weight, bias, padding=1)", "renormalisation is missing"),
    ("sums * factor + bias[:, None, None]", "(sums + bias[:, None, None]) * factor", "bias is scaled too"),
    ("F.conv2d(x * mask, weight, padding=1)\n", "F.conv2d(x * mask, weight, bias, padding=1)\n    bias = 0 * bias\n",
     "bias is scaled too"),
    (" + bias[:, None, None]", "", "bias is missing"),
    (OUT, "sums * factor + bias[:, None, None]", "bias is left"),
    (f"    out = {OUT}", "    out = sums * 9 / known + bias[:, None, None]", "NaN is left in.*divides by 0"),
    ("9 / known", "1 / known", "factor 9 is missing"),
    ("9 / known.clamp(min=1)", "known / 9", "upside down: the fewer"),
    ("9 / known.clamp(min=1)", "1 / mask.mean()", "known pixels of the whole picture"),
    ("9 / known.clamp(min=1)", "1 / mask.mean((1, 2, 3), keepdim=True)", "known pixels of the whole picture"),
    ("9 / known.clamp(min=1)", "9 / mask.sum()", "known pixels of the whole picture"),
    ("F.conv2d(mask, torch.ones(1, 1, 3, 3), padding=1)",
     "F.conv2d(mask.expand_as(x), torch.ones(1, 3, 3, 3), padding=1)", "mask has one channel"),
    ("9 / known", "27 / known", "mask has one channel"),
    ("9 / known", "F.conv2d(torch.ones_like(mask), torch.ones(1, 1, 3, 3), padding=1) / known", "also at the border"),
    (CONVOLVED[0], CONVOLVED[1].format("replicate", "replicate"), "border is repeated"),
    (CONVOLVED[0], CONVOLVED[1].format("replicate", "constant"), "border is repeated"),
    (CONVOLVED[0], CONVOLVED[1].format("reflect", "reflect"), "border is reflected"),
    (CONVOLVED[0], CONVOLVED[1].format("reflect", "constant"), "border is reflected"),
    (CONVOLVED[0], CONVOLVED[1].format("constant", "constant"), None),
    ("    sums =", "    mask = 1 - mask\n    sums =", "mask is upside down: 1 is known"),
    ("torch.where(known > 0", "torch.where(mask > 0", "or no hole would ever shrink"),
    ("torch.where(known > 0", "torch.where(known == 9", "not all known are dropped"),
    ("padding=1", "padding=0", "padding is missing"),
    ("return out, (known > 0).float()", "return out", "Return two things"),
    ("return out, (known > 0).float()", "out, (known > 0).float()", "returned nothing"),
    ("(known > 0).float()", "mask", "mask is the old one"),
    ("(known > 0).float()", "known", "numbers of known pixels"),
    ("(known > 0).float()", "known / 9", "share of known pixels"),
    ("(known > 0).float()", "(known == 9).float()", "the hole grows"),
    ("(known > 0).float()", "(known == 0).float()", "new mask is upside down"),
    ("(known > 0).float()", "torch.ones_like(mask)", "Everything is called known"),
    ("(known > 0).float()", "(known > 0).float().expand_as(out)", "One channel is enough"),
    ("(known > 0).float()", "(known > 0).float().expand_as(x)", "One channel is enough"),
    ("(known > 0).float()", "F.max_pool2d(mask, 3, 1, 1)", None),
    ("(known > 0).float()", "known > 0", None),
    (PARTIAL, IN_LOOPS, None),
]  # fmt: skip
# What section 4 derives, pasted: it does not solve the exercise.
GATED = """
F = torch.nn.functional
def solution(x, mask, weight, bias):
    x = F.pad(x, (1, 1, 1, 1), mode="reflect")
    features = F.conv2d(x, weight, bias)
    gate = F.conv2d(F.pad(mask, (1, 1, 1, 1), mode="reflect"), torch.ones(1, 1, 3, 3))
    return F.elu(features) * torch.sigmoid(gate), mask
"""
PARTIAL_MUTANTS.append((PARTIAL, GATED, "entries of the result are wrong"))

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
    ("return scattered.values", "return scattered.values.double()", "right, but they are float64"),
    ("return scattered.values", "scattered.values", "returned nothing"),
    ("return scattered.values, scattered.known", "return scattered.values, scattered.weight", "wrong"),
]  # fmt: skip

CASES = {
    "partial_convolution": (checks.check_partial_convolution, PARTIAL, PARTIAL_MUTANTS),
    "target_texel_loss": (checks.check_target_texel_loss, LOSS, LOSS_MUTANTS),
    "coordinate_texture": (checks.check_coordinate_texture, COORDINATES, COORDINATES_MUTANTS),
}
