"""SMPL-atlas maps: what leaves the reader is clean, whatever was in the file."""

import os

import numpy as np
import pytest
import torch

from posekit.data import smpl_atlas
from posekit.data.smpl_atlas import read_smpl_atlas, smpl_chart_table, smpl_mirror
from posekit.ops.surface import ChartTable
from posekit.util.errors import InputError


@pytest.fixture
def array():
    array = np.random.default_rng(0).uniform(-1, 1, (6, 9, 2)).astype(np.float32)
    array[:2] = np.nan
    return array


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_mask(tmp_path, array, dtype):
    np.save(tmp_path / "a.npy", array.astype(dtype))
    uv, mask = read_smpl_atlas(tmp_path / "a.npy")
    assert (uv.shape, mask.shape, uv.dtype, mask.dtype) == ((2, 6, 9), (1, 6, 9), torch.float32, torch.float32)
    assert int(mask.sum()) == 4 * 9
    assert (uv[:, :2] == 0).all()
    assert torch.equal(uv[:, 2:], torch.from_numpy(array[2:]).permute(2, 0, 1))


def test_one_nan_channel_is_off_the_body_and_fortran_order_is_no_trap(tmp_path, array):
    array[4, 4, 1] = np.nan
    np.save(tmp_path / "a.npy", np.asfortranarray(array))
    uv, mask = read_smpl_atlas(tmp_path / "a.npy")
    assert int(mask.sum()) == 4 * 9 - 1
    assert uv[:, 4, 4].tolist() == [0, 0]
    assert not uv.isnan().any()


def test_range(tmp_path, array):
    array[5, 0, 0] = 1.0005  # rounding is clamped
    np.save(tmp_path / "a.npy", array)
    assert read_smpl_atlas(tmp_path / "a.npy")[0].max() == 1
    for wrong in (1.2, 255.0, np.inf, -np.inf):
        array[5, 0, 0] = wrong
        np.save(tmp_path / "a.npy", array)
        with pytest.raises(InputError, match=r"reaches .*positions in the atlas lie in \[-1, 1\]"):
            read_smpl_atlas(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((2, 6, 9), np.float32), "transpose it"),
        (np.zeros((6, 9, 3), np.float32), r"a surface map has shape \(h, w, 2\)"),
        (np.zeros((6, 9), np.float32), "a surface map has shape"),
        (np.zeros((0, 9, 2), np.float32), "a surface map has shape"),
        (np.zeros((6, 9, 2), np.uint8), "holds uint8 values"),
        (np.zeros((6, 9, 2), np.complex64), "holds complex64 values"),
    ],
)
def test_wrong_shape_or_type(tmp_path, wrong, message):
    np.save(tmp_path / "a.npy", wrong)
    with pytest.raises(InputError, match=message):
        read_smpl_atlas(tmp_path / "a.npy")


class Bomb:
    """Loading this pickle would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_objects_are_refused_without_being_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[Bomb(str(tmp_path / "exploded"))]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="Python objects are not read") as refused:
        read_smpl_atlas(tmp_path / "a.npy")
    assert "pickle" not in str(refused.value), "numpy's advice to load it all the same does not reach the user"
    assert not (tmp_path / "exploded").exists()


def test_every_truncation_is_one_sentence(tmp_path, array):
    np.save(tmp_path / "whole.npy", array)
    content = (tmp_path / "whole.npy").read_bytes()
    cut = tmp_path / "cut.npy"
    for length in (0, 3, 8, 40, 127, 128, 129, len(content) - 1):
        cut.write_bytes(content[:length])
        with pytest.raises(InputError, match="not a whole .npy array") as error:
            read_smpl_atlas(cut)
        assert "\n" not in str(error.value)


def test_foreign_files(tmp_path, array):
    with pytest.raises(InputError, match="There is no file"):
        read_smpl_atlas(tmp_path / "nothing.npy")
    with pytest.raises(InputError, match="not a whole .npy"):
        read_smpl_atlas(tmp_path)
    (tmp_path / "text.npy").write_text("hello")
    with pytest.raises(InputError, match="not a whole .npy"):
        read_smpl_atlas(tmp_path / "text.npy")
    np.savez(tmp_path / "a.npz", array)
    (tmp_path / "a.npz").rename(tmp_path / "zip.npy")
    with pytest.raises(InputError, match="is an .npz archive"):
        read_smpl_atlas(tmp_path / "zip.npy")


def test_a_false_header_does_not_take_the_memory(tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6, 2)}
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(InputError, match="not a whole .npy"):
        read_smpl_atlas(tmp_path / "a.npy")


def test_tables_of_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEKIT_CACHE", str(tmp_path))
    for load in (smpl_chart_table, smpl_mirror):
        with pytest.raises(InputError, match="build it once with data_scripts/build_smpl_atlas_table.py"):
            load()
    for file in (smpl_atlas.TABLE_FILE, smpl_atlas.MIRROR_FILE):
        (tmp_path / file).write_bytes(b"broken")
    for load in (smpl_chart_table, smpl_mirror):
        with pytest.raises(InputError, match="is damaged"):
            load()
    table = ChartTable.from_table(torch.full((24, 4, 4, 2), torch.nan), atlas_size=8)
    table.save(tmp_path / smpl_atlas.TABLE_FILE)
    np.savez_compressed(tmp_path / smpl_atlas.MIRROR_FILE, mirror=np.zeros((2, 5, 5), np.float32))
    assert smpl_chart_table().atlas_size == 8
    assert smpl_mirror().shape == (2, 5, 5)
    np.savez_compressed(tmp_path / smpl_atlas.MIRROR_FILE, mirror=np.zeros((5, 5), np.float32))
    with pytest.raises(InputError, match=r"has shape \(5, 5\)"):
        smpl_mirror()


def test_positions_from_0_to_1_are_another_convention(tmp_path):
    array = np.random.default_rng(0).uniform(0.02, 0.98, (20, 20, 2)).astype(np.float32)
    array[:4] = np.nan
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=r"no position below 0, so it seems to be \(u, v\) in \[0, 1\]"):
        read_smpl_atlas(tmp_path / "a.npy")
    array[8:] = np.nan  # 80 pixels may well show one quarter of the atlas alone
    np.save(tmp_path / "a.npy", array)
    assert read_smpl_atlas(tmp_path / "a.npy")[1].sum() == 80


def test_a_background_of_zeros_is_no_surface(tmp_path, array):
    array = np.nan_to_num(array)
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=r"has no NaN, and 18 of its 54 pixels hold \(0, 0\)"):
        read_smpl_atlas(tmp_path / "a.npy")


def test_pipes_and_maps_too_large(tmp_path):
    os.mkfifo(tmp_path / "a.npy")
    with pytest.raises(InputError, match="no file but a device or a pipe"):
        read_smpl_atlas(tmp_path / "a.npy")
    with open(tmp_path / "b.npy", "wb") as file:  # a sparse file: a header, and room for what it says
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (9000, 9000, 2)})
        file.truncate(file.tell() + 9000 * 9000 * 2 * 4)
    with pytest.raises(InputError, match=r"has shape \(9000, 9000, 2\), too large"):
        read_smpl_atlas(tmp_path / "b.npy")


@pytest.mark.filterwarnings("error")
def test_a_map_whose_header_promises_more_than_numbers_can_count(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 1000000000000)}\n"
    (tmp_path / "map.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(InputError, match="is not a whole .npy array"):
        read_smpl_atlas(tmp_path / "map.npy")
