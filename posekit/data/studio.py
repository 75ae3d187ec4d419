"""Pairs of photographs of rendered people, made on this machine at first use."""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from posekit.data.estimator_noise import EstimatorNoise
from posekit.data.on_device import DevicePairs, fits
from posekit.person import Pair, Person
from posekit.studio.folder import people_numbers, render_folder
from posekit.studio.folder_files import directory, folder_card, is_complete, people_in, read_folder_card, read_shots
from posekit.studio.generate import Shot, arms_raised, to_person
from posekit.util.cache import cache_dir
from posekit.util.errors import InputError

_RENDERED_VIEW = re.compile(r"people/([0-9]{5})/([0-9]{1,9})\.png$")
_MEMORY = 2 * 2**30  # bytes of decoded photographs that one data set keeps


class StudioPeople(Sequence):
    """Ordered pairs of different photographs of one person, of the people 0 .. people - 1 in a split.

    | argument | meaning |
    |----------|---------|
    | people   | how many numbers, or which; a split takes its share: 8 of 10 train, 1 val, 1 test |
    | views    | photographs of each, at least 2 |
    | size     | (h, w) or one number |
    | seed     | another seed, other people |
    | split    | "train", "val" or "test"; people and body shapes never appear in two |
    | root     | data folder; None keeps it in the user's cache (`posekit.util.cache.cache_dir`) |
    | kind     | "body", "face" or "sides" (`posekit.studio.generate.make_person`) |
    | jobs     | processes that render what is missing; None takes all processors |
    | noise    | `EstimatorNoise` to spoil the maps with (the same for every reading of a photograph), or None |
    | pairs    | "all": views (views - 1) ordered pairs a person; "random": one fixed target for each photograph; |
    |          | "same too": all views^2 ordered pairs, those of a photograph with itself among them |
    | poses    | "all"; "usual": neither photograph has an arm raised; "unseen": the target has, the source not |
    | neighbours | at most so many more photographs of the person come with each pair, see `Pair` |
    | skirts   | "legs" or "cloth", see `posekit.studio.render.surface_maps` |
    | rooms    | "own" or "camera", see `posekit.studio.folder_files.Card` |
    | progress | show a bar while rendering |

    Photographs that are not in the folder yet are rendered when the data set is made.  Decoded photographs stay
    in memory as the integers they are stored as (up to 2 GiB), because training reads each many times.
    """

    def __init__(
        self,
        people: int | Sequence[int] = 200,
        views: int = 6,
        size: int | tuple[int, int] = 128,
        seed: int = 0,
        split: str = "train",
        root: str | Path | None = None,
        kind: str = "body",
        jobs: int | None = None,
        noise: EstimatorNoise | None = None,
        pairs: Literal["all", "random", "same too"] = "all",
        poses: Literal["all", "usual", "unseen"] = "all",
        neighbours: int = 0,
        skirts: str = "legs",
        rooms: str = "own",
        progress: bool = True,
    ) -> None:
        if pairs not in ("all", "random", "same too"):
            raise InputError(f"pairs must be all, random or same too; got {pairs!r}")
        if poses not in ("all", "usual", "unseen"):
            raise InputError(f"poses must be all, usual or unseen; got {poses!r}")
        if poses != "all" and kind != "body":
            raise InputError(f"Raised arms are told apart in the set body alone, not in {kind}; leave poses at all.")
        if views < 2:
            raise InputError(f"A pair needs two photographs of a person: views must be at least 2; got {views}")
        if neighbours < 0:
            raise InputError(f"neighbours is a number of photographs, 0 or more; got {neighbours}")
        self.card = folder_card(views, size, seed, kind, skirts, rooms)
        self.numbers = people_numbers(people, split)
        self.root = Path(root) if root is not None else _place(self.card)
        self.noise = noise
        self._shots: OrderedDict[int, list[Shot]] = OrderedDict()
        given = {"jobs": jobs, "progress": progress, "skirts": skirts, "rooms": rooms}
        render_folder(self.root, self.numbers, views, size, seed, kind, **given)
        self.neighbours = min(neighbours, views - 2)
        self.poses = poses
        self._pairs, self._raised = self._draw_pairs(pairs), None
        if poses != "all":
            seed = self.card.seed
            self._raised = np.array([[arms_raised(seed, n, view) for view in range(views)] for n in self.numbers])
            i, source, target = self._pairs.T
            unseen = self._raised[i, target] == (poses == "unseen")
            self._pairs = self._pairs[~self._raised[i, source] & unseen]
        if not len(self._pairs):
            raise InputError(
                f"None of the {len(self.numbers)} people has a pair for poses={poses!r}; take more people or views."
            )

    def _draw_pairs(self, kind: str) -> np.ndarray:
        """(n, 3): number within the split, source view, target view; pairs of one person follow each other."""
        views, people = self.card.views, len(self.numbers)
        if kind == "random":
            rng = np.random.default_rng([self.card.seed, people, views])
            step = rng.integers(1, views, (people, views))
            i, source = np.divmod(np.arange(people * views), views)
            return np.stack([i, source, (source + step.ravel()) % views], 1)
        own = [(s, t) for s in range(views) for t in range(views) if s != t or kind == "same too"]
        return np.concatenate([np.repeat(np.arange(people), len(own))[:, None], np.tile(own, (people, 1))], 1)

    @classmethod
    def of_folder(
        cls, root: str | Path, split: str, size: tuple[int, int] | None = None, *, jobs: int | None = None, **more: Any
    ) -> StudioPeople:
        """The pairs of one split of a folder made by `posekit render`, which decides people, views and size.

        Nothing is written into the folder.

        size: (height, width) that the photographs must have, if given.  more: ``noise``, ``pairs``, ``poses`` and
        ``neighbours`` as for `StudioPeople`.  Raises InputError for another folder.
        """
        card = read_folder_card(root)
        if card is None:
            raise InputError(
                f"{root} is not a folder of rendered people (it has no card.json); make one: posekit render."
            )
        if size is not None and card.size != size:
            h, w = size
            raise InputError(
                f"The system wants photographs of {h} x {w} pixels, {root} holds {card.size[0]} x {card.size[1]}; "
                + (f"render others: posekit render --size {h}." if h == w else "leave --data out to render others.")
            )
        people = people_in(root)
        numbers = people_numbers(people, split)
        lacking = next((n for n in numbers if not is_complete(root, n, card)), None)
        if lacking is not None:  # a folder that is read is only read
            raise InputError(
                f"Person {lacking} of {root} is not whole; finish the folder with posekit render, or delete "
                f"{directory(root, lacking)}."
            )
        kept = {"views": card.views, "size": card.size, "seed": card.seed, "kind": card.set, "skirts": card.skirts}
        return cls(people, split=split, root=root, jobs=jobs, **kept, **more)

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._pairs)

    def __getitem__(self, index: int) -> Pair:
        """Pair ``index``; pairs of one person follow each other."""
        person, *views = self.where(index)
        source, target, *others = (self.person(person, view) for view in (*views, *self.others(person, *views)))
        return Pair(source, target, tuple(others))

    def describe(self) -> dict[str, Any]:
        """What the card of a training run says about the data."""
        facts = {key: getattr(self.card, key) for key in ("set", "seed", "size", "skirts", "views", "recipe")}
        facts |= {} if self.card.rooms == "own" else {"rooms": self.card.rooms}  # absent from older cards
        noise = None if self.noise is None else asdict(self.noise)
        people = {"people": len(self.numbers), "first": self.numbers[0], "last": self.numbers[-1]}
        more = {"neighbours": self.neighbours} if self.neighbours else {}  # absent from older cards
        more |= {"poses": self.poses} if self.poses != "all" else {}
        return {"dataset": "StudioPeople", **facts, **people, "pairs": len(self), "noise": noise, **more}

    def where(self, index: int) -> tuple[int, int, int]:
        """(i, source view, target view) of a pair; i counts the people of the split."""
        index = int(index)
        if not -len(self) <= index < len(self):
            raise IndexError(f"There are {len(self)} pairs; got index {index}.")
        i, source, target = self._pairs[index].tolist()
        return i, source, target

    def others(self, i: int, source: int, target: int) -> list[int]:
        """The views that come with a pair as its neighbours: those that follow the target, around the circle.

        With poses="usual" none has an arm raised; a person with too few others has some twice, or the target again.
        """
        views = self.card.views
        following = [(target + step) % views for step in range(1, views)]
        following = [view for view in following if view != source]
        if self._raised is not None and self.poses == "usual":
            following = [view for view in following if not self._raised[i, view]] or [target]
        return list(itertools.islice(itertools.cycle(following), self.neighbours))

    def person(self, i: int, view: int) -> Person:
        """Photograph ``view`` of the i-th person of the split."""
        number = self.numbers[i]
        person = to_person(self._read(number)[view], self.card.seed, number, view, self.card.set)
        if self.noise is not None:
            person = self.noise(person, np.random.default_rng([self.card.seed, number, view, 77]))
        return person

    def shots(self, i: int) -> list[Shot]:
        """All photographs of the i-th person of the split as they are stored, without noise."""
        return self._read(self.numbers[i])

    def on_device(self, device: torch.device) -> Sequence[Pair]:
        """The same pairs kept on ``device``, where batches are made; itself where they cannot be kept there."""
        return DevicePairs(self, device) if fits(self, device) else self

    def _read(self, number: int) -> list[Shot]:
        """The stored photographs of a person, from memory if they were read before."""
        if number in self._shots:
            self._shots.move_to_end(number)
            return self._shots[number]
        shots = read_shots(self.root, number, self.card)
        self._shots[number] = shots
        h, w = self.card.size
        room = max(1, _MEMORY // (len(shots) * h * w * 11))  # bytes a pixel: image 3, uv 4, part 1, masks 3
        while len(self._shots) > room:
            self._shots.popitem(last=False)
        return shots


def _place(card) -> Path:
    h, w = card.size
    name = f"{card.set}-seed{card.seed}-{h}x{w}-{card.views}views-{card.skirts}-recipe{card.recipe}"
    name += "" if card.rooms == "own" else f"-rooms-{card.rooms}"
    return cache_dir() / "studio" / name


def is_rendered_view(path: str | Path) -> bool:
    """Whether a file is named like a photograph of a rendered folder, and lies in one."""
    path = Path(path).absolute()
    return bool(_RENDERED_VIEW.search(path.as_posix())) and (path.parents[2] / "card.json").is_file()


def read_rendered_view(path: str | Path) -> Person:
    """The photograph ``ROOT/people/00012/3.png`` of a rendered folder, with its maps."""
    path = Path(path).absolute()
    named = _RENDERED_VIEW.search(path.as_posix())
    card = read_folder_card(path.parents[2]) if named else None
    if card is None:
        raise InputError(
            f"{path} is not a view of a rendered folder, such as out/people/people/00012/3.png; make one: "
            "posekit render."
        )
    person, view = int(named[1]), int(named[2])
    if view >= card.views:
        raise InputError(f"{path.parents[2]} has views 0 to {card.views - 1} of everyone, not {view}.")
    return to_person(read_shots(path.parents[2], person, card)[view], card.seed, person, view, card.set)
