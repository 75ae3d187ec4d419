"""`posekit demo`: held-out people transferred into new poses, as one picture and a table of numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from torch import Tensor

    from posekit.person import Pair
    from posekit.systems.coordinate_inpainting import CoordinateResult

VIEWS = 4  # photographs of each person: 12 ordered pairs
PEOPLE_SEED = 0
PERCEPTUAL_EVERY = 5  # pairs: of all of them it would take longer than everything else
UNKNOWN = 0.85  # grey of texels that the source does not show


def demo_command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")] = Path("out/demo.png"),
    pairs: Annotated[int, typer.Option(min=12, help="Held-out pairs to measure.")] = 204,
    rows: Annotated[int, typer.Option(min=1, max=12, help="People in the picture.")] = 6,
) -> None:
    """Transfer held-out people into new poses: one picture and a table of numbers."""
    from posekit.data.photo import check_picture_name
    from posekit.data.studio import StudioPeople
    from posekit.evaluation.evaluate import evaluate
    from posekit.evaluation.transfer import transfer
    from posekit.person import collate_pairs
    from posekit.plots import draw_panel, save_figure
    from posekit.reference import load_reference
    from posekit.systems.baselines import beside_baselines
    from posekit.util.files import check_place

    check_place(check_picture_name(out))  # before the work, not after it
    system = load_reference()
    people = 10 * math.ceil(max(pairs, rows * VIEWS * (VIEWS - 1)) / (VIEWS * (VIEWS - 1)))
    held_out = StudioPeople(people, VIEWS, system.size, PEOPLE_SEED, split="test")
    measured = [held_out[i] for i in range(pairs)]
    every = PERCEPTUAL_EVERY
    table = evaluate(beside_baselines(system), measured, batch_size=12, perceptual_every=every, progress=True)
    # Not chosen by eye: of person i the pair number i, so that every row has another pair of views.
    shown = collate_pairs([held_out[12 * i + i % 12] for i in range(rows)])
    save_figure(out, draw_panel(_columns(shown, transfer(shown.source, shown.target, system))))
    typer.echo(f"{table}\n{out}")


def _columns(pairs: Pair, result: CoordinateResult) -> dict[str, Tensor]:
    """What the picture shows, as columns of `posekit.plots.draw_panel`."""
    import torch

    from posekit.studio.body.atlas import load_atlas

    skin = torch.from_numpy(load_atlas(result.T.shape[-1]).valid)
    return {
        "source S": pairs.source.image,
        "partial texture S[C]": result.observed + UNKNOWN * (1 - result.known),
        "completed T = S[D]": torch.where(skin, result.T, 1.0),  # between the islands there is nothing to look at
        "warped W = T[M]": result.W + UNKNOWN * (1 - pairs.target.mask),
        "result": result.image,
        "truth": pairs.target.image,
    }
