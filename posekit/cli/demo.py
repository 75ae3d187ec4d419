"""`posekit demo`: held-out people transferred into new poses, as one picture and a table of numbers."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib.figure
import torch

from posekit.cli.commands import with_baselines
from posekit.data.photo import check_picture_name
from posekit.data.studio import StudioPeople
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.transfer import transfer
from posekit.person import Pair, collate_pairs
from posekit.studio.body.atlas import load_atlas
from posekit.systems.coordinate_inpainting import CoordinateResult
from posekit.training.checkpoint import load_reference
from posekit.util.files import whole_file

VIEWS = 4  # photographs of each person: 12 ordered pairs
PEOPLE_SEED = 0
COLUMNS = ("source S", "partial texture S[C]", "completed T = S[D]", "warped W = T[M]", "result", "truth")
UNKNOWN = 0.85  # grey of texels that the source does not show


def run_demo(out: Path, *, pairs: int = 204, rows: int = 6) -> str:
    """Render held-out people, transfer them with the reference weights, write the picture, return the table."""
    check_picture_name(out)
    system = load_reference()
    held_out = StudioPeople(
        people=10 * math.ceil(max(pairs, rows * VIEWS * (VIEWS - 1)) / (VIEWS * (VIEWS - 1))),
        views=VIEWS,
        size=system.config.image_size,
        seed=PEOPLE_SEED,
        split="test",
    )
    table = evaluate(with_baselines(system), [held_out[i] for i in range(pairs)], batch_size=12, progress=True)
    # Not chosen by eye: of person i the pair number i, so that every row has another pair of views.
    shown = collate_pairs([held_out[12 * i + i % 12] for i in range(rows)])
    save_rows(out, shown, transfer(shown.source, shown.target, system))
    return f"{table}\n{out}"


def save_rows(path: Path, pairs: Pair, result: CoordinateResult) -> None:
    """Write a picture with one pair a row: source, partial texture, completed texture, warped, result, truth."""
    partial = result.observed + UNKNOWN * (1 - result.known)
    skin = torch.from_numpy(load_atlas(result.T.shape[-1]).valid)
    completed = torch.where(skin, result.T, 1.0)  # between the islands of the atlas there is nothing to look at
    warped = result.W + UNKNOWN * (1 - pairs.target.mask)
    columns = (pairs.source.image, partial, completed, warped, result.image, pairs.target.image)
    n = len(pairs.source.name)
    figure = matplotlib.figure.Figure(figsize=(1.75 * len(columns), 1.75 * n + 0.3), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)
    axes = figure.subplots(n, len(columns), squeeze=False)
    for j, (title, images) in enumerate(zip(COLUMNS, columns, strict=True)):
        axes[0, j].set_title(title, fontsize=9)
        for i in range(n):
            axes[i, j].imshow(_picture(images[i]), interpolation="nearest")
            axes[i, j].axis("off")
    path = Path(path)
    with whole_file(path, make_folder=True) as temporary:
        figure.savefig(temporary, dpi=110)


def _picture(image: torch.Tensor):
    return image.detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()
