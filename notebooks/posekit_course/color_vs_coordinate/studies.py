"""Small parts of the measurements of the notebook on inpainting: patches, summaries, tables.

D (b 2 t t) holds a position (x, y) of the source photograph for every texel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch.nn.functional as F
from posekit_lab.results import RESULTS
from torch import Tensor

from posekit.evaluation.table import Evaluation
from posekit.person import Pair, Person
from posekit_course.color_vs_coordinate import probes

Filler = Callable[[Tensor, Tensor], Tensor]  # C (1 2 t t), known (1 1 t t) -> D (1 2 t t)
PLACES = ("the other arm", "where the arm was", "elsewhere on the body", "background")
SWEEP_ARMS = {  # name of an arm in the sweep texture_duel -> what it is called here
    "coordinate_inpainting, black_background=True": "coordinates",
    "coordinate_inpainting": "background kept",
    "coordinate_inpainting, variant=rgb": "colours",
}


# ------------------------------------------------------------------------------------------------------------- patches


def busiest(image: Tensor, mask: Tensor, side: int) -> Tensor:
    """The square of the picture, all of it on the mask, with most gradient energy: 1 3 h w -> 1 3 side side."""
    energy = (image[..., 1:, 1:] - image[..., :-1, :-1]).square().mean(1, keepdim=True)
    mask = -F.max_pool2d(-mask, 7, 1, 3)  # not at the outline
    inside = -F.max_pool2d(-mask, side, 1)
    score = F.avg_pool2d(F.pad(energy, (0, 1, 0, 1)), side, 1) * (inside > 0)
    top, left = divmod(int(score.argmax()), score.shape[-1])
    return image[..., top : top + side, left : left + side]


def whole_square(mask: Tensor, side: int) -> tuple[slice, slice] | None:
    """Rows and columns of a square that lies wholly on the mask (1 1 t t); None if there is none."""
    whole = -F.max_pool2d(-mask, side, 1)
    if not whole.max() > 0:
        return None
    top, left = divmod(int(whole.argmax()), whole.shape[-1])
    return slice(top, top + side), slice(left, left + side)


# -------------------------------------------------------------------------------------------------------------- tables


_TITLES = {"gradient_energy_ratio": "sharpness", "sliced_wasserstein": "SWD", "sliced_wasserstein_fine": "SWD"}


def print_measures(table: Evaluation, systems: Sequence[str], metrics: Sequence[str]) -> None:
    """Means of the metrics on unseen places, a line for each system, in the atlas and in the view."""
    for place in ("atlas", "view"):
        print(f"unseen, {place}:".ljust(20) + "".join(f"{_TITLES.get(metric, metric):>11}" for metric in metrics))
        for name in systems:
            means = [table.row(name, f"{place}.unseen.{metric}").mean for metric in metrics]
            print(f"  {name:18}" + "".join(f"{mean:11.3f}" for mean in means))


def print_mends(scores: Mapping[str, Sequence[float]]) -> None:
    """name -> (l1 seen, l1 unseen, share torn at the edge, share off the body), as a table."""
    print(f"{'':20}{'l1 seen':>10}{'l1 unseen':>12}{'torn at the edge':>19}{'off the body':>15}")
    for name, (on_seen, on_unseen, torn, off_body) in scores.items():
        print(f"{name:20}{on_seen:10.3f}{on_unseen:12.3f}{torn:19.1%}{off_body:15.1%}")


def print_robust(rows: Mapping[str, Mapping[str, Sequence[float]]], shares: Mapping[str, float]) -> None:
    """condition -> (way -> (l1, sharpness)), and condition -> share on the other arm, as a table."""
    ways = list(next(iter(rows.values())))
    print(f"{'':30}{'l1':>10}{'sharpness':>45}{'hidden arm looks at':>36}")
    print(f"{'':30}" + "".join(f"{word:>13}" for word in (*ways, *ways, "other arm")))
    for name, row in rows.items():
        numbers = [f"{row[way][k]:13.3f}" for k in (0, 1) for way in ways]
        print(f"{name:30}" + "".join(numbers) + f"{shares[name]:13.0%}")


# ---------------------------------------------------------------------------------------------------------- hidden arm


def with_both_arms(pairs: Sequence[Pair], most: int = 24, pixels: int = 150) -> list[Person]:
    """The first source photographs (batches of one) that show more than so many pixels of either arm."""
    persons = []
    for pair in pairs:
        person = pair.source.batched()
        arms = (probes.LEFT_ARM, probes.RIGHT_ARM)
        if min(float(probes.are_parts(person.part, arm).sum()) for arm in arms) > pixels:
            persons.append(person)
    return persons[:most]


def shares_of_places(part: Tensor) -> np.ndarray:
    """part (n): labels at the places where texels look, 0 off the body -> shares of PLACES, which sum to one."""
    other, own = (probes.are_parts(part, side) for side in (probes.RIGHT_ARM, probes.LEFT_ARM))
    counted = (other, own, (part > 0) * (1 - other - own), (part == 0).float())
    return np.array([float(places.mean()) for places in counted])


def correlation(a: Tensor, b: Tensor) -> float:
    """Of two sets of positions (2 n): 1 if they differ only by a shift and a scale, near 0 if nothing connects them."""
    a, b = (x - x.mean(1, keepdim=True) for x in (a, b))
    return float((a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-6))


def hidden_arms(
    ask: Callable[[Person, Filler], tuple[np.ndarray, float, float, Tensor]], persons: Sequence[Person], fill: Filler
) -> tuple[dict[str, float], float, float, list[Tensor]]:
    """Means over photographs of what ``ask`` finds in each: (shares of PLACES, correlation, l1).

    The fourth, the positions (2 n), comes back as a list, one for each photograph.
    """
    shares, together, errors, positions = zip(*(ask(person, fill) for person in persons), strict=True)
    return dict(zip(PLACES, np.mean(shares, 0), strict=True)), np.mean(together), np.mean(errors), list(positions)


# --------------------------------------------------------------------------------------------------------------- sweep


def by_arm(runs: Sequence[Mapping]) -> dict[tuple[str, int, int], Mapping]:
    """The rows of the sweep texture_duel: (arm, steps, seed) -> row."""
    return {(SWEEP_ARMS[row["arm"]], int(row["steps"]), int(row["seed"])): row for row in runs}


def long_run() -> dict[tuple[str, int | None, str], float]:
    """What was measured at the milestones of the long training: (system, step, metric) -> mean."""
    text = (RESULTS / "coordinate_inpainting-duel.json").read_text(encoding="utf-8")
    return {(row["system"], row["step"], row["metric"]): row["mean"] for row in json.loads(text)["rows"]}


def background_shares(swept: Mapping[tuple[str, int, int], Mapping]) -> dict[str, tuple[float, float]]:
    """arm with coordinates -> (share of unseen texels that look at the background, l1), means over its runs."""
    runs: dict[str, list] = {}
    for (arm, _, _), row in swept.items():
        if arm != "colours":
            runs.setdefault(arm, []).append((row["background_share"], row["view.unseen.l1"]))
    return {arm: tuple(np.mean(values, 0)) for arm, values in runs.items()}


def losses_said(log: Sequence[Mapping]) -> str:
    """The first and the last value of every loss of a training's log."""
    first, last = log[0]["losses"], log[-1]["losses"]
    return ", ".join(f"{loss} {first[loss]:.2f} -> {last[loss]:.2f}" for loss in first)
