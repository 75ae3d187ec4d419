"""From files to a file: the geometry is right, and whatever goes wrong leaves nothing behind."""

import dataclasses
import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.cli.transfer import transfer_files
from posekit.data.load import load_person
from posekit.data.photo import read_photo
from posekit.evaluation.transfer import transfer
from posekit.ops.charts import lay_tiles
from posekit.plots import coordinate_colors, draw_panel, save_figure, steps_of
from posekit.systems import build
from posekit.training.weights import save_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY, TINY_DENSE_POSE, chart_batch

SIZE = 64


def texture(u, v):
    """The colour of a place on the body: smooth, different everywhere."""
    return np.stack([0.5 + 0.4 * u, 0.5 + 0.4 * v, 0.5 + 0.2 * np.sin(3 * u)], -1)


def body(left, right, shift):
    """Map (64, 64, 2) of a body in the given columns; its atlas positions slide with ``shift`` pixels."""
    y, x = np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij")
    uv = np.stack([(x - shift - 31.5) / 40, (y - 31.5) / 40], -1)
    inside = (x >= left) & (x < right) & (y >= 10) & (y < 54)
    return np.where(inside[..., None], uv, np.nan).astype(np.float32)


@pytest.fixture
def files(tmp_path):
    """A photograph (grey background), its map, and the map of a pose 8 pixels to the right."""
    source, target = body(16, 44, 0), body(24, 52, 8)
    photo = np.where(np.isnan(source), 0.7, 1).astype(np.float32)[..., :1] * np.ones(3)
    inside = ~np.isnan(source[..., 0])
    photo[inside] = texture(*np.moveaxis(source[inside], -1, 0))
    photo[~inside] = 0.7
    Image.fromarray((photo * 255).round().astype(np.uint8)).save(tmp_path / "photo.png")
    np.save(tmp_path / "source.npy", source)
    np.save(tmp_path / "target.npy", target)
    return tmp_path


def paths(files):
    return files / "photo.png", files / "source.npy", files / "target.npy"


def test_the_body_moves_and_keeps_its_colours(files):
    result = transfer_files(*paths(files), files / "out.png", atlas_size=128)
    written = read_photo(files / "out.png")
    assert written.shape == (3, SIZE, SIZE)
    assert (written - result.image[0]).abs().max() <= 0.5 / 255 + 1e-6
    target = np.load(files / "target.npy")
    inside = torch.from_numpy(~np.isnan(target[..., 0]))
    truth = torch.from_numpy(texture(*np.moveaxis(np.nan_to_num(target), -1, 0))).permute(2, 0, 1)
    assert (written - truth).abs()[:, inside].max() < 0.06  # 2 trimmed pixels of the outline are filled in
    assert (written - truth).abs()[:, inside].mean() < 0.01
    assert (written[:, ~inside] - 0.7).abs().max() < 0.01


def test_only_what_was_asked_for_is_written(files):
    before = {p.name for p in files.iterdir()}
    transfer_files(*paths(files), files / "out.png", panel=files / "panel.png", atlas_size=64)
    assert {p.name for p in files.iterdir()} - before == {"out.png", "panel.png"}
    panel = read_photo(files / "panel.png")
    assert panel.shape[2] > 3 * panel.shape[1]
    assert panel.std() > 0.1


def test_iuv_pictures_go_through_the_tile_atlas(files):
    inside = ~np.isnan(np.load(files / "source.npy")[..., 0])
    y, x = np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij")
    for name, shift in (("source.png", 0), ("target.png", 8)):
        part = np.where(np.roll(inside, shift, 1), 2, 0)
        iuv = np.stack([(y - 10) * 5, (x - shift - 16) * 8, part], -1) * (part > 0)[..., None]  # (V, U, I)
        Image.fromarray(iuv.astype(np.uint8)).save(files / name)
    maps = files / "source.png", files / "target.png"
    for inpaint in ("nearest", "mirror"):
        result = transfer_files(files / "photo.png", *maps, files / "out.png", inpaint, atlas_size=256)
        moved = torch.roll(read_photo(files / "photo.png"), 8, 2)
        assert (result.image[0] - moved).abs()[:, :, 8:].mean() < 0.02
        assert result.known.mean() < 1 / 12  # one tile of twenty-four, and the body fills less than that


def test_a_map_and_a_picture_meet_in_the_smpl_atlas(files, monkeypatch):
    monkeypatch.setenv("POSEKIT_CACHE", str(files / "none"))
    Image.fromarray(np.full((SIZE, SIZE, 3), [100, 100, 2], np.uint8)).save(files / "target.png")
    with pytest.raises(InputError, match="build it once with"):
        transfer_files(files / "photo.png", files / "source.npy", files / "target.png", files / "out.png")
    with pytest.raises(InputError, match="mirror table of the SMPL atlas is not on this machine"):
        transfer_files(*paths(files), files / "out.png", "mirror")


def test_f_says_why_it_cannot(files, tmp_path):
    with pytest.raises(InputError, match="no shipped weights for maps of the atlas 'smpl'"):
        transfer_files(*paths(files), files / "out.png", "f")
    weights = save_weights(build("coordinate_inpainting", **TINY | {"image_size": SIZE}), tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="works in the atlas 'studio', and these maps are positions in 'smpl'"):
        transfer_files(*paths(files), files / "out.png", weights=weights)
    weights = save_weights(build("coordinate_inpainting", **TINY), tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=r"work on photographs of 40 x 40 pixels, .*photo\.png has 64 x 64; bring"):
        transfer_files(*paths(files), files / "out.png", weights=weights)
    assert not (files / "out.png").exists()


