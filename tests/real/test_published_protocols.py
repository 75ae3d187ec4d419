"""The twelve real pairs under published protocols, the source in place of a prediction."""

import re
from pathlib import Path

import pytest

from posekit.data.result_files import match_results
from posekit.data.result_pictures import read_result_pictures
from posekit.metrics.published import measure_published, prepare_published

PAGE = Path(__file__).parents[2] / "docs" / "measurements.md"


@pytest.fixture(scope="module")
def results(real):
    folder = real / "coordinpaint"
    return match_results(folder, folder, name="{target}_source.png", truth_name="{target}_target.png")


@pytest.mark.parametrize("name", ["gfla", "patn", "wang", "cfld"])
def test_copied_sources(results, name):
    said = dict(re.findall(r"`(\w+\.ssim(?:_256)?)` (0\.\d{3})", PAGE.read_text()))
    assert len(results.files) == 12
    values: dict[str, list[float]] = {}
    for _, image, truth in read_result_pictures(results.files):
        prepared = prepare_published(image[None], truth[None], name)[:2]
        for number, value in measure_published(*prepared, name).items():
            values.setdefault(number, []).append(value.item())
    for number in (number for number in values if ".ssim" in number):
        assert sum(values[number]) / 12 == pytest.approx(float(said[number]), abs=6e-4)
