"""A new person in the place of the one who gave the pose; the background is there again."""

import sys

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from posekit.cli import app as cli
from posekit.data.photo import read_photo
from posekit.photo.photographed import GROUND, frame_person, window_of
from posekit.photo.put_back import put_back
from posekit.util.errors import InputError
from tests.photo.standing import standing

RED, GREEN, BLUE = torch.eye(3)


def share_of(image, colour):
    return float(((image - colour[:, None, None]).abs().amax(0) < 0.2).float().mean())


def green(size=64):
    """Somebody in green in the pose of the red box, on the plain ground; the photograph, and who stands in it."""
    image, found = standing()
    body = frame_person(image, found, size).mask[0]
    return GREEN[:, None, None] * body + GROUND * (1 - body), body, image, found


@pytest.mark.parametrize("size", [32, 64, 100])
def test_the_new_person_stands_where_the_old_one_stood(size):
    made, body, image, found = green(size)
    new = put_back(made, body, image, found)
    window = window_of(found)
    assert new.shape[1:] == tuple(round(n * size / window.side) for n in image.shape[1:])
    assert share_of(new, RED) == 0
    assert share_of(new, GREEN) == pytest.approx(float(found.silhouette.mean()), rel=0.15)
    assert share_of(new, BLUE) > 0.9 * float(1 - found.silhouette.mean())
    there = (new[1] > 0.5).nonzero().float().mean(0) / torch.tensor(new.shape[1:])
    torch.testing.assert_close(there, torch.tensor([0.5, 1 / 3]), atol=0.02, rtol=0)


def test_nobody_leaves_the_wall():
    """A picture of the plain ground alone takes the old person away."""
    made, body, image, found = green()
    new = put_back(torch.full_like(made, GROUND), 0 * body, image, found)
    torch.testing.assert_close(new, BLUE[:, None, None].expand_as(new), atol=0.02, rtol=0)


def test_hair_has_no_map_and_comes_along():
    """Inside the old silhouette counts what is not the ground; outside of it only the map."""
    made, body, image, found = green()
    half = body.clone()
    rows = body[0].amax(1).nonzero()[:, 0]
    half[:, : int(rows.float().mean())] = 0
    whole = put_back(made, body, image, found)
    assert float((put_back(made, half, image, found) - whole).abs().mean()) < 0.002, "but for the rim"
    wide = torch.where(body > 0, made, GREEN[:, None, None].expand_as(made))  # green all over the square
    assert share_of(put_back(wide, body, image, found), GREEN) < 1.2 * float(found.silhouette.mean())


def test_a_small_photograph_is_not_enlarged():
    made, body, image, found = green(256)
    new = put_back(made, body, image, found)
    assert new.shape == image.shape
    assert share_of(new, RED) == 0
    assert share_of(new, GREEN) == pytest.approx(float(found.silhouette.mean()), rel=0.1)


def test_a_silhouette_that_fills_the_photograph():
    image, found = standing(top=0, bottom=200, left=0, right=300)
    person = frame_person(image, found, 64)
    new = put_back(person.image[0], person.mask[0], image, found)
    assert bool(new.isfinite().all())


@pytest.mark.usefixtures("unchecked")
def test_shapes_are_checked():
    made, body, image, found = green()
    with pytest.raises(
        InputError, match=r"put_back expected a square photograph and a mask of its size, got \(3, 64, 60\)"
    ):
        put_back(made[..., :60], body, image, found)


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["posekit", "transfer", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_the_command(astronaut_file, hopper_file, tmp_path, monkeypatch):
    """Eileen Collins before Grace Hopper's flag: the corners, where nobody is, stay as they were."""
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    out = tmp_path / "new.png"
    assert not run(monkeypatch, astronaut_file, hopper_file, "--background", "-o", out)
    with Image.open(out) as file:
        assert "nobody was photographed like this" in file.getexif()[ExifTags.Base.ImageDescription]
    made = np.asarray(Image.open(out)).astype(float)
    photo = Image.fromarray((read_photo(hopper_file).permute(1, 2, 0) * 255).byte().numpy())
    before = np.asarray(photo.resize(made.shape[1::-1], Image.Resampling.BOX)).astype(float)
    h, w = made.shape[:2]
    for corner in (np.s_[: h // 6, : w // 6], np.s_[: h // 6, -w // 6 :]):
        assert np.abs(made[corner] - before[corner]).mean() < 12
    changed = np.abs(made - before)[2 * h // 3 :, w // 4 : 3 * w // 4]
    assert changed.mean() > 40, "an orange suit in place of a dark uniform"


@pytest.mark.parametrize("more", [["--joints"], ["--face"]])
def test_only_whole_photographs(more, astronaut_file, tmp_path, monkeypatch, capsys):
    code = run(monkeypatch, astronaut_file, astronaut_file, "--background", *more, "-o", tmp_path / "x.png")
    assert code == 1
    assert "--background puts the person into the photograph that gives the pose" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_not_for_maps(tmp_path, monkeypatch, capsys):
    assert run(monkeypatch, "a.png", "a.npy", "b.npy", "--background", "-o", tmp_path / "x.png") == 1
    assert "--joints, --face and --background are for photographs" in capsys.readouterr().err
