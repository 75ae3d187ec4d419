"""The figures of notebook 07 over the whole grid of their controls."""

import numpy as np
import pytest
import torch
from posekit_course.dense_pose_transfer import figures, probes
from posekit_course.dense_pose_transfer import widgets as streams
from posekit_course.live import Live, settings

from posekit.systems import build
from tests.course.dense_pose_transfer.conftest import TINY
from tests.synthetic import chart_batch


@pytest.fixture(scope="module")
def pairs():
    batch = chart_batch(2, 48, neighbours=2)
    return [batch[n].batched() for n in range(2)]


def pixels(figure):
    return np.asarray(figure.as_image().convert("RGB"))


def every_picture_differs(panel, render):
    """Each setting is drawn, twice the same, and differs from all others."""
    pictures = [pixels(render(**one)).tobytes() for one in settings(**panel.controls)]
    assert len(set(pictures)) == len(pictures)
    assert pixels(render(**settings(**panel.controls)[0])).tobytes() == pictures[0]


def test_part_over_its_grid(system, pairs):
    panel = streams.part(system, pairs)
    assert isinstance(panel, Live)
    seen = {
        pixels(streams.render_part(**one, system=system, pairs=pairs)).tobytes() for one in settings(**panel.controls)
    }
    assert len(seen) == 2 * 24  # the heading names the part


def test_streams_over_their_grid(system, pairs):
    panel = streams.streams(system, pairs)
    drawn = {}
    for one in settings(**panel.controls):
        figure = streams.render_streams(**one, system=system, pairs=pairs)
        drawn.setdefault((one["stream"], one["person"]), set()).add(pixels(figure).tobytes())
    assert {key[0] for key in drawn} == set(streams.STREAMS)
    for (stream, _), pictures in drawn.items():
        assert (len(pictures) > 1) == (stream == "blended"), "the correction belongs to the blend alone"


def test_no_correction_is_the_prediction(system, pairs):
    def made(stream, correction):
        figure = streams.render_streams(stream, 0, correction, system=system, pairs=pairs)
        return figure.axes[2].images[0].get_array()

    np.testing.assert_array_equal(made("blended", 0.0), made("predicted", 1.0))
    assert (made("blended", 0.0) != made("blended", 1.0)).any()


def test_views_over_their_grid(pairs):
    panel = streams.views(16, pairs)
    every_picture_differs(panel, lambda **one: streams.render_views(**one, side=16, pairs=pairs))
    assert [one["views"] for one in settings(**panel.controls)][::2] == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["part", "streams", "views"])
def test_every_control_moves_its_figure(name, system, pairs):
    {"part": streams.part, "streams": streams.streams}.get(name, lambda *_: streams.views(16, pairs))(
        system, pairs
    ).move()


def test_charts_as_tiles():
    charts, known = torch.zeros(1, 24, 3, 8, 8), torch.zeros(1, 24, 1, 8, 8)
    charts[:, 7, 0], known[:, 7] = 1, 1  # part 8: second row, second column
    tiles = figures.chart_picture(charts, known)
    assert tiles.shape == (32, 48, 3)
    np.testing.assert_allclose(tiles[12, 12], [1, 0, 0])
    np.testing.assert_allclose(tiles[4, 4], [figures.EMPTY] * 3)
    np.testing.assert_allclose(tiles[8, 30], [1, 1, 1])  # a line between the tiles
    np.testing.assert_allclose(figures.one_chart(charts, 8)[0, 0], [1, 0, 0])


def test_counted_views_are_the_deeper_the_more():
    views = torch.arange(5.0).view(1, 1, 1, 1, 5).expand(1, 24, 1, 5, 5)
    row = figures.counted(views)[2, 1:5].sum(-1)
    assert (np.diff(row) < 0).all()


def test_pale_but_for_one_part(pairs):
    person = pairs[0].source
    part = int(person.part[person.part > 0][0])
    lit = figures.lit_part(person, part)
    here = (person.part[0, 0] == part).numpy()
    np.testing.assert_allclose(lit[here], person.image[0].movedim(0, -1).numpy()[here], atol=1e-6)
    assert lit[~here].min() >= 0.7 - 1e-6


def test_figures_for_the_page(system, pairs):
    pair = pairs[0]
    maps = probes.run(system, pair)
    made = figures.draw_charts({"a": figures.chart_picture(maps.completed), "b": figures.chart_picture(maps.charts)})
    assert len(made.axes) == 2
    assert len(made.axes[0].texts) == 24
    views = figures.draw_views(pair, maps.completed, 32)
    assert len(views.axes) == 3 * 4
    seams = figures.draw_seams(probes.held_out(2, 64).person(0, 0).batched(), 16, 78)
    assert [axis.get_title().split(":")[0] for axis in seams.axes] == ["photograph", "24 charts", "one atlas"]
    table = np.zeros((24, 24))
    table[0, 1] = 1
    assert figures.draw_influence(table).axes[0].images[0].get_array().max() == 1


def test_five_languages_of_the_pose():
    person = probes.held_out(2, 64).person(0, 0).batched()
    shown = figures.pose_pictures(build("dense_pose_transfer", **TINY), person)
    assert list(shown) == ["mask: 1 plane", "parts: 24 planes", "keypoints: 18 planes", "iuv: 3 planes",
                           "one hot iuv: 26 planes"]  # fmt: skip
    assert all(image.shape == (64, 64, 3) for image in shown.values())
    off = person.mask[0, 0] == 0
    for name in ("mask: 1 plane", "parts: 24 planes", "iuv: 3 planes", "one hot iuv: 26 planes"):
        assert shown[name][off.numpy()].max() == 0
