"""`posekit demo`: held-out people transferred into new poses, as one picture and a table of numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from torch import Tensor

    from posekit.person import Pair
    from posekit.systems.coordinate_results import CoordinateResult

VIEWS = 4  # photographs of each person: 12 ordered pairs
PEOPLE_SEED = 0
PAIRS = {"laptop": 204, "laptop256": 48}  # so few that a laptop measures them in a minute
PERCEPTUAL_EVERY = 5  # pairs: of all of them it would take longer than everything else
POSES = 4  # of a photograph's person
UNKNOWN = 0.85  # grey of texels that the source does not show


def demo_command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")] = Path("out/demo.png"),
    preset: Annotated[str, typer.Option(help="laptop256 (256 pixels), or laptop (128).")] = "laptop256",
    pairs: Annotated[int | None, typer.Option(min=12, help="Held-out pairs to measure; 48, of laptop 204.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=12, help="People in the picture.")] = 6,
    photo: Annotated[
        list[Path] | None, typer.Option(help="A photograph of anybody, in place of rendered people; repeat for more.")
    ] = None,
) -> None:
    """Transfer held-out people into new poses: one picture and a table of numbers.

    With --photo, the people of these photographs into four poses of held-out people, and no table: nobody knows the
    truth.
    """
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
    if photo:
        save_figure(out, draw_panel(_strangers(photo)))
        typer.echo(out)
        return
    system = load_reference(preset=preset)
    pairs = pairs or PAIRS.get(preset, PAIRS["laptop256"])
    people = 10 * math.ceil(max(pairs, rows * VIEWS * (VIEWS - 1)) / (VIEWS * (VIEWS - 1)))
    held_out = StudioPeople(people, VIEWS, system.size, PEOPLE_SEED, split="test")
    measured = [held_out[i] for i in range(pairs)]
    every = PERCEPTUAL_EVERY
    table = evaluate(beside_baselines(system), measured, batch_size=12, perceptual_every=every, progress=True)
    # Not chosen by eye: of person i the pair number i, so that every row has another pair of views.
    shown = collate_pairs([held_out[12 * i + i % 12] for i in range(rows)])
    save_figure(out, draw_panel(_columns(shown, transfer(shown.source, shown.target, system))))
    typer.echo(f"{table}\n{out}")


def _strangers(photos: list[Path]) -> dict[str, Tensor]:
    """Every photograph, its map, and its person in four poses; the first row shows who has these poses."""
    import torch

    from posekit.data.photo import read_photo
    from posekit.data.studio import StudioPeople
    from posekit.evaluation.transfer import transfer
    from posekit.photo.photographed import photographed
    from posekit.plots import coordinate_colors
    from posekit.reference import load_reference

    system = load_reference(preset="laptop256", variant="keypoints")
    people = [photographed(read_photo(path), system, path.stem) for path in photos]
    # Not chosen by eye: of the first four held-out people photograph 0, 1, 2 and 3.
    models = StudioPeople(10 * POSES, VIEWS, system.size, PEOPLE_SEED, split="test")
    poses = [models.person(i, i) for i in range(POSES)]
    white = torch.ones(1, 3, *system.size)
    maps = [coordinate_colors(person.uv, person.mask) for person in people]
    columns = {
        "photograph": torch.cat([white, *(person.image for person in people)]),
        "its surface map": torch.cat([white, *maps]),
    }
    for n, pose in enumerate(poses):
        made = [transfer(person, pose.batched(), system, read=False).image for person in people]
        columns[f"pose {n + 1}"] = torch.cat([pose.image[None], *made])
    return columns


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
