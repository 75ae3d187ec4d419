"""Where the coordinate-based system makes its error: each step replaced by the truth, region by region.

    python -m posekit_lab.error_budget [--weights FILE] [--pairs 120] [--out experiments/results/error_budget.json]

measures the arms of `posekit.evaluation.budget` on validation people, and writes the table and prints it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from posekit.data.studio import StudioPeople
from posekit.evaluation.budget import budget
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.measure import evenly_spread
from posekit.evaluation.table import Evaluation
from posekit.reference import load_reference
from posekit.training.weights import load_weights

OUT = Path(__file__).parents[1] / "results" / "error_budget.json"


def main(arguments: list[str] | None = None) -> Evaluation:
    """Measure, write, print; returns the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=None, help="the shipped ones if not given")
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--people", type=int, default=400, help="numbers considered; 1 of 10 is for validation")
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(arguments)
    system = load_reference() if args.weights is None else load_weights(args.weights)
    arms = budget(system)  # refuses other systems before people are rendered
    people = StudioPeople(args.people, args.views, system.size, 0, split="val")
    table = evaluate(arms, evenly_spread(people, args.pairs), progress=True)
    table.save(args.out)
    print(table)
    return table


if __name__ == "__main__":
    main()
