"""Every kind of file is recognised by its content under a name that says nothing, and what is hostile is refused."""

import json
import pickle
import zipfile

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from safetensors.torch import save_file

from posekit.data.inspection.inspect_file import inspect_file
from posekit.data.inspection.recognise import recognise
from posekit.ops.keypoints import MIRROR_JOINTS
from posekit.systems import build
from posekit.training.weights import save_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY

FRONT = [(50, 10), (50, 20), (40, 20), (38, 35), (36, 48), (60, 20), (62, 35), (64, 48), (44, 50), (43, 70), (42, 90),
         (56, 50), (57, 70), (58, 90), (48, 8), (52, 8), (46, 9), (54, 9)]  # fmt: skip


def wrong(report):
    return " ".join(fault.what for fault in report.faults)


def rows(*people, header="name:keypoints_y:keypoints_x"):
    lines = [header]
    for name, joints in people:
        x, y = ([joint[k] for joint in joints] for k in (0, 1))
        lines.append(f"{name}: {y}: {x}" if header.startswith("name") else f"{x}: {name}: {y}")
    return "\n".join(lines) + "\n"


def test_photographs_and_what_their_names_say(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (128, 64, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "-1_c1s1_000401_03.jpg")
    report = inspect_file(tmp_path / "-1_c1s1_000401_03.jpg")
    assert report.kind == "photograph"
    assert report.facts["size"] == "128 x 64 (height x width): the size of Market-1501"
    assert wrong(report) == "Its name says a bad detection."
    square = np.full((256, 256, 3), 240, np.uint8)
    square[:, 40:216] = rng.integers(0, 255, (256, 176, 3), np.uint8)
    Image.fromarray(square).save(tmp_path / "fasionWOMENDressesid0000271801_1front.png")
    report = inspect_file(tmp_path / "fasionWOMENDressesid0000271801_1front.png")
    assert report.facts["borders"] == "40 and 40 flat columns left and right"
    assert report.facts["name"] == "DeepFashion: WOMEN/Dresses/id_00002718/01, front"
    assert report.faults == ()
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.jpg", exif=exif.tobytes())
    assert "EXIF" in inspect_file(tmp_path / "turned.jpg").facts["turned"]
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "Made by\x1b[2J a program. " + 300 * "x"
    Image.fromarray(pixels).save(tmp_path / "described.png", exif=exif)
    said = inspect_file(tmp_path / "described.png").facts["described as"]
    assert said.startswith("Made by[2J a program. xxx"), "nothing that a terminal obeys"
    assert len(said) == 200
    assert "described as" not in inspect_file(tmp_path / "turned.jpg").facts
    Image.fromarray(pixels).save(tmp_path / "view_IUV.png")
    assert "no channel can hold part numbers" in wrong(inspect_file(tmp_path / "view_IUV.png"))


def test_pictures_of_numbers(tmp_path):
    people = np.zeros((20, 20), np.uint8)
    people[2:12, 2:8], people[2:12, 10:15] = 1, 2
    Image.fromarray(people).save(tmp_path / "a_INDS.png")
    report = inspect_file(tmp_path / "a_INDS.png")
    assert report.kind == "picture of person numbers (_INDS)"
    assert report.facts["values"] == "1 on 15.0%, 2 on 12.5%"
    assert (report.facts["people"], report.faults) == ("2", ())
    Image.fromarray(people).save(tmp_path / "a.png")
    assert "looked for under another name" in wrong(inspect_file(tmp_path / "a.png"))
    Image.fromarray(people * 127 + (people > 1)).save(tmp_path / "b.png")
    assert inspect_file(tmp_path / "b.png").kind == "photograph", "0, 127 and 255 are greys."
    Image.fromarray((people > 0).astype(np.uint8) * 255).save(tmp_path / "c.png")
    assert inspect_file(tmp_path / "c.png").kind == "mask (silhouette)"
    parts = (np.arange(400).reshape(20, 20) // 20).astype(np.uint8)
    Image.fromarray(parts).save(tmp_path / "d.png")
    assert "needs U and V" in wrong(inspect_file(tmp_path / "d.png"))
    Image.fromarray(parts.astype(np.uint16) * 900).save(tmp_path / "e.png")
    assert "more than 8 bits" in wrong(inspect_file(tmp_path / "e.png"))


def test_keypoint_lists_of_both_kinds(tmp_path):
    good = [("0002_c1s1_000451_03.jpg", FRONT), ("-1_c1s1_000401_03.jpg", [(-1, -1)] * 18)]
    (tmp_path / "a").write_text(rows(*good))
    report = inspect_file(tmp_path / "a")
    assert report.kind == "keypoint csv, 18 joints"
    assert report.facts["photographs"] == "2, names as Market-1501 (2)"
    assert report.facts["nobody"] == "in 1 photographs; 1 are junk or distractors by their names"
    assert report.facts["range"].startswith("x 36..64, y 8..90: of photographs of 256 x 176")
    assert report.facts["valid"].startswith("1 with both shoulders")
    assert report.facts["mirrored"].startswith("0 of 1 people")
    assert report.faults == ()
    assert [image.shape[:2] for image in report.pictures.values()] == [(1, 3)]
    old = [("0002_c1s1_000451_03.jpg", FRONT[:16])]
    (tmp_path / "b").write_text(rows(*old, header="keypoints_x:name:keypoints_y"))
    report = inspect_file(tmp_path / "b")
    assert report.kind == "keypoint csv, 16 joints"
    assert "another order than usual" in report.facts["columns"]
    assert wrong(report) == "It has 16 joints, not 18."


def test_joints_that_are_mirrored_or_have_their_eyes_exchanged(tmp_path):
    mirrored = [(100 - x, y) for x, y in FRONT]
    (tmp_path / "a").write_text(rows(("a.jpg", mirrored)))
    assert "Right and left are exchanged" in wrong(inspect_file(tmp_path / "a"))
    (tmp_path / "b").write_text(rows(("a.jpg", [mirrored[j] for j in MIRROR_JOINTS])))
    assert inspect_file(tmp_path / "b").faults == ()
    eyes = [*FRONT[:14], FRONT[15], FRONT[14], FRONT[17], FRONT[16]]
    (tmp_path / "c").write_text(rows(("a.jpg", eyes), ("a.jpg", eyes)))
    assert "The eyes are exchanged" in wrong(inspect_file(tmp_path / "c"))
    assert "1 photographs stand in it twice." in wrong(inspect_file(tmp_path / "c"))


def test_pairs(tmp_path):
    a, b = ("fasionWOMENDressesid0000271801_1front.jpg", "fasionWOMENDressesid0000271801_3back.jpg")
    other = "fasionMENDenimid0000000101_1front.jpg"
    (tmp_path / "p").write_text(f"from,to\n{a},{b}\n{b},{a}\n{a},{a}\n")
    report = inspect_file(tmp_path / "p")
    assert (report.kind, report.facts["pairs"], report.facts["people"]) == ("list of pairs", "3", "1")
    assert report.facts["itself"].startswith("1 photographs")
    assert report.faults == ()
    (tmp_path / "q").write_text(f"from,to\n{a},{other}\n{a},{b}\n{a},{b}\n")
    assert wrong(inspect_file(tmp_path / "q")) == "1 pairs are of two different people. 1 pairs stand in it twice."
    (tmp_path / "r").write_text("from,to\n0000_c1s1_000151_01.jpg,0000_c2s1_000151_01.jpg\n")
    assert "2 of the photographs are junk" in wrong(inspect_file(tmp_path / "r"))
    (tmp_path / "train.lst").write_text(f"{a}\n{b}\n")
    assert inspect_file(tmp_path / "train.lst").facts["names"] == "2, spelled as fasion"


def test_joints_of_openpose(tmp_path):
    person = [number for x, y in FRONT for number in (x, y, 0.9)]
    (tmp_path / "a").write_text(json.dumps({"people": [{"pose_keypoints_2d": person}]}))
    report = inspect_file(tmp_path / "a")
    assert (report.kind, report.facts["people"], report.faults) == ("joints of OpenPose", "1", ())
    (tmp_path / "b.json").write_text(json.dumps({"people": []}))
    assert wrong(inspect_file(tmp_path / "b.json")) == "It shows nobody."
    small = [number / 100 if k % 3 < 2 else number for k, number in enumerate(person)]
    (tmp_path / "c").write_text(json.dumps({"people": [{"pose_keypoints_2d": small}]}))
    assert "within 0..1" in wrong(inspect_file(tmp_path / "c"))
    (tmp_path / "d.json").write_text(json.dumps({"images": [], "annotations": []}))
    assert "holds no joints" in wrong(inspect_file(tmp_path / "d.json"))
    (tmp_path / "e.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": [1, 2]}]}))
    with pytest.raises(InputError, match="should be a list of 54 numbers"):
        inspect_file(tmp_path / "e.json")


