"""The teacher's pages quote numbers of the notebooks: each stands in the page, and in what the notebook printed."""

import re

import pytest
from posekit_lab.notebooks import load_notebook
from posekit_lab.source import FOLDER, ROOT

# page, notebook, the numbers that the page quotes of it
QUOTED = {
    ("notes.md", "02_scatter_rasterization"): ["61 %"],
    ("notes.md", "05_affine_consistency_flow"): ["13.5", "15.9", "18.6", "30.2"],
    ("notes.md", "09_face_resynthesis"): [".098", ".029", ".211"],
    ("slides/week_6.md", "07_dense_pose_transfer"): ["31.8", "28.9"],
}


@pytest.mark.parametrize(("page", "name"), QUOTED, ids=lambda value: str(value)[:8])
def test_quoted_numbers_were_printed(page, name):
    text = (ROOT / "docs" / "teaching" / page).read_text(encoding="utf-8")
    outputs = [o for cell in load_notebook(FOLDER / f"{name}.ipynb").cells for o in cell.get("outputs", [])]
    printed = " ".join(o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) + " " for o in outputs)
    values = [float(value) for value in re.findall(r"(?<![\w.])-?\d*\.?\d+(?![\w.]*\d)", printed)]
    for number in QUOTED[page, name]:
        assert number in text, f"{page} does not quote {number} any more"
        digits = number.removesuffix(" %")
        places = len(digits.partition(".")[2])
        half = 0.501 * 10**-places  # of its last digit; the printed number is itself rounded
        assert any(abs(value - float(digits)) <= half for value in values), number


def test_homeworks_count_their_functions():
    """A rubric's points for functions are the exercises that it names."""
    text = (ROOT / "docs" / "teaching" / "grading.md").read_text(encoding="utf-8")
    from posekit_lab.grade_one import exercises_of

    count = sum(len(exercises_of(path.stem)) for path in (FOLDER / "src").glob("[0-9]*.py"))
    assert f"{count} in all" in text
