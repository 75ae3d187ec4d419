"""Garment transfer, measured: the studio dresses one person in another's clothes, so there is a truth.

    python -m posekit_lab.try_on [--weights FILE] [--people 40] [--owners 3] [--out FOLDER]

measures the garment variant beside the person as they are and beside pasting (`posekit.evaluation.try_on`), on held-out
people; regions as always: head and hands are the person, the rest is clothes and the skin they leave bare.  Keeps
``try_on.json`` and ``try_on.png``, a matrix of people and clothes with what was made and, below it, the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from matplotlib.figure import Figure

from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.table import Evaluation
from posekit.evaluation.try_on import TriedOn, TryOnPairs, try_on_pair
from posekit.plots import draw_panel, save_figure
from posekit.reference import load_reference
from posekit.studio.folder import people_numbers
from posekit.systems import build
from posekit.systems.base import System
from posekit.systems.cut_out import laid_on_white
from posekit.training.weights import load_weights

OUT = Path(__file__).parents[1] / "results"
SHOWN = 6  # people, and clothes, of the matrix


def main(arguments: list[str] | None = None) -> Evaluation:
    """Measure, draw, write; returns the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=None, help="the shipped ones if not given")
    parser.add_argument("--people", type=int, default=40, help="how many of the held-out people")
    parser.add_argument("--owners", type=int, default=3, help="how many others everybody is dressed by")
    parser.add_argument("--shown", type=int, default=SHOWN, help="people and clothes of the matrix")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(arguments)
    system = load_reference(variant="garments") if args.weights is None else load_weights(args.weights)
    people = people_numbers(10 * args.people, "test")
    side = system.size[0]
    paste = build("garment_paste", atlas_size=system.config.atlas_size)
    arms = {"as they are": None, "pasted": paste, "garments": system}
    pairs = TryOnPairs(people, args.owners, size=side)
    table = evaluate({name: TriedOn(arm) for name, arm in arms.items()}, pairs, progress=True)
    table.save(args.out / "try_on.json")
    save_figure(args.out / "try_on.png", _draw_matrix(system, people[: args.shown], side))
    print(table)
    return table


def _draw_matrix(system: System, people: Sequence[int], side: int, seed: int = 0) -> Figure:
    """A column for each one's clothes; for each person a row of what was made, and below it the truth."""
    tried, columns = TriedOn(system.eval()), {}
    white = torch.ones(3, side, side)
    for owner in people:
        column, first = [], [white]
        for person in people:
            pair = try_on_pair(seed, person, owner, (0, 0), (side, side)).batched()
            with torch.no_grad():
                column += [tried(pair).image[0], laid_on_white(pair.target)[0]]
            first += [pair.neighbours[0].image[0], white]
        columns["person"] = torch.stack(first)
        columns[f"clothes of {owner}"] = torch.stack([pair.source.image[0], *column])
    return draw_panel(columns, size=1.3)


if __name__ == "__main__":
    main()
