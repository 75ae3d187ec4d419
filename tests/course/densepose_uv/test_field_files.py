"""Files written as the field writes them: what stands in them, apart from what the library reads."""

import json

import numpy as np
import pytest
from PIL import Image
from posekit_course.densepose_uv import field_files

from posekit.ops.grids import norm_to_points
from posekit.studio.generate import make_person


@pytest.fixture(scope="module")
def person():
    return make_person(0, 15, 1, (64, 48))


def test_iuv_picture_is_v_u_i(person, tmp_path):
    V, U, I = np.asarray(Image.open(field_files.write_iuv(person, tmp_path / "a.png"))).transpose(2, 0, 1)
    np.testing.assert_array_equal(I, person.part[0])
    np.testing.assert_array_equal(U, np.floor(person.chart[0].numpy() * 255))
    np.testing.assert_array_equal(V, np.floor(person.chart[1].numpy() * 255))


def test_smpl_atlas_is_nan_off_the_body(person, tmp_path):
    array = np.load(field_files.write_smpl_atlas(person, tmp_path / "a.npy"))
    assert array.shape == (64, 48, 2)
    body = person.mask[0].numpy() > 0.5
    assert np.isnan(array[~body]).all()
    np.testing.assert_allclose(array[body], person.uv.movedim(0, -1).numpy()[body], atol=1e-6)


def test_keypoints_have_y_first(person, tmp_path):
    head, row = field_files.write_keypoints(person, tmp_path / "a.csv", "a.jpg").read_text().splitlines()
    assert head == "name:keypoints_y:keypoints_x"
    name, ys, xs = row.replace(": ", ":").split(":")
    assert name == "a.jpg"
    ys, xs = (np.array(json.loads(numbers)) for numbers in (ys, xs))
    points = norm_to_points(person.keypoints, person.size).round().int().numpy()
    seen = person.visibility.numpy() > 0
    np.testing.assert_array_equal(ys[seen], points[seen, 1])
    np.testing.assert_array_equal(xs[seen], points[seen, 0])
    assert (ys[~seen] == -1).all()
