"""Real people, of whom a second photograph is known: is a system that saw rendered people alone ahead of copying?

    python -m posekit_lab.real_pairs FOLDER [--out FILE]

FOLDER holds pairs NAME_source.png and NAME_target.png of one person each, as the authors of the coordinate-based paper
publish them.  Maps of both are estimated (`posekit.photo.photographed`): of the target, joints and silhouette are used
and nothing else.  Inside the target's map made pictures are compared with its photograph, which stands everywhere else:

    source      the source's photograph as it is
    nearest     texels copied from the nearest ones that the source shows
    mirror      first from the body's other half
    W           the texture that f completes
    image       g's photograph
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from posekit.data.atlases import mirror_of
from posekit.data.photo import read_photo
from posekit.metrics.image import ssim
from posekit.metrics.perceptual import Perceptual
from posekit.person import Pair
from posekit.photo.photographed import photographed
from posekit.reference import load_reference
from posekit.systems.base import System
from posekit.systems.baselines import baseline
from posekit.training.weights import load_weights
from posekit.util.errors import InputError
from posekit.util.files import write_json

OUT = Path(__file__).parents[1] / "results" / "real_pairs.json"
METRICS = ("perceptual", "ssim", "l1")


def main(arguments: list[str] | None = None) -> dict:
    """Measure, write, print; returns the table: who -> measure -> a value for each pair."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, default=None, help="keypoint-guided; the shipped ones if not given")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(arguments)
    sources = sorted(args.folder.glob("*_source.*"))
    if not sources:
        raise InputError(f"{args.folder} holds no pairs NAME_source.png and NAME_target.png.")
    system = load_reference(variant="keypoints") if args.weights is None else load_weights(args.weights)
    table: dict[str, dict[str, list[float]]] = {}
    for path in sources:
        pair = _pair_of(path, path.with_name(path.name.replace("_source.", "_target.")), system)
        for who, image in _pictures(system, pair).items():
            row = table.setdefault(who, {metric: [] for metric in METRICS})
            for metric, value in _errors(image, pair).items():
                row[metric].append(round(value, 5))
    means = {who: {metric: float(np.mean(values)) for metric, values in row.items()} for who, row in table.items()}
    nearer = int(sum(a < b for a, b in zip(table["W"]["perceptual"], table["nearest"]["perceptual"], strict=True)))
    write_json(args.out, {"pairs": len(sources), "means": means, "W nearer than nearest, perceptual": nearer})
    for who, row in means.items():
        print(f"{who:8} " + "  ".join(f"{metric} {value:.4f}" for metric, value in row.items()))
    print(f"by the perceptual distance W is nearer than the nearest texel on {nearer} of {len(sources)} pairs")
    return table


def _pair_of(source: Path, target: Path, system: System) -> Pair:
    """Both photographs, cut out, framed and with estimated maps, a batch of one."""
    one, other = (read_photo(path) for path in (source, target))
    return Pair(photographed(one, system, source.stem), photographed(other, system, target.stem, trim=0))


def _pictures(system: System, pair: Pair) -> Mapping[str, Tensor]:
    """What is compared with the target's photograph, by name."""
    size = system.config.atlas_size
    with torch.no_grad():
        made = system(pair, read=False)
        nearest = baseline("nearest", size)(pair).W
        mirror = baseline("mirror", size, mirror=mirror_of("studio", size), atlas="studio")(pair).W
    return {"source": pair.source.image, "nearest": nearest, "mirror": mirror, "W": made.W, "image": made.image}


def _errors(image: Tensor, pair: Pair) -> dict[str, float]:
    """The measures of one picture, the target's photograph standing outside its map."""
    mask, truth = pair.target.mask, pair.target.image
    pasted = image * mask + truth * (1 - mask)
    l1 = ((pasted - truth).abs().mean(1, keepdim=True) * mask).sum() / mask.sum()
    return {"perceptual": Perceptual()(pasted, truth, mask).item(), "ssim": ssim(pasted, truth).item(), "l1": l1.item()}


if __name__ == "__main__":
    main()
