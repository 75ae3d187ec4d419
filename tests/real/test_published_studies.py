"""The user studies' presets beside the papers' own texts."""

import pytest

from posekit.evaluation.study_presets import PRESETS


def test_the_numbers_are_in_the_papers(real):
    papers = real.parent / "papers"
    if not papers.is_dir():
        pytest.skip(f"the papers' texts are not at {papers}")
    texts = {
        name: " ".join((papers / f"{file}.txt").read_text().split())
        for name, file in {
            "realism": "dense_pose_transfer",
            "anatomy": "dense_pose_transfer",
            "pose": "dense_pose_transfer",
            "closest": "coordinate_inpainting",
            "try_on": "coordinate_inpainting",
            "two_questions": "single_spatial_transformation",
        }.items()
    }
    assert texts.keys() == PRESETS.keys()
    for name, preset in PRESETS.items():
        for figures in preset.published.values():
            assert all(f"{figure:g}" in texts[name] for figure in figures)
    assert "we show 55 real and 55 generated images in a random order to 30 users for one second" in texts["realism"]
    assert "Each sample was assessed by 50 people totalling in 3650 cases" in texts["try_on"]
    assert "The source image was not shown. The order of presentation was normalized." in texts["closest"]
    assert "We ask 6 different people" in texts["two_questions"]
