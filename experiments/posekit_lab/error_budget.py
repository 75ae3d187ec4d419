"""Where the coordinate-based system makes its error: each step replaced by the truth, region by region.

    python -m posekit_lab.error_budget [--weights FILE] [--pairs 120] [--out experiments/results/error_budget.json]

measures the arms of `posekit.evaluation.budget` on validation people, and writes the table and prints it.  With
``--correct`` the weights are measured as if the settings paste_known and on_body had been on, whatever their card says.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from posekit.data.studio import StudioPeople
from posekit.evaluation.budget import budget
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.table import Evaluation
from posekit.reference import load_reference
from posekit.systems.coordinate_inpainting import CoordinateInpainting
from posekit.training.weights import load_weights

OUT = Path(__file__).parents[1] / "results" / "error_budget.json"


def main(arguments: list[str] | None = None) -> Evaluation:
    """Measure, write, print; returns the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=None, help="the shipped ones if not given")
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--people", type=int, default=400, help="numbers considered; 1 of 10 is for validation")
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--correct", action="store_true", help="with paste_known and on_body")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(arguments)
    system = load_reference() if args.weights is None else load_weights(args.weights)
    arms = budget(system)  # refuses other systems before people are rendered
    if args.correct:
        arms = budget(_with_corrections(system))
    people = StudioPeople(args.people, args.views, system.size, 0, split="val")
    count = min(args.pairs, len(people))
    table = evaluate(arms, [people[i * len(people) // count] for i in range(count)], progress=True)
    table.save(args.out)
    print(table)
    return table


def _with_corrections(system: CoordinateInpainting) -> CoordinateInpainting:
    """The same networks, with the settings paste_known and on_body."""
    config = dataclasses.replace(system.config, paste_known=True, on_body=True)
    corrected = CoordinateInpainting(config, preset=system.preset)
    corrected.load_state_dict(system.state_dict())
    return corrected.eval()


if __name__ == "__main__":
    main()
