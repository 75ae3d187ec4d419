"""The live figures of the notebook on inpainting: drawn over their whole grid, and with the right numbers in them."""

import ipywidgets as W
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from posekit_course.color_vs_coordinate import figures
from posekit_course.color_vs_coordinate import widgets as inpainting
from posekit_course.live import settings, to_png

from posekit.ops.grids import norm_to_index
from posekit.person import Pair
from posekit.studio.generate import make_person
from posekit.systems import build
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions

SMALL = {"atlas_size": 36, "image_size": 48, "f_width": 4, "g_width": 4}


@pytest.fixture(scope="module")
def persons():
    return {view: make_person(0, 15, view, 48) for view in (0, 1)}


@pytest.fixture(scope="module")
def found(persons):
    system = build("coordinate_inpainting", **SMALL).eval()
    return inpainting.lookups(system, {(name, view): p for name in ("a", "b") for view, p in persons.items()})


@pytest.fixture(scope="module")
def albums(persons):
    pairs = [Pair(persons[0], persons[1]), Pair(persons[1], persons[0])]
    steps, made = inpainting.milestones(3), {}
    for name, variant in (("coordinates", "full"), ("colours", "rgb")):
        system = build("coordinate_inpainting", variant=variant, **SMALL)
        album = inpainting.Album(pairs, steps)
        album.keep(system, None, 0)
        options = {"stages": ["inpainting"], "steps": 3, "batch_size": 2, "device": "cpu", "progress": False}
        fit(system, pairs, options=TrainingOptions(**options), on_step=album.keep)
        made[name] = album
    return made


def grid(controls, most=60):
    return settings(most=most, **controls)


def test_lookup_over_the_ends_of_its_grid(found):
    for setting in grid(inpainting.lookup_controls(found)):
        figure = inpainting.render_lookup(**setting, completed=found)
        left, right = figure.axes
        assert left.images[0].get_array().shape == (36, 36, 3)
        assert right.images[0].get_array().shape == (48, 48, 3)
        if setting["show"] == inpainting.SHOW[0]:
            assert len(figure.artists) == 1  # the line
        plt.close(figure)


def test_the_line_leads_from_the_texel_to_its_pixel(found):
    one = found["a", 1]
    row, column = one.known[0, 0].nonzero()[20].tolist()
    u, v = (2 * column + 1) / 36 - 1, (2 * row + 1) / 36 - 1
    figure = inpainting.render_lookup("a", 1, u, v, "one texel", completed=found)
    line = figure.artists[0]
    assert tuple(line.xy1) == (column, row)
    x, y = norm_to_index(one.D[0, :, row, column], 48).tolist()
    np.testing.assert_allclose(line.xy2, (x, y), atol=1e-4)
    said = figure.get_suptitle()
    assert f"texel ({column}, {row})" in said
    assert "known: the photograph shows" in said


def test_what_is_said_about_other_texels(found):
    one = found["a", 1]
    skin = figures.skin_texels(36)[0, 0] > 0
    for where, words in (((one.known[0, 0] == 0) & skin, "f says where"), (~skin, "no skin here")):
        row, column = where.nonzero()[0].tolist()
        u, v = (2 * column + 1) / 36 - 1, (2 * row + 1) / 36 - 1
        assert words in inpainting.render_lookup("a", 1, u, v, "one texel", completed=found).get_suptitle()


def test_every_arrow_ends_in_a_dot(found):
    figure = inpainting.render_lookup("b", 0, 0.0, 0.0, "all as arrows", completed=found)
    left, right = figure.axes
    arrows = [text for text in left.texts if text.arrow_patch is not None]
    dots = [line for line in right.lines if line.get_marker() == "o"]
    assert len(arrows) == len(dots) > 5


def test_training_over_its_whole_grid(albums):
    steps = albums["coordinates"].steps
    assert steps == [0, 1, 2, 3]
    shown = set()
    for setting in grid(inpainting.training_controls(albums)):
        figure = inpainting.render_training(**setting, albums=albums)
        textures = [figure.axes[n].images[0].get_array() for n in (0, 4)]
        shown.add(np.stack(textures).tobytes())
        curves = figure.axes[3].lines
        assert [list(line.get_xdata()) for line in curves[:2]] == [steps, steps]
        assert curves[2].get_xdata()[0] == setting["step"]
        plt.close(figure)
    assert len(shown) == 4 * 2  # every step and pair has its own textures


