"""Measure a folder of generated pictures against photographs, under the protocol of a public evaluation script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from posekit.data.result_files import ResultFiles
from posekit.data.result_pictures import check_pictures, read_result_pictures
from posekit.evaluation.pose_judge import PoseJudge
from posekit.evaluation.table import Evaluation, MetricRow
from posekit.metrics import pretrained
from posekit.metrics.image import gradient_energy_ratio, l1, ms_ssim
from posekit.metrics.interval import interval_over_people
from posekit.metrics.perceptual import PROTOCOL as PERCEPTUAL_WORDS
from posekit.metrics.perceptual import Perceptual
from posekit.metrics.protocol import STANDARD, Protocol, Size
from posekit.metrics.published import measure_published, prepare_published, published_protocol
from posekit.metrics.texture import patch_words, sliced_wasserstein
from posekit.util.errors import InputError

_PATCH = {"levels": 3, "patch": 7, "directions": 128, "patches": 1024}
_FID = (
    "FID is missing: it compares whole sets, each script with another network and other real pictures "
    "(Inception of TensorFlow, of torchvision), and none of these is here."
)
_INCEPTION = "The Inception score is missing: the scripts' own networks are not here."


def score_results(
    results: ResultFiles,
    protocol: str,
    *,
    label: str = "predictions",
    size: Size | None = None,
    strip: int = 1,
    perceptual_pairs: int = 200,
    pose_pairs: int = 0,
    seed: int = 0,
    progress: bool = False,
) -> Evaluation:
    """The table of a folder of results: the script's numbers, named ``PROTOCOL.NUMBER``, and ours of the same pictures.

    Ours: ms_ssim, l1, gradient_energy_ratio (sharpness beside the truth's), sliced_wasserstein, perceptual, and LPIPS
    where its network is here.  What is missing stands in the notes with its reason; nothing is put in its place.

    Args:
        results: `posekit.data.result_files.match_results`.
        protocol: of `posekit.metrics.published.PUBLISHED`.
        label: name of the predictions in the table.
        size: (height, width) to which both are brought first (Pillow's bicubic filter); None: as they are.
        strip: a generated file holds so many pictures side by side, the last of which is the prediction.
        perceptual_pairs: the perceptual distance, which costs most, of about so many pairs, evenly spread.
        pose_pairs: the pose model's opinion (`posekit.evaluation.pose_judge`) of about so many; against its own joints
            in the photographs.
        seed: of the bootstrap over people.

    InputError for files that cannot be read, and for sizes that the protocol does not know or that differ, with how
    many there are and an example; before anything is measured.
    """
    own = published_protocol(protocol)
    if strip < 1 or perceptual_pairs < 0 or pose_pairs < 0:
        raise InputError(
            f"A strip has 1 or more pictures, the perceptual distance and the pose 0 or more pairs; got {strip}, "
            f"{perceptual_pairs} and {pose_pairs}."
        )
    if size is not None and own.size is not None:
        raise InputError(
            f"The protocol {protocol} brings pictures to {own.size[0]} x {own.size[1]} itself; leave the size (--size) "
            "out."
        )
    files = results.files
    sized = size is not None or own.size is not None
    notes = [*results.notes, *check_pictures(files, strip=strip, sized=sized, one=not own.truth_follows)]
    every = -(-len(files) // perceptual_pairs) if perceptual_pairs else len(files) + 1
    look = Perceptual()
    judge = PoseJudge(-(-len(files) // pose_pairs) if pose_pairs else 0)
    values: dict[str, list[float] | None] = {}
    frame = STANDARD
    pictures = tqdm(read_result_pictures(files, strip=strip, size=size), "score", len(files), disable=not progress)
    for number, (file, image, truth) in enumerate(pictures):
        chosen = perceptual_pairs > 0 and number % every == 0
        try:
            made, true, frame = prepare_published(image[None], truth[None], protocol)
            measured = {**measure_published(made, true, protocol), **_ours(made, true, look if chosen else None)}
            measured |= judge(label, made, true)
        except InputError as error:
            raise InputError(f"{file.prediction.name}: {error}") from error
        for metric, value in measured.items():
            if value is None:
                values[metric] = None
            else:
                values.setdefault(metric, []).append(float(value))
    which = "" if every == 1 else f"of {sum(n % every == 0 for n in range(len(files)))} of {len(files)} pairs: "
    if every > 1:
        notes.append(f"perceptual: {which.rstrip(': ')}" if perceptual_pairs else "perceptual: not asked for")
    notes += [problem] if (problem := pretrained.problem("lpips")) else []
    notes += judge.notes
    notes += [_INCEPTION, _FID]
    more = {
        **frame.more,
        "ms_ssim": f"{STANDARD.words()['ssim']}; {STANDARD.words()['ms_ssim']}",
        "gradient_energy_ratio": "squared forward differences of all of it, prediction over truth; 1 is as sharp",
        "perceptual": which + PERCEPTUAL_WORDS["perceptual"],
        **judge.words,
        "sliced_wasserstein": patch_words(_PATCH),
        "lpips": pretrained.PROTOCOL["lpips"],
    }
    if size is not None:
        more["size"] = f"both brought to {size[0]} x {size[1]} first, by Pillow's bicubic filter"
    frame = replace(frame, pairs=len(files), seed=seed, more=more)
    people = [file.person for file in files]
    rows = [_row(label, metric, sample, people, frame, notes) for metric, sample in values.items()]
    rows += [MetricRow(label, metric, None, None, None) for metric in ("inception_score", "fid")]
    names = [file.name for file in files]
    return Evaluation(rows, {label: values | {"inception_score": None, "fid": None}}, names, people, frame, notes)


def _ours(image: Tensor, truth: Tensor, look: Perceptual | None) -> dict[str, Tensor | None]:
    """Our own numbers of one pair; without ``look``, NaN for the perceptual distance."""
    return {
        "ms_ssim": ms_ssim(image, truth),
        "l1": l1(image, truth),
        "gradient_energy_ratio": gradient_energy_ratio(image, truth),
        "sliced_wasserstein": sliced_wasserstein(image, truth, **_PATCH).mean(1),
        "perceptual": torch.full((1,), torch.nan) if look is None else look(image, truth),
        "lpips": pretrained.lpips(image, truth),
    }


def _row(
    label: str, metric: str, sample: list[float] | None, people: Sequence[str], frame: Protocol, notes: list[str]
) -> MetricRow:
    """Mean and interval; missing, with a note, where a pair has no value, as the mean of a script would be."""
    if sample is None:
        return MetricRow(label, metric, None, None, None)
    values = np.asarray(sample)
    if metric in ("perceptual", "pose_found", "pose_error"):
        values = values[np.isfinite(values)]
    wrong = int((~np.isfinite(values)).sum())
    if wrong or len(values) == 0:
        if wrong:
            why = "equal to their truths" if metric.endswith(".psnr") else "of one value, or their truths are"
            notes.append(f"{metric}: no number for {wrong} of {len(values)} pairs ({why}), so none for all of them")
        return MetricRow(label, metric, None, None, None)
    low, high = interval_over_people(sample, people, frame) or (None, None)
    return MetricRow(label, metric, float(values.mean()), low, high)
