"""Notebook 06: every checker accepts the solution and names each classic mistake.

(text, replacement, words of the verdict; None: still right)
"""

from posekit.teaching import checks
from tests.exercise_checkers import test_accepts_the_solution, test_names_the_mistake, test_stub_passes_through  # noqa: F401

LSGAN = """
def solution(real, fake):
    D = ((1 - real) ** 2).mean() + (fake ** 2).mean()
    G = ((1 - fake) ** 2).mean()
    return D, G
"""
LSGAN_MUTANTS = [
    ("return D, G", "return G, D", "exchanged"),
    ("((1 - real) ** 2).mean() + (fake ** 2).mean()", "(real ** 2).mean() + ((1 - fake) ** 2).mean()", "upside down"),
    ("G = ((1 - fake) ** 2).mean()", "G = (fake ** 2).mean()", "D's term for fakes"),
    ("G = ((1 - fake) ** 2).mean()", "G = -D", "minus D's"),
    ("G = ((1 - fake) ** 2).mean()", "G = ((1 - real) ** 2).mean()", "looks at the real"),
    ("return D, G", "return D / 2, G", "D's loss is halved"),
    ("return D, G", "return D / 2, G / 2", "Both losses are halved"),
    ("return D, G", "return (1 - real).mean() + fake.mean(), (1 - fake).mean()", "squares are missing"),
    ("return D, G", "return -real.log().mean() - (1 - fake).log().mean(), -fake.log().mean()", "cross-entropies"),
    ("return D, G", "return ((1 - real) ** 2 + fake ** 2).sum(), ((1 - fake) ** 2).sum()", "sums over patches"),
    (" + (fake ** 2).mean()", "", "also wants 0 for generated"),
    ("((1 - real) ** 2).mean() + ", "", "also wants 1 for real"),
    ("return D, G", "return (1 - real.mean()) ** 2 + fake.mean() ** 2, (1 - fake.mean()) ** 2", "means are squared"),
    (".mean() + (fake ** 2).mean()", " + fake ** 2", "single numbers"),
    ("return D, G", "return D", "Return two losses"),
    ("return D, G", "return [D, G]", None),
    ("return D, G", "return D.item(), G.item()", None),
]  # fmt: skip

BOOTSTRAP = """
def solution(values, draws):
    means = values[draws].mean(1)
    return means.quantile(torch.tensor([0.025, 0.975]))
"""
ENDS = "torch.tensor([0.025, 0.975])"
BOOTSTRAP_MUTANTS = [
    ("means.quantile", "values.quantile", "quantiles of the values"),
    (".mean(1)", ".flatten()", "all drawn values"),
    (".mean(1)", ".mean(0)", "mean over resamples for every place"),
    ("[0.025, 0.975]", "[0.05, 0.95]", "90 % are left"),
    ("[0.025, 0.975]", "[0.975, 0.025]", "ends are exchanged"),
    (f"means.quantile({ENDS})", "torch.stack([means.min(), means.max()])", "smallest and the largest"),
    (f"means.quantile({ENDS})", "values.mean() + values.std() / len(values) ** 0.5 * torch.tensor([-1.96, 1.96])",
     "standard errors"),
    (f"means.quantile({ENDS})", "means.mean() + means.std() * torch.tensor([-1.96, 1.96])", "standard deviations of"),
    (f"means.quantile({ENDS})", "values.mean().expand(2)", "where are the draws"),
    (".mean(1)", ".median(1).values", "median of every resample"),
    (f"return means.quantile({ENDS})", "x = 1", "returned nothing"),
    (f"return means.quantile({ENDS})", "return means.quantile(0.025), 'x'", "two numbers"),
    (f"return means.quantile({ENDS})", "return means", r"Expected the interval of shape \(2,\)"),
    (f"return means.quantile({ENDS})", "return means.quantile(0.025), means.quantile(0.975)", None),
    (f"return means.quantile({ENDS})", "return [float(means.quantile(q)) for q in (0.025, 0.975)]", None),
]  # fmt: skip

EMA = """
def solution(weights, decay):
    average = weights[0]
    for row in weights[1:]:
        average = decay * average + (1 - decay) * row
    return average
"""
EMA_MUTANTS = [
    ("decay * average + (1 - decay) * row", "(1 - decay) * average + decay * row", "decay and 1 - decay are exchanged"),
    ("average = weights[0]\n    for row in weights[1:]", "average = 0\n    for row in weights", "starts at 0"),
    ("average = weights[0]\n    for row in weights[1:]:\n        average = decay * average + (1 - decay) * row\n"
     "    return average",
     "average = 0\n    for row in weights:\n        average = decay * average + (1 - decay) * row\n"
     "    return average / (1 - decay ** len(weights))", "bias correction"),
    ("return average", "return weights.mean(0)", "plain mean"),
    ("return average", "return weights[-1]", "last weights"),
    ("weights[1:]", "weights[1:-1]", "last step is missing"),
    ("(1 - decay) * row", "row", "factor 1 - decay"),
    ("average = weights[0]", "weights = weights.flip(0)\n    average = weights[0]", "backwards"),
    ("return average", "return weights[-1].mean().expand(5)", "not over the steps"),
    ("return average", "return average.mean()", "Expected the average of shape"),
    ("for row in weights[1:]", "for row in weights", None),  # the first row twice changes nothing
]  # fmt: skip

CASES = {
    "lsgan": (checks.check_lsgan, LSGAN, LSGAN_MUTANTS),
    "bootstrap_mean": (checks.check_bootstrap_mean, BOOTSTRAP, BOOTSTRAP_MUTANTS),
    "ema": (checks.check_ema, EMA, EMA_MUTANTS),
}
