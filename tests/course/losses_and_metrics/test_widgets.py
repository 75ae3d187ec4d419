"""The figures of notebook 11 over the whole grid of their controls."""

import numpy as np
import pytest
import torch
from posekit_course.live import Live, settings
from posekit_course.losses_and_metrics import figures, judges, probes, widgets


def pixels(figure):
    return np.asarray(figure.as_image().convert("RGB"))


def over_the_grid(panel, draw):
    """(settings, picture) for every setting of the panel's controls; the same settings give the same picture."""
    assert isinstance(panel, Live)
    grid = settings(**panel.controls)
    drawn = {tuple(one.values()): pixels(draw(**one)).tobytes() for one in grid}
    assert pixels(draw(**grid[0])).tobytes() == drawn[tuple(grid[0].values())]
    return drawn


def test_answers_over_its_grid():
    drawn = over_the_grid(widgets.possible_answers(), widgets.render_answers)
    assert len(drawn) == 8 * 6
    assert len(set(drawn.values())) == len(drawn)


def test_spoilt_photo_over_its_grid(person):
    yardstick = judges.judge_photo(judges.spoil_photo(person, judges.YARDSTICK), person)
    drawn = over_the_grid(
        widgets.spoilt_photo(person), lambda **one: widgets.render_spoilt(**one, person=person, yardstick=yardstick)
    )
    assert {key[0] for key in drawn} == set(judges.SPOILT)
    assert len(set(drawn.values())) == len(drawn) == 8 * 4


def test_margin_over_its_grid():
    drawn = over_the_grid(widgets.study_margin(), widgets.render_margin)
    assert len(drawn) == len(widgets.COUNTS) * 9
    assert len(set(drawn.values())) == len(drawn)


@pytest.fixture(scope="module")
def table():
    return {name: dict.fromkeys(judges.JUDGES, 1.0 + n) for n, name in enumerate(judges.SPOILT)}


@pytest.mark.parametrize(
    "drawn", ["pulls", "shifts", "powers", "patch", "verdicts", "ssim", "judges", "protocols", "margins"]
)
def test_static_figures(drawn, person, table):
    image, part = person.image, torch.rand(3, 54, 54)
    ten = np.array([10.0, 100.0])
    figure = {
        "pulls": lambda: figures.draw_pixel_losses([0.1, 0.2, 0.9]),
        "shifts": lambda: figures.draw_shift_costs([-1, 0, 1], {"l1": [1, 0, 1], "nearest": [0.5, 0, 0.4]}),
        "powers": lambda: figures.draw_fourth_power([1, 10], {"norm": [1.0, 10.0], "square": [2.0, 2000.0]}),
        "patch": lambda: figures.draw_patch(image, 22, 4),
        "verdicts": lambda: figures.draw_verdict_maps(probes.PatchCritic(), {"a": image, "b": image}),
        "ssim": lambda: figures.draw_ssim_parts(image, {"a": (image, part, part)}),
        "judges": lambda: figures.draw_judges(table),
        "protocols": lambda: figures.draw_protocol_order({"wang": {"a": 0.5, "b": 0.6}, "gfla": {"a": 0.6, "b": 0.5}}),
        "margins": lambda: figures.draw_study_margins({"half": (ten, ten / 1000)}, {"one": (50, 0.05)}),
    }[drawn]()
    picture = pixels(figure)
    assert min(picture.shape[:2]) > 100
    assert picture.min() < 200, "something is drawn"


def test_the_lowest_point_of_both_curves_is_marked():
    figure = figures.draw_pixel_losses([0.1, 0.12, 0.15, 0.2, 0.98])
    texts = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert texts == ["0.31", "0.15"]


def test_heat_map_writes_every_number(table):
    table = {**table, "noisy": dict.fromkeys(judges.JUDGES, 0.001)}
    texts = [text.get_text() for text in figures.draw_judges(table).axes[0].texts]
    assert len(texts) == len(judges.SPOILT) * len(judges.JUDGES)
    assert texts.count("0") == len(judges.JUDGES)
