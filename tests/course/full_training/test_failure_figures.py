"""Pictures of failures show the numbers and the photographs that they are given."""

import numpy as np
import pytest
import torch
from posekit_course.full_training import failure_figures as figures


def test_heat_map_says_every_number_and_crosses_the_blind_ones():
    table = np.array([[1.0, 1.0], [0.5, 4.0], [9.0, 2.0]])
    figure = figures.draw_failures(["shift", "cast", "noise"], ["l1", "ssim"], table)
    axis = figure.axes[0]
    assert axis.get_xlabel().startswith("rows by mean over metrics; redder: worse")
    assert len(axis.patches) == 1
    assert [label.get_text() for label in axis.get_yticklabels()] == ["shift", "cast", "noise"]
    ranks = np.asarray(axis.images[0].get_array())
    assert ranks.tolist() == [[2, 1], [1, 3], [3, 2]]


def test_pictures_keep_their_pixels_and_titles():
    images = [(f"p{n}", torch.rand(3, 20, 30)) for n in range(5)]
    figure = figures.montage(images, 3, scale=2)
    assert [axis.get_title() for axis in figure.axes] == [name for name, _ in images]
    assert figure.axes[0].get_window_extent().width == pytest.approx(60)
    assert figure.axes[4].get_window_extent().height == pytest.approx(40)


def test_a_second_line_of_a_title_covers_no_picture():
    images = [(f"p{n}\nsecond line", torch.zeros(3, 40, 60)) for n in range(4)]
    figure = figures.montage(images, 2)
    figure.draw_without_rendering()
    titles = [axis.title.get_window_extent() for axis in figure.axes]
    frames = [axis.get_window_extent() for axis in figure.axes]
    assert not any(title.overlaps(frame) for title in titles for frame in frames)
    assert all(title.y1 <= figure.bbox.y1 for title in titles)
    assert figures.montage([("one", image) for _, image in images], 2).bbox.height == 2 * (40 + 20 + 8)
