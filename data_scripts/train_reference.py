r"""Train the reference weights that the package ships.

    python data_scripts/train_reference.py --precision bf16-mixed --channels-last --device cpu
    python data_scripts/train_reference.py --system deformable_gan --channels-last --device cpu --steps 3000
    python data_scripts/train_reference.py --system spatial_transformation --precision bf16-mixed --device cpu
    python data_scripts/train_reference.py --system dense_pose_transfer --precision bf16-mixed --channels-last \
        --device cpu --pairs 240

renders the people, trains, measures and writes posekit/weights/; the shipped files were made by these commands.

    python data_scripts/train_reference.py --preset studio256 --device cuda --minutes 9 --out DIR
    python data_scripts/train_reference.py --preset studio256 --device cuda --minutes 9 --out DIR --from DIR

trains for some minutes, whatever the machine: what is missing is rendered first, with all cores; then each stage takes
the steps that its time allows; the files in DIR stay under 15 MB each, and the second command goes on from them.

The weights are those of `posekit train --preset laptop` with more people (and fewer steps for deformable_gan): what the
log says is what was run, about 70 minutes of one core for deformable_gan (in float32, on a processor without bf16), 23
for spatial_transformation; 94 for dense_pose_transfer, on a processor with bf16 that ran other programs too.

Those of coordinate_inpainting had a longer way: 74 minutes on random features, an earlier preset, then g alone for
4,562 steps of 2 pairs, 114 minutes, on those of the package.  Its loss weights and rates were changed twice on the way,
by hand: ``from_step`` in the card of the file has them.  With the weights of the preset

    python data_scripts/train_reference.py --from posekit/weights --stages refinement --batch-size 2 --device cpu

trains a stage once more, from weights.  Those of the keypoint-guided variant, and of garment transfer, begin with them
(bf16-mixed and channels-last on the CPU; 28, 7 and 18 minutes):

    python data_scripts/train_reference.py --variant keypoints --from posekit/weights --clone --stages surface
    python data_scripts/train_reference.py --variant keypoints --from posekit/weights --stages refinement --steps 1000 \
        --batch-size 2
    python data_scripts/train_reference.py --variant garments --from posekit/weights --clone --stages refinement \
        --steps 1500 --batch-size 2

Those of faces (bf16-mixed and channels-last on the CPU, 59 minutes beside other programs; 40 with ``--variant rgb``):

    python data_scripts/train_reference.py --preset face --views 8 --stages inpainting
    python data_scripts/train_reference.py --preset face --views 8 --from posekit/weights --stages refinement \
        --batch-size 2

Those for 256 pixels begin with those for 128, f stays as it is, and g is the mean of what it was and what it became,
which is sharper than what it became, and nearer than either by l1 and the perceptual distance; for photographs, g
goes on with rendered people cut out (bf16-mixed on the CPU, 29 and 23 minutes of a core beside other programs; the mean
in the second one's beginning was half and half):

    python data_scripts/train_reference.py --preset laptop256 --from posekit/weights --from-preset laptop \
        --stages refinement --people 300 --views 4 --mix 0.4
    python data_scripts/train_reference.py --preset laptop256 --variant keypoints --photographs --from posekit/weights \
        --from-preset laptop --clone --stages refinement --steps 1000 --people 300 --views 4 --mix 0.5

Interrupted, the same command goes on from the last checkpoint.
``--measure`` trains nothing and measures again.  Written, all under one name:

    coordinate_inpainting-laptop.safetensors   the networks that make photographs, in half precision, with their card
    coordinate_inpainting-laptop.log.jsonl     every 100th step of the log of the run
    coordinate_inpainting-laptop.json          evaluation on the validation people, beside the baselines: what is kept
                                               of a training goes to experiments/results, not into the package
"""

from __future__ import annotations

import argparse
import tempfile
from copy import deepcopy
from pathlib import Path

import torch
from within_minutes import load_parts, save_log, save_parts, take_weights, train_within  # beside this script

from posekit.data.studio import StudioPeople
from posekit.data.studio_faces import StudioFacePairs
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.table import Evaluation
from posekit.photo.cut_out_pairs import CutOutPairs
from posekit.systems import build
from posekit.systems.base import System
from posekit.systems.baselines import beside_baselines
from posekit.training.fit import fit
from posekit.training.mix import mix_weights
from posekit.training.options import TrainingOptions
from posekit.training.runlog import read_log
from posekit.training.weights import load_weights, read_weight_card, save_weights