def test_weights_of_the_maps_own_atlas_are_used(files, tmp_path, monkeypatch, caplog):
    """Given, or shipped: the card says the atlas."""
    for side in (SIZE, SIZE + 4):
        tiny = TINY | {"image_size": side, "atlas": "smpl"}
        weights = save_weights(build("coordinate_inpainting", preset="laptop", **tiny), tmp_path / "w.safetensors")
        if side == SIZE:
            given = transfer_files(*paths(files), files / "out.png", weights=weights)
            assert given.known.shape[-1] == TINY["atlas_size"]
            assert (given.image - given.W).abs().mean() > 0.01  # g drew it
        monkeypatch.setattr("posekit.reference.reference_weights", lambda: [tmp_path / "w.safetensors"])
        shipped = transfer_files(*paths(files), files / "out.png")
        if side == SIZE:
            assert torch.equal(shipped.image, given.image)
            assert not caplog.text
    assert shipped.known.shape[-1] == 512  # weights for photographs of another size do not fit: texels are copied
    assert "no weights for such photographs and maps are shipped" in caplog.text


def test_settings_that_do_not_go_together(files):
    with pytest.raises(InputError, match="--weights are for --inpaint f; mirror learns nothing"):
        transfer_files(*paths(files), files / "out.png", "mirror", weights="w.safetensors")
    with pytest.raises(InputError, match="--atlas-size is for --inpaint nearest and mirror"):
        transfer_files(*paths(files), files / "out.png", "f", atlas_size=64)


def break_missing(files):
    (files / "target.npy").unlink()


def break_photo(files):
    (files / "photo.png").write_bytes((files / "photo.png").read_bytes()[:100])


def break_map(files):
    (files / "source.npy").write_bytes((files / "source.npy").read_bytes()[:-100])


def break_size(files):
    Image.new("RGB", (SIZE, SIZE + 2)).save(files / "photo.png")


def break_range(files):
    np.save(files / "source.npy", np.load(files / "source.npy") * 10)


def break_pickle(files):
    np.save(files / "source.npy", np.array([[None]], object), allow_pickle=True)


def break_body(files):
    np.save(files / "target.npy", np.full((SIZE, SIZE, 2), np.nan, np.float32))


@pytest.mark.parametrize(
    "damage",
    [break_missing, break_photo, break_map, break_size, break_range, break_pickle, break_body],
    ids=lambda f: f.__name__,
)
def test_bad_input_is_one_sentence_and_leaves_no_file(files, damage):
    damage(files)
    before = {p: p.read_bytes() for p in files.iterdir()}
    with pytest.raises(InputError) as error:
        transfer_files(*paths(files), files / "out.png", panel=files / "panel.png")
    message = str(error.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert {p: p.read_bytes() for p in files.iterdir()} == before


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_way_to_inpaint(files):
    with pytest.raises(InputError, match="Unknown way to inpaint 'mirrored'; did you mean 'mirror'"):
        transfer_files(*paths(files), files / "out.png", "mirrored")


def test_an_output_folder_that_is_not_there(files):
    with pytest.raises(InputError, match="could not be written"):
        transfer_files(*paths(files), files / "no" / "out.png", atlas_size=32)
    assert not (files / "no").exists()


def test_a_full_disk_leaves_nothing_half_written(files, monkeypatch):
    before = {p.name for p in files.iterdir()}

    def full(self, path, *_, **__):
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(InputError, match="No space left on device.*nothing was left half-written"):
        transfer_files(*paths(files), files / "out.png", atlas_size=32)
    assert {p.name for p in files.iterdir()} == before


def test_transfer_leaves_the_system_as_it_was(files):
    source, target = load_person(*paths(files)[:2]), load_person(None, files / "target.npy")
    system = build("texel_fill").train()
    result = transfer(source, target, system)
    assert system.training
    assert result.image.shape == (1, 3, SIZE, SIZE)
    assert torch.equal(result.image, transfer(source.batched(), target.batched(), system.eval()).image)
    assert not system.training


def test_a_panel_of_a_system_without_textures(files):
    source = load_person(*paths(files)[:2])
    result = transfer(source, source, build("copy_source"))
    columns = steps_of(source.batched(), result, source.batched())
    assert list(columns) == ["source S", "its map M_S", "map of the pose M_N", "result"]
    assert torch.equal(columns["its map M_S"], columns["map of the pose M_N"])
    without = dataclasses.replace(source, uv=None, mask=None, part=None, chart=None).batched()
    assert list(steps_of(without, result, without)) == ["source S", "result"]
    save_figure(files / "panel.png", draw_panel(columns))
    assert (files / "panel.png").stat().st_size > 1000


def test_coordinate_colours():
    corners = torch.tensor([[-1.0, -1], [1, 1]]).T.reshape(1, 2, 1, 2)
    colors = coordinate_colors(corners, torch.tensor([1.0, 0]).reshape(1, 1, 1, 2))
    assert colors[0, :, 0, 0].tolist() == pytest.approx([0, 0, 0.4])
    assert colors[0, :, 0, 1].tolist() == [1, 1, 1]


def test_steps_of_dense_pose_transfer_show_both_streams():
    system, pair = build("dense_pose_transfer", **TINY_DENSE_POSE).eval(), chart_batch(1, 40)
    with torch.inference_mode():
        result = system(pair)
    columns = steps_of(pair.source, result)
    assert list(columns) == [
        "source S", "its map M_S", "charts, observed", "charts, completed", "predicted", "warped W = T[M_N]", "result",
    ]  # fmt: skip
    assert torch.equal(columns["charts, observed"], lay_tiles(result.charts))
    assert len(draw_panel(columns).axes) == len(columns)
