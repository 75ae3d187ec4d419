"""Figures of notebook 06 show the numbers that they are given, and depend on nothing else."""

import numpy as np
import pytest
import torch

from posekit.teaching import figures_full_training as figures
from posekit.teaching.training_probes import Leak, Snapshots
from tests.synthetic import make_pair, make_person


def record(total, stage="one", step=None, **losses):
    return {"stage": stage, "step": step or total, "total_step": total, "losses": losses}


LOG = [record(n, a=1 / n, b=2.0) for n in (1, 2, 3)]
LOG += [record(n, "two", n - 3, a=0.1, adversarial=0.2 + n / 100, discriminator=0.5 - n / 100) for n in (4, 5, 6)]


def pixels(figure):
    return np.asarray(figure.as_image().convert("RGB"))


def test_series_of_a_loss_skips_records_without_it():
    assert figures.series(LOG, "b") == ([1, 2, 3], [2.0, 2.0, 2.0])
    assert figures.series(LOG, "nothing") == ([], [])
    assert {name: len(own) for name, own in figures.stages_of(LOG).items()} == {"one": 3, "two": 3}


def test_curves_have_a_panel_for_each_stage_and_a_line_for_each_of_its_losses():
    figure = figures.draw_curves(LOG, total=10)
    first, second = figure.axes
    assert [axis.get_title() for axis in (first, second)] == ["stage one", "stage two"]
    assert [len(axis.lines) for axis in (first, second)] == [2, 3]
    np.testing.assert_allclose(first.lines[0].get_ydata(), [1, 1 / 2, 1 / 3])
    assert second.get_xlim()[1] >= 10
    assert [text.get_text() for text in figure.legends[0].texts] == ["a", "b", "adversarial", "discriminator"]


def test_curves_are_a_function_of_the_records_alone():
    assert np.array_equal(pixels(figures.draw_curves(LOG)), pixels(figures.draw_curves(list(LOG))))
    assert "waiting" in figures.draw_curves([]).axes[0].get_title()


def test_restart_shows_three_logs_over_the_undisturbed_one():
    figure = figures.draw_restart(LOG, LOG[:4], LOG, "a", saved=3)
    for axis, records in zip(figure.axes, (LOG, LOG[:4], LOG), strict=True):
        grey, line = axis.lines[:2]
        assert list(grey.get_xdata()) == [1, 2, 3, 4, 5, 6]
        assert list(line.get_xdata()) == [r["total_step"] for r in records]


def test_strip_has_a_column_for_each_snapshot_between_source_and_truth():
    snapshots = Snapshots(make_pair(0, 24))
    for stage, step in (("one", 1), ("one", 3), ("two", 1)):
        snapshots.kept[stage, step] = [torch.full((3, 24, 24), 0.5), torch.rand(3, 24, 24)]
    figure = figures.draw_strip(snapshots)
    assert len(figure.axes) == 2 * 5
    titles = [axis.get_title() for axis in figure.axes[:5]]
    assert titles == ["source", "one\nstep 1", "\nstep 3", "two\nstep 1", "truth"]
    shown = np.asarray(figure.axes[6].images[0].get_array())
    np.testing.assert_array_equal(shown, figures.picture(snapshots.kept["one", 1][1]))
    for pictures in snapshots.kept.values():
        del pictures[0]
    assert len(figures.draw_strip(snapshots).axes) == 5


def test_leak_draws_a_line_for_each_person():
    people = [make_person(i, 0, 24) for i in range(5)]
    errors = np.linspace(0.1, 0.2, 5)
    found = Leak(errors, errors / 2, people, people, {"by person": people, "by photograph": people})
    left = figures.draw_leak(found, shown=3).axes[-1]
    assert len(left.lines) == 6
    np.testing.assert_allclose(left.lines[-1].get_ydata(), [0.15, 0.075])
    assert found.recognised == 1


def test_chance_marks_the_minimum_and_nothing_on_a_constant():
    d = np.linspace(0.001, 0.999, 999)
    figure = figures.draw_chance({"squares": (d, (1 - d) ** 2 + d**2, 0.25), "flat": (d, 0 * d + 1, 0.5)})
    squares, flat = figure.axes
    assert squares.lines[1].get_xdata()[0] == pytest.approx(0.5)
    assert squares.lines[1].get_ydata()[0] == pytest.approx(0.5)
    assert len(flat.lines) == 1


def test_verdicts_break_the_line_where_the_critic_is_new():
    figure = figures.draw_verdicts([(0.5, 0.2), (0.4, 0.3), (0.5, 0.2), (0.4, 0.3)], 2, (0.5, 0.25))
    for axis in figure.axes:
        assert [list(line.get_xdata()) for line in axis.lines[:2]] == [[0, 1], [2, 3]]
    assert len(figures.draw_verdicts([(0.5, 0.2)] * 3, None, (0.5, 0.25)).axes[0].lines) == 2


def test_reading_takes_the_adversarial_records_alone():
    figure = figures.draw_reading(LOG, "a", (0.5, 0.25))
    assert list(figure.axes[0].lines[0].get_xdata()) == [1, 2, 3]
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), [0.24, 0.25, 0.26])


def test_heat_map_says_every_number_and_crosses_the_blind_ones():
    table = np.array([[1.0, 1.0], [0.5, 4.0], [9.0, 2.0]])
    figure = figures.draw_failures(["shift", "cast", "noise"], ["l1", "ssim"], table)
    axis = figure.axes[0]
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
    rows = figures.draw_people({"a": [image for _, image in images[:2]], "b": [image for _, image in images[2:4]]})
    assert [axis.get_title() for axis in rows.axes] == ["a", "", "b", ""]
