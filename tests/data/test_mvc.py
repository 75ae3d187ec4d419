"""The lists of MVC: who is on which photograph, and lists that are no lists."""

import json

import pytest

from posekit.data.mvc import read_mvc
from posekit.util.errors import InputError
from tests.synthetic import mvc_folder


def test_items_and_views(tmp_path):
    names = mvc_folder(tmp_path)
    photographs = read_mvc(tmp_path)
    assert [photograph.path for photograph in photographs] == [tmp_path / f"image_data/{name}.jpg" for name in names]
    assert [photograph.item for photograph in photographs] == ["0"] * 4 + ["1"] * 4 + ["2"] * 4
    assert [photograph.view for photograph in photographs[:5]] == [0, 1, 2, 3, 0]
    (tmp_path / "mvc_info.json").unlink()
    assert {photograph.view for photograph in read_mvc(tmp_path)} == {None}


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"filename": "a"}', "should be a list with an entry"),
        ("[1, 2]", "should be a list with an entry"),
        ('[{"filename": "a"}]', "has 12 entries and attribute_labels.json 1"),
        (json.dumps([{"filename": "../../etc/passwd", "itemN": 1}] * 12), "entry 0 should have a filename"),
        (json.dumps([{"filename": "a", "itemN": ".."}] * 12), "entry 0 should have a filename and an itemN"),
        (json.dumps([{"filename": "a", "itemN": True}] * 12), "entry 0 should have"),
        (json.dumps([{"filename": ["a"], "itemN": 1}] * 12), "entry 0 should have"),
    ],
)
def test_damaged_lists(tmp_path, labels, words):
    mvc_folder(tmp_path)
    (tmp_path / "attribute_labels.json").write_text(labels)
    with pytest.raises(InputError, match=words):
        read_mvc(tmp_path)
    with pytest.raises(InputError, match="could not be read"):
        read_mvc(tmp_path / "nowhere")
