"""A population of adults on MakeHuman's shape targets.

A phenotype is a handful of numbers in [0, 1] (gender, age, muscle, weight, height, proportions) and three ancestry
weights.  MakeHuman ships a shape target for every combination of the extremes, such as
``universal-female-old-minmuscle-averageweight``; a body is the base mesh plus each target times the product of
how much the person is female, old, and so on.  Only the targets `young` (about 25 years) and `old` (about 90)
are read: everyone is an adult.  To these come local changes of the face, one number in [-1, 1] each, so that
faces differ.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from makehuman import BaseMesh, read_target

GENDER, AGE = ("male", "female"), ("young", "old")
MUSCLE = ("minmuscle", "averagemuscle", "maxmuscle")
WEIGHT = ("minweight", "averageweight", "maxweight")
HEIGHT = ("minheight", "maxheight")
PROPORTIONS = ("idealproportions", "uncommonproportions")
ANCESTRY = ("african", "asian", "caucasian")

# folder: names of local changes, by the endings of the target for -1 and +1
_DECR_INCR = {
    "nose": "nose-hump nose-greek nose-flaring nose-nostrils-width nose-point-width nose-scale-depth nose-scale-horiz "
    "nose-scale-vert nose-volume nose-width1 nose-width2 nose-width3",
    "mouth": "mouth-cupidsbow mouth-lowerlip-height mouth-lowerlip-volume mouth-upperlip-height "
    "mouth-upperlip-volume mouth-scale-horiz mouth-scale-vert mouth-scale-depth",
    "chin": "chin-bones chin-cleft chin-height chin-jaw-drop chin-prognathism chin-prominent chin-width",
    "head": "head-fat head-back-scale-depth head-scale-depth head-scale-horiz head-scale-vert",
    "forehead": "forehead-nubian forehead-scale-vert forehead-temple",
}
_DECR_INCR_BOTH_SIDES = {
    "eyes": "eye-bag eye-height1 eye-height2 eye-height3 eye-scale",
    "cheek": "cheek-bones cheek-volume cheek-inner",
    "ears": "ear-scale ear-lobe ear-wing",
}
_DOWN_UP = {
    "nose": "nose-base nose-point",
    "mouth": "mouth-trans mouth-angles",
    "eyebrows": "eyebrows-angle eyebrows-trans",
}
_DOWN_UP_BOTH_SIDES = {"eyes": "eye-corner1 eye-corner2 eye-eyefold-angle eye-trans eye-eyefold"}
_IN_OUT_BOTH_SIDES = {"eyes": "eye-trans eye-epicanthus"}
_HEAD_SHAPES = "diamond invertedtriangular oval rectangular round square triangular"
SHAPE_OF_HEAD = "head shape "  # prefix of changes that only have a +1 end


def _macro_targets() -> list[tuple[tuple[str, ...], str]]:
    """(factors, file) of every body-wide target."""
    targets = []
    for base in itertools.product(GENDER, AGE, MUSCLE, WEIGHT):
        name = "-".join(base)
        targets.append((base, f"macrodetails/universal-{name}"))
        targets += [((*base, h), f"macrodetails/height/{name}-{h}") for h in HEIGHT]
        targets += [((*base, p), f"macrodetails/proportions/{name}-{p}") for p in PROPORTIONS]
    for key in itertools.product(ANCESTRY, GENDER, AGE):
        targets.append((key, "macrodetails/" + "-".join(key)))
    return targets


def _local_targets() -> dict[str, tuple[list[str], list[str]]]:
    """name -> files of its -1 end, files of its +1 end."""
    changes = {}
    for table, ends, sides in (
        (_DECR_INCR, ("-decr", "-incr"), ("",)),
        (_DECR_INCR_BOTH_SIDES, ("-decr", "-incr"), ("l-", "r-")),
        (_DOWN_UP, ("-down", "-up"), ("",)),
        (_DOWN_UP_BOTH_SIDES, ("-down", "-up"), ("l-", "r-")),
        (_IN_OUT_BOTH_SIDES, ("-in", "-out"), ("l-", "r-")),
        ({"nose": "nose-curve"}, ("-concave", "-convex"), ("",)),
        ({"head": "head-angle"}, ("-in", "-out"), ("",)),
    ):
        for folder, names in table.items():
            for name in names.split():
                low, high = ([f"{folder}/{side}{name}{end}" for side in sides] for end in ends)
                changes[f"{name} {ends[0]} {ends[1]}"] = (low, high)
    for name in _HEAD_SHAPES.split():
        changes[SHAPE_OF_HEAD + name] = ([], [f"head/head-{name}"])
    return changes


class Population:
    """All targets in memory, restricted to some vertices, and a way to draw people."""

    def __init__(self, data: Path, mesh: BaseMesh, vertices: np.ndarray):
        folder = data / "mpfb2/targets"

        def load(name: str) -> np.ndarray:
            return read_target(folder / f"{name}.target.gz", len(mesh.vertices))[vertices].astype(np.float32)

        macro, local = _macro_targets(), _local_targets()
        self.factors = [key for key, _ in macro]
        self.changes = [
            (name, sign) for name, ends in local.items() for sign, end in zip((-1, 1), ends, strict=True) if end
        ]
        ends = [files for pair in local.values() for files in pair if files]
        self.targets = np.stack([load(file) for _, file in macro] + [sum(load(f) for f in files) for files in ends])
        self.base = mesh.vertices[vertices]

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """One adult: vertices (n, 3) and (gender, age, muscle, weight, height, african, asian, caucasian)."""
        gender = rng.integers(2) * 0.86 + rng.uniform(0, 0.14)  # clearly male or clearly female, mostly
        age = rng.beta(1.2, 3.0)
        muscle = np.clip(rng.normal(0.55, 0.16), 0.15, 0.95)
        weight = np.clip(rng.normal(0.45, 0.14), 0.15, 0.95)
        height = np.clip(rng.normal(0.50, 0.13), 0.15, 0.85)
        uncommon = rng.beta(1.5, 3.0)
        ancestry = rng.dirichlet([0.6, 0.6, 0.6])
        names = dict.fromkeys(name for name, _ in self.changes)
        local = {name: np.clip(rng.normal(0, 0.3), -1, 1) if rng.random() < 0.6 else 0.0 for name in names}
        local |= {name: 0.6 * abs(x) for name, x in local.items() if name.startswith(SHAPE_OF_HEAD)}

        share = {"male": 1 - gender, "female": gender, "young": 1 - age, "old": age}
        share |= {"minheight": 1 - height, "maxheight": height}
        share |= {"idealproportions": 1 - uncommon, "uncommonproportions": uncommon}
        share |= dict(zip(MUSCLE, _thirds(muscle), strict=True))
        share |= dict(zip(WEIGHT, _thirds(weight), strict=True))
        share |= dict(zip(ANCESTRY, ancestry, strict=True))
        macro = [np.prod([share[f] for f in key]) for key in self.factors]
        faces = [max(0.0, sign * local[name]) for name, sign in self.changes]
        shape = self.base + np.tensordot(np.array(macro + faces), self.targets, axes=1)
        return shape, np.array([gender, age, muscle, weight, height, *ancestry])


def _thirds(x: float) -> tuple[float, float, float]:
    """Linear interpolation between targets at 0, 0.5 and 1."""
    return max(0.0, 1 - 2 * x), 1 - abs(2 * x - 1), max(0.0, 2 * x - 1)
