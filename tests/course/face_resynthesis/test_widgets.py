"""The figures of notebook 09 over the whole grid of their controls."""

import numpy as np
import pytest
import torch
from posekit_course.face_resynthesis import figures, widgets
from posekit_course.garments_and_keypoints.probes import maps_of
from posekit_course.live import Live, settings


def pixels(figure):
    return np.asarray(figure.as_image().convert("RGB"))


def test_turned_over_its_grid(system, faces):
    panel = widgets.two_faces(system, faces)
    assert isinstance(panel, Live)
    drawn = set()
    for values in settings(**panel.controls):
        drawn.add(pixels(widgets.render_turned(**values, system=system, faces=faces)).tobytes())
    assert len(drawn) == 2 * 3 * 3
    panel.move()


def test_portraits_over_their_grid(system, faces):
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    panel = widgets.portraits(system, faces)
    drawn = set()
    for values in settings(**panel.controls):
        drawn.add(pixels(widgets.render_portrait(**values, system=system, faces=faces)).tobytes())
    assert len(drawn) == 2 * 2 * 3
    panel.move()


def test_stages_are_pictures_of_one_size(system, faces):
    pair = faces[0].batched()
    stages = figures.steps_shown(pair, maps_of(system, pair))
    assert {picture.shape for picture in stages.values()} == {(64, 64, 3)}
    assert list(stages)[0] == "source"
    assert (stages["target"] == figures.picture(pair.target.image)).all()


def test_points_are_drawn_around_the_face():
    image = torch.rand(3, 40, 50, generator=torch.Generator().manual_seed(0))
    points = np.random.default_rng(0).uniform([10, 12, -3], [30, 28, 3], (468, 3))
    figure = figures.draw_points({"somebody": (image, figures.FacePoints(points, 1.0))})
    axis = figure.axes[0]
    assert axis.get_title() == "somebody"
    assert axis.get_xlim()[0] < 10 < 30 < axis.get_xlim()[1]
    assert axis.get_ylim()[0] > axis.get_ylim()[1], "y points down"


def test_targets_stand_beside_their_source(faces):
    image = faces.person(0, 0).image[None]
    figure = figures.draw_targets([[("source", image), ("10°", image)], [("source", image), ("70°", image)]])
    assert [axis.get_title() for axis in figure.axes] == ["source", "10°", "source", "70°"]


def test_errors_by_the_turn():
    turns = np.linspace(0, 90, 60)
    figure = figures.draw_by_turn(turns, {"a": turns / 100, "b": turns * 0 + 0.2}, [0, 30, 60, 91])
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["a", "b"]
