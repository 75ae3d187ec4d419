"""More photographs of everyone: each photograph of a training folder in the poses of others.

Section 4 of the supplementary of *Deformable GANs* (Siarohin et al., CVPR 2018) enlarges a training set T for person
re-identification: for each photograph, 10 poses drawn at random, which "can be extracted from an individual different
from the person depicted"; each generated picture is labelled with the identity of the photograph it was made from.  T
and the generated pictures together are the augmented set A.  Here poses are drawn from all photographs but the one
itself, whose pose would give it back.

    OUT/0002_c1s1_000451_03.g00.jpg ...   named by `posekit.data.names.generated_name`
    OUT/augment.json                      the settings, written first; another run must have the same
    OUT/manifest.csv                      file, identity, source, donor, seed, weights; written last: OUT is complete

Every picture is written whole or not at all, and depends on the settings alone: a run that was killed goes on where
it stopped and ends with the same files as one that was not.
"""

import csv
import dataclasses
import hashlib
import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from posekit.data.margins import add_margin, cut_margin
from posekit.data.names import generated_name
from posekit.data.photo import write_photo
from posekit.data.photo_folder import TrainingFolder
from posekit.person import Pair, Person, stack_persons
from posekit.systems.base import System
from posekit.training.device import usable_device
from posekit.util.errors import InputError
from posekit.util.files import only_one, write_json, write_text
from posekit.util.reading import read_json

CARD, MANIFEST = "augment.json", "manifest.csv"
COLUMNS = ("file", "identity", "source", "donor", "seed", "weights")


def augment(
    system: System,
    people: TrainingFolder,
    out: str | os.PathLike,
    *,
    poses: int = 10,
    seed: int = 0,
    weights: str = "",
    batch_size: int = 10,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> Path:
    """Generate ``poses`` pictures from every photograph of ``people`` into the folder ``out``; the manifest's path.

    - system: any system whose pictures need what the photographs have (surface maps, joints, or both).
    - out: may be the folder of the photographs itself, which then becomes the augmented set A.
    - seed: of the drawn poses.  weights: the name of the system's weights, for the manifest.
    - batch_size: pictures at a time.

    Raises `InputError` for fewer other photographs than poses, for photographs of another size than the
    system's, without the joints or maps that it needs or with maps of another atlas, and for an ``out`` that was begun
    with other settings.
    """
    out, device = Path(out), usable_device(device)
    drawn = draw_donors(people, poses, seed)
    wanted = _wanted_size(system, people[0].size, people.root)
    system.check(Pair(people[0], people[drawn[0][0]]).batched())  # before anything is written
    card = {"format": 1, "poses": poses, "seed": seed, "weights": weights, **system.card()}
    card |= {"weights_hash": weights_hash(system), "people": people.describe()}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out} cannot be made ({error.strerror}); choose another folder.") from error
    with only_one(out):
        _check_card(out / CARD, card)
        _remove_unfinished(out)
        system = system.to(device).eval()
        for i in tqdm(range(len(people)), desc="augment", unit="photograph", disable=not progress):
            files = [out / generated_name(people.names[i], k) for k in range(poses)]
            if not all(file.is_file() for file in files):
                pictures = _generate(system, people, i, drawn[i], wanted, batch_size, device)
                files[0].parent.mkdir(parents=True, exist_ok=True)  # photographs in folders inside the folder
                for file, picture in zip(files, pictures, strict=True):
                    write_photo(file, picture)
        return write_text(out / MANIFEST, _manifest(people, drawn, seed, weights))


def draw_donors(photographs: Sequence, poses: int, seed: int) -> list[list[int]]:
    """For each photograph the numbers of ``poses`` different other photographs, of whomever."""
    if poses < 1:
        raise InputError(f"poses is a number from 1 up, got {poses}.")
    others = len(photographs) - 1
    if others < poses:
        raise InputError(
            f"{poses} poses of other photographs were asked for, and there are {max(0, others)} others with a pose; "
            "ask for fewer poses, or give more photographs."
        )
    drawn = []
    for i in range(len(photographs)):
        chosen = np.random.default_rng([seed, i]).choice(others, poses, replace=False)
        drawn.append((chosen + (chosen >= i)).tolist())  # the photograph itself is stepped over
    return drawn


