"""Every reader, on damaged files: it reads, or it refuses in one sentence; soon, in little memory, changing nothing.

About 3,300 files; `pytest tests/fuzz --fuzz 550` makes some 18,000, and --fuzz-seed other ones.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from posekit.cli.transfer import transfer_files
from posekit.data.annotations import read_annotations, read_pairs
from posekit.data.folder_pairs import open_folders
from posekit.data.inspection.inspect_file import inspect_file
from posekit.data.iuv import read_iuv
from posekit.data.load import load_person
from posekit.data.mvc import read_mvc
from posekit.data.openpose import read_openpose
from posekit.data.pack import pack_people
from posekit.data.packed import PackedPeople
from posekit.data.photo import read_photo
from posekit.data.points_file import read_points_file
from posekit.data.result_files import match_results
from posekit.data.smpl_atlas import read_smpl_atlas
from posekit.data.studio import StudioPeople
from posekit.evaluation.study import Study, Trial
from posekit.evaluation.study_answers import StudyAnswer, read_study_answers, write_study_answers
from posekit.evaluation.study_presets import study_preset
from posekit.evaluation.table import Evaluation
from posekit.ops.surface import ChartTable
from posekit.studio.folder import render_folder
from posekit.studio.folder_files import read_folder_card, read_shots
from posekit.sweeps.experiment import load_experiment
from posekit.sweeps.table import finished
from posekit.systems import build
from posekit.training.checkpoint import read_latest, save_checkpoint
from posekit.training.runlog import read_log
from posekit.training.weights import load_weights, save_weights, weight_card
from posekit.util.errors import InputError
from tests.fuzz import damage
from tests.synthetic import TINY, field_folder, mvc_folder

SECONDS, MEGABYTES = 20, 1500  # for one file
H, W = 24, 20


@dataclasses.dataclass(frozen=True)
class Target:
    """A file in a folder that is otherwise whole, how it is damaged, and what reads it."""

    file: str
    damaged: Callable[[bytes], st.SearchStrategy[bytes]]
    read: Callable[[Path], Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A folder with one good file of each kind."""
    root = tmp_path_factory.mktemp("whole")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (H, W, 3), np.uint8)).save(root / "photo.png")
    Image.fromarray(rng.integers(0, 255, (H, W, 3), np.uint8)).save(root / "photo.jpg", exif=_exif())
    body = np.zeros((H, W), bool)
    body[4:20, 4:16] = True
    surface = np.where(body[..., None], rng.uniform(-1, 1, (H, W, 2)), np.nan).astype(np.float32)
    np.save(root / "map.npy", surface)
    iuv = np.stack([body * 90, body * 120, body * 2], -1).astype(np.uint8)
    Image.fromarray(iuv).save(root / "map_IUV.png")
    Image.fromarray(body.astype(np.uint8)).save(root / "map_INDS.png")
    joints = json.dumps([5] * 18)
    (root / "joints.csv").write_text(
        f"name:keypoints_y:keypoints_x\na.jpg: {joints}: {joints}\nb.jpg: {joints}: {joints}\n"
    )
    (root / "pose.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": [5.0, 6.0, 0.9] * 18}]}))
    (root / "face.pts").write_text("version: 1\nn_points: 68\n{\n" + "5.5 6.25\n" * 68 + "}\n")
    (root / "pairs.csv").write_text("from,to\na.jpg,b.jpg\nb.jpg,a.jpg\n")
    (root / "sweep.yaml").write_text(
        "name: x\nnotebook: run-000.ipynb\nparameters: {size: [1, 2]}\nseeds: [0, 1]\ntimeout: 9\n"
    )
    notebook = {"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": {"posekit_sweep": {"version": "1"}}}
    (root / "run-000.ipynb").write_text(json.dumps(notebook))
    system = build("coordinate_inpainting", **TINY)
    save_weights(system, root / "w.safetensors")
    card = weight_card(system, seed=0, stage=0, step=1, total_step=1)
    save_checkpoint(root / "checkpoints", system, {}, card)
    (root / "log.jsonl").write_text('{"run": {"seed": 0}}\n{"stage": "f", "step": 1, "total_step": 1, "l1": 0.5}\n')
    Evaluation([], {}, [], [], _protocol()).save(root / "e.json")
    for name in ("truth/a.png", "truth/b.png", "results/b.png", "results/a_2_b_vis.png", "results/b_2_a_vis.png"):
        (root / name).parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (H, W, 3), np.uint8)).save(root / name)
    (root / "results.csv").write_text("from,to\na.png,b.png\nb.png,a.png\n")
    trial = Trial(question=0, item="a", pictures=("00",), kinds=("real",))
    questions = study_preset("realism").questions
    study = Study(preset="realism", seed=0, seconds=1.0, warm_up=0, methods=(), questions=questions, trials=(trial,))
    write_study_answers(root / "answers.json", study, "me", [StudyAnswer("me", 0, "real", 0.5)])
    steps = np.linspace(-1, 1, 4, dtype=np.float32)
    ChartTable.from_table(_table(steps), 8).save(root / "table.npz")
    render_folder(root / "data", [0], 2, 16, jobs=1, progress=False)
    field_folder(root / "field", people=1, size=16)
    pack_people(open_folders(root / "field"), root / "pack")
    mvc_folder(root / "mvc", items=1, views=2)
    return root


