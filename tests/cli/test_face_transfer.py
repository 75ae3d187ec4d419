"""`posekit transfer` with faces: close-ups by their maps, photographs with --face, and what cannot be combined."""

import json
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image

from posekit.studio.folder import render_folder


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Two close-ups of somebody."""
    root = tmp_path_factory.mktemp("faces")
    render_folder(root, [9], 2, 64, kind="face", jobs=1, progress=False)
    return [root / f"people/00009/{view}.png" for view in (0, 1)]


def test_a_close_up_in_the_pose_of_another(run, faces, tmp_path):
    code, out, _ = run("transfer", *faces, "--inpaint", "nearest", "-o", tmp_path / "a.png")
    assert code == 0
    assert "a rendered view" in out
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (64, 64)
        assert np.asarray(picture, float).std() > 20
    code, _, _ = run("transfer", *faces, "--inpaint", "mirror", "-o", tmp_path / "b.png")
    assert code == 0


def test_weights_of_another_size_are_refused(run, faces, tmp_path):
    code, _, err = run("transfer", *faces, "-o", tmp_path / "a.png")
    assert code == 1
    assert "128 x 128 pixels" in err
    assert not (tmp_path / "a.png").exists()


def test_a_photograph_of_a_face_on_a_rendered_head(run, faces, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    photo = files("skimage") / "data" / "astronaut.png"
    other = files("matplotlib") / "mpl-data" / "sample_data" / "grace_hopper.jpg"
    for pose, side in ((faces[0], 64), (other, 128)):
        code, out, _ = run("transfer", photo, pose, "--face", "--inpaint", "nearest", "-o", tmp_path / "a.png")
        assert code == 0
        assert "a photograph; pose of" in out
        with Image.open(tmp_path / "a.png") as picture:
            assert picture.size == (side, side)
            red, _, blue = np.asarray(picture.convert("RGB"), float)[side // 2, side // 2]
            assert red > blue + 10, "skin in the middle"


def test_what_does_not_go_with_faces(run, faces, tmp_path):
    code, _, err = run("transfer", *faces, "--joints")
    assert code == 1
    assert "not by joints; leave the joints out" in err
    code, _, err = run("transfer", "a.jpg", "b.npy", "c.npy", "--face")
    assert code == 1
    assert "--joints, --face and --background are for photographs and views" in err
    (tmp_path / "pose.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": [5.0, 6.0, 0.9] * 18}]}))
    code, _, err = run("transfer", faces[0], tmp_path / "pose.json", "--face")
    assert code == 1
    assert "leave the joints out" in err