ROOT = Path(__file__).parents[1]
WEIGHTS, RESULTS = ROOT / "posekit" / "weights", ROOT / "experiments" / "results"
LOG_EVERY = 100
PAIRS = 500  # validation pairs that are measured, evenly spread, or a few more


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", default="coordinate_inpainting")
    parser.add_argument("--preset", default="laptop")
    parser.add_argument("--variant", default="full")
    parser.add_argument("--minutes", type=float, default=None, help="for all stages together, with the steps that fit")
    parser.add_argument("--from", dest="begin", type=Path, default=None, help="folder of weights to go on from")
    parser.add_argument(
        "--photographs", action="store_true", help="keypoints: people cut out, maps read, as photographs come"
    )
    parser.add_argument("--clone", action="store_true", help="with --from: begin with the weights of the full variant")
    parser.add_argument("--from-preset", default=None, help="with --from: begin with the weights of another preset")
    parser.add_argument("--mix", type=float, default=1.0, help="share of the trained weights, the rest those before")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="validation pairs that are measured, or a few more")
    parser.add_argument("--perceptual-every", type=int, default=1, help="of every so many pairs; it costs most")
    parser.add_argument("--people", type=int, default=400, help="numbers considered; 8 of 10 are for training")
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--steps",
        type=int,
        default=None,
        help="of each stage; the preset's if not given, at most so many with --minutes",
    )
    parser.add_argument("--stages", default=None, help="names with commas between; all of them if not given")
    parser.add_argument("--batch-size", type=int, default=None)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="32-true", help="32-true or bf16-mixed")
    parser.add_argument("--channels-last", action="store_true", help="memory layout of the networks")
    parser.add_argument("--workers", type=int, default=0, help="processes that load pairs ahead of the training")
    parser.add_argument("--run", type=Path, default=None, help="folder of the run; runs/reference/NAME-STAGES")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--measure", action="store_true", help="measure the shipped weights again; train nothing")
    args = parser.parse_args()
    if not 0 <= args.mix <= 1:  # before the training, not after it
        parser.error(f"--mix is a share from 0 to 1, got {args.mix}")
    if args.minutes is not None and (args.mix < 1 or args.photographs):
        parser.error("--minutes goes without --mix and --photographs")
    name = f"{args.system}-{args.preset}" + ("" if args.variant == "full" else f"-{args.variant}")
    shipped = args.out / f"{name}.safetensors"
    people = {"people": args.people, "views": args.views, "seed": args.seed}
    if args.minutes is not None:
        return train_for_minutes(args, people, name)
    if not args.measure:
        train(args, people, shipped)
    table = measure(load_weights(shipped), people, args)
    print(table)
    table.save(args.results / f"{name}.json")
    metrics = {row.metric: row.mean for row in table.rows if row.system == args.system}
    card = read_weight_card(shipped)
    facts = {key: card[key] for key in ("seed", "data", "stages", "precision")}
    system = load_weights(shipped)
    save_weights(system, shipped, half=True, shared=in_common(system, shipped), **facts, metrics=metrics)


def train(args: argparse.Namespace, people: dict, shipped: Path) -> None:
    """Train, and write the weights and every 100th line of the log."""
    more = {"read_joints": False} if args.photographs else {}
    system = build(args.system, preset=args.preset, variant=args.variant, seed=args.seed, **more)
    stages, log = [], []
    if args.begin is not None:
        for begin in beginnings(args, shipped.stem):
            take_weights(system, load_parts(args.begin, begin))
        stages = read_weight_card(args.begin / f"{begin}.safetensors").get("stages", [])
        log = read_log(args.begin / f"{begin}.log.jsonl")[1]
    before = deepcopy(system)
    run = args.run or Path("runs/reference") / "-".join(filter(None, (shipped.stem, args.stages)))
    data = StudioPeople(**people, size=system.size, split="train", kind=system.kind, **system.training_data)
    data = CutOutPairs(data, deepcopy(system)) if args.photographs else data
    records = fit(system, data, run, options_of(args))
    card = read_weight_card(run / "weights.safetensors")
    facts = {key: card[key] for key in ("seed", "data", "precision")}
    facts["stages"], records = renamed(stages, card["stages"], records)
    trained = load_weights(run / "weights.safetensors")
    if args.mix < 1:
        for part in {part for stage in card["stages"] for part in stage["parts"]}:
            mix_weights(getattr(trained, part), getattr(before, part), args.mix)
        facts["stages"][-1]["mixed"] = f"{args.mix:g} of these weights, the rest those before"
    save_weights(trained, shipped, half=True, shared=in_common(trained, shipped), **facts)
    save_log(shipped.with_suffix(".log.jsonl"), records, LOG_EVERY, before=log)