def _exif() -> bytes:
    exif = Image.Exif()
    exif[274] = 6
    return exif.tobytes()


def _protocol():
    from posekit.metrics.protocol import Protocol

    return Protocol(size=(64, 64), pairs=1)


def _table(steps):
    import torch

    grid = torch.tensor(np.stack(np.meshgrid(steps, steps, indexing="xy"), -1))
    return grid.expand(24, 4, 4, 2) * 0.01 + torch.linspace(-0.9, 0.9, 24).view(24, 1, 1, 1)


PERSON = "data/people/00000"
TARGETS = {
    "a photograph": Target("photo.png", damage.png_of, lambda r: read_photo(r / "photo.png")),
    "a JPEG with EXIF": Target("photo.jpg", damage.bytes_of, lambda r: read_photo(r / "photo.jpg")),
    "an IUV picture": Target("map_IUV.png", damage.png_of, lambda r: read_iuv(r / "map_IUV.png")),
    "an index picture": Target(
        "map_INDS.png", damage.png_of, lambda r: load_person(None, r / "map_IUV.png", atlas="tiles")
    ),
    "a map": Target("map.npy", lambda _: damage.npy_of((H, W, 2)), lambda r: read_smpl_atlas(r / "map.npy")),
    "a map, its bytes": Target("map.npy", damage.bytes_of, lambda r: read_smpl_atlas(r / "map.npy")),
    "a transfer": Target(
        "map.npy",
        damage.bytes_of,
        lambda r: transfer_files(r / "photo.png", r / "map.npy", r / "map.npy", r / "out.png", atlas_size=16),
    ),
    "joints": Target(
        "joints.csv", lambda b: damage.text_of(b.decode(), ":,[]"), lambda r: read_annotations(r / "joints.csv", (H, W))
    ),
    "a pose": Target(
        "pose.json", lambda b: damage.json_of(json.loads(b)), lambda r: read_openpose(r / "pose.json", (H, W))
    ),
    "pairs": Target("pairs.csv", lambda b: damage.text_of(b.decode(), ",."), lambda r: read_pairs(r / "pairs.csv")),
    "a sweep": Target(
        "sweep.yaml", lambda b: damage.text_of(b.decode(), ":,[]{}"), lambda r: load_experiment(r / "sweep.yaml")
    ),
    "a run of a sweep": Target("run-000.ipynb", lambda b: damage.json_of(json.loads(b)), lambda r: finished(r, "1")),
    "weights": Target("w.safetensors", damage.safetensors_of, lambda r: load_weights(r / "w.safetensors")),
    "a checkpoint": Target(
        "checkpoints/step-00000001/card.json",
        lambda b: damage.json_of(json.loads(b)),
        lambda r: read_latest(r / "checkpoints"),
    ),
    "a log": Target("log.jsonl", lambda b: damage.text_of(b.decode(), ":,"), lambda r: read_log(r / "log.jsonl")),
    "an evaluation": Target(
        "e.json", lambda b: damage.json_of(json.loads(b)), lambda r: str(Evaluation.load(r / "e.json"))
    ),
    "answers to a user study": Target(
        "answers.json", lambda b: damage.json_of(json.loads(b)), lambda r: str(read_study_answers([r / "answers.json"]))
    ),
    "results and their pairs": Target(
        "results.csv",
        lambda b: damage.text_of(b.decode(), ",._{}"),
        lambda r: match_results(r / "truth", r / "results", pairs=r / "results.csv", allow_missing=True),
    ),
    "a photograph, inspected": Target("photo.jpg", damage.bytes_of, lambda r: str(inspect_file(r / "photo.jpg"))),
    "an IUV picture, inspected": Target("map_IUV.png", damage.png_of, lambda r: str(inspect_file(r / "map_IUV.png"))),
    "a map, inspected": Target(
        "map.npy", lambda _: damage.npy_of((H, W, 2)), lambda r: str(inspect_file(r / "map.npy"))
    ),
    "joints, inspected": Target(
        "joints.csv", lambda b: damage.text_of(b.decode(), ":,[]"), lambda r: str(inspect_file(r / "joints.csv"))
    ),
    "a pose, inspected": Target(
        "pose.json", lambda b: damage.json_of(json.loads(b)), lambda r: str(inspect_file(r / "pose.json"))
    ),
    "weights, inspected": Target(
        "w.safetensors", damage.safetensors_of, lambda r: str(inspect_file(r / "w.safetensors"))
    ),
    "a chart table, inspected": Target("table.npz", damage.archive_of, lambda r: str(inspect_file(r / "table.npz"))),
    "points of a face": Target(
        "face.pts", lambda b: damage.text_of(b.decode(), "{}:. "), lambda r: read_points_file(r / "face.pts")
    ),
    "a chart table": Target("table.npz", damage.archive_of, lambda r: ChartTable.load(r / "table.npz")),
    "the card of a pack": Target(
        "pack/pack.json", lambda b: damage.json_of(json.loads(b)), lambda r: list(PackedPeople(r / "pack"))
    ),
    "a file of a pack": Target("pack/image.npy", damage.bytes_of, lambda r: list(PackedPeople(r / "pack"))),
    "the list of MVC": Target(
        "mvc/attribute_labels.json", lambda b: damage.json_of(json.loads(b)), lambda r: read_mvc(r / "mvc")
    ),
    "a data card": Target(
        "data/card.json",
        lambda b: damage.json_of(json.loads(b)),
        lambda r: StudioPeople.of_folder(r / "data", "train", jobs=1),
    ),
    "a person's card": Target(
        f"{PERSON}/person.json",
        lambda b: damage.json_of(json.loads(b)),
        lambda r: read_shots(r / "data", 0, read_folder_card(r / "data")),
    ),
    "a person's maps": Target(
        f"{PERSON}/maps.npz", damage.archive_of, lambda r: read_shots(r / "data", 0, read_folder_card(r / "data"))
    ),
}


