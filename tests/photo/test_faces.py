"""Faces in photographs: points, and the maps that the studio's head gives when it is carried to them."""

from importlib import import_module
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from posekit.photo.face_map import face_map, head_mesh, point_places
from posekit.photo.find_face import FacePoints, NoFaceError, find_face
from posekit.photo.photographed_face import frame_face, photographed_face
from posekit.studio.generate import face_direction, make_person
from posekit.util.errors import InputError

pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")

NOSE_TIP, RIGHT_EYE, LEFT_EYE, CHIN = 1, 33, 263, 152  # of the network's numbering
# Person and view, none in profile.
HELD_OUT = [(n, v) for n in (8, 18, 28, 48) for v in range(4) if face_direction(0, n, v)[2] > 0.65][:8]


@pytest.fixture(scope="module")
def rendered():
    """(person, its points, where it looks) of faces whose map is known."""
    made = []
    for number, view in HELD_OUT:
        person = make_person(0, number, view, 128, kind="face")
        rows, columns = torch.nonzero(person.mask[0], as_tuple=True)
        centre = columns.float().mean().item(), rows.float().mean().item() + 8
        made.append((person, find_face(person.image, centre, 90.0), face_direction(0, number, view)))
    return made


def test_the_astronauts_face(astronaut):
    """Places read off the photograph by eye, in pixels of 512."""
    found = find_face(astronaut, (222, 118), 120)
    by_eye = {NOSE_TIP: (222, 122), RIGHT_EYE: (193, 104), LEFT_EYE: (252, 102), CHIN: (228, 178)}
    for number, place in by_eye.items():
        assert np.linalg.norm(found.points[number, :2] - place) < 12, number
    assert found.score > 0.9
    assert found.points[NOSE_TIP, 2] > found.points[[RIGHT_EYE, LEFT_EYE, CHIN], 2].max() + 15, "nearest to the camera"


def test_a_rough_place_is_enough(astronaut):
    exact = find_face(astronaut, (222, 118), 120)
    for centre, size in (((205, 105), 90), ((235, 130), 170)):
        other = find_face(astronaut, centre, size)
        assert np.abs(other.points[:, :2] - exact.points[:, :2]).mean() < 3


def test_no_face(astronaut):
    with pytest.raises(NoFaceError, match=r"no face at \(420, 60\)"):
        find_face(astronaut, (420, 60), 100)
    for centre, size in (((np.nan, 3), 50), ((5, 5), 0), ((5, 5), np.inf)):
        with pytest.raises(InputError, match="finite place and a size above 0"):
            find_face(astronaut, centre, size)


def test_points_on_the_head_lie_where_they_should():
    places, (vertices, *_) = point_places(), head_mesh()
    assert (places[RIGHT_EYE, 0] < 0 < places[LEFT_EYE, 0], abs(places[NOSE_TIP, 0]) < 0.05) == (True, True)
    assert places[NOSE_TIP, 2] > places[:, 2].max() - 0.1, "the nose is in front"
    assert places[CHIN, 1] < places[:, 1].min() + 0.1
    nearest = np.linalg.norm(places[:, None] - vertices, axis=-1).min(1)
    assert nearest.max() < 0.35, "on the surface, or in an eye or the mouth"
    assert np.median(nearest) < 0.06


def test_maps_of_rendered_faces(rendered):
    """Held-out people, against the exact map: off by two texels of 128, and the outline but for the hair."""
    off, overlap, angles = [], [], []
    for person, found, looks in rendered:
        made = face_map(found, (128, 128))
        assert (made.part > 0).float().equal(made.mask)
        assert (made.uv[:, made.mask[0] == 0] == 0).all()
        both = (made.mask * person.mask)[0] > 0
        off.append((made.uv - person.uv).norm(dim=0)[both] * 64)
        overlap.append((both.sum() / person.mask.sum()).item())
        angles.append(np.degrees(np.arccos(np.clip(looks @ made.looks, -1, 1))))
    assert torch.cat(off).median() < 2.5
    assert torch.cat(off).quantile(0.9) < 7
    assert min(overlap) > 0.7
    assert max(angles) < 14


