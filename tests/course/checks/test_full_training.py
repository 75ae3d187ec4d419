"""Notebook 06: every checker accepts the solution and names each classic mistake.

(text, replacement, words of the verdict; None: still right)
"""

import pytest
import torch
from posekit_course import checks
from posekit_course.checks.full_training import _people

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

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
    ("return D, G", "D, G", "returned nothing"),
    ("return D, G", "return [D, G]", None),
    ("return D, G", "return D.item(), G.item()", "Nothing can be learnt from a plain number"),
    ("return D, G", "return D, G.item()", "Nothing can be learnt"),
    ("return D, G", "return D.detach(), G", "Nothing can be learnt"),
    ("(1 - fake) ** 2", "(1 - fake.detach()) ** 2", "Nothing can be learnt"),
    ("return D, G", "return G.item(), D.item()", "exchanged"),
    ("def", "@torch.no_grad()\ndef", "Nothing can be learnt"),
    ("(fake ** 2)", "(fake.detach() ** 2)", None),  # D's loss does not train G
]  # fmt: skip

INTERVAL = """
def solution(a, b, person, draws):
    pairs = torch.bincount(person)
    sums = torch.zeros(len(pairs)).index_add(0, person, a - b)
    means = sums[draws].sum(1) / pairs[draws].sum(1)
    return means.quantile(torch.tensor([0.025, 0.975]))
"""
ENDS = "torch.tensor([0.025, 0.975])"
MEANS = "sums[draws].sum(1) / pairs[draws].sum(1)"
RETURN = f"return means.quantile({ENDS})"
RATIO = "torch.zeros(len(pairs)).index_add(0, person, {})[draws].sum(1) / pairs[draws].sum(1)"
OF_A, OF_B = (f"({RATIO.format(name)}).quantile({ENDS})" for name in "ab")
ONCE = "torch.stack([(a - b)[torch.isin(person, row)].mean() for row in draws])"
IN_LOOPS = "torch.stack([torch.cat([(a - b)[person == k] for k in row]).mean() for row in draws])"
INTERVAL_MUTANTS = [
    ("[0.025, 0.975]", "[0.975, 0.025]", "ends are exchanged"),
    ("a - b", "b - a", "the interval of b - a"),
    ("[0.025, 0.975]", "[0.05, 0.95]", "90 % are left"),
    (RETURN, "return torch.stack([means.min(), means.max()])", "smallest and the largest"),
    (MEANS, "(sums / pairs)[draws].mean(1)", "as if all had as many pairs"),
    (MEANS, "sums[draws].sum(1) / len(a)", "divided by n"),
    (MEANS, "sums[draws].mean(1)", "divided by their number"),
    (MEANS, ONCE, "counts twice"),
    (MEANS, "(a - b)[draws].mean(1)", "taken for numbers of pairs"),
    (RETURN, f"return {OF_A} - {OF_B}", "taken apart"),
    (RETURN, f"return {OF_A} - {OF_B}.flip(0)", "taken apart"),
    ("a - b", "a", "interval of a alone"),
    ("a - b", "b", "interval of b alone"),
    (MEANS, "a - b", "quantiles of the differences"),
    (MEANS, "sums / pairs", "quantiles over people"),
    (RETURN, "d = a - b\n    return d.mean() + d.std() / len(d) ** 0.5 * torch.tensor([-1.96, 1.96])",
     "as if all pairs were independent"),
    (RETURN, "return means.mean() + means.std() * torch.tensor([-1.96, 1.96])", "standard deviations of"),
    (RETURN, "return (a - b).mean().expand(2)", "where are the draws"),
    (RETURN, "x = 1", "returned nothing"),
    (RETURN, "return means.quantile(0.025), 'x'", "two numbers"),
    (RETURN, "return means", r"Expected the interval of shape \(2,\)"),
    (MEANS, "a.sub_(b)", "changes its inputs"),
    (RETURN, "return means.quantile(0.025), means.quantile(0.975)", None),
    (RETURN, "return [float(means.quantile(q)) for q in (0.025, 0.975)]", None),
    (MEANS, IN_LOOPS, None),
    *((RETURN, f"return means.quantile({ENDS}, interpolation={rule!r})", None)
      for rule in ("linear", "lower", "higher", "midpoint", "nearest")),
    *((RETURN, f"import numpy as np\n    return np.quantile(means.numpy(), [0.025, 0.975], method={rule!r})", None)
      for rule in ("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
                   "hazen", "weibull", "median_unbiased", "normal_unbiased")),
    (RETURN, "import numpy as np\n    return np.percentile(means.numpy(), [2.5, 97.5])", None),
    (RETURN, "low, high = int(0.025 * len(draws)), int(0.975 * len(draws))\n"
     "    return means.sort().values[[low, high]]", None),
    (RETURN, "return means.sort().values[[10, -10]]", None),
    (RETURN, "return means.sort().values[[5, -5]]", "entries of the interval are wrong"),
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
    ("return average", "return weights[-1].mean().expand(6)", "not over the steps"),
    ("for row in weights[1:]", "for row in (weights[i] for i in range(1, 8))", "Your function raised IndexError"),
    ("for row in weights[1:]", "for row in weights[1:5]", "of the average are wrong"),
    ("return average", "return average.mean()", "Expected the average of shape"),
    ("for row in weights[1:]", "for row in weights", None),  # the first row twice changes nothing
]  # fmt: skip

CASES = {
    "lsgan": (checks.check_lsgan, LSGAN, LSGAN_MUTANTS),
    "paired_interval": (checks.check_paired_interval, INTERVAL, INTERVAL_MUTANTS),
    "ema": (checks.check_ema, EMA, EMA_MUTANTS),
}


@pytest.mark.parametrize(("seed", "counts"), [(1, (1, 6, 2, 3)), (2, (7, 1, 3, 2, 8, 4))])
def test_people_of_the_interval_have_their_pairs_and_are_drawn(seed, counts):
    a, b, person, draws = _people(seed, torch.tensor(counts))
    assert torch.bincount(person).tolist() == list(counts)
    assert len(a) == len(b) == sum(counts)
    assert draws.shape[1] == len(counts)
    assert set(draws.flatten().tolist()) == set(range(len(counts)))
    assert not torch.equal(person, person.sort().values)
