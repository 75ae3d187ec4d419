"""Files that are none, that are bombs, or that point elsewhere: one sentence, soon, and nothing outside is touched."""

import io
import json
import os
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from posekit.cli.evaluate import _count_or_list
from posekit.data.annotations import read_annotations, read_pairs
from posekit.data.folder_pairs import open_folders
from posekit.data.mvc import INFO, LABELS, read_mvc
from posekit.data.openpose import read_openpose
from posekit.data.pack import pack_people
from posekit.data.packed import PackedPeople
from posekit.data.points_file import read_points_file
from posekit.data.studio import StudioPeople, is_rendered_view
from posekit.evaluation.compare import Comparison
from posekit.evaluation.study_answers import judgements_needed, read_study_answers
from posekit.evaluation.study_page import read_study_page
from posekit.evaluation.table import Evaluation
from posekit.metrics.protocol import parse_size
from posekit.studio.folder import render_folder
from posekit.studio.folder_files import read_folder_card, read_shots
from posekit.sweeps.experiment import load_experiment
from posekit.sweeps.one_run import run_one
from posekit.sweeps.table import finished
from posekit.training.checkpoint import read_latest
from posekit.util.errors import InputError
from tests.synthetic import field_folder

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither pipes nor devices among its files"),
    pytest.mark.timeout(60),
    pytest.mark.usefixtures("unchecked"),  # as it is for users
]
READERS = {
    "joints.csv": lambda path: read_annotations(path, (24, 20)),
    "pairs.csv": read_pairs,
    "pose.json": lambda path: read_openpose(path, (24, 20)),
    "evaluation.json": Evaluation.load,
    "answers.json": lambda path: read_study_answers([path]),
    "page.html": read_study_page,
    "face.pts": read_points_file,
    "experiment.yaml": load_experiment,
    f"mvc/{LABELS}": lambda path: read_mvc(path.parent),
    "pack/pack.json": lambda path: PackedPeople(path.parent),
    "data/card.json": lambda path: read_folder_card(path.parent),
}


@pytest.mark.parametrize("kind", ["a pipe", "a device", "a file that is too large"])
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file(name, kind, tmp_path):
    """A pipe is waited for without end, a device fills the memory."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        with open(path, "wb") as file:
            file.truncate(3 * 10**9)  # takes no room on the disk
    with pytest.raises(InputError) as refused:
        READERS[name](path)
    assert "\n" not in str(refused.value)


def test_a_pipe_among_checkpoints_and_among_runs(tmp_path):
    place = tmp_path / "step-00000001"
    place.mkdir()
    os.mkfifo(place / "card.json")
    with (
        pytest.warns(UserWarning, match="is not a checkpoint"),
        pytest.raises(InputError, match="No checkpoint in .* can be read"),
    ):
        read_latest(tmp_path)
    os.mkfifo(tmp_path / "run-000.ipynb")
    assert finished(tmp_path, "version") == []


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    root = tmp_path_factory.mktemp("rendered")
    render_folder(root, [0], 2, 24, 0, "body", jobs=1, progress=False)
    return root


def bad_file(rendered, root, name, content):
    """A copy of the folder in which a file of its person is another one, and the card says so."""
    place = root / "people" / "00000"
    place.mkdir(parents=True)
    (root / "card.json").write_bytes((rendered / "card.json").read_bytes())
    for path in (rendered / "people" / "00000").iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    (place / name).unlink()
    if content is None:
        os.mkfifo(place / name)
        return root
    (place / name).write_bytes(content)
    card = json.loads((place / "person.json").read_text())
    card["files"][name] = {"bytes": len(content), "crc32": zlib.crc32(content)}
    (place / "person.json").write_text(json.dumps(card))
    return root


def png(size):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, "PNG")
    return file.getvalue()


def bomb():
    """Three thousand million zeros in a few megabytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("uv.npy", "w") as entry:
        np.lib.format.write_array_header_1_0(entry, {"descr": "|u1", "fortran_order": False, "shape": (3 * 10**8,)})
        for _ in range(300):
            entry.write(bytes(10**6))
    return file.getvalue()


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 24 24\n%%EndComments\nshowpage\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [("0.png", EPS), ("0.png", png((9400, 9400))), ("0.png", None), ("maps.npz", bomb()), ("maps.npz", None)],
    ids=["PostScript", "a picture of 88 million pixels", "a pipe", "an archive of zeros", "another pipe"],
)
def test_a_rendered_folder_from_elsewhere(name, content, rendered, tmp_path, monkeypatch):
    """Its card holds its own checksums, so anything may stand in it: nothing is decoded before its size is known."""
    monkeypatch.setattr(subprocess, "Popen", None)  # Pillow would call Ghostscript
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("read before it was measured") if content else None)
    root = bad_file(rendered, tmp_path / "folder", name, content)
    with pytest.raises(InputError, match="is missing or damaged"):
        read_shots(root, 0, read_folder_card(root))