@torch.no_grad()
def _generate(
    system: System,
    people: TrainingFolder,
    index: int,
    donors: list[int],
    wanted: tuple[int, int],
    batch_size: int,
    device: str | torch.device,
) -> Iterator[Tensor]:
    """Yield the pictures ``3 h w`` of one photograph in the poses of its donors."""
    source = people[index]
    for begin in range(0, len(donors), batch_size):
        poses = [_pose_only(people[j]) for j in donors[begin : begin + batch_size]]
        pair = Pair(stack_persons([source] * len(poses)), stack_persons(poses))
        wide = Pair(add_margin(pair.source, wanted), add_margin(pair.target, wanted)).to(device)
        yield from cut_margin(system(wide).image.float().cpu(), source.size)


def _pose_only(donor: Person) -> Person:
    """The pose without the looks of the donor: a black photograph, no masks of hair, head or hands."""
    looks = {"image": torch.zeros_like(donor.image), "head": None, "hair": None, "hands": None}
    return dataclasses.replace(donor, **looks)


def _wanted_size(system: System, size: tuple[int, int], root: Path) -> tuple[int, int]:
    """(height, width) that the system was made for; photographs of that height may be narrower."""
    h, w = system.size or size
    if size[0] != h or size[1] > w:
        raise InputError(
            f"These weights are for photographs of {h} x {w} pixels (height x width), those of {root} have "
            f"{size[0]} x {size[1]}; bring them to that height, or take other weights."
        )
    return h, w


def weights_hash(system: System) -> str:
    """16 hexadecimal digits of the weights that make photographs: other weights of the same name have others."""
    digest = hashlib.sha256()
    for name, tensor in sorted(system.state_dict().items()):
        if system.inference_parts and name.split(".")[0] not in system.inference_parts:
            continue  # a critic, which no weight file holds
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _check_card(path: Path, card: dict[str, Any]) -> None:
    """Write the settings of a new folder, compare those of one that was begun."""
    card = json.loads(json.dumps(card))  # what a file can hold: tuples become lists
    if not path.is_file():
        write_json(path, card)
        return
    try:
        begun = dict(read_json(path))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} cannot be read ({error}); choose another folder, or delete this one.") from error
    if differ := _differences(begun, card):
        first = ", ".join(differ[:3]) + (f" and {len(differ) - 3} other settings" if len(differ) > 3 else "")
        raise InputError(
            f"{path.parent} was begun with {first}; go on with the same settings, choose another folder, or delete "
            "this one."
        )


def _differences(begun: dict[str, Any], card: dict[str, Any], prefix: str = "") -> list[str]:
    """Words such as "poses 10 (now 5)" for each setting that differs, the system's and the people's last."""
    outer, inner = [], []
    for key in sorted({*begun, *card}, reverse=True):  # weights, then system, seed, poses ...
        before, now = begun.get(key), card.get(key)
        if isinstance(before, dict) and isinstance(now, dict):
            inner += _differences(before, now, f"{prefix}{key}.")
        elif before != now:
            outer.append(f"{prefix}{key} {before} (now {now})")
    return outer + inner


def _remove_unfinished(out: Path) -> None:
    """Temporary files that a killed run left behind (`posekit.util.files.whole_file`)."""
    for path in (*out.rglob(".*.g[0-9][0-9]*-*"), *out.glob(f".{Path(MANIFEST).stem}-*")):
        path.unlink(missing_ok=True)


def _manifest(people: TrainingFolder, drawn: list[list[int]], seed: int, weights: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, identity, donors in zip(people.names, people.identities, drawn, strict=True):
        for k, donor in enumerate(donors):
            writer.writerow([generated_name(name, k), identity, name, people.names[donor], seed, weights])
    return text.getvalue()