def test_an_album_keeps_and_changes_nothing(persons):
    system = build("coordinate_inpainting", **SMALL)
    system.f.train()
    before = {name: value.clone() for name, value in system.state_dict().items()}
    album = inpainting.Album([Pair(persons[0], persons[1])], [0, 5])
    album.keep(system, None, 0)
    album.keep(system, None, 3)  # not a chosen step
    assert list(album.T) == list(album.W) == list(album.loss) == [0]
    assert system.f.training
    assert all(torch.equal(value, before[name]) for name, value in system.state_dict().items())


@pytest.mark.parametrize("steps", [1, 7, 400])
def test_milestones(steps):
    marks = inpainting.milestones(steps)
    assert marks[0] == 0
    assert marks[-1] == steps
    assert marks == sorted(set(marks))
    assert len(marks) <= inpainting.MARKS
    gaps = np.diff(marks)
    assert gaps[-1] >= gaps[0]


def test_drawing_is_pure(found, albums):
    for draw in (
        lambda: inpainting.render_lookup("a", 0, 0.1, 0.1, "one texel", completed=found),
        lambda: inpainting.render_training(2, 0, albums=albums),
    ):
        before = plt.get_fignums()
        assert to_png(draw()) == to_png(draw())
        assert plt.get_fignums() == before


def test_controls_have_names(found, albums):
    for controls in (inpainting.lookup_controls(found), inpainting.training_controls(albums)):
        assert all(isinstance(c, W.ValueWidget) and c.description for c in controls.values())


def test_the_panels_show_what_is_drawn(albums):
    panel = inpainting.training(albums)
    panel.move()
    assert panel.values()["step"] == 3


# ------------------------------------------------------------------------------------------------------- the pictures


def test_grid_of_shows_every_pixel_whole():
    rows = [[np.full((10, 12, 3), n / 6) for n in range(3)], [np.full((10, 12, 3), n / 6) for n in range(3, 6)]]
    rows[0][1][4, 5] = (1, 0, 0)
    figure = figures.grid_of(["a", "b\nb", "c"], rows, scale=8)
    assert [axis.get_title() for axis in figure.axes] == ["a", "b\nb", "c", "", "", ""]
    image = np.asarray(figure.as_image().convert("RGB")).astype(int)
    red = (image[..., 0] > 200) & (image[..., 1] < 60)
    assert red.sum() == 64  # one pixel, 8 x 8, with sharp edges


def test_rows_of_a_grid_have_names_in_a_margin_of_their_own():
    rows = [[np.full((40, 40, 3), 0.5) for _ in range(2)] for _ in range(2)]
    bare, named = figures.grid_of(["a", "b"], rows), figures.grid_of(["a", "b"], rows, names=["W", "warped"])
    assert [axis.get_ylabel() for axis in named.axes] == ["W", "", "warped", ""]
    wide, narrow = (np.asarray(figure.as_image().convert("RGB")) for figure in (named, bare))
    margin = wide.shape[1] - narrow.shape[1]
    assert margin > 30
    assert np.array_equal(wide[:, margin + 4 :], narrow[:, 4:])  # beside the margin nothing changes
    assert (wide[:, :3] == 255).all()  # no name is cut off
    for line in (slice(20, 64), slice(70, 112)):
        assert (wide[line, : margin - 1] < 128).any()


def test_regions_are_painted_by_state():
    known, asked = torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    known[..., 10:20, 10:20] = 1
    asked[..., 15:20, 10:25] = 1
    image = figures.regions(known, asked)
    blue, orange = (np.array([int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for c in (figures.BLUE, figures.ORANGE))
    assert np.isclose(image, blue).all(-1).sum() == 50
    assert np.isclose(image, orange).all(-1).sum() == 25


def test_figures_of_gates_and_fields():
    gates = {"channel 1": (torch.randn(8, 8), torch.rand(8, 8)), "channel 2": (torch.randn(8, 8), torch.rand(8, 8))}
    figure = figures.draw_gates(gates)
    assert figure.axes[1].images[0].get_clim() == (0, 1)
    product = torch.as_tensor(np.asarray(figure.axes[5].images[0].get_array()))
    torch.testing.assert_close(product, gates["channel 2"][0] * gates["channel 2"][1])
    openings = figures.draw_openings([(0.2, 0.8), (0.5, 0.6)], [0.6, 0.1]).axes[0]
    assert list(openings.lines[0].get_ydata()) == [0.2, 0.5]
    field = torch.zeros(16, 16)
    field[4:8, 4:8] = 1
    axis = figures.draw_fields({"one": (field, (5, 6))}).axes[0]
    assert np.isfinite(np.asarray(axis.images[0].get_array())).sum() == 1  # one square of 4 x 4
    assert axis.lines[0].get_xydata().tolist() == [[6, 5]]
