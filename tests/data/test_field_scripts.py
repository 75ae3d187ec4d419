"""data_scripts of the field's data sets, each on a tiny made-up folder of the real layout."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from posekit.data.annotations import read_pairs
from posekit.data.folder_pairs import load_people
from posekit.data.names import parse_deepfashion
from posekit.data.photo import read_photo
from posekit.util.errors import InputError
from tests.synthetic import face_videos, in_shop_folder, market_folder, mvc_folder

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "data_scripts"


@pytest.fixture
def script(monkeypatch):
    """script(name) imports one of the scripts, which import what they share by its plain name."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    before = set(sys.modules)
    yield lambda name: importlib.import_module(name)
    for name in set(sys.modules) - before:
        sys.modules.pop(name)


def joints_of(path, names):
    """A list of joints of these photographs: everybody stands in the middle, whole."""
    joints = list(range(20, 38))
    path.write_text("\n".join(["name:keypoints_y:keypoints_x", *(f"{name}: {joints}: {joints}" for name in names)]))
    return path


def ended(main, *words):
    """The exit code of a script's main function."""
    with pytest.raises(SystemExit) as exit_code:
        main(list(map(str, words)))
    return exit_code.value.code


@pytest.mark.parametrize("size", [(256, 256), (1101, 750)])
def test_deepfashion_from_the_archive_to_a_training_set(script, tmp_path, capsys, size):
    deepfashion = script("deepfashion")
    names = in_shop_folder(tmp_path / "In-shop", size=size)
    assert ended(deepfashion.main, "verify", tmp_path / "In-shop") == 1
    said = capsys.readouterr().out
    assert f"sizes (width x height): {size[1]} x {size[0]} (9)" in said
    assert "DIFFER photographs: 9, the authors say 52,712" in said
    assert "OK     of 9 photographs in list_eval_partition.txt missing: 0" in said
    fasion = [parse_deepfashion(name).spell("fasion") for name in names]
    lists = [
        joints_of(tmp_path / "fasion-annotation-train.csv", fasion[:6]),
        joints_of(tmp_path / "fasion-annotation-test.csv", fasion[6:]),
    ]
    assert ended(deepfashion.main, "convert", tmp_path / "In-shop", *lists, "-o", tmp_path / "fashion") == 0
    assert sorted(p.name for p in (tmp_path / "fashion/train").iterdir()) == sorted(fasion[:6])
    for path, most, count in ((lists[0], (), 12), (lists[1], ("--test",), 6)):
        out = tmp_path / "fashion" / path.name.replace("annotation", "pairs")
        deepfashion.main(["pairs", str(path), "-o", str(out), *most])
        assert len(read_pairs(out)) == count
    assert "6 pairs in" in capsys.readouterr().out
    data = load_people(tmp_path / "fashion", split="train", size=(128, 128))
    assert len(data) == 12
    assert data[0].source.keypoints is not None
    assert len(load_people(tmp_path / "fashion", split="test")) == 6
    extra = joints_of(tmp_path / "more-train.csv", [*fasion, "fasionMENDenimid0000009901_1front.jpg"])
    assert ended(deepfashion.main, "convert", tmp_path / "In-shop", extra, "-o", tmp_path / "b") == 1
    assert "DIFFER more-train.csv: 9 there, missing: 1, the authors say 0" in capsys.readouterr().out


def test_deepfashion_without_its_borders(script, tmp_path):
    deepfashion = script("deepfashion")
    names = in_shop_folder(tmp_path / "In-shop", people=1)
    pixels = np.zeros((256, 256, 3), np.uint8)
    pixels[:, 40:216] = np.arange(176, dtype=np.uint8)[None, :, None]
    Image.fromarray(pixels).save(tmp_path / "In-shop/img" / names[0], format="PNG")
    (tmp_path / "train.lst").write_text("".join(f"{parse_deepfashion(n).spell('fashion')}\n" for n in names))
    words = ("convert", tmp_path / "In-shop", tmp_path / "train.lst", "-o", tmp_path / "fashion", "--narrow")
    assert ended(deepfashion.main, *words) == 0
    made = sorted((tmp_path / "fashion/train").iterdir())
    assert [p.name for p in made] == [parse_deepfashion(n).spell("fashion", ".png") for n in names]
    assert ((read_photo(made[0])[0, 0] * 255).round() == np.arange(176)).all()
    (tmp_path / "all.lst").write_text(names[0])
    with pytest.raises(InputError, match="should say one of train and test"):
        deepfashion.convert(tmp_path / "In-shop", [tmp_path / "all.lst"], tmp_path / "c")
    (tmp_path / "train-evil.lst").write_text("../../a.jpg\n")
    with pytest.raises(InputError, match="which lies outside"):
        deepfashion.convert(tmp_path / "In-shop", [tmp_path / "train-evil.lst"], tmp_path / "c")


def test_market_without_junk_and_distractors(script, tmp_path, capsys):
    market = script("market1501")
    names = market_folder(tmp_path / "Market")
    assert ended(market.main, "verify", tmp_path / "Market") == 1
    said = capsys.readouterr().out
    assert "DIFFER photographs in bounding_box_train: 6, the authors say 12,936" in said
    assert "OK     junk (-1) in bounding_box_test: 1" in said
    assert "OK     distractors (0000) in bounding_box_test: 1" in said
    market.main(["convert", str(tmp_path / "Market"), "-o", str(tmp_path / "market")])
    assert "12 photographs in" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "market/train").iterdir()) == sorted(names)
    joints = joints_of(tmp_path / "market/market-annotation-train.csv", [*names, "-1_c1s1_000401_03.jpg"])
    out = tmp_path / "market/market-pairs-train.csv"
    market.main(["pairs", str(joints), "-o", str(out)])
    assert "6 pairs in" in capsys.readouterr().out
    assert len(load_people(tmp_path / "market", split="train", size=(128, 128))) == 6
    with pytest.raises(InputError, match="There is no folder"):
        market.convert(tmp_path, tmp_path / "b")