def in_common(system: System, shipped: Path) -> dict[str, Path]:
    """Networks that a training left as they are in the full system, or the laptop preset's, beside it: they are stored
    there."""
    own, alike = system.state_dict(), {}
    full = shipped.name.replace(f"-{system.config.variant}.", ".")
    laptop = [name.replace(f"-{system.preset}", "-laptop") for name in (shipped.name, full)]
    for other in (shipped.with_name(name) for name in dict.fromkeys([*laptop, full])):
        if other == shipped or not other.is_file():
            continue
        theirs, elsewhere = load_weights(other).state_dict(), read_weight_card(other).get("shared", {})
        for part in system.inference_parts:
            names = [name for name in own if name.split(".")[0] == part]
            alike_here = names and all(name in theirs and _equal(own[name], theirs[name]) for name in names)
            if alike_here and part not in elsewhere:
                alike[part] = other
    return alike


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)


def beginnings(args: argparse.Namespace, name: str) -> list[str]:
    """The names of the weights in ``--from`` to go on from, later ones taken over earlier ones: its own; with
    ``--from-preset`` those of another preset, with ``--clone`` those of the full variant."""
    full = name.removesuffix(f"-{args.variant}")
    other = args.from_preset and name.replace(f"-{args.preset}", f"-{args.from_preset}", 1)
    return [begin for begin in (other, full if args.clone else None) if begin] or [name]


def renamed(earlier: list[dict], stages: list[dict], records: list[dict]) -> tuple[list[dict], list[dict]]:
    """All stages, and the new records, of a training that went on from weights: stages come after the earlier ones.

    A stage that is trained once more is called "NAME, again", then "NAME, again, again".
    """
    names = {}
    for stage in stages:
        name = stage["name"]
        while any(name == other["name"] for other in earlier):
            name += ", again"
        names[stage["name"]] = name
    done = sum(stage["steps"] for stage in earlier)
    records = [{**r, "stage": names[r["stage"]], "total_step": r["total_step"] + done} for r in records]
    return [*earlier, *({**stage, "name": names[stage["name"]]} for stage in stages)], records


def train_for_minutes(args: argparse.Namespace, people: dict, name: str) -> None:
    """Train within the minutes, measure, and write weights, log and evaluation into the folder ``--out``."""
    system = build(args.system, preset=args.preset, variant=args.variant, seed=args.seed)
    if args.begin is not None:
        for begin in beginnings(args, name):
            take_weights(system, load_parts(args.begin, begin))
    data = StudioPeople(**people, size=system.size, split="train", kind=system.kind, **system.training_data)
    StudioPeople(**people, size=system.size, split="val", kind=system.kind)  # rendered before the clock starts
    with tempfile.TemporaryDirectory() as folder:
        records = train_within(system, data, args.minutes, Path(folder), options_of(args))
    steps: dict[str, int] = {}
    for record in records:
        steps[record["stage"]] = record["step"]
    facts = {"seed": args.seed, "data": data.describe(), "steps": steps, "precision": args.precision}
    facts |= {"minutes": args.minutes, "begun": "from weights" if args.begin else "afresh"}
    files = save_parts(system.eval().cpu(), args.out, name, **facts)
    save_log(args.out / f"{name}.log.jsonl", records, max(1, len(records) // 200) * 10)
    print("\n".join(map(str, files)), flush=True)
    table = measure(load_parts(args.out, name), people, args)
    table.save(args.out / f"{name}.json")
    print(table)


def options_of(args: argparse.Namespace) -> TrainingOptions:
    """How the training runs."""
    return TrainingOptions(
        seed=args.seed,
        stages=args.stages.split(",") if args.stages else None,
        steps=args.steps,
        batch_size=args.batch_size,
        device=args.device,
        precision=args.precision,
        channels_last=args.channels_last,
        workers=args.workers,
        checkpoint_every=500,
    )


def measure(system: System, people: dict, args: argparse.Namespace) -> Evaluation:
    """The system on the validation people, beside the baselines."""
    held_out = StudioPeople(**people, size=system.size, split="val", kind=system.kind)
    held_out = StudioFacePairs(held_out) if system.kind == "face" else held_out
    held_out = CutOutPairs(held_out, system) if args.photographs else held_out
    pairs = [held_out[i] for i in range(0, len(held_out), max(1, len(held_out) // args.pairs))]
    device = "cuda" if args.device in ("auto", "cuda") and torch.cuda.is_available() else "cpu"
    every = args.perceptual_every
    return evaluate(beside_baselines(system), pairs, batch_size=16, device=device, perceptual_every=every)


if __name__ == "__main__":
    main()