class Bomb:
    """Runs code where it is loaded."""

    def __reduce__(self):
        return (pytest.fail, ("the pickle was loaded",))


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_recognised_and_never_opened(tmp_path, protocol):
    (tmp_path / "dump.png").write_bytes(pickle.dumps([{"file_name": "a.jpg", "bomb": Bomb()}], protocol))
    report = inspect_file(tmp_path / "dump.png")
    assert report.kind == "pickle, such as detectron2 dumps"
    assert "data_scripts/convert_detectron2.py" in report.faults[0].mend


def test_weights_and_archives(tmp_path):
    save_weights(build("coordinate_inpainting", **TINY), tmp_path / "w")
    report = inspect_file(tmp_path / "w")
    assert report.facts["system"] == "coordinate_inpainting, preset laptop, variant full"
    assert report.faults == ()
    whole = (tmp_path / "w").read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-100])
    assert "its header says" in wrong(inspect_file(tmp_path / "cut"))
    save_file({"a": torch.zeros(3, 4)}, tmp_path / "other")
    assert inspect_file(tmp_path / "other").facts["tensors"] == "1, 12 numbers"
    assert wrong(inspect_file(tmp_path / "other")) == "It has no card of a system."
    torch.save({"a": torch.zeros(2)}, tmp_path / "model.pth")
    assert inspect_file(tmp_path / "model.pth").kind == "PyTorch checkpoint (holds a pickle)"
    torch.save({"a": torch.zeros(2)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert inspect_file(tmp_path / "old.pth").kind == "PyTorch checkpoint of the old kind (a pickle)"
    np.savez(tmp_path / "b.npz", uv=np.zeros(3))
    assert "as .npy" in inspect_file(tmp_path / "b.npz").faults[0].mend
    with zipfile.ZipFile(tmp_path / "c", "w") as archive:
        archive.writestr("a.txt", "hello")
    assert inspect_file(tmp_path / "c").faults[0].mend == "Unpack it first."


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"RIFF1234AVI LIST", "video"),
        (b"\0\0\0\x18ftypmp42", "video"),
        (b"\0\0\0\x18ftypheic", "HEIF"),
        (b"\x89HDF\r\n\x1a\n123", "HDF5"),
        (b"%PDF-1.4", "PDF"),
        (b"%!PS-Adobe", "PostScript"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"\0\1\2\3\4\xff\xfe", "unknown"),
        ("ä".encode("latin-1") * 900, "unknown"),
        (("x" * 4095 + "ä").encode(), "text"),  # a letter that the looked-at bytes cut in two
        (b"version: 1\nn_points:  68\n{\n1 2\n}\n", "text"),
    ],
)
def test_other_contents(tmp_path, content, kind):
    (tmp_path / "file").write_bytes(content)
    assert recognise(tmp_path / "file") == kind
    report = inspect_file(tmp_path / "file")
    assert report.pictures == {}
    assert str(report).startswith(f"{tmp_path / 'file'}: {report.kind}\n")


def test_what_is_no_whole_file_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 20)
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY\1\0v\0{'descr': '<f8', 'shape': (9, 9, 2)")
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04" + b"\0" * 30)
    (tmp_path / "bad").write_bytes((20).to_bytes(8, "little") + b"{" + b"\0" * 30)
    np.save(tmp_path / "objects.npy", np.array([Bomb], object), allow_pickle=True)
    for name, words in (
        ("nothing", "There is no file"),
        (".", "is a folder"),
        ("empty", "is empty"),
        ("cut.png", "could not be read as a picture"),
        ("cut.npy", "is not a whole .npy array"),
        ("cut.zip", "begins as an archive and is not whole"),
        ("bad", "begins as safetensors and its header is damaged"),
        ("objects.npy", "Python objects are not read"),
    ):
        with pytest.raises(InputError, match=words) as refused:
            inspect_file(tmp_path / name)
        assert "\n" not in str(refused.value)
