"""A Person from files: every combination of photograph and map, and every way they can disagree."""

import logging

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.data.chart_tiles import charts_to_tiles
from posekit.data.load import load_person
from posekit.data.smpl_atlas import TABLE_FILE
from posekit.ops.surface import ChartTable
from posekit.util.errors import InputError

H, W = 12, 10


@pytest.fixture
def files(tmp_path):
    """photo.png, map.npy and iuv.png of one size; the body fills rows 2..9 and columns 2..7."""
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (H, W, 3), dtype=np.uint8)).save(tmp_path / "photo.png")
    body = np.zeros((H, W), bool)
    body[2:10, 2:8] = True
    y, x = np.meshgrid(np.linspace(-0.5, 0.5, H), np.linspace(-0.5, 0.5, W), indexing="ij")
    np.save(tmp_path / "map.npy", np.where(body[..., None], np.stack([x, y], 2), np.nan).astype(np.float32))
    part = np.where(body, np.where(x < 0, 23, 24), 0)
    iuv = np.stack([np.full((H, W), 200) * body, np.arange(W)[None] * 20 * body, part], 2)
    Image.fromarray(iuv.astype(np.uint8)).save(tmp_path / "iuv.png")
    return tmp_path


def test_photo_and_smpl_map(files):
    person = load_person(files / "photo.png", files / "map.npy")
    assert person.size == (H, W)
    assert int(person.mask.sum()) == 8 * 6
    assert person.part is None
    assert (person.name, person.identity) == ("photo", "photo")
    assert not any(t.isnan().any() for t in (person.image, person.uv))


def test_deepfashion_names_say_who_it_is(files):
    name = "WOMEN#Blouses_Shirts#id_00000442#01_2_side.png"
    (files / "photo.png").rename(files / name)
    person = load_person(files / name, files / "map.npy")
    assert person.identity == "WOMEN/Blouses_Shirts/id_00000442/01"


def test_charts_beside_the_map(files):
    person = load_person(files / "photo.png", files / "map.npy", iuv=files / "iuv.png")
    assert set(person.part.unique().tolist()) == {0, 23, 24}
    assert person.chart.shape == (2, H, W)
    assert ((person.part > 0) == (person.mask > 0)).all()


def test_a_pose_without_a_photograph(files):
    person = load_person(None, files / "map.npy")
    assert (person.image == 0).all()
    assert person.name == "map"


def test_an_iuv_picture_in_the_tile_atlas_needs_no_table(files, monkeypatch, caplog):
    monkeypatch.setenv("POSEKIT_CACHE", str(files / "empty"))
    with caplog.at_level(logging.INFO, logger="posekit"):
        person = load_person(files / "photo.png", files / "iuv.png", atlas="tiles")
    assert "channel order (V, U, I)" in caplog.text
    assert torch.equal(person.uv, charts_to_tiles(person.part, person.chart))
    assert int(person.mask.sum()) == 48
    with pytest.raises(InputError, match="build it once with data_scripts/build_smpl_atlas_table.py"):
        load_person(files / "photo.png", files / "iuv.png")


def test_an_iuv_picture_through_the_table_of_the_cache(files, monkeypatch):
    monkeypatch.setenv("POSEKIT_CACHE", str(files))
    table = torch.full((24, 8, 8, 2), torch.nan)
    table[22] = torch.tensor([0.25, -0.5])  # part 23 alone, all of it at one place
    ChartTable.from_table(table, atlas_size=16).save(files / TABLE_FILE)
    person = load_person(files / "photo.png", files / "iuv.png")
    assert torch.equal(person.mask > 0, person.part == 23)
    assert int(person.mask.sum()) == 24
    assert person.uv[:, person.mask[0] > 0].unique(dim=1).T.tolist() == [[0.25, -0.5]]


def test_resizing_averages_the_photograph_and_never_a_map(files):
    person = load_person(files / "photo.png", files / "map.npy", iuv=files / "iuv.png", size=(6, 5))
    whole = load_person(files / "photo.png", files / "map.npy")
    assert person.size == (6, 5)
    assert person.part.shape == (1, 6, 5)
    assert abs(float(person.image.mean() - whole.image.mean())) < 0.02
    columns = {tuple(c) for c in whole.uv.flatten(1).T.tolist()}
    assert {tuple(c) for c in person.uv.flatten(1).T.tolist()} <= columns
    assert int(person.mask.sum()) == 4 * 3
    assert load_person(files / "photo.png", files / "map.npy", size=(H, W)).image.equal(whole.image)


def test_strays_are_kept_dropped_or_mended(files):
    array = np.load(files / "map.npy")
    array[5, 5] = [0.9, -0.9]
    np.save(files / "map.npy", array)
    kept, dropped, mended = (load_person(None, files / "map.npy", strays=s) for s in ("keep", "drop", "mend"))
    assert kept.uv[:, 5, 5].tolist() == pytest.approx([0.9, -0.9])
    assert dropped.mask[0, 5, 5] == 0
    assert int(dropped.mask.sum()) == int(kept.mask.sum()) - 1
    assert mended.mask.equal(kept.mask)
    assert mended.uv[:, 5, 5].abs().max() < 0.3


def test_sizes_have_to_agree(files):
    Image.new("RGB", (W, H + 1)).save(files / "tall.png")
    with pytest.raises(InputError, match=r"tall\.png is 13 x 10 pixels .* and .*map\.npy is 12 x 10; a photograph and"):
        load_person(files / "tall.png", files / "map.npy")
    Image.new("RGB", (W, H + 1), (0, 0, 30)).save(files / "tall.png")
    with pytest.raises(InputError, match="must have one size"):
        load_person(files / "photo.png", files / "map.npy", iuv=files / "tall.png")


def test_a_map_without_a_body(files):
    np.save(files / "empty.npy", np.full((H, W, 2), np.nan, np.float32))
    with pytest.raises(InputError, match="has no body pixel"):
        load_person(files / "photo.png", files / "empty.npy")


@pytest.mark.usefixtures("unchecked")
def test_choices_that_are_not_there(files):
    with pytest.raises(InputError, match="cannot be cut into charts"):
        load_person(None, files / "map.npy", atlas="tiles")
    with pytest.raises(InputError, match="atlas is one of smpl, tiles"):
        load_person(None, files / "map.npy", atlas="cube")
    with pytest.raises(InputError, match="strays one of keep, drop, mend"):
        load_person(None, files / "map.npy", strays="burn")
    with pytest.raises(InputError, match="There is no file"):
        load_person(files / "gone.png", files / "map.npy")
    with pytest.raises(InputError, match="There is no file"):
        load_person(files / "photo.png", files / "gone.npy")


def test_the_outline_is_cut_and_what_surrounds_a_dropped_stray_is_not(files):
    array = np.load(files / "map.npy")
    array[5, 5] = [0.9, -0.9]
    np.save(files / "map.npy", array)
    mask = load_person(None, files / "map.npy", strays="drop", trim=1).mask[0]
    expected = torch.zeros(H, W)
    expected[3:9, 3:7] = 1
    expected[5, 5] = 0
    assert torch.equal(mask, expected)
