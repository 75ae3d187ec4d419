"""The notebook of the re-identification experiment runs, small: with and without augmentation."""

import pytest
from posekit_lab.results import EXPERIMENTS

from posekit.sweeps.one_run import run_one

SMALL = {"identities": 2, "photographs": 2, "poses": 1, "tested": 2, "height": 32, "steps": 2}


@pytest.fixture(scope="module", autouse=True)
def people(tmp_path_factory):
    """Both runs use the same rendered people."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSEKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.parametrize(
    ("generator", "generated", "more"),
    [
        ("none", 0, {}),
        ("texel_fill", 4, {}),
        ("spatial_transformation-laptop", 4, {"picture": "flow", "begin": 1, "height": 128}),
    ],
)
def test_a_run_records_what_the_protocol_asks_for(tmp_path, generator, generated, more):
    notebook = str(EXPERIMENTS / "reid_augmentation.ipynb")
    row = run_one(notebook, str(tmp_path / "run-000.ipynb"), SMALL | {"generator": generator} | more, "v", 300)
    assert row.status == "ok", row.error
    found = row.values
    assert found["arm"] == generator
    assert found["generated"] == generated
    assert found["training_photographs"] == 4
    assert found["queries"] == 2 * 6
    assert 0 <= found["rank_1"] <= found["rank_5"] <= 1
    assert 0 < found["mAP"] <= 1
    for distance in ("kissme_", "xqda_", "cosine_", "pixels_"):
        assert 0 <= found[f"{distance}rank_1"] <= found[f"{distance}rank_10"] <= 1
        assert 0 < found[f"{distance}mAP"] <= 1
