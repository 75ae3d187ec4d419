"""Measure systems side by side on the same pairs: means over pairs, with confidence intervals over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from posekit.evaluation import regions
from posekit.evaluation.measure import measure_pairs
from posekit.evaluation.pose_judge import PoseJudge
from posekit.evaluation.table import Evaluation, MetricRow
from posekit.evaluation.thinned import Thinned
from posekit.metrics import image as metrics
from posekit.metrics import pretrained, texture
from posekit.metrics.protocol import STANDARD, Protocol
from posekit.person import Pair
from posekit.systems.base import System
from posekit.util.errors import InputError

PATCH = {"levels": 3, "patch": 3, "directions": 64, "patches": 512}  # small enough for a body of few pixels


def evaluate(
    systems: Mapping[str, System],
    pairs: Sequence[Pair],
    *,
    protocol: Protocol = STANDARD,
    batch_size: int = 8,
    device: str | torch.device = "cpu",
    seed: int = 0,
    full: bool = False,
    perceptual_every: int = 1,
    pose_every: int = 0,
    progress: bool = False,
) -> Evaluation:
    """Run every system on every pair and measure the photographs against the targets.

    Of a system whose result has a field ``warped``, that picture is measured too.  Where the photographs come with
    these masks and maps, the parts of `posekit.evaluation.regions` are measured apart: ``REGION.l1``, ``.perceptual``
    and ``.gradient_energy_ratio``.

    Args:
        systems: by the name they get in the table; anything that maps a batched pair to a result with an ``image``.
        pairs: held-out pairs, all of one size.
        protocol: crop, padding, colour and the metrics' constants; the photographs as they are, if not given.
        seed: of the bootstrap.
        full: also LPIPS with VGG, detection score and Inception score, where their networks are here.
        perceptual_every: the perceptual distance, which costs most, of every so many pairs; NaN for the others, which
            mean and interval leave out.
        pose_every: the pose model's opinion (`posekit.evaluation.pose_judge`) of every so many pairs; 0: of none.
    """
    look, judge = Thinned(perceptual_every), PoseJudge(pose_every)
    networks = tuple(pretrained.PROTOCOL) if full else ("lpips",)
    problems = {name: problem for name in networks if (problem := pretrained.problem(name))}
    features: dict[int, list[Tensor]] = {id(system): [] for system in systems.values()}

    def measure(system: System, batch: Pair) -> dict[str, Tensor | None]:
        wanted = system.wanted(batch) if isinstance(system, System) else batch.target.image
        result, truth = system(batch), protocol.frame(wanted)
        if not bool(torch.isfinite(result.image).all()):  # left out of the means, the failures would raise them
            raise InputError(
                f"{getattr(system, 'name', type(system).__name__)} made a photograph with NaN or infinite values "
                f"(pairs from {batch.source.name[0]} -> {batch.target.name[0]} on); it cannot be measured."
            )
        body = protocol.frame_mask(batch.target.mask) if batch.target.mask is not None else None
        made = protocol.frame(result.image.float().clamp(0, 1))
        chosen = look.chosen(system, len(made))
        values = {
            "ssim": metrics.ssim(made, truth, protocol=protocol),
            "perceptual": look(chosen, made, truth),
            "ms_ssim": metrics.ms_ssim(made, truth, protocol=protocol),
            "l1": metrics.l1(made, truth),
            "l1_32": metrics.l1_at(made, truth, 32),
            "gradient_energy_ratio": metrics.gradient_energy_ratio(made, truth, body),
            "sliced_wasserstein": texture.sliced_wasserstein(made, truth, body, **PATCH).mean(1),
            "lpips": pretrained.lpips(made, truth),
        }
        target = batch.target
        values |= judge(system, result.image, wanted, target.keypoints, target.visibility)
        for region, mask in regions.regions_of(batch).items():
            values |= _of_region(region, made, truth, protocol.frame_mask(mask), look, chosen)
        warped = getattr(result, "warped", None)  # the source's own pixels, moved: how good is the flow by itself?
        if warped is not None:
            warped = protocol.frame(warped)
            values |= {
                "warped.ssim": metrics.ssim(warped, truth, protocol=protocol),
                "warped.perceptual": look(chosen, warped.float().clamp(0, 1), truth),
                "warped.l1": metrics.l1(warped, truth),
                "warped.l1_32": metrics.l1_at(warped, truth, 32),
                "warped.body_l1": metrics.l1(warped, truth, body) if body is not None else None,
                "warped.lpips": pretrained.lpips(warped, truth),
            }
        if full:
            values["lpips_vgg"] = pretrained.lpips(made, truth, "vgg")
            values["detection_score"] = pretrained.detection_score(made)
            if "inception_score" not in problems:
                features[id(system)].append(pretrained.inception_features(made).cpu())
        return values

    more = {
        **look.words,
        **judge.words,
        **regions.WORDS,
        "sliced_wasserstein": f"{texture.patch_words(PATCH)}; of the body where its mask is known",
        **{name: pretrained.PROTOCOL[name] for name in networks},
    }
    table = measure_pairs(
        systems,
        pairs,
        measure,
        protocol=replace(protocol, more={**protocol.more, **more}),
        notes=[*look.notes, *problems.values()],
        batch_size=batch_size,
        device=device,
        seed=seed,
        progress=progress,
    )
    table.notes.extend(judge.notes)  # what the true pictures get is known now
    if full:  # one number of all photographs together, so that there is no interval
        for name, system in systems.items():
            seen = features[id(system)]
            score = pretrained.inception_score(torch.cat(seen)) if seen else None
            table.rows.append(MetricRow(name, "inception_score", score, None, None))
    return table


def _of_region(
    name: str, made: Tensor, truth: Tensor, mask: Tensor, look: Thinned, chosen: list[int]
) -> dict[str, Tensor]:
    """One value per pair for each measure of a region; NaN where it has fewer than `regions.FEWEST` pixels."""
    enough = (mask.sum((1, 2, 3)) >= regions.FEWEST).view(-1, 1, 1, 1)
    mask = mask * enough
    sharpness = metrics.gradient_energy_ratio(made, truth, mask)
    return {
        f"{name}.l1": metrics.l1(made, truth, mask),
        f"{name}.perceptual": look(chosen, made, truth, mask, black=False),
        f"{name}.gradient_energy_ratio": sharpness,
    }
