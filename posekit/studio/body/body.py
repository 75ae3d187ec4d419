"""The body: a mesh whose shape is a weighted sum of a few shapes, with a skeleton inside.

Blend shapes.  Stack the coordinates of all vertices of a body into one long vector x.  Bodies in the same
pose, with the same triangles, differ by smooth changes (taller, heavier, a wider jaw), so a population of
them lies close to a flat subspace.  Principal component analysis finds its axes b_1 ... b_K, and a body is

    x(c) = mean + c_1 b_1 + ... + c_K b_K                                                           (1)

with one coefficient vector c per person, each component scaled to unit variance over the population.  The
joints of the skeleton are averages of mesh vertices, hence linear in x, and ride along in the same sum.
A facial expression adds one more difference vector per muscle group (jaw open, smile, ...), and so does
closing the hand:

    x(c, e, f) = x(c) + e_1 d_1 + ... + e_M d_M + f d_fist                                          (2)

How the shape is bent into a pose is in `skinning`.

The mesh, the shapes and the skeleton come from the MakeHuman project (released CC0; see ``LICENSE-ASSETS``)
and were packed by ``data_scripts/build_body_asset.py``.  Adults only.  Lengths are decimetres, axes are y up,
z forward, x towards the person's left; the rest pose stands with the arms held obliquely down (an A-pose).
Blend shapes with skinning are the model of Anguelov et al., SCAPE (2005) and Loper et al., SMPL (2015),
without their pose-dependent corrections.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from PIL import Image

from posekit.util.errors import InputError

PARTS = ("skin", "eye", "teeth", "skirt")
MASKS = ("lips", "eyelids", "fingernails", "ears")
META = ("gender", "age", "muscle", "weight", "height", "african", "asian", "caucasian")
HEAD_BONES = ("neck_01", "head")


class RestShape(NamedTuple):
    """One person before posing.

    vertices: (n, 3) float32.  joints, tails: (bones, 3) float32, where each bone begins and ends.
    """

    vertices: np.ndarray
    joints: np.ndarray
    tails: np.ndarray


@dataclass(frozen=True, eq=False)
class Body:
    """The unpacked asset.  Arrays are shared: do not write into them.

    bones: names, a parent always before its children.  parents: (bones,) int, -1 for the root.
    n_skin: the first `n_skin` vertices are the skin, numbered as in MakeHuman's base mesh; then follow
    eyes, teeth and the skirt (a closed grid around the hips and legs, the pattern for loose skirts).
    mirror: (n_skin,) int, the skin vertex on the other side of the body.
    triangles: part -> (f, 3) int32 vertex ids, anticlockwise seen from outside.
    uv: part -> (m, 2) float32 in [0, 1], v down.  uv_triangles: part -> (f, 3) int32 into it (a vertex on a
    seam of the atlas has several uv).  weights: (n, bones) float32, rows sum to 1, at most four not 0.
    mean_vertices, mean_joints, mean_tails and basis (K, n + 2 bones, 3): equation (1).
    bank: (people, K) float32, coefficients of sampled adults.  bank_meta: structured array with the fields
    `META`: gender 0 male .. 1 female; age 0 (about 25 years) .. 1 (about 90); muscle, weight, height 0 .. 1
    within the population; three ancestry weights that sum to 1.
    """

    bones: tuple[str, ...]
    parents: np.ndarray
    n_skin: int
    mirror: np.ndarray
    triangles: dict[str, np.ndarray]
    uv: dict[str, np.ndarray]
    uv_triangles: dict[str, np.ndarray]
    weights: np.ndarray
    mean: np.ndarray
    basis: np.ndarray
    bank: np.ndarray
    bank_meta: np.ndarray
    expression_names: tuple[str, ...]
    expression_index: np.ndarray
    expressions: np.ndarray
    fist_index: np.ndarray
    fist: np.ndarray

    @property
    def n_vertices(self) -> int:
        return len(self.weights)

    @cached_property
    def bone_index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.bones)}

    @cached_property
    def corner_uv(self) -> dict[str, np.ndarray]:
        """Texture coordinates per triangle corner: part -> (f, 3, 2) float32 in [0, 1], v down."""
        return {part: self.uv[part][self.uv_triangles[part]] for part in PARTS}

    @cached_property
    def head_vertices(self) -> np.ndarray:
        """Ids of the skin vertices that follow the head and neck more than the rest of the body."""
        head = self.weights[: self.n_skin, [self.bone_index[b] for b in HEAD_BONES]].sum(1)
        return np.flatnonzero(head > 0.5)

    @property
    def mean_vertices(self) -> np.ndarray:
        return self.mean[: self.n_vertices]

    @property
    def mean_joints(self) -> np.ndarray:
        return self.mean[self.n_vertices : self.n_vertices + len(self.bones)]

    @property
    def mean_tails(self) -> np.ndarray:
        return self.mean[self.n_vertices + len(self.bones) :]

    def rest(
        self, coefficients: np.ndarray, expression: Mapping[str, float] | None = None, fist: float = 0.0
    ) -> RestShape:
        """The rest shape of a person, equation (2).

        coefficients: (k,) with k <= K, standard deviations along the first k components; fewer mean zeros.
        expression: strength per name in `expression_names`, 1 is the full movement.  fist: 0 relaxed .. 1.
        """
        c = np.asarray(coefficients, np.float32)
        if c.ndim != 1 or len(c) > len(self.basis):
            raise InputError(f"a body has at most {len(self.basis)} coefficients in one row; got shape {c.shape}")
        x = self.mean + np.tensordot(c, self.basis[: len(c)], axes=1)  # (1)
        n, b = self.n_vertices, len(self.bones)
        vertices = x[:n]
        if expression:
            vertices = vertices + self.expression_delta(expression)
        if fist:
            vertices[self.fist_index] += np.float32(fist) * self.fist
        return RestShape(vertices, x[n : n + b], x[n + b :])

    def expression_delta(self, expression: Mapping[str, float]) -> np.ndarray:
        """What an expression adds to the vertices of every body, (n, 3) float32; it moves the face alone."""
        delta = np.zeros((self.n_vertices, 3), np.float32)
        for name, strength in expression.items():
            if name not in self.expression_names:
                raise InputError(f"unknown expression {name!r}; known: {', '.join(self.expression_names)}")
            delta[self.expression_index] += np.float32(strength) * self.expressions[self.expression_names.index(name)]
        return delta


def _unpack(z: Mapping[str, np.ndarray]) -> Body:
    """Integers of the asset -> floats.  Each component has its own step, so that 8 bits are enough for most."""
    bones = tuple(str(b) for b in z["bones"])
    steps = z["basis_scale"][:, None, None]
    wide = len(z["basis_wide"])
    low, high = z["mean_box"]
    n = len(z["weight"])
    weights = np.zeros((n, len(bones)), np.float32)
    np.add.at(weights, (np.arange(n)[:, None], z["weight_bone"]), z["weight"].astype(np.float32))
    weights /= weights.sum(1, keepdims=True)
    return Body(
        bones=bones,
        parents=z["parents"].astype(np.int64),
        n_skin=int(z["skin_count"]),
        mirror=z["mirror"].astype(np.int64),
        triangles={p: z[f"{p}_triangles"].astype(np.int32) for p in PARTS},
        uv={p: z[f"{p}_uv"].astype(np.float32) / 65535 for p in PARTS},
        uv_triangles={p: z[f"{p}_uv_triangles"].astype(np.int32) for p in PARTS},
        weights=weights,
        mean=z["mean"].astype(np.float32) / 65535 * (high - low) + low,
        basis=np.concatenate([z["basis_wide"] * steps[:wide], z["basis_narrow"] * steps[wide:]]),
        bank=z["bank"].astype(np.float32),
        bank_meta=np.rec.fromarrays(z["bank_meta"].astype(np.float32).T, names=",".join(META)),
        expression_names=tuple(str(e) for e in z["expression_names"]),
        expression_index=z["expression_index"].astype(np.int64),
        expressions=z["expression_delta"] * z["expression_scale"][:, None, None],
        fist_index=z["fist_index"].astype(np.int64),
        fist=z["fist_delta"] * z["fist_scale"],
    )


@cache
def load_body() -> Body:
    """The body asset of the package, read once."""
    with files("posekit.studio").joinpath("asset/body.npz").open("rb") as f, np.load(f) as z:
        return _unpack({k: z[k] for k in z.files})


@cache
def load_masks(size: int) -> dict[str, np.ndarray]:
    """Regions of the skin drawn in the atlas: name in `MASKS` -> (size, size) float32 in [0, 1], v down."""
    with files("posekit.studio").joinpath("asset/masks.png").open("rb") as f:
        bands = Image.open(f).split()
    smooth = Image.Resampling.LANCZOS
    return {
        name: np.asarray(band.resize((size, size), smooth), np.float32) / 255
        for name, band in zip(MASKS, bands, strict=True)
    }
