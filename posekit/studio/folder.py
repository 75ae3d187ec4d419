"""Render people into a folder; its layout is described in `posekit.studio.folder_files`.

A person's directory is written under another name and renamed when it is complete: a directory that exists is
whole.  Rendering again continues where it stopped.
"""

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from tqdm import tqdm

from posekit.studio.folder_files import Card, directory, folder_card, is_complete, read_folder_card, write_shots
from posekit.studio.generate import SPLITS, make_shot, sitter, split_of
from posekit.util.errors import InputError
from posekit.util.files import only_one, whole_file
from posekit.util.workers import end_with, replaced_in_silence

MOST_PEOPLE = 100_000  # their directories have five digits


def render_folder(
    root: str | os.PathLike,
    people: int | Iterable[int],
    views: int,
    size: int | tuple[int, int] = 128,
    seed: int = 0,
    kind: str = "body",
    split: str | None = None,
    jobs: int | None = None,
    progress: bool = True,
    skirts: str = "legs",
    rooms: str = "own",
) -> list[int]:
    """Render people into a folder; those that are there already are kept.

    Args:
        root: the folder; made if it is not there.
        people: how many (numbers 0 to people - 1), or their numbers.
        views: photographs of each.
        size, seed, kind, skirts: as in `posekit.studio.generate.make_person`.
        rooms: "own" or "camera", see `posekit.studio.folder_files.Card`.
        split: only the people of "train", "val" or "test".
        jobs: processes; None takes the processors of this machine.
        progress: show a bar.

    Returns:
        The numbers of the people, all of them now in the folder.

    Raises:
        InputError: the folder was rendered with other settings, cannot be written, or the disk is full.
            Whatever ends the run, only complete people stay.
    """
    numbers = people_numbers(people, split)
    card = folder_card(views, size, seed, kind, skirts, rooms)
    root = Path(root)
    if root.is_dir() and read_folder_card(root) == card and all(is_complete(root, n, card) for n in numbers):
        return numbers  # nothing to write, so the folder may also be read-only
    try:
        (root / "people").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{root} cannot be a data folder ({error.strerror}); choose another place.") from error
    with only_one(root):
        _check_card(root, card)
        _remove_unfinished(root)
        missing = [n for n in numbers if not is_complete(root, n, card)]
        try:
            _render_all(root, missing, card, jobs, progress)
        finally:
            _remove_unfinished(root)
    return numbers


def people_numbers(people: int | Iterable[int], split: str | None) -> list[int]:
    """The numbers of the people asked for."""
    if split is not None and split not in SPLITS:
        raise InputError(f"split must be one of {', '.join(SPLITS)}; got {split!r}")
    if isinstance(people, int) and people > MOST_PEOPLE:
        raise InputError(f"A folder holds at most {MOST_PEOPLE} people, numbered 0 to {MOST_PEOPLE - 1}; got {people}")
    numbers = range(people) if isinstance(people, int) else list(people)
    numbers = [int(n) for n in numbers if split is None or split_of(int(n)) == split]
    if not numbers or min(numbers) < 0:
        which = "" if split is None else f" of the split {split!r} (person % 10: 8 is val, 9 is test, others train)"
        raise InputError(f"people asked for no person{which}, or a negative number; got {people!r}")
    return numbers


def _check_card(root: Path, card: Card) -> None:
    begun = read_folder_card(root)
    if begun is None:
        if any((root / "people").iterdir()):
            raise InputError(f"{root} holds people but no card.json; choose another folder, or delete this one.")
        with whole_file(root / "card.json") as path:
            path.write_text(json.dumps(asdict(card), indent=1) + "\n")
    elif begun != card:
        differ = [k for k, v in asdict(card).items() if getattr(begun, k) != v]
        raise InputError(
            f"{root} was rendered with {', '.join(f'{k} {getattr(begun, k)}' for k in differ)}, now asked for "
            f"{', '.join(f'{k} {getattr(card, k)}' for k in differ)}; choose another folder, or delete this one."
        )


def _remove_unfinished(root: Path) -> None:
    for path in (root / "people").glob(".unfinished-*"):
        shutil.rmtree(path, ignore_errors=True)


def _render_all(root: Path, people: list[int], card: Card, jobs: int | None, progress: bool) -> None:
    if not people:
        return
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = min(processors if jobs is None else max(1, jobs), len(people))
    bar = tqdm(total=len(people), desc=f"rendering {root.name}", unit="person", disable=not progress)
    with bar:
        if jobs == 1:
            for person in people:
                _render_person(root, person, card)
                bar.update()
            return
        kill = True
        with _exit_on_sigterm():
            try:
                with replaced_in_silence(), parallel_config(backend="loky", inner_max_num_threads=1):
                    tasks = (delayed(_render_in_worker)(os.getpid(), root, person, card) for person in people)
                    for _ in Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(tasks):
                        bar.update()
                kill = False
            finally:
                # reuse: the pool that renders, whatever its arguments; any other pool would first wait for its tasks
                get_reusable_executor(reuse=True, kill_workers=kill).shutdown(wait=True, kill_workers=kill)


@contextmanager
def _exit_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the program as an exception does, which ends the workers too; they would go on without it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _render_in_worker(parent: int, *task: Any) -> None:
    end_with(parent)
    _render_person(*task)


def _render_person(root: str | os.PathLike, person: int, card: Card) -> None:
    """Render one person of a folder and put the directory in its place when it is whole."""
    place = directory(root, person)
    unfinished = place.with_name(f".unfinished-{place.name}")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        shots = [
            make_shot(card.seed, person, v, card.size, card.set, card.skirts, card.room(v)) for v in range(card.views)
        ]
        write_shots(unfinished, shots, sitter(card.seed, person, card.set).figure.meta)
        if place.exists():  # incomplete or damaged
            shutil.rmtree(place)
        os.replace(unfinished, place)
    except OSError as error:
        raise InputError(
            f"Person {person} could not be written into {root} ({error.strerror or error}); make room or choose "
            "another folder, then run again: complete people are kept."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