def test_mvc_in_a_folder_for_each_item(script, tmp_path, capsys):
    mvc = script("mvc")
    names = mvc_folder(tmp_path / "MVC", items=4)
    assert ended(mvc.main, "verify", tmp_path / "MVC") == 1
    said = capsys.readouterr().out
    assert "views of an item: 4 (4 items)" in said
    assert "DIFFER photographs in the lists: 16, the authors say 161,260" in said
    (tmp_path / "MVC/image_data" / f"{names[0]}.jpg").unlink()
    assert mvc.convert(tmp_path / "MVC", tmp_path / "mvc", 64, 0, test_items=1) == (15, 1)
    assert mvc.convert(tmp_path / "MVC", tmp_path / "mvc", 64, 0, test_items=1) == (0, 1)
    made = sorted((tmp_path / "mvc").rglob("*.png"))
    assert len(made) == 15
    assert read_photo(made[0]).shape == (3, 64, 64)
    trained = [p.relative_to(tmp_path / "mvc/train").as_posix() for p in made if "train" in p.parts]
    joints = joints_of(tmp_path / "mvc/annotation-train.csv", trained)
    data = load_people(tmp_path / "mvc", keypoints=joints, split="train")
    people = {pair.source.identity for pair in data}
    assert len(people) == 3
    assert all(pair.source.identity == pair.target.identity for pair in data)
    with pytest.raises(InputError, match="4 items, .*none is left to train on|has 4 items"):
        mvc.convert(tmp_path / "MVC", tmp_path / "b", 32, 0)


def test_the_videos_of_faces(script, tmp_path, capsys, monkeypatch):
    faces = script("faces_300vw")
    face_videos(tmp_path / "300VW")
    assert ended(faces.main, "verify", tmp_path / "300VW") == 1
    said = capsys.readouterr().out
    assert "DIFFER videos: 2, the authors say 114" in said
    assert "OK     frames with points: 26" in said
    assert "OK     files of points that have not 68: 0" in said
    (tmp_path / "300VW/001/annot/000002.pts").write_text("version: 1\nn_points: 5\n{\n")
    (tmp_path / "300VW/002/vid.avi").unlink()
    faces.verify(tmp_path / "300VW")
    said = capsys.readouterr().out
    assert "DIFFER files of points that have not 68: 1" in said
    assert "DIFFER videos without vid.avi: 1" in said
    asked = []

    def ffmpeg(words, **_):  # stands for the program: three frames
        asked.append(words)
        for k in (1, 2, 3):
            Image.new("RGB", (4, 4)).save(words[-1].replace("%06d", f"{k:06d}"))
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(faces.shutil, "which", lambda name: "/bin/ffmpeg")
    monkeypatch.setattr(faces.subprocess, "run", ffmpeg)
    assert faces.convert(tmp_path / "300VW", tmp_path / "faces") == 3
    assert "select='not(mod(n,6))'" in asked[0]
    assert [p.name for p in sorted((tmp_path / "faces/001").iterdir())] == ["000001.png", "000007.png", "000013.png"]
    assert [p.name for p in (tmp_path / "faces").iterdir()] == ["001"], "No video in the second, no scratch left."
    assert faces.convert(tmp_path / "300VW", tmp_path / "faces") == 0

    def broken(words, **_):
        return subprocess.CompletedProcess(words, 1, "", "moov atom not found\n")

    monkeypatch.setattr(faces.subprocess, "run", broken)
    with pytest.raises(InputError, match="could not read .*moov atom not found"):
        faces.convert(tmp_path / "300VW", tmp_path / "other")
    monkeypatch.setattr(faces.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="ffmpeg is not here"):
        faces.convert(tmp_path / "300VW", tmp_path / "other")


def test_the_page_names_every_script_and_every_command_it_shows_is_one(tmp_path):
    """Each `python data_scripts/NAME.py COMMAND` of the page and of the scripts' own words is understood by it."""
    page = (SCRIPTS / "README.md").read_text(encoding="utf-8")
    scripts = {p.name for p in SCRIPTS.glob("*.py")}
    helpers = {"field_data.py", "hands.py", "makehuman.py", "population.py", "within_minutes.py", "build_unfolded.py"}
    assert {name for name in scripts - helpers if f"`{name}" not in page and name not in page} == set()
    for name in (
        "deepfashion.py",
        "market1501.py",
        "mvc.py",
        "faces_300vw.py",
        "keypoints.py",
        "convert_detectron2.py",
    ):
        words = (SCRIPTS / name).read_text(encoding="utf-8") + page
        commands = set(re.findall(rf"data_scripts/{name} (verify|convert|pairs)\b", words))
        done = subprocess.run(
            [sys.executable, str(SCRIPTS / name), "--help"], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        known = re.search(r"\{([\w,]+)\}", done.stdout)
        assert commands <= set(known.group(1).split(",") if known else []), name
