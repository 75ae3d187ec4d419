"""Train the two networks of notebook 03 for long: one completes coordinates, one completes colours.

    python data_scripts/train_duel.py coordinates
    python data_scripts/train_duel.py colours
    python data_scripts/train_duel.py ship

Both see the same people in the same order, start from the same seed, take the same number of steps at the same rates
and have the same width; only what they complete differs.  Weights at the milestones are kept in the folder of the
run.  Interrupted, the same command goes on from the last checkpoint.  `ship` needs both to be done; it writes to
posekit/weights, and the table to experiments/results:

    coordinate_inpainting-duel{,-rgb}.safetensors   f alone in half precision, with its card
    coordinate_inpainting-duel{,-rgb}.log.jsonl     every 100th step of the log of the run
    coordinate_inpainting-duel.json                 both at every milestone and the two baselines without learning,
                                                    measured by `measure_textures` on the validation people
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from posekit.data.studio import StudioPeople
from posekit.evaluation.textures import measure_textures
from posekit.person import Pair
from posekit.studio.body.surface_tables import mirror_table
from posekit.systems import build
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.training.weights import load_weights, read_weight_card, save_weights
from posekit.util.errors import InputError
from posekit.util.files import write_json, write_text

ROOT = Path(__file__).parents[1]
WEIGHTS, RESULTS = ROOT / "posekit" / "weights", ROOT / "experiments" / "results"
VARIANTS = {"coordinates": "full", "colours": "rgb"}
MILESTONES = (250, 500, 1000, 2000, 3000, 4500, 6000, 9000, 12000)
SHIPPED = {"coordinates": "coordinate_inpainting-duel", "colours": "coordinate_inpainting-duel-rgb"}
LOG_EVERY = 100
PAIRS = 120  # validation pairs that are measured


def main() -> None:
    """Train one of the two, or ship both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=(*VARIANTS, "ship"))
    parser.add_argument("--people", type=int, default=400, help="numbers considered; 8 of 10 are for training")
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=MILESTONES[-1])
    parser.add_argument("--run", type=Path, default=Path("runs/duel"))
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    if args.what != "ship":
        train(args.what, args.run, people=args.people, views=args.views, seed=args.seed, steps=args.steps)
        return
    size = load_weights(args.run / "coordinates" / "weights.safetensors").size
    held_out = StudioPeople(args.people, args.views, size, args.seed, "val")
    ship(args.run, args.out, spread(held_out, PAIRS), args.results)


def train(what: str, run: Path, *, people: int, views: int, seed: int, steps: int) -> None:
    """The stage "inpainting" of one of the two, with weights kept at the milestones."""
    system = build("coordinate_inpainting", "laptop", VARIANTS[what], seed=seed, black_background=True, g_width=4)
    data = StudioPeople(people, views, system.size, seed, "train")

    def keep(_, __, step: int) -> None:
        if step in MILESTONES:
            path = run / what / f"f-{step:06d}.safetensors"
            save_weights(system, path, half=True, seed=seed, data=data.describe())

    fit(
        system,
        data,
        run / what,
        TrainingOptions(seed=seed, stages=["inpainting"], steps=steps, device="cpu"),
        on_step=keep,
    )


def ship(run: Path, out: Path, pairs: Sequence[Pair], tables: Path) -> None:
    """Measure the milestones of both, and write what the package ships and the table that is kept."""
    results = measure_milestones(run, pairs)
    write_json(tables / "coordinate_inpainting-duel.json", results)
    for what, name in SHIPPED.items():
        finished = run / what / "weights.safetensors"
        card = read_weight_card(finished)
        facts = {key: card[key] for key in ("seed", "data", "stages", "precision")}
        last = [row for row in results["rows"] if row["system"] == what and row["step"] == card["stages"][0]["steps"]]
        metrics = {row["metric"]: row["mean"] for row in last}
        path = save_weights(
            load_weights(finished), out / f"{name}.safetensors", half=True, parts=("f",), **facts, metrics=metrics
        )
        log = (run / what / "log.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        write_text(
            out / f"{name}.log.jsonl", "".join(line for line in log if json.loads(line).get("step", 1) % LOG_EVERY == 0)
        )
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


def measure_milestones(run: Path, pairs: Sequence[Pair]) -> dict:
    """Both networks after every number of steps that both have, and the baselines: protocol and rows.

    A row has system (coordinates, colours, nearest, mirror), step (None for the baselines), metric, mean, low, high.
    """
    steps = sorted(set.intersection(*({p.stem for p in (run / what).glob("f-*.safetensors")} for what in VARIANTS)))
    if not steps:
        raise InputError(f"{run} holds no milestones of both networks; train both first.")
    systems = {(what, int(s[2:])): load_weights(run / what / f"{s}.safetensors") for s in steps for what in VARIANTS}
    atlas = next(iter(systems.values())).config.atlas_size
    for variant, table in (("nearest", None), ("mirror", mirror_table())):
        systems[variant, None] = TexelFill(TexelFillConfig(variant, atlas), mirror=table)
    named = {f"{what} {step}": (what, step) for what, step in systems}
    table = measure_textures({name: systems[key] for name, key in named.items()}, pairs, progress=True)
    rows = [
        {
            "system": named[row.system][0],
            "step": named[row.system][1],
            "metric": row.metric,
            **{
                key: None if (value := getattr(row, key)) is None else round(value, 5)
                for key in ("mean", "low", "high")
            },
        }
        for row in table.rows
    ]
    return {"protocol": table.protocol.to_json(), "rows": rows}


def spread(data: StudioPeople, count: int) -> list[Pair]:
    """``count`` pairs, evenly spread over all people."""
    return [data[round(i * (len(data) - 1) / (count - 1))] for i in range(count)]


if __name__ == "__main__":
    main()
