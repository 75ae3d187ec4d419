"""People in photographs: where their joints are, turned and moved pictures, nobody, several."""

import hashlib
import sys
import zipfile
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest
import torch

from posekit.ops.grids import norm_to_points
from posekit.ops.keypoints import JOINTS
from posekit.photo import models
from posekit.photo.find_person import _anchors, find_person
from posekit.util.errors import InputError

pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")


def joint(found, image, name):
    return norm_to_points(found.keypoints, image.shape[-2:])[JOINTS.index(name)]


def test_the_astronaut(astronaut):
    """Places read off the photograph by eye, in pixels of 512."""
    found = find_person(astronaut)
    by_eye = {"nose": (222, 122), "right_eye": (205, 108), "left_eye": (240, 106), "right_shoulder": (110, 255),
              "left_shoulder": (318, 250)}  # fmt: skip
    for name, place in by_eye.items():
        assert (joint(found, astronaut, name) - torch.tensor(place)).norm() < 25, name
    visibility = dict(zip(JOINTS, found.visibility.tolist(), strict=True))
    assert visibility["nose"] == visibility["left_shoulder"] == 2
    assert visibility["left_knee"] == visibility["right_ankle"] == 0, "outside the photograph"
    assert found.people == 1
    assert found.score > 0.9
    assert 0.35 < found.silhouette.mean() < 0.55
    assert found.silhouette[0, 122, 222] == 1, "the face belongs to her"
    assert found.silhouette[0, 20, 20] == found.silhouette[0, 100, 400] == 0, "flag and shuttle do not"


def test_right_is_the_persons_right(astronaut):
    """In a mirrored photograph right and left change places."""
    found, mirrored = find_person(astronaut), find_person(astronaut.flip(-1))
    for side, other in (("right", "left"), ("left", "right")):
        ours, theirs = joint(found, astronaut, f"{side}_shoulder"), joint(mirrored, astronaut, f"{other}_shoulder")
        assert (511 - theirs[0] - ours[0]).abs() < 20
        assert (theirs[1] - ours[1]).abs() < 20


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_size_of_the_photograph_does_not_matter(astronaut, scale):
    resized = torch.nn.functional.interpolate(astronaut[None], scale_factor=scale, mode="bilinear", antialias=True)[0]
    ours, theirs = find_person(astronaut), find_person(resized.clamp(0, 1))
    both = (ours.visibility == 2) & (theirs.visibility == 2)
    assert both.sum() >= 8
    apart = (ours.keypoints - theirs.keypoints)[both].abs()
    assert apart.mean() < 0.03
    assert apart.max() < 0.15, "a hand in a glove before a helmet is the least sure"


def test_somebody_who_leans(astronaut):
    """Turned by 90 degrees: the region is turned upright, so the joints turn with the photograph."""
    turned = torch.rot90(astronaut, 1, (1, 2))  # counter-clockwise: (x, y) -> (y, -x)
    ours, theirs = find_person(astronaut), find_person(turned)
    x, y = ours.keypoints[JOINTS.index("nose")].tolist()
    assert (theirs.keypoints[JOINTS.index("nose")] - torch.tensor([y, -x])).abs().max() < 0.1


def test_of_two_people_the_larger(astronaut, caplog):
    small = torch.nn.functional.interpolate(astronaut[None], (260, 260), mode="bilinear", antialias=True)[0]
    both = torch.ones(3, 512, 782)
    both[:, :, :512], both[:, 252:, 522:] = astronaut, small
    found = find_person(both)
    assert found.people == 2
    assert "2 people were found; the largest is taken" in caplog.text
    assert joint(found, both, "nose")[0] < 512


@pytest.mark.parametrize("shade", [0.0, 0.5])
def test_nobody(shade):
    with pytest.raises(InputError, match="Nobody was found in the photograph"):
        find_person(torch.full((3, 200, 150), shade))


def test_a_very_small_photograph_is_refused_or_read():
    with pytest.raises(InputError, match="Nobody was found"):
        find_person(torch.rand(3, 4, 9, generator=torch.Generator().manual_seed(0)))


def test_anchors():
    """Strides 8, 16, 32 of 224 pixels, with 2, 2 and 6 anchors a cell."""
    anchors = _anchors()
    assert anchors.shape == (2 * 28**2 + 2 * 14**2 + 6 * 7**2, 2) == (2254, 2)
    assert anchors[0].tolist() == anchors[1].tolist() == [0.5 / 28, 0.5 / 28]
    assert anchors[2].tolist() == [1.5 / 28, 0.5 / 28], "x runs first"
    assert anchors[-1].tolist() == [6.5 / 7, 6.5 / 7]


def test_the_networks_are_the_published_files():
    for name, expected in models.HASHES.items():
        content = files("posekit.photo").joinpath(f"asset/{name}.tflite").read_bytes()
        assert hashlib.sha256(content).hexdigest() == expected


def test_without_the_interpreter_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    models._interpreter.cache_clear()
    with pytest.raises(InputError, match=r"pip install 'posekit\[photo\]'"):
        find_person(torch.zeros(3, 64, 64))
    models._interpreter.cache_clear()


def test_the_script_takes_them_out_of_a_wheel(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "data_scripts"))
    script = import_module("take_photo_models")
    asset = files("posekit.photo") / "asset"
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        for name, place in script.PLACES.items():
            wheel.writestr(place, asset.joinpath(f"{name}.tflite").read_bytes())
        wheel.writestr(script.LICENCE, "Apache License")
    written = script.take(tmp_path / "a.whl", tmp_path / "out")
    assert {path.name for path in written} == {f"{name}.tflite" for name in models.HASHES} | {"LICENSE-mediapipe"}
    with zipfile.ZipFile(tmp_path / "b.whl", "w") as wheel:
        for place in script.PLACES.values():
            wheel.writestr(place, b"another")
        wheel.writestr(script.LICENCE, "Apache License")
    with pytest.raises(InputError, match="is another file than that of mediapipe"):
        script.take(tmp_path / "b.whl", tmp_path / "none")
    with pytest.raises(InputError, match="is not the wheel of mediapipe"):
        script.take(tmp_path / "c.whl", tmp_path / "none")
    assert not (tmp_path / "none").exists()
