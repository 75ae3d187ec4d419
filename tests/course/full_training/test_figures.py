"""Figures of notebook 06 show the numbers that they are given, and depend on nothing else."""

import numpy as np
import pytest
import torch
from posekit_course.full_training import figures
from posekit_course.full_training.probes import Leak, Snapshots

from posekit.training.runlog import stages_of
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
    assert {name: len(own) for name, own in stages_of(LOG).items()} == {"one": 3, "two": 3}


def test_curves_have_a_panel_for_each_stage_and_a_line_for_each_of_its_losses():
    figure = figures.draw_curves(LOG, total=10)
    first, second = figure.axes
    assert [axis.get_title() for axis in (first, second)] == ["stage one", "stage two"]
    assert [len(axis.lines) for axis in (first, second)] == [2, 3]
    assert {axis.get_ylabel() for axis in (first, second)} == {"loss (log)"}
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
    _, crashed, restarted = figure.axes
    assert [list(axis.lines[2].get_xdata()) for axis in (crashed, restarted)] == [[4], [4]]  # written twice
    assert crashed.lines[2].get_markerfacecolor() == "white"
    assert "written again" in figure.legends[0].texts[-1].get_text()
    nothing_lost = figures.draw_restart(LOG, LOG[:3], LOG, "a", saved=3)
    assert [text.get_text() for text in nothing_lost.legends[0].texts] == ["the uninterrupted run", "checkpoint"]


def test_restart_begins_where_the_loss_does():
    figure = figures.draw_restart(LOG, LOG[:5], LOG, "adversarial", saved=4)
    for axis in figure.axes:
        assert axis.get_xlim() == (3.5, 6.5)
        assert list(axis.lines[0].get_xdata()) == [4, 5, 6]


def test_strip_has_a_column_for_each_snapshot_between_source_and_truth():
    snapshots = Snapshots(make_pair(0, 24), inside="warped")
    for stage, step in (("one", 1), ("one", 3), ("two", 1)):
        snapshots.kept[stage, step] = [torch.full((3, 24, 24), 0.5), torch.rand(3, 24, 24)]
    figure = figures.draw_strip(snapshots)
    assert len(figure.axes) == 2 * 5
    titles = [axis.get_title() for axis in figure.axes[:5]]
    assert titles == ["source", "one\nstep 1", "\nstep 3", "two\nstep 1", "truth"]
    shown = np.asarray(figure.axes[6].images[0].get_array())
    np.testing.assert_array_equal(shown, figures.picture(snapshots.kept["one", 1][1]))
    assert [axis.get_ylabel() for axis in figure.axes[::5]] == ["warped", "made"]
    for pictures in snapshots.kept.values():
        del pictures[0]
    assert len(figures.draw_strip(snapshots).axes) == 5


def test_a_long_strip_goes_on_below():
    """Thirteen columns in a row cannot be read on a page of 800 pixels."""
    snapshots = Snapshots(make_pair(0, 24), inside="warped")
    for step in range(11):
        snapshots.kept["one", step] = [torch.full((3, 64, 64), 0.5)] * 2
    figure = figures.draw_strip(snapshots, scale=1)
    assert figure.bbox.width <= 800
    tops = sorted({round(axis.get_position().y1, 3) for axis in figure.axes if axis.get_title()})
    assert len(tops) == 2
    boxes = [axis.get_window_extent() for axis in figure.axes]
    assert not any(a.overlaps(b) for n, a in enumerate(boxes) for b in boxes[:n])


def test_leak_draws_a_line_for_each_person():
    people = [make_person(i, 0, 24) for i in range(5)]
    errors = np.linspace(0.1, 0.2, 5)
    found = Leak(errors, errors / 2, people, people, {"by person": people, "by photograph": people})
    left = figures.draw_leak(found, shown=3).axes[-1]
    assert len(left.lines) == 6
    np.testing.assert_allclose(left.lines[-1].get_ydata(), [0.15, 0.075])
    assert found.recognised == 1


def people_and_memory(wrong, n=9):
    """Errors from 0.1 to 0.2; the memory takes these people for the next one."""
    people = [make_person(i, 0, 24) for i in range(n)]
    chosen = [people[(i + (i in wrong)) % n] for i in range(n)]
    errors = np.linspace(0.1, 0.2, n)
    return Leak(errors, errors, people, people, {"by person": people, "by photograph": chosen})


@pytest.mark.parametrize(
    ("wrong", "errors", "marked"),
    [
        ((), ["0.10", "0.14", "0.16", "0.20"], []),  # evenly over the order of the errors
        ((8, 7), ["0.10", "0.14", "0.16", "0.20"], [3]),
        ((4,), ["0.10", "0.15", "0.16", "0.20"], [1]),  # the only one of nine is shown
    ],
)
def test_leak_shows_the_order_of_errors_and_whoever_is_taken_for_another(wrong, errors, marked):
    figure = figures.draw_leak(people_and_memory(wrong))
    tops, bottoms, left = figure.axes[:4], figure.axes[4:8], figure.axes[-1]
    assert [axis.get_title() for axis in tops] == [f"error {value}" for value in errors]
    assert [i for i, axis in enumerate(bottoms) if axis.get_title() == "another person"] == marked
    assert [axis.get_ylabel() for axis in (tops[0], bottoms[0])] == ["tested source", "remembered"]
    assert sum(line.get_color() == figures.ORANGE for line in left.lines) == len(wrong)


def test_leak_of_few_people_leaves_no_empty_frames():
    shown = [axis for axis in figures.draw_leak(people_and_memory((), 2)).axes if axis.get_visible()]
    assert len(shown) == 5


def test_chance_marks_the_minimum_and_nothing_on_a_constant():
    d = np.linspace(0.001, 0.999, 999)
    figure = figures.draw_chance({"squares": (d, (1 - d) ** 2 + d**2, 0.25), "flat": (d, 0 * d + 1, 0.5)})
    squares, flat = figure.axes
    assert squares.lines[1].get_xdata()[0] == pytest.approx(0.5)
    assert squares.lines[1].get_ydata()[0] == pytest.approx(0.5)
    assert len(flat.lines) == 1
    assert squares.get_ylim() == flat.get_ylim() == (0, 2.6)


def test_verdicts_break_the_line_where_the_critic_is_new():
    figure = figures.draw_verdicts([(0.5, 0.2), (0.4, 0.3), (0.5, 0.2), (0.4, 0.3)], 2, (0.5, 0.25))
    for axis in figure.axes:
        assert [list(line.get_xdata()) for line in axis.lines[:2]] == [[0, 1], [2, 3]]
    assert len(figures.draw_verdicts([(0.5, 0.2)] * 3, None, (0.5, 0.25)).axes[0].lines) == 2


def test_reading_takes_the_adversarial_records_alone():
    figure = figures.draw_reading(LOG, "a", (0.5, 0.25))
    assert list(figure.axes[0].lines[0].get_xdata()) == [1, 2, 3]
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), [0.24, 0.25, 0.26])


def test_people_stand_in_rows_with_a_name_each():
    images = [torch.rand(3, 20, 30) for _ in range(4)]
    rows = figures.draw_people({"a": images[:2], "b": images[2:]})
    assert [axis.get_title() for axis in rows.axes] == ["a", "", "b", ""]
