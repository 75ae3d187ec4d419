"""The notebook of the experiments runs, small: a system by region, a baseline by photograph."""

import math

import pytest
from posekit_lab.results import EXPERIMENTS

from posekit.sweeps.one_run import run_one

SMALL = {"people": 10, "views": 2, "measured": 2, "steps": 2, "batch_size": 2, "device": "cpu"}
SYSTEM = "{image_size: 48, atlas_size: 48, f_width: 4, g_width: 4, feature_width: 4, black_background: true}"


@pytest.fixture(scope="module", autouse=True)
def people(tmp_path_factory):
    """Both runs use the same rendered people."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSEKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def run(tmp_path, **parameters):
    notebook = str(EXPERIMENTS / "train_and_measure.ipynb")
    row = run_one(notebook, str(tmp_path / "run-000.ipynb"), SMALL | parameters, "v", 300)
    assert row.status == "ok", row.error
    return row.values


def test_one_stage_of_a_system_measured_by_region(tmp_path):
    found = run(tmp_path, overrides=SYSTEM, stages="inpainting", measure="textures", noise=True)
    assert found["arm"].startswith("coordinate_inpainting, image_size=48")
    assert found["arm"].endswith("black_background=True")
    assert found["training_seconds"] > 0
    assert found["view.seen.l1"] > 0
    assert 0 <= found["background_share"] <= 1


def test_a_baseline_measured_by_photograph(tmp_path):
    found = run(tmp_path, system="texel_fill", variant="mirror", size=48)
    assert found["arm"] == "texel_fill, variant=mirror"
    assert 0 < found["ssim"] < 1
    assert found["lpips"] > 0 or math.isnan(found["lpips"])  # not a number where its backbone is not here
