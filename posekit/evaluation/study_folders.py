"""A user study from folders of pictures: a preset's schedule, with the pictures themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from posekit.data.photo import read_photo
from posekit.data.result_files import ResultFile, match_results, picture_files
from posekit.data.result_names import name_key
from posekit.evaluation.page_pictures import picture_hash, png_address
from posekit.evaluation.study import Study, Trial, schedule_choices, schedule_singles
from posekit.evaluation.study_presets import StudyPreset, study_preset
from posekit.util.errors import InputError

Folder = str | os.PathLike


class MadeStudy(NamedTuple):
    """A study, its pictures (hash -> ``data:`` address of a PNG), and what was left out of the folders."""

    study: Study
    pictures: dict[str, str]
    notes: list[str]


def make_study(
    preset: str,
    made: Folder,
    *,
    real: Folder | None = None,
    rivals: Sequence[Folder] = (),
    beside: Sequence[Folder] = (),
    name: str | None = None,
    count: int | None = None,
    seconds: float | None = None,
    warm_up: int | None = None,
    seed: int = 0,
) -> MadeStudy:
    """The study of a preset, with pictures from folders.

    Args:
        made: the generated pictures.  real: photographs, for a preset that shows single pictures of both kinds.
        rivals: generated pictures of other methods, for a choice between two; called as those in ``made``.
        beside: folders of what is shown beside, as the preset has it; of the first one, names are those of the targets,
            of a second one those of targets or sources.
        name: rule of the generated pictures' names (`posekit.data.result_names`).
        count, seconds, warm_up: in place of the preset's: items of each kind, time of a screen, uncounted screens.
        seed: of the draw, the order and the sides.

    InputError for folders that the preset does not need or lacks, for pictures that a rival does not have, and for
    pictures of two sizes, which would give away where they come from.
    """
    own = study_preset(preset)
    _check_folders(preset, own, real, rivals, beside)
    notes: list[str] = []
    if own.is_choice:
        methods = _labels([Path(folder) for folder in (made, *rivals)])
        by_path = _choices(own, dict(zip(methods, (made, *rivals), strict=True)), beside, name, count, seed, notes)
    else:
        methods = ()
        by_path = _singles(own, made, real, beside, name, count, seed, notes)
    trials, pictures = _with_pictures(by_path)
    study = Study(
        preset=preset,
        seed=seed,
        seconds=own.seconds if seconds is None else float(seconds),
        warm_up=own.warm_up if warm_up is None else warm_up,
        methods=methods,
        questions=own.questions,
        trials=trials,
    )
    return MadeStudy(study, pictures, notes)


def _choices(
    own: StudyPreset,
    folders: Mapping[str, Folder],
    beside: Sequence[Folder],
    name: str | None,
    count: int | None,
    seed: int,
    notes: list[str],
) -> tuple[Trial, ...]:
    """Trials whose pictures are paths still."""
    files = {label: _matched(beside[0], folder, name, notes) for label, folder in folders.items()}
    (first, ours), *others = files.items()
    for label, theirs in others:
        if lacking := sorted(ours.keys() - theirs.keys()):
            raise InputError(
                f"{label} has no picture for {len(lacking)} of {len(ours)} items of {first}, for example {lacking[0]}; "
                "a choice needs both."
            )
    items = {item: {label: str(files[label][item].prediction) for label in files} for item in ours}
    further = [{name_key(path.name): path for path in picture_files(Path(folder))} for folder in beside[1:]]
    around = {}
    for item, file in ours.items():
        shown = [file.truth]
        for known, folder in zip(further, beside[1:], strict=True):
            path = known.get(file.target, known.get(file.source or ""))
            if path is None:
                raise InputError(f"{folder} has no picture for {item}; what is shown beside is needed of every item.")
            shown.append(path)
        around[item] = tuple(str(path) for path in shown)
    return schedule_choices(items, list(folders), count or own.pairs, seed, around, len(own.questions))


def _singles(
    own: StudyPreset,
    made: Folder,
    real: Folder | None,
    beside: Sequence[Folder],
    name: str | None,
    count: int | None,
    seed: int,
    notes: list[str],
) -> tuple[Trial, ...]:
    """Trials whose pictures are paths still."""
    around: dict[str, str] = {}
    if beside:
        files = _matched(beside[0], made, name, notes)
        around = {item: str(file.truth) for item, file in files.items()}
        generated = [(item, str(file.prediction)) for item, file in files.items()]
    else:
        generated = [(path.stem, str(path)) for path in picture_files(Path(made))]
    pools, counts = {"generated": generated}, {"generated": count or own.generated}
    if real is not None:
        pools["real"] = [(path.stem, str(path)) for path in picture_files(Path(real))]
        counts["real"] = count or own.real
    return schedule_singles(pools, counts, seed, around)


def _matched(beside: Folder, made: Folder, name: str | None, notes: list[str]) -> dict[str, ResultFile]:
    """The items of a folder by name; what has nothing beside it is left out, and noted."""
    results = match_results(beside, made, name=name, allow_missing=True)
    notes += [note for note in results.notes if "predictions" in note and note not in notes]
    return {file.name: file for file in results.files}


def _with_pictures(trials: Sequence[Trial]) -> tuple[tuple[Trial, ...], dict[str, str]]:
    """Hashes in place of paths, and the pictures; those that are judged must all have one size."""
    hashes: dict[str, str] = {}
    pictures: dict[str, str] = {}
    judged: dict[tuple[int, ...], str] = {}
    for path, alike in [(p, True) for t in trials for p in t.pictures] + [(p, False) for t in trials for p in t.beside]:
        if path in hashes:
            continue
        image = read_photo(path)
        if alike:
            judged.setdefault(tuple(image.shape[1:]), path)
        if len(judged) > 1:
            (a, first), (b, second) = judged.items()
            raise InputError(
                f"{first} has {a[0]} x {a[1]} pixels and {second} {b[0]} x {b[1]} (height x width), which gives away "
                "where they come from; bring all pictures to one size."
            )
        hashes[path] = picture_hash(image)
        pictures[hashes[path]] = png_address(image)
    of = [
        replace(t, pictures=tuple(hashes[p] for p in t.pictures), beside=tuple(hashes[p] for p in t.beside))
        for t in trials
    ]
    return tuple(of), pictures


def _check_folders(
    preset: str, own: StudyPreset, real: Folder | None, rivals: Sequence[Folder], beside: Sequence[Folder]
) -> None:
    for what, needed, given in (
        ("a folder of photographs (--real)", own.real > 0, real is not None),
        ("folders of rivals (--rival)", own.is_choice, bool(rivals)),
    ):
        if needed != given:
            raise InputError(f"The study {preset} {'needs' if needed else 'has no'} {what}.")
    if len(beside) != len(own.beside):
        what = " and ".join(own.beside) or "nothing"
        raise InputError(
            f"The study {preset} shows {what} beside, a folder each (--beside); got {len(beside)} folders."
        )


def _labels(folders: Sequence[Path]) -> tuple[str, ...]:
    """Names of the methods: their folders', or the whole paths where these are alike."""
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    if len(set(names)) < len(names):
        raise InputError("A method is compared with others, and two of the folders are the same.")
    return tuple(names)