def test_the_same_folder_whole(rendered):
    assert len(read_shots(rendered, 0, read_folder_card(rendered))) == 2
    assert len(StudioPeople.of_folder(rendered, "train", jobs=1)) == 2


DIGITS = "9" * 5000


@pytest.mark.parametrize(
    "read",
    [
        lambda root: parse_size(f"{DIGITS}x3"),
        lambda root: read_points_file(written(root / "a.pts", f"version: 1\nn_points: {DIGITS}\n{{\n1 2\n}}\n")),
        lambda root: read_pairs(written(root / "a.csv", f"from,to\n{'x' * 200_000},b\n")),
        lambda root: PackedPeople(written(root / "pack.json", "[" * 10**5).parent),
        lambda root: read_pairs(_count_or_list("²")[1]),
        lambda root: read_pairs(_count_or_list("9" * 12)[1]),
        lambda root: judgements_needed(1e-300),
    ],
    ids=["size", "points", "cell", "brackets", "superscript", "pairs", "margin"],
)
def test_numbers_and_words_that_nobody_writes(read, tmp_path):
    with pytest.raises(InputError):
        read(tmp_path)


def test_a_view_of_thousands_of_digits_is_no_view(tmp_path):
    assert not is_rendered_view(tmp_path / "people" / "00000" / f"{DIGITS[:200]}.png")


def test_a_view_number_of_thousands_of_digits_is_not_known(tmp_path):
    written(tmp_path / LABELS, json.dumps([{"filename": "a", "itemN": "b"}]))
    written(tmp_path / INFO, json.dumps([{"viewId": DIGITS}]))
    assert read_mvc(tmp_path)[0].view is None


def test_comparison_of_brackets(tmp_path):
    written(tmp_path / "evaluation.json", "[" * 10**5)
    with pytest.raises(InputError, match="is not an evaluation"):
        Comparison.load(tmp_path)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_packing_does_not_write_through_a_link(tmp_path):
    victim = written(tmp_path / "victim", "mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / "image.npy").symlink_to(victim)
    (out / "packing.json").write_text("{}")
    field_folder(tmp_path / "field", people=1, size=16)
    with pytest.raises(InputError, match="image.npy is a link; remove it"):
        pack_people(open_folders(tmp_path / "field"), out, fresh=True)
    assert victim.read_text() == "mine"


def test_a_run_does_not_write_through_a_link(tmp_path):
    victim = written(tmp_path / "victim", "mine")
    (tmp_path / ".run-000.partial.ipynb").symlink_to(victim)
    cell = {"cell_type": "code", "source": "1", "metadata": {}, "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 4}
    source = written(tmp_path / "n.ipynb", json.dumps(notebook))
    row = run_one(str(source), str(tmp_path / "run-000.ipynb"), {}, "v", 50)
    assert row.status == "ok"
    assert victim.read_text() == "mine"
    assert not (tmp_path / "run-000.ipynb").is_symlink()
