"""Photographs to train on, each with a file name that says who it is and with a pose: files, or a rendered folder."""

import dataclasses
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from posekit.data.load import Atlas
from posekit.data.names import MarketName, identity_of
from posekit.data.photo_folder import PhotoFolder, TrainingFolder
from posekit.person import Person
from posekit.studio.folder_files import is_complete, people_in, read_folder_card, read_shots
from posekit.studio.generate import split_of, to_person
from posekit.util.errors import InputError

CAMERAS = 6  # of Market-1501


class RenderedFolder(TrainingFolder):
    """Photographs of a folder made by `posekit render`, under Market-1501 names.

    Person n is identity n + 1, because 0 stands for distractors; photograph v is taken by camera v mod 6 + 1 as
    frame v: ``0013_c2s1_000001_00.png`` is photograph 1 of person 12.

    shots: (person, view) of the wanted photographs; all of the training split when None.
    """

    atlas = "studio"

    def __init__(self, root: str | os.PathLike, shots: Iterable[tuple[int, int]] | None = None) -> None:
        self.root = Path(root)
        card = read_folder_card(root)
        if card is None:
            raise InputError(
                f"{root} is not a folder of rendered people (it has no card.json); make one: posekit render."
            )
        self.card = card
        if shots is None:
            shots = [(n, v) for n in people_in(root) if split_of(n) == "train" for v in range(card.views)]
        self.shots = tuple(shots)
        lacking = next((n for n, _ in self.shots if not is_complete(root, n, card)), None)
        if lacking is not None or not self.shots:
            what = "no person for training" if lacking is None else f"no person {lacking}"
            raise InputError(f"{root} holds {what}; render more people into it: posekit render.")
        self.names = tuple(market_name(*shot).spell(".png") for shot in self.shots)
        self.identities = tuple(identity_of(n) for n in self.names)
        self._read = lru_cache(maxsize=64)(lambda number: read_shots(self.root, number, card))

    def __getitem__(self, index: int) -> Person:
        """Photograph ``index`` with all its maps."""
        number, view = self.shots[index]
        person = to_person(self._read(number)[view], self.card.seed, number, view, self.card.set)
        return dataclasses.replace(person, identity=self.identities[index], name=self.names[index])

    def describe(self) -> dict[str, Any]:
        """As of every folder, with the card of the rendering."""
        return super().describe() | dataclasses.asdict(self.card)


def open_training_folder(
    root: str | os.PathLike,
    keypoints: str | os.PathLike | None = None,
    maps: str | os.PathLike | None = None,
    *,
    atlas: Atlas = "smpl",
) -> TrainingFolder:
    """A `RenderedFolder` where there is the card of one, else a `PhotoFolder` with maps in ``atlas``."""
    if (Path(root) / "card.json").is_file():
        if keypoints is not None or maps is not None:
            raise InputError(f"{root} is a rendered folder, which has joints and maps; leave out other ones.")
        return RenderedFolder(root)
    return PhotoFolder(root, keypoints, maps, atlas=atlas)


def market_name(person: int, view: int) -> MarketName:
    """The Market-1501 name of a rendered photograph, see `RenderedFolder`."""
    if person + 1 > 9999:
        raise InputError(f"Market-1501 names end at identity 9999; person {person} is beyond, render fewer people.")
    return MarketName(person + 1, view % CAMERAS + 1, 1, view, 0)
