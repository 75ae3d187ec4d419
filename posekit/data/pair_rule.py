"""The rule by which the field's lists of pairs were made, and how many pairs each published list has.

    valid: both shoulders and both hips were detected, and the name is neither junk (-1) nor a distractor (0000)
    training pairs: all ordered pairs of two valid photographs of one person
    test pairs: of all such pairs, at most so many, drawn without replacement by the generator of seed 0

People come in the order in which the list of joints names them first, photographs in its order; the draw is that of
pandas, ``DataFrame.sample(random_state=0)``, which numpy's old generator repeats on every machine.

Source: A. Siarohin et al., Deformable GANs for Pose-based Human Image Generation, the lists that come with it.
"""

import csv
import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posekit.data.annotations import Annotations
from posekit.data.names import identity_of, is_person_name
from posekit.data.photo_folder import TORSO
from posekit.util.files import whole_file

TEST_PAIRS = 12_000  # at most


class PublishedCounts(NamedTuple):
    """How many pairs a published list for training and for testing has, and who says so."""

    train: int
    test: int
    source: str


PUBLISHED = {
    "market": PublishedCounts(263_632, 12_000, "Zhu et al., Progressive Pose Attention Transfer (2019)"),
    "fashion": PublishedCounts(140_110, 8_670, "Neverova et al., Dense Pose Transfer (2018), section 5"),
    "fashion-resize": PublishedCounts(101_966, 8_570, "Zhu et al. (2019); single spatial transformation, section 3.4"),
    "mvc": PublishedCounts(694_854, 14_924, "Neverova et al. (2018), appendix C; with pairs of identical photographs"),
}


def valid_names(joints: Annotations) -> list[str]:
    """The photographs that pairs are made of, in the order of the list."""
    whole = (joints.visibility[:, list(TORSO)] > 0).all(1).tolist()
    return [name for name, there in zip(joints.names, whole, strict=True) if there and is_person_name(name)]


def all_pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """Every ordered pair of two photographs of one person, by the people's order in ``names``.

    >>> all_pairs(["0002_c1s1_000451_03.jpg", "0007_c1s1_000001_01.jpg", "0002_c2s1_000551_00.jpg"])[0]
    ('0002_c1s1_000451_03.jpg', '0002_c2s1_000551_00.jpg')
    """
    people: dict[str, list[str]] = {}
    for name in names:
        people.setdefault(identity_of(name), []).append(name)
    return [pair for own in people.values() for pair in itertools.permutations(own, 2)]


def draw_pairs(pairs: Sequence[tuple[str, str]], most: int = TEST_PAIRS, seed: int = 0) -> list[tuple[str, str]]:
    """At most so many of the pairs, in the order in which they are drawn."""
    generator = np.random.RandomState(seed)
    return [pairs[i] for i in generator.permutation(len(pairs))[:most]]


def write_pairs(path: str | os.PathLike, pairs: Iterable[tuple[str, str]]) -> Path:
    """Write a list that `posekit.data.annotations.read_pairs` reads, whole or not at all."""
    with whole_file(path, make_folder=True) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("from", "to"), *pairs])
    return Path(path)
