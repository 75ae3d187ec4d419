"""Rendered people on disk.

    root/card.json                what the folder holds: seed, size, set, skirts, views; all people agree with it
    root/people/00012/0.png ...   the photographs, 8-bit RGB
    root/people/00012/maps.npz    one array per map, first axis = view:
        uv          (views, h, w, 2) uint16   atlas position in steps of 1 / 65535, v down; 0 off the map.
                                              The rounding error is at most 1 / 131070 of the atlas.
        part        (views, h, w) uint8       DensePose part 1..24, 0 where there is no map
        masks       (views, 3, ceil(h w / 8)) uint8   head, hair, hands, packed by ``numpy.packbits``
        keypoints   (views, 18, 2) float32    (x, y) in pixels, the centre of pixel i at i + 0.5
        visibility  (views, 18) uint8         0 outside, 1 occluded, 2 visible
    root/people/00012/person.json what was drawn for the person, and the CRC-32 of the files beside it

A person's directory is written under another name and renamed when it is complete: a directory that exists is
whole.  Rendering again continues where it stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from PIL import Image
from tqdm import tqdm

from posekit.data.cache import whole_file
from posekit.errors import InputError
from posekit.studio.generate import SETS, SPLITS, Shot, checked_size, make_shot, sitter, split_of
from posekit.studio.surface_maps import SKIRTS

try:
    import fcntl
except ImportError:  # not on Windows: two processes there must not render into one folder at the same time
    fcntl = None

FORMAT = 1  # of the files
RECIPE = 1  # of the pictures: raise it when the same seed gives other people


@dataclass(frozen=True)
class Card:
    """What all people of a folder agree on."""

    seed: int
    size: tuple[int, int]
    set: str
    skirts: str
    views: int
    format: int = FORMAT
    recipe: int = RECIPE


def render_folder(
    root: str | os.PathLike,
    people: int | Iterable[int],
    views: int,
    size: int | tuple[int, int] = 128,
    seed: int = 0,
    set: str = "body",
    split: str | None = None,
    jobs: int | None = None,
    progress: bool = True,
    skirts: str = "legs",
) -> list[int]:
    """Render people into a folder; those that are there already are kept.

    Args:
        root: the folder; made if it is not there.
        people: how many (numbers 0 to people - 1), or their numbers.
        views: photographs of each.
        size, seed, set, skirts: as in `posekit.studio.generate.make_person`.
        split: only the people of "train", "val" or "test".
        jobs: processes; None takes the processors of this machine.
        progress: show a bar.

    Returns:
        The numbers of the people, all of them now in the folder.

    Raises:
        InputError: the folder was rendered with other settings, cannot be written, or the disk is full.
            Whatever ends the run, only complete people stay.
    """
    numbers = chosen(people, split)
    card = make_card(views, size, seed, set, skirts)
    root = Path(root)
    try:
        (root / "people").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{root} cannot be a data folder ({error.strerror}); choose another place.") from error
    with _only_one(root):
        _check_card(root, card)
        _remove_unfinished(root)
        missing = [n for n in numbers if not is_complete(root, n, card)]
        try:
            _render_all(root, missing, card, jobs, progress)
        finally:
            _remove_unfinished(root)
    return numbers


def chosen(people: int | Iterable[int], split: str | None) -> list[int]:
    """The numbers of the people asked for."""
    if split is not None and split not in SPLITS:
        raise InputError(f"split must be one of {', '.join(SPLITS)}; got {split!r}")
    numbers = range(people) if isinstance(people, int) else list(people)
    numbers = [int(n) for n in numbers if split is None or split_of(int(n)) == split]
    if not numbers or min(numbers) < 0:
        which = "" if split is None else f" of the split {split!r} (person % 10: 8 is val, 9 is test, others train)"
        raise InputError(f"people asked for no person{which}, or a negative number; got {people!r}")
    return numbers


def make_card(views: int, size: int | tuple[int, int], seed: int, set: str, skirts: str) -> Card:
    """The checked settings of a folder."""
    if set not in SETS:
        raise InputError(f"set must be one of {', '.join(SETS)}; got {set!r}")
    if skirts not in SKIRTS:
        raise InputError(f"skirts must be one of {', '.join(SKIRTS)}; got {skirts!r}")
    if views < 1 or seed < 0:
        raise InputError(f"views is a number from 1 up and seed from 0 up; got {views} views and seed {seed}")
    return Card(seed, checked_size(size), set, skirts, views)


def read_card(root: str | os.PathLike) -> Card | None:
    """The card of a folder, None if there is none."""
    path = Path(root) / "card.json"
    try:
        fields = json.loads(path.read_text())
        return Card(**(fields | {"size": tuple(fields["size"])}))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path} is not the card of a posekit data folder ({error}); choose another folder."
        ) from error


def _check_card(root: Path, card: Card) -> None:
    found = read_card(root)
    if found is None:
        if any((root / "people").iterdir()):
            raise InputError(f"{root} holds people but no card.json; choose another folder, or delete this one.")
        with whole_file(root / "card.json") as path:
            path.write_text(json.dumps(asdict(card), indent=1) + "\n")
    elif found != card:
        differ = [k for k, v in asdict(card).items() if getattr(found, k) != v]
        raise InputError(
            f"{root} was rendered with {', '.join(f'{k} {getattr(found, k)}' for k in differ)}, now asked for "
            f"{', '.join(f'{k} {getattr(card, k)}' for k in differ)}; choose another folder, or delete this one."
        )


@contextlib.contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """Wait until no other process renders into the folder.  The system drops the lock of a process that dies."""
    if fcntl is None:
        yield
        return
    with open(root / ".lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _remove_unfinished(root: Path) -> None:
    for path in (root / "people").glob(".unfinished-*"):
        shutil.rmtree(path, ignore_errors=True)


def directory(root: str | os.PathLike, person: int) -> Path:
    """Where a person is kept."""
    return Path(root) / "people" / f"{person:05d}"


def is_complete(root: str | os.PathLike, person: int, card: Card) -> bool:
    """True when the person's files are all there and of the right length (reading compares checksums as well)."""
    place = directory(root, person)
    try:
        files = json.loads((place / "person.json").read_text())["files"]
        names = {f"{v}.png" for v in range(card.views)} | {"maps.npz"}
        return names == files.keys() and all((place / n).stat().st_size == f["bytes"] for n, f in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _render_all(root: Path, people: list[int], card: Card, jobs: int | None, progress: bool) -> None:
    if not people:
        return
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = min(processors if jobs is None else max(1, jobs), len(people))
    bar = tqdm(total=len(people), desc=f"rendering {root.name}", unit="person", disable=not progress)
    with bar:
        if jobs == 1:
            for person in people:
                render_person(root, person, card)
                bar.update()
            return
        try:
            with parallel_config(backend="loky", inner_max_num_threads=1):
                tasks = (delayed(render_person)(root, person, card) for person in people)
                for _ in Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(tasks):
                    bar.update()
        except BaseException:
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
            raise
        get_reusable_executor().shutdown(wait=True)


def render_person(root: str | os.PathLike, person: int, card: Card) -> None:
    """Render one person of a folder and put the directory in its place when it is whole."""
    place = directory(root, person)
    unfinished = place.with_name(f".unfinished-{place.name}")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        shots = [make_shot(card.seed, person, v, card.size, card.set, card.skirts) for v in range(card.views)]
        _write(unfinished, shots, sitter(card.seed, person, card.set).figure.meta)
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


def _write(place: Path, shots: list[Shot], meta: dict[str, Any]) -> None:
    for view, shot in enumerate(shots):
        Image.fromarray(shot.image).save(place / f"{view}.png", compress_level=4)
    masks = np.stack([[np.packbits(m) for m in (s.head, s.hair, s.hands)] for s in shots])
    np.savez_compressed(
        place / "maps.npz",
        uv=np.stack([s.uv for s in shots]),
        part=np.stack([s.part for s in shots]),
        masks=masks,
        keypoints=np.stack([s.keypoints for s in shots]),
        visibility=np.stack([s.visibility for s in shots]),
    )
    files = {p.name: {"bytes": p.stat().st_size, "crc32": zlib.crc32(p.read_bytes())} for p in sorted(place.iterdir())}
    card = {"files": files, "drawn": meta}
    (place / "person.json").write_text(json.dumps(card, indent=1, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def read_shots(root: str | os.PathLike, person: int, card: Card) -> list[Shot]:
    """All photographs of a person.

    Raises:
        InputError: the person is not there, or a file is damaged.
    """
    place = directory(root, person)
    try:
        files = json.loads((place / "person.json").read_text())["files"]
        for name, known in files.items():
            if zlib.crc32((place / name).read_bytes()) != known["crc32"]:
                raise ValueError(f"{name} has changed")
        images = [np.asarray(Image.open(place / f"{v}.png")) for v in range(card.views)]
        with np.load(place / "maps.npz", allow_pickle=False) as z:
            maps = {k: z[k] for k in ("uv", "part", "masks", "keypoints", "visibility")}
        h, w = card.size
        if maps["uv"].shape != (card.views, h, w, 2) or any(i.shape != (h, w, 3) for i in images):
            raise ValueError("other sizes than on the card")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(
            f"Person {person} in {place} is missing or damaged ({error}); delete that directory and render again."
        ) from error
    masks = np.unpackbits(maps["masks"], axis=-1, count=h * w).reshape(card.views, 3, h, w).astype(bool)
    return [
        Shot(image, uv, part, *mask, points, visibility)
        for image, uv, part, mask, points, visibility in zip(
            images, maps["uv"], maps["part"], masks, maps["keypoints"], maps["visibility"], strict=True
        )
    ]
