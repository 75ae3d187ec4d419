"""The shell of live figures: it follows its controls, and nothing broken can hide in it."""

import io

import ipywidgets as W
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image
from posekit_course.live import ends, live, settings, steps, to_png

from posekit.util.errors import InputError


def render_stripe(width: int, bright: bool) -> np.ndarray:
    """A pure drawing function: a stripe of some width."""
    picture = np.zeros((8, 8, 3))
    picture[:, :width] = 1.0 if bright else 0.5
    return picture


def controls():
    return {"width": W.IntSlider(2, min=1, max=5), "bright": W.Checkbox(True)}


def decoded(panel) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(panel.image.value)))


@pytest.mark.parametrize("values", settings(**controls()), ids=str)
def test_every_setting_shows_what_the_pure_function_draws(values):
    panel = live(render_stripe, **controls())
    panel.set(**values)
    np.testing.assert_array_equal(decoded(panel), (render_stripe(**values) * 255 + 0.5).astype(np.uint8))


def test_moving_goes_through_the_ends_and_comes_back():
    calls = []

    def draw(**values):
        calls.append(values)
        return render_stripe(**values)

    panel = live(draw, **controls())
    panel.move()
    assert {call["width"] for call in calls} == {1, 2, 3, 5}
    assert {call["bright"] for call in calls} == {True, False}
    assert panel.values() == {"width": 2, "bright": True}


def test_broken_figure_fails_where_it_is_moved_and_says_so_in_place():
    def draw(width, bright):
        if width > 4:
            raise RuntimeError("no <room>")
        return render_stripe(width, bright)

    panel = live(draw, **controls())
    with pytest.raises(RuntimeError, match="no <room>"):
        panel.move()
    assert panel.message.value == "<b>RuntimeError</b>: no &lt;room&gt;"
    panel.set(width=3)
    assert panel.message.value == ""


def test_figure_broken_from_the_start_fails_at_once():
    with pytest.raises(ZeroDivisionError):
        live(lambda size: 1 / 0, size=W.IntSlider())


def test_dead_control_is_named():
    panel = live(lambda width, bright: render_stripe(width, True), **controls())
    with pytest.raises(AssertionError, match="'bright' changes nothing"):
        panel.move()


def test_reader_without_kernel_gets_the_picture():
    import base64

    panel = live(render_stripe, **controls())
    shown = panel._repr_mimebundle_()
    assert base64.b64decode(shown["image/png"]) == panel.image.value
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert shown["text/plain"] == "Live figure; controls: width, bright"


def test_figures_are_closed():
    before = plt.get_fignums()

    def draw(width):
        figure, axes = plt.subplots(figsize=(1, 1))
        axes.axvline(width)
        return figure

    live(draw, width=W.IntSlider(2, min=1, max=3)).move()
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    "picture", [np.zeros((4, 5)), np.zeros((4, 5, 3), np.uint8), Image.new("RGB", (5, 4))], ids=["grey", "uint8", "PIL"]
)
def test_kinds_of_pictures(picture):
    assert Image.open(io.BytesIO(to_png(picture))).size == (5, 4)


@pytest.mark.parametrize("picture", [None, "text", np.full((2, 2), np.nan), np.zeros(3)])
def test_what_is_no_picture_is_refused(picture):
    with pytest.raises(InputError):
        to_png(picture)


@pytest.mark.parametrize(
    ("control", "values"),
    [
        (W.IntSlider(3, min=1, max=7, step=2), [1, 3, 5, 7]),
        (W.FloatSlider(0.5, min=0, max=1, step=0.25), [0, 0.25, 0.5, 0.75, 1]),
        (W.Checkbox(True), [False, True]),
        (W.Dropdown(options=["a", "b"]), ["a", "b"]),
        (W.Dropdown(options=[("one", 1), ("two", 2)]), [1, 2]),
        (W.Dropdown(options={"one": 1, "two": 2}), [1, 2]),
        (W.SelectionSlider(options=[4, 8, 16]), [4, 8, 16]),
    ],
)
def test_values_of_a_control(control, values):
    assert steps(control) == pytest.approx(values) if isinstance(values[0], float) else steps(control) == values
    for value in ends(control):
        control.value = value  # a value that the control takes
        assert control.value == value


def test_large_grids_go_through_ends_and_middle_only():
    sliders = {name: W.IntSlider(0, min=0, max=99) for name in "ab"}
    grid = settings(**sliders)
    assert len(grid) == 9
    assert {values["a"] for values in grid} == {0, 50, 99}


def test_wrong_use_is_refused():
    with pytest.raises(InputError, match="at least one control"):
        live(render_stripe)
    with pytest.raises(InputError, match="a widget with a value for 'width'"):
        live(render_stripe, width=3, bright=W.Checkbox())
    with pytest.raises(InputError, match="no control 'size'"):
        live(render_stripe, **controls()).set(size=3)
    with pytest.raises(InputError, match="no list of values"):
        steps(W.Text("a"))
