"""Notebook 06 runs with every system that learns, by parameters alone, as papermill gives them."""

import pytest
from posekit_lab.source import FOLDER

from posekit.sweeps.one_run import run_one
from posekit.sweeps.parameters import known_parameters
from posekit.systems import SYSTEMS, build

SMALL = {"steps": 3, "restart_steps": 4, "batch_size": 2, "people": 20, "views": 3, "leak_people": 8, "measured": 4}
SMALL |= {"verdicts": 2, "device": "cpu"}
TINY = {
    "coordinate_inpainting": "{image_size: 48, atlas_size: 48, f_width: 4, g_width: 4, feature_width: 4}",
    "deformable_gan": "{image_size: 48, width: 4, levels: 5, d_width: 4, sigma: 3.0, feature_width: 4}",
    "spatial_transformation": "{image_size: 48, sigma: 3.0, scales: 2, pose_width: 4, flow_width: 8, refine_width: 8}",
    "dense_pose_transfer": "{image_size: 48, chart_size: 32, width: 4, part_width: 4, context: 8, blend_width: 4}",
}
NOTEBOOK = FOLDER / "06_full_training.ipynb"


def test_every_system_that_learns_is_tried():
    assert {name for name in SYSTEMS if build(name).stages()} == set(TINY)


@pytest.fixture(scope="module", autouse=True)
def people(tmp_path_factory):
    """All runs use the same rendered people."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSEKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.parametrize("system", TINY)
def test_whole_notebook_runs_with(system, tmp_path):
    parameters = SMALL | {"system": system, "overrides": TINY[system]}
    row = run_one(str(NOTEBOOK), str(tmp_path / "run-000.ipynb"), parameters, "v", 600)
    assert row.status == "ok", row.error
    assert row.values["error_by_photograph"] > 0
    assert row.values["reproduced"] >= 4


def test_parameters_of_a_long_run_are_there():
    wanted = {"system", "preset", "variant", "overrides", "steps", "batch_size", "people", "seed", "device", "folder"}
    assert wanted | {"precision", "workers"} <= set(known_parameters(NOTEBOOK))
