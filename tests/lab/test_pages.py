"""Tables that stand in the pages, against the kept results they were written from."""

import json
import re

import pytest
from posekit_lab.source import ROOT

from posekit.evaluation.table import Evaluation

RESULTS = ROOT / "experiments" / "results"
METRICS = ("ssim", "ms_ssim", "perceptual", "sliced_wasserstein", "head.l1")
FACES = {
    "face as it is": ("coordinate_inpainting-face", "source copied"),
    "face, nearest texel": ("coordinate_inpainting-face", "nearest texel"),
    "coordinates": ("coordinate_inpainting-face", "coordinate_inpainting"),
    "colours": ("coordinate_inpainting-face-rgb", "coordinate_inpainting"),
}


@pytest.fixture(scope="module")
def section():
    page = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    return page[page.index("\n## Faces") :].split("\n## ")[1]


@pytest.mark.parametrize("name", FACES)
def test_faces(name, section):
    (line,) = re.findall(rf"^\| {name} \| (.*) \|$", section, re.MULTILINE)
    file, system = FACES[name]
    table = Evaluation.load(RESULTS / f"{file}.json")
    for metric, cell in zip(METRICS, line.split(" | "), strict=True):
        row = table.row(system, metric)
        for text, value in zip(re.findall(r"\d\.\d+", cell), (row.mean, row.low, row.high), strict=True):
            assert float(text) == pytest.approx(value, abs=0.51 * 10 ** -len(text.partition(".")[2]))


def test_faces_of_both_trainings_are_the_same_pairs(section):
    kept = [json.loads((RESULTS / f"coordinate_inpainting-{name}.json").read_text()) for name in ("face", "face-rgb")]
    assert kept[0]["names"] == kept[1]["names"]
    assert f"{len(kept[0]['names'])} pairs of {len(set(kept[0]['people']))} held-out people" in section
