"""data_scripts/convert_detectron2.py: dumps become pictures, and nothing that a dump names is run."""

import importlib.util
import os
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.data.iuv import read_iuv
from posekit.data.people import index_picture, read_index_picture
from posekit.util.errors import InputError

SCRIPT = Path(__file__).parents[2] / "data_scripts" / "convert_detectron2.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("convert_detectron2", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def result(monkeypatch):
    """The class of DensePose's results, in a made-up module of its name that only the writer of a dump has."""
    module = types.ModuleType("densepose.structures.chart_result")

    class DensePoseChartResult:
        def __init__(self, labels, uv):
            self.labels, self.uv = labels, uv

    DensePoseChartResult.__module__, DensePoseChartResult.__qualname__ = module.__name__, "DensePoseChartResult"
    module.DensePoseChartResult = DensePoseChartResult
    names = ("densepose", "densepose.structures", module.__name__)
    for name in names:
        monkeypatch.setitem(sys.modules, name, module if name == module.__name__ else types.ModuleType(name))
    yield DensePoseChartResult
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)


def person(result, part, h=6, w=4):
    labels = torch.full((h, w), part, dtype=torch.uint8)
    labels[0] = 0
    return result(labels, torch.linspace(0, 1, 2 * h * w).reshape(2, h, w))


def dumped(result, path, how):
    """Two photographs: one with two people who overlap, one of them partly outside; one with nobody."""
    both = [person(result, 2), person(result, 23)]
    dump = [
        {
            "file_name": "/home/them/img/WOMEN/a.jpg",
            "scores": torch.tensor([0.7, 0.9]),
            "pred_boxes_XYXY": torch.tensor([[3.2, 2.9, 7.2, 8.9], [-1.0, 5.0, 3.0, 11.0]]),
            "pred_densepose": both,
        },
        {
            "file_name": "img/b.jpg",
            "scores": torch.zeros(0),
            "pred_boxes_XYXY": torch.zeros(0, 4),
            "pred_densepose": [],
        },
    ]
    how(dump, path)
    return both


def plainly(dump, path):
    path.write_bytes(pickle.dumps(dump, 4))


@pytest.fixture
def photos(tmp_path):
    for name in ("WOMEN/a.jpg", "b.jpg"):
        place = tmp_path / "photos" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (10, 12)).save(place)
    return tmp_path / "photos"


@pytest.mark.parametrize("how", [plainly, torch.save], ids=["pickle", "torch.save"])
def test_a_dump_becomes_pictures(script, result, photos, tmp_path, how, capsys):
    lower, upper = dumped(result, tmp_path / "dump.pkl", how)
    sys.modules.pop("densepose.structures.chart_result")  # the reader's machine has no DensePose
    script.main([str(tmp_path / "dump.pkl"), "--photos", str(photos), "-o", str(tmp_path / "maps")])
    said = capsys.readouterr().out
    assert "is a pickle, a program; it names" in said
    assert "densepose.structures.chart_result.DensePoseChartResult" in said
    assert "3 pictures in" in said
    iuv = read_iuv(tmp_path / "maps/WOMEN/a_IUV.png")
    assert iuv.order == "VUI"
    who = read_index_picture(index_picture(tmp_path / "maps/WOMEN/a_IUV.png"), (12, 10))
    assert iuv.part[0, 4:8, 3:7].tolist() == [[2] * 4] * 4, "The box begins at pixel (3, 2); its first row is empty."
    assert iuv.part[0, 6:11, 0:3].tolist() == [[23] * 3] * 5, "One column lies outside of the photograph."
    assert who[0, 6, 0] == 1, "The best score is number 1."
    assert who[0, 4, 4] == 2
    u = (iuv.chart[0, 6:11, 0:3] * 255).round()
    assert torch.equal(u, torch.floor(255 * upper.uv[0, 1:, 1:])), "U is the first channel of uv, rounded down."
    v = (iuv.chart[1, 3:5, 3:7] * 255).round()
    assert torch.equal(v, torch.floor(255 * lower.uv[1, 1:3]))
    with Image.open(tmp_path / "maps/b_IUV.png") as nobody:
        assert not np.asarray(nobody).any()
    assert not (tmp_path / "maps/b_INDS.png").exists()


class Bomb:
    """Runs a command where it is loaded."""

    def __reduce__(self):
        return (os.system, ("touch exploded",))


@pytest.mark.parametrize("protocol", range(6))
def test_what_a_pickle_would_run_is_said_and_not_run(script, tmp_path, protocol, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("dump.pkl").write_bytes(pickle.dumps([{"file_name": Bomb()}], protocol))
    with pytest.raises(InputError, match=r"asks to run (posix|nt)\.system, which a dump of DensePose never needs"):
        script.load_dump(Path("dump.pkl"))
    assert ".system" in capsys.readouterr().out
    torch.save([{"file_name": Bomb()}], "dump.pth")
    with pytest.raises(InputError, match=r"asks to run (posix|nt)\.system"):
        script.load_dump(Path("dump.pth"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dump.pkl", "dump.pth"]


def test_a_name_that_hides_from_the_list_is_refused_by_the_reader(script, tmp_path, monkeypatch):
    """The list is for the eye; the reader refuses by itself."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dump.pkl").write_bytes(pickle.dumps([{"file_name": Bomb()}], 4))
    monkeypatch.setattr(script, "names_in", lambda program: [])
    with pytest.raises(InputError, match="never needs"):
        script.load_dump(tmp_path / "dump.pkl")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no whole pickle"),
        (b"\x80\x04\x95\0\0", "no whole pickle"),
        (pickle.dumps({"a": 1}), "expected a list of dicts"),
        (pickle.dumps([{"file_name": "photo.jpg"}]), "has no photograph 'photo.jpg'|has no photograph photo.jpg"),
        (pickle.dumps([{"file_name": "b.jpg", "pred_densepose": [3]}]), "a result has no labels"),
        (pickle.dumps([{"file_name": "b.jpg", "pred_densepose": [3], "scores": [1, 2]}]), "1 results, 2 scores"),
        (pickle.dumps([{"file_name": "../../b.jpg", "pred_densepose": []}]), None),
    ],
)
def test_other_dumps(script, tmp_path, photos, content, words):
    (tmp_path / "dump").write_bytes(content)
    if words is None:  # a path that climbs out is looked for inside the folder, and written inside the other
        assert script.convert(tmp_path / "dump", photos, tmp_path / "maps") == [tmp_path / "maps/b_IUV.png"]
        return
    with pytest.raises(InputError, match=words):
        script.convert(tmp_path / "dump", photos, tmp_path / "maps")
    assert not (tmp_path / "maps").exists()