@pytest.mark.usefixtures("unchecked")  # as it is for users
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of a case that failed: said all the same
@pytest.mark.filterwarnings("ignore:Skipped:UserWarning")  # a damaged checkpoint is said and passed over
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_are_read_or_refused_in_one_sentence(name, whole, request, tmp_path, monkeypatch):
    target = TARGETS[name]
    for variable, folder in (("HOME", "home"), ("XDG_CACHE_HOME", "cache"), ("TMPDIR", "temporary"), ("", "working")):
        (tmp_path / folder).mkdir()
        if variable:
            monkeypatch.setenv(variable, str(tmp_path / folder))
    monkeypatch.chdir(tmp_path / "working")
    monkeypatch.setattr("tempfile.tempdir", None)
    place = whole / target.file
    good = place.read_bytes()
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.name != "out.png" and path != place}
    beside = sorted(path.name for path in whole.parent.iterdir())
    cases, start = request.config.getoption("--fuzz"), request.config.getoption("--fuzz-seed")

    @seed(start)
    @settings(max_examples=cases, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(target.damaged(good))
    def one(content: bytes) -> None:
        place.write_bytes(content)
        begun, memory = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            target.read(whole)
        except InputError as error:
            said = str(error)
            assert said.strip(), "An error without a word."
            assert "\n" not in said, f"More than one line: {said!r}"
            assert len(said) < 1500, f"No sentence: {said[:300]!r} ..."
        assert time.monotonic() - begun < SECONDS, "It took too long."
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
        assert grown < MEGABYTES, f"It took {grown:.0f} MB."

    try:
        one()
    finally:
        place.write_bytes(good)
    after = {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.name != "out.png" and path != place}
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path) and path.is_file()]
    assert not changed, f"Reading {name} changed {changed}."
    others = sorted(path.name for path in whole.parent.iterdir())
    assert others == beside, f"Reading {name} left {set(others) ^ set(beside)} beside the folder."
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not left, f"Reading {name} wrote {left}."
