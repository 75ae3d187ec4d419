"""The figures of notebook 08 over the whole grid of their controls."""

import numpy as np
import pytest
import torch
from posekit_course.garments_and_keypoints import figures, probes, widgets
from posekit_course.live import Live, settings


def pixels(figure):
    return np.asarray(figure.as_image().convert("RGB"))


def test_pose_over_its_grid(keypoints, pairs):
    panel = widgets.pose(keypoints, pairs)
    assert isinstance(panel, Live)
    drawn = {}
    for one in settings(**panel.controls):
        drawn[tuple(one.values())] = pixels(widgets.render_pose(**one, system=keypoints, pairs=pairs)).tobytes()
    assert {key[1] for key in drawn} == set(probes.GROUPS)
    for person in (0, 1):
        turned = {key[0]: picture for key, picture in drawn.items() if key[1:] == ("nothing", person)}
        assert len(set(turned.values())) == len(turned) == 5
        hidden = {key[1]: picture for key, picture in drawn.items() if (key[0], key[2]) == (0.0, person)}
        assert len({hidden["nothing"], hidden["head"], hidden["arms"]}) == 3  # legs may lie outside anyway
    first = settings(**panel.controls)[0]
    again = pixels(widgets.render_pose(**first, system=keypoints, pairs=pairs)).tobytes()
    assert again == drawn[tuple(first.values())]


def test_fitting_over_its_grid(garments):
    people = (9, 59)
    panel = widgets.fitting(garments, people)
    pictures = [
        pixels(widgets.render_fitting(**one, system=garments, people=people)).tobytes()
        for one in settings(**panel.controls)
    ]
    assert len(set(pictures)) == len(pictures) == 4


def test_kept_over_its_grid(garments):
    pair = probes.dressed_pair(9, 59, 64)
    panel = widgets.kept(garments, pair)
    pictures = [
        pixels(widgets.render_kept(**one, system=garments, pair=pair)).tobytes() for one in settings(**panel.controls)
    ]
    assert len(pictures) == 8
    assert len(set(pictures)) == 8


def test_skeletons_tell_right_from_left(pairs):
    """Warm colours on the person's right; exchanged names exchange the colours."""
    pose = probes.pose_of(pairs[0].target)
    ours, exchanged = figures.bones_picture(pose), figures.bones_picture(probes.turned(pose, 1.0))
    assert (ours != exchanged).any()
    assert ((ours < 0.99).any(-1) == (exchanged < 0.99).any(-1)).mean() > 0.97, "the dots and lines stay"


@pytest.mark.parametrize("drawn", ["planes", "doubt", "fitting", "matrix"])
def test_static_figures(drawn, keypoints, pairs):
    pose = probes.pose_of(pairs[0].target)
    pair = probes.dressed_pair(9, 59, 48)
    probability, _ = probes.answers(keypoints, pose)
    white = torch.ones(1, 3, 16, 16)
    figure = {
        "planes": lambda: figures.draw_planes(pose, 64),
        "doubt": lambda: figures.draw_doubt({"as it is": (figures.bones_picture(pose), probability)}),
        "fitting": lambda: figures.draw_fitting(pair, {"pasted": probes.dressed(None, pair)}),
        "matrix": lambda: figures.draw_wardrobe([[white] * 2] * 2, [white] * 2, [white] * 2),
    }[drawn]()
    image = pixels(figure)
    assert image.shape[1] > 40
    assert image.min() < 200, "something is drawn"
