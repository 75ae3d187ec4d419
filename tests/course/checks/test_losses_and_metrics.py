"""Notebook 11: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text, so they are made the way a student makes them, independently of
how the checkers recognise them: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course import checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

L1_SLOPE = """
def solution(x, answers):
    return (x - answers).sign().mean(0)
"""
L1_SLOPE_MUTANTS = [
    ("x - answers", "answers - x", "The sign"),
    (".sign()", "", "slope of the squares"),
    ("(x - answers).sign()", "2 * (x - answers)", "slope of the squares"),
    (".mean(0)", ".sum(0)", "a sum over the answers"),
    ("(x - answers).sign().mean(0)", "(x - answers.mean(0)).sign()", "averaged before the sign"),
    (".sign()", ".abs()", "the loss itself"),
    ("(x - answers).sign()", "(x > answers).float()", "share of answers below x"),
    (".mean(0)", ".mean(0).sign()", "sign of the slope"),
    (".mean(0)", ".mean(1)", "runs over the pixels"),
    ("return ", "", "returned nothing"),
    ("(x - answers).sign().mean(0)", "((x > answers).float() - (x < answers).float()).mean(0)", None),
]

GRAM = """
def solution(features):
    flat = features.flatten(1)
    return flat @ flat.T / flat.shape[1]
"""
GRAM_MUTANTS = [
    (" / flat.shape[1]", "", "sum over pixels"),
    ("flat.shape[1]", "flat.numel()", "Divided by the channels as well"),
    ("flat.shape[1]", "flat.shape[0]", "Divided by the channels; divide"),
    ("flat @ flat.T", "flat.T @ flat", "remembers places"),
    ("flat @ flat.T / flat.shape[1]", "flat.T @ flat / flat.shape[0]", "remembers places"),
    ("features.flatten(1)", "features.flatten(1)\n    flat = flat - flat.mean(1, keepdim=True)", "the covariance"),
    ("flat @ flat.T / flat.shape[1]", "torch.outer(flat.mean(1), flat.mean(1))", "the means, multiplied"),
    ("flat @ flat.T / flat.shape[1]", "(flat * flat).mean(1)", "Only a feature with itself"),
    ("flat @ flat.T / flat.shape[1]", "torch.diag((flat * flat).mean(1))", "Only a feature with itself"),
    ("features.flatten(1)", "torch.nn.functional.normalize(features.flatten(1), dim=0)", "brought to length 1"),
    ("return ", "", "returned nothing"),
    ("flat @ flat.T / flat.shape[1]", "torch.einsum('ip,jp->ij', flat, flat) / flat.shape[1]", None),
]

NEAREST = """
def solution(made, truth, reach):
    h, w = made.shape[1:]
    wide = torch.nn.functional.pad(truth, [reach] * 4, value=torch.inf)
    best = torch.full((h, w), torch.inf)
    for i in range(2 * reach + 1):
        for j in range(2 * reach + 1):
            apart = (made - wide[:, i : i + h, j : j + w]).abs().sum(0)
            best = torch.minimum(best, apart)
    return best
"""
NEAREST_MUTANTS = [
    ("torch.minimum(best, apart)", "torch.maximum(torch.where(best.isinf(), 0, best), torch.where(apart.isinf(), 0, "
     "apart))", "least similar"),
    ("return best", "return torch.stack([(made - wide[:, i : i + h, j : j + w]).abs() for i in range(2 * reach + 1) "
     "for j in range(2 * reach + 1)]).amin(0).sum(0)", "a neighbour of its own"),
    (", value=torch.inf", "", "not a black one"),
    ("torch.nn.functional.pad(truth, [reach] * 4, value=torch.inf)",
     "torch.nn.functional.pad(truth[None], [reach] * 4, mode='circular')[0]", "wraps around"),
    ("    h, w =", "    reach = 2 * reach\n    h, w =", "twice as far"),
    ("return best", "return (made - truth).abs().sum(0)", "no search here"),
    ("    h, w =", "    made, truth = truth, made\n    h, w =", "the wrong way"),
    (".abs().sum(0)", ".square().sum(0)", "are squared"),
    (".abs().sum(0)", ".square().sum(0).sqrt()", "are squared"),
    (".abs().sum(0)", ".abs().mean(0)", "mean over channels"),
    ("return best", "best", "returned nothing"),
    ("torch.minimum(best, apart)", "torch.where(apart < best, apart, best)", None),
]  # fmt: skip

SSIM = """
def solution(x, y, means):
    m, n = means(x), means(y)
    var_x, var_y = means(x * x) - m * m, means(y * y) - n * n
    cov = means(x * y) - m * n
    c, d = 0.01**2, 0.03**2
    light = (2 * m * n + c) / (m * m + n * n + c)
    rest = (2 * cov + d) / (var_x + var_y + d)
    return (light * rest).mean()
"""
SSIM_MUTANTS = [
    ("0.01**2, 0.03**2", "0.01, 0.03", "0.01 and 0.03 squared"),
    ("0.01**2, 0.03**2", "0.03**2, 0.01**2", "constants are exchanged"),
    ("0.01**2, 0.03**2", "0.0, 0.0", "constants are missing"),
    ("0.01**2, 0.03**2", "(0.01 * 255) ** 2, (0.03 * 255) ** 2", "up to 255"),
    ("light * rest", "rest", "first factor"),
    ("light * rest", "light", "second factor"),
    ("means(x * x) - m * m, means(y * y) - n * n\n    cov = means(x * y) - m * n",
     "means(x * x), means(y * y)\n    cov = means(x * y)", "means of squares"),
    ("means(x * y) - m * n", "means(x * y)", "the covariance is not"),
    ("2 * cov", "cov", "The 2 before the covariance"),
    ("var_x + var_y + d", "var_x.sqrt() + var_y.sqrt() + d", "not standard deviations"),
    ("(light * rest).mean()", "light.mean() * rest.mean()", "multiplied at every window"),
    ("return (light", "return 1 - (light", "1 - SSIM"),
    ("return ", "", "returned nothing"),
    ("2 * cov", "2 * means((x - 0.1) * (y - 0.1)) - 2 * (m - 0.1) * (n - 0.1)", None),
]  # fmt: skip

NEEDED = """
def solution(margin, share, z):
    n = 1
    while z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5 > margin:
        n += 1
    return n
"""
SIMPLE = "z**2 * share * (1 - share) / margin**2"
NEEDED_MUTANTS = [
    ("return n", f"return int({SIMPLE}) + 1", "simple formula"),
    ("return n", f"return {SIMPLE}", "simple formula"),
    ("return n", "return n - 1", "One too few"),
    ("return n", "return n + 1", "One too many"),
    ("> margin", "> margin / 2", "within it"),
    ("> margin", "> 2 * margin", "twice as wide"),
    ("    n = 1", "    share = 0.5\n    n = 1", "taken as a half"),
    ("while z /", "while z**2 /", "squared once too often"),
    ("return n", "n", "returned nothing"),
    ("n = 1", "n = 2", None),
]

CASES = {
    "l1_slope": (checks.check_l1_slope, L1_SLOPE, L1_SLOPE_MUTANTS),
    "gram": (checks.check_gram, GRAM, GRAM_MUTANTS),
    "nearest": (checks.check_nearest, NEAREST, NEAREST_MUTANTS),
    "ssim_by_hand": (checks.check_ssim, SSIM, SSIM_MUTANTS),
    "needed": (checks.check_judgements, NEEDED, NEEDED_MUTANTS),
}
