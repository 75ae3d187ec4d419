"""The picture of the error budget: bars as high as the errors, heads cut out of where they are."""

import pytest
import torch
from posekit_course.full_training.budget_figures import draw_budget

from posekit.util.errors import InputError

ERRORS = {"as it is": {"head": 0.2, "rest": 0.1}, "W of T": {"head": 0.05, "rest": 0.02}}


def pictures():
    head = torch.zeros(1, 40, 32)
    head[:, 2:10, 20:26] = 1
    made = {name: torch.rand(3, 40, 32) for name in ERRORS}
    return made, torch.rand(3, 40, 32), head


def test_heads_above_and_bars_below():
    made, truth, head = pictures()
    figure = draw_budget(made, truth, head, ERRORS)
    *heads, bars = figure.axes
    assert [axis.get_title() for axis in heads] == ["as it is", "W\nof T", "truth"]
    shown = heads[-1].images[0].get_array()
    assert shown.shape[:2] == (16, 16), "a square around 8 x 6 pixels, 4 wider on each side"
    expected = truth[:, :16, 15:31].movedim(0, -1)
    torch.testing.assert_close(torch.tensor(shown.data), expected, rtol=0, atol=1e-6)
    heights = [bar.get_height() for bar in bars.patches]
    assert heights == [0.2, 0.1, 0.05, 0.02], "arm by arm, region by region"
    assert [text.get_text() for text in bars.get_xticklabels()] == ["head", "rest"]


def test_what_cannot_be_drawn_is_refused():
    made, truth, head = pictures()
    with pytest.raises(InputError, match="The mask of the head is empty"):
        draw_budget(made, truth, 0 * head, ERRORS)
    with pytest.raises(InputError, match="are of the same arms"):
        draw_budget({"as it is": truth}, truth, head, ERRORS)
