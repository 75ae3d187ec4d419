"""The live figures of notebook 06: a curve that follows a log through a restart, failures over their whole grid."""

from functools import partial

import numpy as np
import pytest
from posekit_course.full_training import failures as f
from posekit_course.full_training import figures
from posekit_course.full_training import widgets as training
from posekit_course.full_training.failures import METRICS, Failures
from posekit_course.live import live, settings

from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.training.runlog import read_log
from tests.course.full_training.test_failures import batch_of
from tests.synthetic import TINY, SyntheticPairs

LINE = '{"stage": "one", "step": %d, "total_step": %d, "losses": {"a": 0.5}, "seconds": 1, "waited": 0}\n'


# -------------------------------------------------------------------------------------------------------- the curve


class Handle:
    """What Jupyter gives for a picture that will change."""

    def __init__(self):
        self.pictures = []

    def update(self, bundle, raw):
        assert raw
        self.pictures.append(bundle["image/png"])


@pytest.fixture
def shown(monkeypatch):
    handle = Handle()

    def display(bundle, raw, display_id):
        assert raw
        assert display_id
        handle.pictures.append(bundle["image/png"])
        return handle

    monkeypatch.setattr("IPython.display.display", display)
    return handle


def test_curve_follows_the_log_and_goes_on_after_a_restart(tmp_path, shown):
    curve = training.LiveCurve(tmp_path, total=4, seconds=0).show()
    assert len(shown.pictures) == 1  # no log yet: an empty picture, no error
    path = tmp_path / "log.jsonl"
    path.write_text('{"run": {}}\n' + LINE % (1, 1))
    curve(None, None, 1)
    assert shown.pictures[1] != shown.pictures[0]
    with path.open("a") as file:
        file.write(LINE % (2, 2) + '{"stage": "on')  # killed in the middle of a line
    again = training.LiveCurve(tmp_path, total=4, seconds=0).show()  # another program, later
    assert shown.pictures[2] not in shown.pictures[:2]
    expected = figures.draw_curves(read_log(path)[1], 4)
    assert np.array_equal(np.asarray(again.figure().as_image()), np.asarray(expected.as_image()))


def test_curve_is_not_drawn_at_every_step(tmp_path, shown):
    curve = training.LiveCurve(tmp_path, seconds=1000).show()
    for step in range(5):
        curve(None, None, step)
    assert len(shown.pictures) == 1
    curve.update()
    assert len(shown.pictures) == 2


def test_curve_that_is_not_shown_draws_nothing(tmp_path):
    curve = training.LiveCurve(tmp_path, seconds=0)
    curve()
    curve.update()


def test_curve_as_the_callback_of_a_training(tmp_path, shown):
    from posekit.systems import build

    curve = training.LiveCurve(tmp_path, seconds=0).show()
    system = build("coordinate_inpainting", **TINY)
    fit(
        system,
        SyntheticPairs(4, 40),
        tmp_path,
        TrainingOptions(steps=2, device="cpu", log_every=1, progress=False),
        on_step=curve,
    )
    assert len(shown.pictures) == 5
    assert len(set(shown.pictures)) == 5


# ----------------------------------------------------------------------------------------------------- the failures


@pytest.fixture(scope="module")
def drawn():
    failures = Failures(batch_of())
    harmless = training.harmless_badness(failures, 1)
    return partial(training.render_failure, failures=failures, harmless=harmless, sample=1), failures


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_failures_over_their_whole_grid(strength, drawn):
    draw, failures = drawn
    grid = [s for s in settings(most=1000, **training.failure_controls()) if s["strength"] == strength]
    assert len(grid) == len(f.FAILURES) - 1
    for setting in grid:
        truth, made, difference, scores = draw(**setting).axes
        assert setting["failure"] in made.get_title()
        expected = figures.picture(failures.spoil(setting["failure"], strength)[1:2])
        np.testing.assert_array_equal(np.asarray(made.images[0].get_array()), expected)
        widths = [bar.get_width() for bar in scores.patches]
        assert len(widths) <= len(METRICS)
        if strength == 0:
            assert np.asarray(difference.images[0].get_array()).min() == 1
            assert max(widths) < 0.1  # nothing is bad


def test_bars_are_the_table_of_the_notebook(drawn):
    draw, failures = drawn
    scores = draw("noise", 1.0).axes[3]
    said = [float(text.get_text()) for text in scores.texts][::-1]
    single = {m: f.badness(m, v) for m, v in f.measure(failures.spoil("noise"), failures.batch).items()}
    shift = {m: f.badness(m, v) for m, v in f.measure(failures.spoil(f.HARMLESS), failures.batch).items()}
    np.testing.assert_allclose(said, [single[m][1] / shift[m][1] for m in single], atol=0.006, rtol=0.01)


def test_shell_moves():
    panel = training.failure(batch_of(2), 0)
    assert isinstance(panel, live.__globals__["Live"])
    panel.move()
    assert panel.values() == {"failure": "blurred", "strength": 1.0}
