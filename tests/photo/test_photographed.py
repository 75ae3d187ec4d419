"""A stranger's photograph as the systems want it: cut out, framed, with a map; and the way to a new photograph."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.cli import app as cli
from posekit.cli.sources import _hidden_limbs, kind_of, person_of
from posekit.data.openpose import write_openpose
from posekit.ops.grids import norm_to_points
from posekit.ops.keypoints import JOINTS
from posekit.photo.find_person import find_person
from posekit.photo.photographed import FILL, GROUND, frame_person, photographed
from posekit.reference import load_reference
from posekit.util.errors import InputError
from tests.photo.standing import standing
from tests.synthetic import field_folder


@pytest.mark.parametrize("size", [64, 256])
def test_a_whole_figure_fills_the_square(size):
    image, found = standing()
    person = frame_person(image, found, size)
    assert person.image.shape == (1, 3, size, size)
    rows = person.mask[0, 0].amax(1).nonzero()
    assert (rows[-1] - rows[0] + 1).item() == pytest.approx(FILL * size, abs=2)
    red = (person.image[0, 0] > 0.9) & (person.image[0, 1] < 0.3)
    assert (red == (person.mask[0, 0] > 0)).float().mean() > 0.97
    background = person.image[0, :, 0, 0]
    torch.testing.assert_close(background, torch.full((3,), GROUND))
    corners = norm_to_points(person.keypoints[0, :4], (size, size))
    columns = person.mask[0, 0].amax(0).nonzero()
    edges = torch.stack([columns[0], rows[0], columns[-1], rows[-1]]).flatten().float()
    torch.testing.assert_close(corners[0], edges[:2], atol=size / 60, rtol=0)
    torch.testing.assert_close(corners[3], edges[2:], atol=size / 60, rtol=0)


def test_somebody_whom_the_photograph_cuts_is_cut_by_the_square():
    """No empty ground below a waist: legs that nobody photographed do not end in the air."""
    image, found = standing(top=40, bottom=200)
    person = frame_person(image, found, 64)
    assert person.mask[0, 0, -1].sum() > 0
    assert person.mask[0, 0, 0].sum() == 0


def test_what_lies_outside_the_photograph_is_ground():
    image, found = standing(top=0, bottom=200, left=0, right=30, w=60)
    person = frame_person(image, found, 64)
    assert not bool(torch.isnan(person.image).any())
    outside = person.image[0, :, :, 0]
    torch.testing.assert_close(outside, torch.full_like(outside, GROUND))


def test_a_system_that_reads_no_poses(astronaut):
    with pytest.raises(InputError, match="needs keypoint-guided weights, which read one; these are of coordinate_inp"):
        photographed(astronaut, load_reference())


def test_the_system_is_left_as_it_was(astronaut):
    """Its statistics too: one photograph is no batch to learn from."""
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    system = load_reference(variant="keypoints")
    system.surface.train()
    before = {k: v.clone() for k, v in system.state_dict().items()}
    photographed(astronaut, system)
    assert system.surface.training
    assert not system.g.training
    assert all(torch.equal(v, system.state_dict()[k]) for k, v in before.items())


def test_too_small_a_person():
    image, found = standing(top=50, bottom=60, left=80, right=85)
    with pytest.raises(InputError, match="smaller than 20 pixels"):
        frame_person(image, found, 64)


def test_joints_outside_the_square_are_missing():
    image, found = standing()
    far = found.keypoints.clone()
    far[4], found.visibility[4] = torch.tensor([0.99, 0.99]), 2
    person = frame_person(image, found._replace(keypoints=far), 64)
    assert person.visibility[0].tolist()[:5] == [2, 2, 2, 2, 0]


def test_the_astronaut_has_a_map(astronaut):
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    system = load_reference(variant="keypoints")
    person = photographed(astronaut, system)
    framed = frame_person(astronaut, find_person(astronaut), 128)
    assert person.image.shape == (1, 3, 128, 128)
    assert person.atlas == ("studio",)
    body = person.mask > 0
    assert (framed.mask[body] == 1).all(), "the map lies inside the silhouette"
    assert body.sum() > 0.6 * framed.mask.sum()
    parts = person.part[body]
    front = (parts == 2).sum() / ((parts == 1) | (parts == 2)).sum()
    assert front > 0.95, "she faces the camera"
    x, y = norm_to_points(person.keypoints[0, JOINTS.index("nose")], (128, 128)).round().long().tolist()
    assert person.part[0, 0, y, x] in (23, 24), "her nose is on her head"


def test_two_photographs_in_one_out(astronaut_file, hopper_file, tmp_path, monkeypatch, capsys):
    """The command with its defaults: another person's pose, colours of the first."""
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    out = tmp_path / "new.png"
    monkeypatch.setattr(sys, "argv", ["posekit", "transfer", str(astronaut_file), str(hopper_file), "-o", str(out)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{astronaut_file}: a photograph; pose of {hopper_file}: a photograph"
    made = np.asarray(Image.open(out)).astype(float)
    assert made.shape == (256, 256, 3)
    red, green, blue = made[180:240, 80:176].reshape(-1, 3).T  # where Grace Hopper's dark uniform is
    orange = (red > 1.3 * green) & (red > 1.5 * blue)
    assert orange.mean() > 0.3, "the orange suit arrives"


@pytest.mark.parametrize("crop", [(0, 190, 150, 300), (20, 170, 160, 290)])
def test_a_head_alone_is_one_sentence(astronaut, crop):
    top, bottom, left, right = crop
    with pytest.raises(InputError, match="Only a head is to be seen in the photograph.*transfer --face"):
        photographed(astronaut[:, top:bottom, left:right], load_reference(variant="keypoints"))


def test_a_stick_figure_is_one_sentence():
    """Of a drawing that looks like a person somebody is found; of lines nobody is."""
    drawing = torch.ones(3, 200, 150)
    drawing[:, 60:130, 73:77] = drawing[:, 20:60, 60:64] = drawing[:, 80:84, 40:110] = 0
    with pytest.raises(InputError, match="Nobody was found|no pose was found"):
        photographed(drawing, load_reference(variant="keypoints"))


def test_limbs_that_a_photograph_does_not_show_are_said(astronaut_file, caplog):
    person = person_of(astronaut_file, "a photograph", load_reference(variant="keypoints"), (128, 128))
    visibility = torch.ones(18, dtype=torch.int64)
    assert _hidden_limbs(replace(person, visibility=visibility)) == []
    visibility[[JOINTS.index("left_elbow"), JOINTS.index("left_wrist"), JOINTS.index("right_wrist")]] = 0
    assert _hidden_limbs(replace(person, visibility=visibility)) == ["left arm"]
    visibility[[JOINTS.index(f"{side}_{end}") for side in ("right", "left") for end in ("knee", "ankle")]] = 0
    assert _hidden_limbs(replace(person, visibility=visibility)) == ["left arm", "legs"]
    assert "does not show the legs; what is not seen is guessed" in caplog.text


def test_what_a_file_is_is_decided_by_what_is_in_it(tmp_path, astronaut_file):
    picture = tmp_path / "a.json"
    picture.write_bytes(Path(astronaut_file).read_bytes())
    assert kind_of(picture) == "a photograph"
    joints = tmp_path / "joints.txt"
    write_openpose(joints, torch.zeros(18, 2), torch.ones(18, dtype=torch.int64), (64, 64))
    assert kind_of(joints) == "joints"
    field_folder(tmp_path / "field", people=1)
    chart = next((tmp_path / "field").rglob("*_IUV.png"))
    for name in ("map.png", "x_iuv.png"):
        (tmp_path / name).write_bytes(chart.read_bytes())
        with pytest.raises(InputError, match="is a surface map; with maps give three files"):
            kind_of(tmp_path / name)
    np.save(tmp_path / "map", np.zeros((4, 4, 2)))
    (tmp_path / "map.npy").rename(tmp_path / "map.jpg")
    with pytest.raises(InputError, match="is a surface map"):
        kind_of(tmp_path / "map.jpg")
    (tmp_path / "words.png").write_text("no picture")
    with pytest.raises(InputError, match="holds text; give a photograph, a rendered view, or joints"):
        kind_of(tmp_path / "words.png")


def test_a_picture_of_nobody_is_one_sentence(tmp_path, monkeypatch, capsys):
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    Image.new("RGB", (80, 60), "green").save(tmp_path / "a.png")
    monkeypatch.setattr(sys, "argv", ["posekit", "transfer", str(tmp_path / "a.png"), str(tmp_path / "a.png")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "Nobody was found in the photograph" in capsys.readouterr().err
