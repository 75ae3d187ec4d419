"""A researcher with the field's data on a disk: train, evaluate, by the commands of docs/formats.md."""

import json
import re

import pytest

from tests.synthetic import field_folder

QUICK = ("--steps", 1, "--batch-size", 2, "--device", "cpu")


@pytest.fixture(scope="module")
def fashion(tmp_path_factory):
    """Two splits with IUV pictures and joints, and a list of test pairs."""
    root = tmp_path_factory.mktemp("fashion")
    field_folder(root, size=64)
    names = field_folder(root, size=64, people=2, inside="test")
    (root / "pairs.csv").write_text("\n".join(["from,to", f"{names[0]},{names[1]}", f"{names[3]},{names[2]}"]))
    return root


def test_a_system_of_maps_trains_in_their_atlas_and_is_measured(run, fashion, tmp_path):
    code, out, err = run("train", "--data", fashion, "-o", tmp_path / "run", *QUICK)
    assert code == 0, err
    assert "Weights: " in out
    card = json.loads((tmp_path / "run/checkpoints").glob("*/card.json").__next__().read_text())
    assert card["config"]["atlas"] == "tiles"
    assert card["data"]["dataset"] == "FolderPairs"
    assert (card["data"]["pairs"], card["data"]["size"]) == (6, [128, 128])
    weights = tmp_path / "run/weights.safetensors"
    code, out, err = run("evaluate", "--weights", weights, "--data", fashion, "--pairs", fashion / "pairs.csv")
    assert code == 0, err
    assert re.search(r"^ +source copied +nearest texel +coordinate_inpainting$", out, re.MULTILINE)
    assert "2 pairs" in out
    code, _, err = run("evaluate", "--weights", weights, "--data", fashion, "--pairs", 5)
    assert code == 1
    assert "has 4 held-out pairs, 5 were asked for" in err


def test_a_system_of_joints_trains_where_there_are_joints_alone(run, tmp_path):
    names = field_folder(tmp_path / "data", size=64, maps=None, spelling="market")
    (tmp_path / "p.csv").write_text(f"from,to\n{names[0]},{names[1]}\n{names[1]},{names[0]}\n")
    joints = tmp_path / "data/fasion-annotation-train.csv"
    given = ("--data", tmp_path / "data/train", "--pairs", tmp_path / "p.csv", "--keypoints", joints)
    code, out, err = run("train", "deformable_gan", *given, "-o", tmp_path / "run", *QUICK)
    assert code == 0, err
    code, out, err = run("evaluate", "--weights", tmp_path / "run/weights.safetensors", *given)
    assert code == 0, err
    assert re.search(r"^ +source copied +deformable_gan$", out, re.MULTILINE), "Nothing to copy texels with."
    code, _, err = run("train", *given, *QUICK)
    assert code == 1
    assert err.count("\n") == 1
    assert "coordinate_inpainting needs the fields uv, mask of every photograph" in err


def test_pack_once_and_train_from_it(run, fashion, tmp_path):
    code, out, err = run("pack", fashion, "-o", tmp_path / "packed", "--size", "128x128")
    assert code == 0, err
    assert "10 photographs, 0.00 GB" in out
    code, _, err = run("train", "--data", tmp_path / "packed", "-o", tmp_path / "run", "--device-data", *QUICK)
    assert code == 0, err
    card = json.loads((tmp_path / "run/checkpoints").glob("*/card.json").__next__().read_text())
    assert (card["data"]["pairs"], card["config"]["atlas"]) == (6, "tiles")
    words = ("--data", tmp_path / "packed", "--pairs", fashion / "pairs.csv")
    code, out, err = run("evaluate", "--weights", tmp_path / "run/weights.safetensors", *words)
    assert code == 0, err
    code, _, err = run("train", "--data", tmp_path / "packed", "--keypoints", "a.csv", *QUICK)
    assert code == 1
    assert "with all joints and maps that it has" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("train", "--pairs", "p.csv"), "are for a folder of photographs"),
        (("evaluate", "--pairs", "p.csv"), "are for a folder of photographs"),
        (("evaluate", "--pairs", "0"), "1 or more"),
        (("train", "--data", "."), "have no pose: give the csv"),
    ],
)
def test_mistakes_are_one_sentence(run, tmp_path, monkeypatch, words, expected):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*words)
    assert code == 1
    assert expected in err
    assert err.count("\n") == 1