def test_a_mirrored_photograph_has_the_mirrored_map(rendered):
    person, found, _ = rendered[0]
    flipped = find_face(person.image.flip(-1), (127 - found.points[:, 0].mean(), found.points[:, 1].mean()), 90.0)
    one, other = (face_map(points, (128, 128)) for points in (found, flipped))
    both = (one.mask * other.mask.flip(-1))[0] > 0
    assert both.sum() > 3000
    assert (one.uv[0] + other.uv[0].flip(-1))[both].abs().median() < 0.06
    assert one.looks[0] == pytest.approx(-other.looks[0], abs=0.1)


def test_moved_points_move_the_map():
    """Points moved by whole pixels give the map moved by as many; twice the size gives the map at twice the size."""
    rng = np.random.default_rng(0)
    points = (point_places() - point_places().mean(0)) * [40, -40, 40] + [60, 60, 0] + rng.normal(0, 0.1, (468, 3))
    here, there = (face_map(FacePoints(points + [dx, 0, 0], 1.0), (128, 128)) for dx in (0, 5))
    same = (here.part[..., :-5] == there.part[..., 5:]).float().mean()
    assert same > 0.999
    assert here.mask.mean() > 0.2
    twice = face_map(FacePoints((points + 0.5) * [2, 2, 2] - [0.5, 0.5, 0], 1.0), (256, 256))
    small = twice.mask[:, ::2, ::2] + twice.mask[:, 1::2, 1::2]
    assert ((small > 0).float() - here.mask).abs().mean() < 0.03


def test_framing(astronaut):
    made = photographed_face(astronaut, 96, name="astronaut")
    person = made.person
    assert (person.size, person.atlas, person.name) == ((96, 96), "head", "astronaut")
    rows = person.mask[0].amax(1).nonzero()
    assert 0.8 < (rows[-1] - rows[0] + 1).item() / 96 < 0.92
    assert made.looks[2] > 0.9, "she looks into the camera"
    assert 0.3 < person.mask.mean() < 0.6
    tight = photographed_face(astronaut, 96, margin=0.0).person
    assert tight.mask.mean() > person.mask.mean()


def test_framing_by_a_margin_in_pixels(astronaut):
    face = find_face(astronaut, (222, 118), 120)
    head = face_map(face, (512, 512)).mask[0]
    height = (head.amax(1).sum()).item()
    person = frame_face(astronaut, face, 128, margin=10).person
    rows = person.mask[0].amax(1).sum().item()
    assert rows / 128 == pytest.approx(height / (height + 20), abs=0.03)


def test_who_looks_away(astronaut):
    with pytest.raises(InputError, match="Nobody was found"):
        photographed_face(torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0)))
    back = next(p for p in (make_person(0, 3, view, 256, kind="sides") for view in (2, 6)) if p.visibility[0] < 2)
    with pytest.raises(InputError, match=r"not their face|no face at|no pose was found|Nobody was found"):
        photographed_face(back.image)
    face = FacePoints(find_face(astronaut, (222, 118), 120).points + [5000, 0, 0], 1.0)
    with pytest.raises(InputError, match="outside the photograph"):
        frame_face(astronaut, face, 64)


def test_the_table_of_places_is_what_its_script_makes(monkeypatch, tmp_path, capsys):
    """From a few faces; the shipped table is from 86."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "data_scripts"))
    script = import_module("build_face_points")
    monkeypatch.setattr("sys.argv", ["build_face_points.py", "--people", "14", "--out", str(tmp_path / "a.npz")])
    script.main()
    assert "faces; a point is off its median by" in capsys.readouterr().out
    with np.load(tmp_path / "a.npz") as few, (files("posekit.photo") / "asset/face_points.npz").open("rb") as raw:
        off = np.linalg.norm(few["point"] - np.load(raw)["point"], axis=1)
    assert np.median(off) < 0.06, "6 mm"
