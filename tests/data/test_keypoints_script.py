"""data_scripts/keypoints.py: the csv of a folder, on real public-domain people and with a finder that is killed."""

import importlib.util
from pathlib import Path

import pytest
import torch
from PIL import Image

from posekit.data.annotations import read_annotations
from posekit.data.folder_pairs import load_people
from posekit.photo.find_person import FoundPerson
from posekit.util.errors import InputError
from tests.synthetic import field_folder

SCRIPT = Path(__file__).parents[2] / "data_scripts" / "keypoints.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("keypoints_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def found(image):
    """Everybody at one place, one joint missing, one far to the right."""
    points = torch.zeros(18, 2)
    points[3, 0] = 1.5
    visibility = torch.full((18,), 2)
    visibility[17] = 0
    return FoundPerson(points, visibility, torch.ones(1, *image.shape[-2:]), 1.0, 1)


def test_rows_as_the_field_has_them_and_a_data_set_from_them(script, tmp_path):
    names = field_folder(tmp_path, joints=False)  # 48 x 48, with IUV pictures, which are no photographs
    out = tmp_path / "joints.csv"
    assert script.write_keypoints(tmp_path / "train", out, found) == (6, 6)
    lines = out.read_text().splitlines()
    assert lines[0] == "name:keypoints_y:keypoints_x"
    assert lines[1] == f"{names[0]}: {[24] * 17 + [-1]}: {[24] * 3 + [47] + [24] * 13 + [-1]}"
    read = read_annotations(out, (48, 48))
    assert read.visibility.sum(1).tolist() == [34] * 6
    assert len(load_people(tmp_path, keypoints=out, split="train")) == 6


def test_killed_it_goes_on_after_the_last_whole_row(script, tmp_path):
    field_folder(tmp_path, joints=False)
    out, seen = tmp_path / "joints.csv", []

    def killed(image):
        seen.append(image)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return found(image)

    with pytest.raises(KeyboardInterrupt):
        script.write_keypoints(tmp_path / "train", out, killed)
    with open(out, "a") as file:
        file.write("half a ro")
    assert script.write_keypoints(tmp_path / "train", out, found) == (6, 3)
    whole = out.read_text()
    assert script.write_keypoints(tmp_path / "train", out, found) == (6, 0)
    assert out.read_text() == whole
    out.unlink()
    script.write_keypoints(tmp_path / "train", out, found)
    assert out.read_text() == whole, "As if it had not been killed."


def test_nobody_is_a_row_of_missing_joints_and_other_errors_stop(script, tmp_path):
    Image.new("RGB", (60, 40)).save(tmp_path / "a.png")
    assert script.row_of("a.png", tmp_path / "a.png") == f"a.png: {[-1] * 18}: {[-1] * 18}"

    def missing(image):
        raise InputError("Finding people in photographs needs the package ai-edge-litert.")

    with pytest.raises(InputError, match="ai-edge-litert"):
        script.row_of("a.png", tmp_path / "a.png", missing)
    with pytest.raises(InputError, match="holds no photograph"):
        script.write_keypoints(tmp_path / "nowhere", tmp_path / "b.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="another file than a list of joints"):
        script.write_keypoints(tmp_path, tmp_path / "other.csv")
    Image.new("RGB", (60, 40)).save(tmp_path / "a:b.png")
    with pytest.raises(InputError, match="holds a colon"):
        script.write_keypoints(tmp_path, tmp_path / "c.csv", found)


def test_a_real_person_has_her_joints_where_they_are(script, tmp_path, capsys):
    skimage = pytest.importorskip("skimage.data")
    (tmp_path / "photographs").mkdir()
    Image.fromarray(skimage.astronaut()).save(tmp_path / "photographs/astronaut.jpg")
    script.main([str(tmp_path / "photographs"), "-o", str(tmp_path / "joints.csv")])
    assert "1 photographs in" in capsys.readouterr().out
    points, visibility = read_annotations(tmp_path / "joints.csv", (512, 512))["astronaut.jpg"]
    assert (visibility[[0, 1, 2, 5]] > 0).all(), "Nose, neck and shoulders."
    assert points[2, 0] < points[0, 0] < points[5, 0], "She looks at us: her right shoulder is on the left."
    assert points[0, 1] < points[1, 1]
